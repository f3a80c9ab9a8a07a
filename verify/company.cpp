#include "verify/company.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <system_error>
#include <utility>

#include "interpreters/epoll.hpp"
#include "interpreters/event_bytes.hpp"
#include "interpreters/fork.hpp"
#include "interpreters/uring.hpp"

namespace antiphon::verify {

namespace {

void run_by_fork(const Server& server, Performer& performer) {
  ForkHandler handler;
  Conducted conducted(handler, performer);
  Recording recording(conducted, performer);
  recording.finish(run(server, recording));
}

void run_by_loop(LoopReport (*run_loop)(const Server&, const LoopOptions&), const Server& server,
                 Performer& performer) {
  Stop stop;
  const StopBySignal by_signal(stop);
  LoopOptions options;
  options.stop = &stop;
  options.trace = &performer;
  options.conductor = &performer;
  options.spin_us = 0;
  run_loop(server, options);
}

/// Once nobody has the pipe's other end, SIGIO ends the whole group, whatever its processes wait for.
void end_with_the_conductor(int pipe) {
  fcntl(pipe, F_SETOWN, -getpgrp());
  fcntl(pipe, F_SETFL, O_ASYNC);
  pollfd watched{pipe, 0, 0};
  if (poll(&watched, 1, 0) > 0) std::_Exit(EXIT_FAILURE);  // it was too late for that
}

[[noreturn]] void be_the_server(const Server& server, Performer& performer, Stage stage) {
  try {
    switch (stage) {
      case Stage::fork:
        run_by_fork(server, performer);
        break;
      case Stage::epoll:
        run_by_loop(run_on_epoll, server, performer);
        break;
      case Stage::uring:
        run_by_loop(run_on_uring, server, performer);
        break;
    }
  } catch (const std::exception&) {
    std::_Exit(EXIT_FAILURE);
  }
  std::_Exit(EXIT_SUCCESS);
}

[[noreturn]] void refuse(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

}  // namespace

Company::Company(const Server& server, const Score& score, Progress& progress, Stage stage) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0) refuse("socketpair");
  kernel::Descriptor ours(ends[0]);
  const kernel::Descriptor theirs(ends[1]);
  if (pipe2(ends.data(), O_CLOEXEC) < 0) refuse("pipe2");
  const kernel::Descriptor watched(ends[0]);
  kernel::Descriptor held(ends[1]);
  first_ = fork();
  if (first_ < 0) refuse("fork");
  if (first_ == 0) {
    setpgid(0, 0);
    close(ours.hand_on());
    close(held.hand_on());
    end_with_the_conductor(watched.number());
    Performer performer(score, progress, theirs.number());
    be_the_server(server, performer, stage);
  }
  news_ = std::move(ours);
  life_ = std::move(held);
  setpgid(first_, first_);
}

Company::~Company() {
  kill(-first_, SIGKILL);
  waitpid(first_, nullptr, 0);
}

std::optional<ProcessEvent> Company::next_event() {
  const ssize_t size = recv(news_.number(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (size <= 0) return std::nullopt;
  std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
  return take_event(bytes);
}

void Company::stop() const { kill(-first_, SIGTERM); }

void Company::await_end(Pid process) {
  const int opened = static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(process.number), 0));
  if (opened < 0) return;
  const kernel::Descriptor descriptor(opened);
  pollfd watched{descriptor.number(), POLLIN, 0};
  constexpr int patience_ms = 10'000;
  static_cast<void>(poll(&watched, 1, patience_ms));
}

void Company::stop_one(Pid process) { kill(static_cast<pid_t>(process.number), SIGTERM); }

std::optional<std::string> why_not(Stage stage) { return stage == Stage::uring ? why_no_uring() : std::nullopt; }

}  // namespace antiphon::verify
