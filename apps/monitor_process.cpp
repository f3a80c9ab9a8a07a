#include "apps/monitor_process.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "apps/server_log.hpp"
#include "interpreters/event_bytes.hpp"
#include "interpreters/trace_writer.hpp"
#include "verify/monitor.hpp"

namespace antiphon {

namespace {

constexpr std::size_t most_to_send = 32'768;

/// Longer than any message: what is held back, and one event more.
constexpr std::size_t longest_message = std::size_t{4} << 20U;

constexpr time_t patience_s = 10;

[[noreturn]] void refuse_to_start(int error) {
  throw std::system_error(error, std::generic_category(), "cannot start the monitor");
}

/// While it lives, signals wait: one that is sent to the whole group must not meet a monitor that does not ignore it
/// yet.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { let_go(); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

  void let_go() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

// -- The monitor's side ------------------------------------------------------------------------------------------

/// It has to outlive the server, and must not hold anything open that the server lets go of. Its socket is standard
/// input from here on.
void detach(int socket) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1}) std::signal(signal, SIG_IGN);
  dup2(socket, STDIN_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);
}

/// Judges what comes in until no sender is left. False: something came that is no event.
bool judge_all(TraceSink& judge) {
  std::vector<char> message(longest_message);
  for (;;) {
    const ssize_t size = recv(STDIN_FILENO, message.data(), message.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size == 0;
    std::string_view rest(message.data(), static_cast<std::size_t>(size));
    while (!rest.empty()) {
      const auto event = take_event(rest);
      if (!event) return false;
      judge.write(*event);
    }
  }
}

}  // namespace

MonitorProcess::MonitorProcess(const verify::Expectations& expectations, OnViolation on_violation)
    : on_violation_(on_violation), first_(getpid()) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0) refuse_to_start(errno);
  const SignalsHeld held;
  monitor_ = fork();
  if (monitor_ < 0) {
    const int error = errno;
    for (const int end : ends) close(end);
    refuse_to_start(error);
  }
  if (monitor_ == 0) {
    detach(ends[1]);
    held.let_go();
    judge_and_leave(expectations);
  }
  close(ends[1]);
  socket_ = ends[0];
  const timeval patience{patience_s, 0};
  for (const int direction : {SO_SNDTIMEO, SO_RCVTIMEO}) {
    setsockopt(socket_, SOL_SOCKET, direction, &patience, sizeof(patience));
  }
  if (on_violation == OnViolation::abort) std::signal(SIGUSR1, [](int) { std::_Exit(status_of(ExitCode::violated)); });
}

void MonitorProcess::judge_and_leave(const verify::Expectations& expectations) {
  verify::Monitor monitor(expectations, [this](const verify::Violation& violation) {
    tell_violation(violation, "");
    if (on_violation_ == OnViolation::log) return;
    state_->store(over);
    if (getppid() == first_) kill(first_, SIGUSR1);
    std::_Exit(status_of(ExitCode::violated));
  });
  const bool whole = judge_all(monitor);
  if (state_->load() == dismissed) std::_Exit(status_of(ExitCode::holds));
  MonitorReport report;
  report.add(monitor.finish(), "");
  if (!whole || state_->load() == broken) report.add_remark("events were lost on their way to it");
  put_line(report.line() + '\n');
  const char code = static_cast<char>(status_of(report.code()));
  send(STDIN_FILENO, &code, sizeof(code), MSG_NOSIGNAL);
  std::_Exit(status_of(report.code()));
}

// -- The server's side -------------------------------------------------------------------------------------------

MonitorProcess::~MonitorProcess() {
  // A server that did not come to serve has no verdict.
  if (monitor_ != 0) state_->store(dismissed);
  close(socket_);
}

void MonitorProcess::write(const ProcessEvent& event) {
  // Also once nothing is sent any more: the server may just be being aborted.
  if (on_violation_ == OnViolation::abort && is_birth(event)) end_with_the_first();
  if (state_->load(std::memory_order_relaxed) != open) return;
  append_bytes(held_back_, event);
  if (held_back_.size() >= most_to_send || is_due_at_once(event)) flush();
}

void MonitorProcess::flush() {
  while (!held_back_.empty() && state_->load(std::memory_order_relaxed) == open) {
    // A message comes in whole or not at all.
    if (send(socket_, held_back_.data(), held_back_.size(), MSG_NOSIGNAL) >= 0) break;
    if (errno != EINTR) give_up(errno);
  }
  held_back_.clear();
}

ExitCode MonitorProcess::finish() {
  flush();
  // Processes that did not end in time still have the socket: for the monitor it ends here.
  std::uint64_t before = open;
  state_->compare_exchange_strong(before, over);
  shutdown(socket_, SHUT_WR);
  char code = 0;
  ssize_t size = -1;
  do {
    size = recv(socket_, &code, sizeof(code), 0);
  } while (size < 0 && errno == EINTR);
  if (size == sizeof(code)) {
    waitpid(std::exchange(monitor_, 0), nullptr, 0);
    return ExitCode{code};
  }
  put_line("monitor: incomplete: no verdict came from its process\n");
  return ExitCode::incomplete;
}

void MonitorProcess::give_up(int error) {
  std::uint64_t before = open;
  if (!state_->compare_exchange_strong(before, broken)) return;
  const char* const why = error == EAGAIN ? "it does not read" : std::strerror(error);
  put_line(fmt::format("monitor: it does not see what follows: {}; serving goes on\n", why));
}

/// In a process that was just forked: who aborts the server ends its first process, and this goes with it.
void MonitorProcess::end_with_the_first() const {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != first_) std::_Exit(status_of(ExitCode::violated));
}

}  // namespace antiphon
