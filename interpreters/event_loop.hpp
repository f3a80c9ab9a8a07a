#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "interpreters/adopted_listeners.hpp"
#include "interpreters/conductor.hpp"
#include "interpreters/errand.hpp"
#include "interpreters/exchange_observer.hpp"
#include "interpreters/kernel.hpp"
#include "interpreters/origin.hpp"
#include "interpreters/recording.hpp"
#include "interpreters/stop.hpp"

/// Event loops: interpreters that run all processes of a program in one thread on the Linux kernel. Fork continues one
/// immutable process twice; each of the two has its own table of sockets, as after fork(2). `epoll.hpp` and
/// `uring.hpp` have one each. A program's pids and processes are virtual in them, its sockets are real.

namespace antiphon {

/// Polling before sleeping: as long as it pays, and not longer than 100 us at a time.
inline constexpr std::int64_t adaptive_spin_us = -1;

/// What the loops of one server have in common, each in a thread of its own with a program value of its own.
struct LoopFamily {
  /// Living children of the first processes, which count as one process: for the limit of Fork, and to be shown.
  std::atomic<std::int64_t> living = 0;
  /// Of those children, where they are counted: whose clients are at which address.
  OriginCounts origins;
};

/// What one loop has done and has to do, for other threads to read. Only the loop's thread writes it.
struct LoopCounts {
  std::atomic<std::int64_t> accepted = 0;  ///< Clients.
  std::atomic<std::int64_t> living = 0;    ///< Processes but for the first.
};

struct LoopOptions {
  Stop* stop = nullptr;                  ///< Who asks it to stop; null: nobody does.
  TraceSink* trace = nullptr;            ///< Is told everything.
  ExchangeObserver* observer = nullptr;  ///< Sees everything.
  /// Is told that the first process listens, what it is refused, and its end. Sessions' failures are daily business.
  std::function<void(const ProcessEvent&)> watch;
  Conductor* conductor = nullptr;           ///< Null: every process goes on as it can. With one there is a trace.
  std::int64_t spin_us = adaptive_spin_us;  ///< How long to poll for events before sleeping; 0: never.
  LoopFamily* family = nullptr;             ///< Null: it is alone.
  LoopCounts* counts = nullptr;             ///< Null: nobody reads them.
  AdoptedListeners* adopted = nullptr;      ///< Sockets that OpenSocket may answer with; null: there are none.
  Errand errand;                            ///< What the loop's thread sees to beside.
  kernel::Sharing sharing = kernel::Sharing::alone;
  /// On io_uring: the IORING_OP_* that the ring may be asked, whoever asks it; none: any.
  std::optional<std::vector<std::uint8_t>> ring_operations;
  std::int64_t grace_ms = forever_ms;  ///< After a stop: how long processes may go on once the first one has ended.
};

/// How a run ended.
struct LoopReport {
  Result<Unit> result;       ///< Of the first process.
  std::int64_t failed = 0;   ///< Other processes that ended by an unhandled error.
  std::int64_t cut = 0;      ///< Other processes that the drain ended before: an instruction answered STOPPING, or the
                             ///< grace was over.
  std::int64_t cut_off = 0;  ///< Processes that had not ended when the grace was over.
};

}  // namespace antiphon
