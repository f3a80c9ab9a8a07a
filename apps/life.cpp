#include "apps/life.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "apps/user.hpp"

namespace antiphon {

namespace {

sigset_t signals_taken() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  return set;
}

void watch(int news, int descriptor) {
  epoll_event interest{.events = EPOLLIN, .data = {.fd = descriptor}};
  if (epoll_ctl(news, EPOLL_CTL_ADD, descriptor, &interest) < 0) kernel::needed(-1, "epoll_ctl");
}

std::int64_t whole_seconds(kernel::Nanoseconds time) { return time / kernel::second; }

}  // namespace

struct Life::Mask {
  sigset_t signals{};
};

Life::Life(const ServerArguments& arguments, ServerLog& log)
    : arguments_(&arguments), log_(&log), passed_(take_passed(adopted_)), mask_before_(std::make_unique<Mask>()) {
  const sigset_t taken = signals_taken();
  pthread_sigmask(SIG_BLOCK, &taken, &mask_before_->signals);
  signals_ = kernel::needed(signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
  news_ = kernel::needed(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  watch(news_.number(), signals_.number());
  if (!notices_.why_deaf().empty() && notices_.nonsense().empty()) log_->warn("NOTIFY_SOCKET: " + notices_.why_deaf());
  if (notices_.watchdog() == 0) return;
  // As often as sd_watchdog_enabled(3) advises.
  clock_.emplace(notices_.watchdog() / 2);
  watch(news_.number(), clock_->descriptor());
}

Life::~Life() { pthread_sigmask(SIG_SETMASK, &mask_before_->signals, nullptr); }

// -- What it inherits --------------------------------------------------------------------------------------------

std::optional<std::string> Life::inherit(ServerArguments& arguments) {
  if (!passed_) return passed_.error();
  if (!notices_.nonsense().empty()) return notices_.nonsense();
  if (arguments.take_over != 0) {
    if (*passed_ != 0) return "--take-over: there are listeners in LISTEN_FDS already";
    auto found = Predecessor::named(arguments.take_over);
    if (!found) return found.error();
    predecessor_.emplace(*std::move(found));
    if (auto why = predecessor_->share_listeners(adopted_)) return why;
    predecessor_->prepare_stop();
  }
  has_inherited_ = !adopted_.addresses().empty();
  return has_inherited_ ? settle_address(arguments) : std::nullopt;
}

std::optional<std::string> Life::settle_address(ServerArguments& arguments) const {
  const bool passed = *passed_ != 0;
  Endpoint& at = arguments.options.server.at;
  const std::vector<Endpoint> addresses = adopted_.addresses();
  const char* const from = passed ? "LISTEN_FDS" : "--take-over";
  const bool serves_there = std::ranges::find(addresses, at) != addresses.end();
  if (!serves_there && arguments.chose_address) {
    return fmt::format("{}: no listener that is inherited is bound to {}", from, text_of(at));
  }
  // Clients would wait for ever at an address that a service manager keeps and nobody serves.
  if (addresses.size() > 1 && (passed || !serves_there)) {
    return fmt::format("{}: listeners at {} addresses are inherited, {} and {} among them, and one is served", from,
                       addresses.size(), text_of(addresses[0]), text_of(addresses[1]));
  }
  if (!serves_there) at = addresses.front();
  const auto listeners = static_cast<std::int64_t>(adopted_.count_at(at));
  if (listeners > arguments.workers && (arguments.chose_workers || listeners > most_workers)) {
    return fmt::format("{}: {} listeners are inherited at {}, each of which needs a worker, and there are {}", from,
                       listeners, text_of(at), arguments.workers);
  }
  arguments.workers = std::max(arguments.workers, static_cast<int>(listeners));
  return std::nullopt;
}

// -- What it gives up --------------------------------------------------------------------------------------------

void Life::settle() {
  adopted_.let_go();
  if (arguments_->user) {
    if (trace_ != nullptr && !trace_->give_to(arguments_->user->user, arguments_->user->group)) {
      log_->warn("--user: the trace stays the file of who started the server");
    }
    become(*arguments_->user);
  }
}

void Life::settle_helper() const {
  if (arguments_->user) become(*arguments_->user);
}

// -- What it tells -----------------------------------------------------------------------------------------------

void Life::ready(const Endpoint& bound) {
  log_->listening(bound);
  notices_.tell(fmt::format("READY=1\nMAINPID={}\nSTATUS=listening on {}", getpid(), text_of(bound)));
  if (!predecessor_) return;
  if (const auto why = predecessor_->stop()) log_->warn(*why);
  predecessor_.reset();
}

void Life::stopping(std::int64_t connections) const {
  const auto drain_ms = arguments_->options.session.until.drain_ms;
  if_memory_allows([&] {
    log_->tell({.event = "stopping",
                .message = fmt::format("asked to stop; {} connections may go on for {} s", connections,
                                       static_cast<double>(drain_ms) / 1000),
                .fields = {{"connections", connections}, {"drain_ms", drain_ms}}});
  });
  if_memory_allows([&] { notices_.tell(fmt::format("STOPPING=1\nSTATUS=draining {} connections", connections)); });
}

void Life::tell_state() {
  const std::vector<WorkerState> states = states_ ? states_() : std::vector<WorkerState>();
  WorkerState all;
  for (const WorkerState& one : states) {
    all.living += one.living;
    all.accepted += one.accepted;
    all.failed += one.failed;
  }
  const std::int64_t uptime_s = whole_seconds(kernel::now() - started_at_);
  log_->tell(
      {.event = "state",
       .message = fmt::format("state: up {} s, {} workers, {} connections, {} accepted{}", uptime_s, states.size(),
                              all.living, all.accepted, all.failed > 0 ? fmt::format(", {} failed", all.failed) : ""),
       .fields = {{"uptime_s", uptime_s},
                  {"workers", static_cast<std::int64_t>(states.size())},
                  {"connections", all.living},
                  {"accepted", all.accepted},
                  {"failed", all.failed}}});
  for (std::size_t number = 0; number < states.size(); ++number) {
    const WorkerState& one = states[number];
    const std::string where = one.bound ? "listens on " + text_of(*one.bound) : "does not listen";
    log_->tell({.event = "worker_state",
                .message = fmt::format("state: worker {} {}, {} connections, {} accepted", number, where, one.living,
                                       one.accepted),
                .fields = {{"worker", static_cast<std::int64_t>(number)},
                           {"listens_on", one.bound ? text_of(*one.bound) : ""},
                           {"connections", one.living},
                           {"accepted", one.accepted}}});
  }
  log_->tell_failures(1, "failure_state");
}

// -- What it sees to ---------------------------------------------------------------------------------------------

Errand Life::errand() {
  return {news_.number(), [this] { run_errands(); }};
}

Errand Life::errand_of_worker() {
  if (!clock_) return {};
  return heartbeats_.emplace_back(notices_.watchdog() / 2).errand();
}

void Life::run_errands() {
  take_signals();
  if (clock_) give_sign_of_life();
}

void Life::take_signals() {
  signalfd_siginfo taken{};
  while (read(signals_.number(), &taken, sizeof(taken)) > 0) {
    if (taken.ssi_signo == SIGHUP) {
      reopen_trace();
    } else {
      if_memory_allows([&] { tell_state(); });
    }
  }
}

void Life::reopen_trace() {
  if (trace_ == nullptr) return log_->note("SIGHUP: there is no trace to reopen");
  if_memory_allows(
      [&] { notices_.tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", kernel::now() / kernel::microsecond)); });
  trace_->reopen();
  notices_.tell("READY=1");
}

/// If all threads gave theirs.
void Life::give_sign_of_life() {
  const kernel::Nanoseconds before = clock_->last();
  clock_->tick();
  if (clock_->last() == before) return;
  const kernel::Nanoseconds oldest = clock_->last() - notices_.watchdog();
  if (std::ranges::all_of(heartbeats_, [&](const Heartbeat& one) { return one.last() >= oldest; })) {
    notices_.tell("WATCHDOG=1");
  }
}

}  // namespace antiphon
