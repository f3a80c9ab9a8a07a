#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/heartbeat.hpp"
#include "apps/inheritance.hpp"
#include "apps/notices.hpp"
#include "apps/server_arguments.hpp"
#include "apps/server_log.hpp"
#include "interpreters/adopted_listeners.hpp"
#include "interpreters/errand.hpp"
#include "interpreters/trace_file.hpp"

namespace antiphon {

/// How a worker stands.
struct WorkerState {
  std::optional<Endpoint> bound;  ///< Once it listens.
  std::int64_t living = 0;        ///< Connections.
  std::int64_t accepted = 0;
  std::int64_t failed = 0;  ///< Of `fork`: sessions that ended by a signal or a failure.
};

/// A server's life beside its program: what it inherits, what it gives up before it serves, and what operators and
/// service managers ask and are told. SIGHUP and SIGUSR1 belong to it from the start: they are blocked in all threads
/// and in what is forked.
class Life {
 public:
  /// To be made before anything else is opened, and before there is another thread. Throws std::system_error.
  Life(const ServerArguments& arguments, ServerLog& log);
  ~Life();
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  /// Takes the listeners that somebody leaves to it, and lets the address and the number of workers follow from them
  /// where nobody chose. Error: one line.
  std::optional<std::string> inherit(ServerArguments& arguments);
  /// Null: there is nothing inherited.
  AdoptedListeners* adopted() { return has_inherited_ ? &adopted_ : nullptr; }

  /// Whether a service manager listens.
  [[nodiscard]] bool sends_notices() const { return notices_.has_listener(); }
  /// What the server's first thread sees to.
  Errand errand();
  /// What each other thread of it sees to, and shows thereby that it is alive.
  Errand errand_of_worker();
  /// The trace that is to be reopened when somebody asks.
  void let_reopen(TraceFile& trace) { trace_ = &trace; }
  /// Who can tell how the workers stand, from the first thread.
  void let_tell(std::function<std::vector<WorkerState>()> states) { states_ = std::move(states); }

  /// All workers listen, and none has accepted yet: what was needed to come here is given up. Throws.
  void settle();
  /// In a process that helps the server, once it has what it needs.
  void settle_helper() const;
  /// Clients can connect, and nothing stands in the way of serving them: who is followed is asked to stop.
  void ready(const Endpoint& bound);
  /// The server was asked to stop.
  void stopping(std::int64_t connections) const;
  /// In a session's process.
  void leave() { notices_.end(); }

 private:
  void run_errands();
  void take_signals();
  void reopen_trace();
  void tell_state();
  void give_sign_of_life();
  std::optional<std::string> settle_address(ServerArguments& arguments) const;

  const ServerArguments* arguments_;
  ServerLog* log_;
  TraceFile* trace_ = nullptr;
  AdoptedListeners adopted_;
  std::expected<std::size_t, std::string> passed_;  ///< How many a service manager passed.
  Notices notices_;
  bool has_inherited_ = false;
  std::optional<Predecessor> predecessor_;
  kernel::Nanoseconds started_at_ = kernel::now();
  std::function<std::vector<WorkerState>()> states_;
  struct Mask;
  std::unique_ptr<Mask> mask_before_;
  kernel::Descriptor signals_{-1};
  kernel::Descriptor news_{-1};  ///< Readable when a signal came or the clock ticks.
  std::optional<Heartbeat> clock_;
  std::deque<Heartbeat> heartbeats_;  ///< Of the other threads.
};

}  // namespace antiphon
