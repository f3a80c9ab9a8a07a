#include "verify/performance.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "interpreters/epoll.hpp"
#include "interpreters/event_bytes.hpp"
#include "interpreters/fork.hpp"
#include "interpreters/kernel.hpp"
#include "interpreters/uring.hpp"
#include "verify/contract.hpp"
#include "verify/peer.hpp"
#include "verify/performer.hpp"
#include "verify/recorded_run.hpp"
#include "verify/score.hpp"
#include "verify/table.hpp"

namespace antiphon::verify {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How long a step may take. Nothing is expected to come near it.
constexpr milliseconds patience{2'000};
/// So long nothing may happen once the score is at its end.
constexpr milliseconds rest{20};
/// A request for a connection that is dropped: so long nothing comes of it.
constexpr int dropped_ms = 20;
/// For a loop to notice that it was asked to stop, and for what follows a parting.
constexpr milliseconds moment{5};
constexpr milliseconds aftermath{300};

// -- The server's side -------------------------------------------------------------------------------------------

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

/// The server's processes. They are a group of their own, and all over when this is.
class Company {
 public:
  Company(const Server& server, const Score& score, Progress& progress, Stage stage) {
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
  ~Company() {
    kill(-first_, SIGKILL);
    waitpid(first_, nullptr, 0);
  }
  Company(const Company&) = delete;
  Company& operator=(const Company&) = delete;

  /// The next event that is there.
  std::optional<ProcessEvent> next_event() {
    const ssize_t size = recv(news_.number(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size <= 0) return std::nullopt;
    std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
    return take_event(bytes);
  }

  void stop() const { kill(-first_, SIGTERM); }

 private:
  [[noreturn]] static void refuse(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

  kernel::Descriptor news_{-1};
  kernel::Descriptor life_{-1};  ///< Whose end the group does not outlive.
  pid_t first_ = -1;
  std::array<char, 65'536> buffer_{};
};

// -- The conductor's side ----------------------------------------------------------------------------------------

/// An error that tells nothing of the server ends it all.
void must_not_lack(std::optional<Errno> error) {
  for (const Errno local : {Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS}) {
    if (error == local) throw std::runtime_error("this machine lacks something: " + name_of(local));
  }
}

std::string name_of_client(Index client) { return "client " + std::to_string(client + 1); }

/// Where a server can be reached that listens at an address of this host.
Endpoint reachable(Endpoint at) {
  if (at.host == "0.0.0.0") at.host = "127.0.0.1";
  if (at.host == "::") at.host = "::1";
  return at;
}

/// Where the clients come to: what the first Listen answered.
Endpoint address_in(const Score& score) {
  for (const Event& event : score.run.trace) {
    const auto* const of_process = std::get_if<ProcessEvent>(&event);
    const auto* const listen = of_process == nullptr ? nullptr : exchange_of<Listen>(*of_process);
    if (listen != nullptr && listen->response && *listen->response) return reachable(**listen->response);
  }
  return {};
}

class Conducting {
 public:
  Conducting(const Server& server, const Score& score, Stage stage)
      : score_(score),
        at_(address_in(score)),
        stage_(stage),
        peers_(score.clients),
        company_(server, score, progress_, stage) {}

  Performance performance() {
    await_server([&] { return progress_.has_begun(); }, {"the server", "begins", "nothing comes"});
    if (!progress_.has_begun()) throw std::runtime_error("the server's process did not come to its first instruction");
    while (!progress_.has_parted() && progress_.due() < score_.steps.size()) take(progress_.due());
    if (!progress_.has_parted()) await_rest();
    const std::uint64_t steps = progress_.due();
    if (progress_.has_parted()) {
      watch_the_aftermath();
      if (!difference_ && !progress_.is_cut_short()) difference_ = difference_of_server();
    } else {
      run_.at_rest = score_.run.at_rest;
    }
    return {std::move(run_), steps, score_.given, std::move(difference_), progress_.is_cut_short()};
  }

 private:
  void take(std::uint64_t index) {
    const auto& what = score_.steps[index].what;
    if (const auto* const delivery = std::get_if<Delivery>(&what)) {
      deliver(*delivery);
      return progress_.done(index);
    }
    if (std::holds_alternative<Reminder>(what)) {
      stop();
      return progress_.done(index);
    }
    std::visit([&](const auto& event) { take(index, event); }, std::get<Event>(what));
  }

  void take(std::uint64_t index, const ProcessEvent& event) {
    const auto* const issued = std::get_if<Issued>(&event.what);
    const bool waits =
        issued != nullptr && std::visit([](const auto& exchange) { return !exchange.response; }, issued->exchange);
    if (!waits) {
      return await_server([&] { return progress_.due() != index; }, {place_of(event), cell_of(event), "nothing comes"});
    }
    run_.trace.emplace_back(event);
    progress_.done(index);
  }

  template <class Done>
  void await_server(Done done, const Difference& otherwise) {
    const Clock::time_point end = Clock::now() + patience;
    while (!done() && !progress_.has_parted()) {
      listen();
      std::this_thread::yield();
      if (Clock::now() > end) part(otherwise);
    }
    listen();
  }

  void take(std::uint64_t index, const ClientEvent& event) {
    const std::optional<std::string> instead = what_differs(event);
    if (instead) return part({name_of_client(event.client - 1), cell_of(event), *instead});
    run_.trace.emplace_back(event);
    progress_.done(index);
  }

  void take(std::uint64_t index, const StopEvent& event) {
    stop();
    run_.trace.emplace_back(event);
    progress_.done(index);
  }

  void stop() const {
    company_.stop();
    std::this_thread::sleep_for(moment);
  }

  void part(Difference difference) {
    difference_ = std::move(difference);
    progress_.part();
  }

  void deliver(const Delivery& delivery) {
    Peer& peer = peers_.at(delivery.client);
    switch (delivery.kind) {
      case Delivery::Kind::bytes:
        return peer.send(delivery.bytes);
      case Delivery::Kind::end:
        return peer.end_side();
      case Delivery::Kind::reset:
        return peer.reset();
    }
  }

  /// What the client meets instead.
  std::optional<std::string> what_differs(const ClientEvent& event) {
    using enum ClientEvent::Kind;
    Peer& peer = peers_.at(event.client - 1);
    switch (event.kind) {
      case turned_away:
        return let_in_all_the_same();
      case connected:
        if (const auto outcome = peer.connect(at_); !outcome) {
          must_not_lack(outcome.error());
          return name_of(outcome.error());
        }
        return std::nullopt;
      case refused:
        return not_refused();
      case received: {
        const std::string bytes = peer.receive(event.bytes.size());
        if (bytes == event.bytes.content()) return std::nullopt;
        return "received " + in_quotes(bytes) + ", then " + peer.met();
      }
      case received_end:
        return peer.meets_end() ? std::nullopt : std::optional(peer.met());
      case met_reset:
        return peer.meets_reset() ? std::nullopt : std::optional(peer.met());
      default:
        return std::nullopt;  // what it does shows when it reaches the server
    }
  }

  std::optional<std::string> let_in_all_the_same() const {
    // (What io_uring has accepted ahead cannot be told from what waits.)
    if (stage_ == Stage::uring) return std::nullopt;
    Peer another;
    another.patience_ms = dropped_ms;
    const auto outcome = another.connect(at_);
    if (!outcome && outcome.error() == Errno::EXPIRED) return std::nullopt;
    return outcome ? "connected" : name_of(outcome.error());
  }

  /// (io_uring lets go of a listener a moment after it was closed.)
  std::optional<std::string> not_refused() const {
    std::optional<std::string> first;
    for (const Clock::time_point end = Clock::now() + aftermath; Clock::now() < end;) {
      const auto outcome = Peer().connect(at_);
      if (!outcome && outcome.error() == Errno::CONNREFUSED) return std::nullopt;
      if (!first) first = outcome ? "connected" : name_of(outcome.error());
      std::this_thread::sleep_for(moment);
    }
    return first;
  }

  /// Takes the events that are there. Whether there were any.
  bool listen() {
    bool some = false;
    while (auto event = company_.next_event()) {
      run_.trace.emplace_back(*std::move(event));
      some = true;
    }
    return some;
  }

  void await_rest() {
    if (!score_.run.at_rest) return;
    std::this_thread::sleep_for(rest);
    listen();
  }

  /// The two have parted: what is left to be done is done, and the server goes on as it can. Of clients nothing is
  /// recorded any more.
  void watch_the_aftermath() {
    for (Peer& peer : peers_) peer.patience_ms = dropped_ms;
    const Clock::time_point end = Clock::now() + patience;
    for (std::uint64_t index = progress_.due(); index < score_.steps.size() && Clock::now() < end; ++index) {
      go_on_by(score_.steps[index]);
    }
    for (Clock::time_point quiet = Clock::now() + aftermath; Clock::now() < std::min(quiet, end);) {
      if (listen()) quiet = Clock::now() + aftermath;
      std::this_thread::sleep_for(moment);
    }
    std::erase_if(run_.trace, [](const Event& event) { return !std::holds_alternative<ProcessEvent>(event); });
  }

  void go_on_by(const Step& step) {
    listen();
    if (const auto* const delivery = std::get_if<Delivery>(&step.what)) return deliver(*delivery);
    if (std::holds_alternative<Reminder>(step.what)) return;
    const auto& event = std::get<Event>(step.what);
    if (const auto* const of_client = std::get_if<ClientEvent>(&event)) static_cast<void>(what_differs(*of_client));
    if (std::holds_alternative<StopEvent>(event)) company_.stop();
  }

  static std::string place_of(const ProcessEvent& event) {
    return "event " + std::to_string(event.number) + " of process " + std::to_string(event.process);
  }

  [[nodiscard]] std::optional<Difference> difference_of_server() const {
    const auto by = progress_.parted_by();
    for (const Event& event : run_.trace) {
      const auto& performed = std::get<ProcessEvent>(event);
      if (!by || std::pair(performed.process, performed.number) != *by) continue;
      const ProcessEvent* const simulated = score_.event(performed.process, performed.number);
      if (const auto* const issued = std::get_if<Issued>(&performed.what)) must_not_lack(error_of(issued->exchange));
      return Difference{place_of(performed), simulated == nullptr ? "nothing more" : cell_of(*simulated),
                        cell_of(performed)};
    }
    return std::nullopt;
  }

  const Score& score_;
  Endpoint at_;
  Stage stage_;
  Progress progress_;
  std::vector<Peer> peers_;
  Company company_;
  Run run_;
  std::optional<Difference> difference_;
};

}  // namespace

namespace {

/// A program may have an address of its own.
void must_be_free(const Endpoint& at) {
  if (at.port == 0) return;
  // (Of a process that is gone io_uring may hold its listener a moment longer.)
  for (const Clock::time_point end = Clock::now() + patience; Clock::now() < end;) {
    const auto opened = kernel::open_socket(at);
    if (opened && kernel::listen_at(opened->number(), 1)) return;
    std::this_thread::sleep_for(moment);
  }
  throw std::runtime_error("the program listens at " + text_of(at) + ", where somebody listens already");
}

}  // namespace

std::optional<std::string> why_not(Stage stage) { return stage == Stage::uring ? why_no_uring() : std::nullopt; }

Endpoint free_address() {
  // Below the ports that connections take theirs from.
  static auto tried = static_cast<std::uint32_t>(getpid());
  constexpr int most_tries = 20'000;
  Errno error{};
  for (int tries = 0; tries < most_tries; ++tries) {
    const Endpoint at{"127.0.0.1", static_cast<std::uint16_t>(12'000 + tried++ % most_tries)};
    const auto opened = kernel::open_socket(at);
    const auto listens = opened ? kernel::listen_at(opened->number(), 1) : failed(opened.error());
    if (listens) return at;
    error = listens.error();
    if (error != Errno::ADDRINUSE && error != Errno::ACCES) break;
  }
  throw std::runtime_error("no port to listen at: " + name_of(error));
}

Performance perform(const Server& server, const Score& score, Stage stage) {
  must_be_free(address_in(score));
  return Conducting(server, score, stage).performance();
}

Performance perform(const MakeServer& make, const Scenario& scenario, Stage stage) {
  constexpr std::uint64_t most_tries = 3;
  for (std::uint64_t tries = 1;; ++tries) {
    const Server server = make(free_address());
    Performance performance = perform(server, score_of(server, scenario), stage);
    performance.tries = tries;
    const bool parts = performance.difference || performance.cut_short;
    if (!parts || tries == most_tries) return performance;
  }
}

}  // namespace antiphon::verify
