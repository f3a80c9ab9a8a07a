#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "apps/metrics_board.hpp"
#include "interpreters/exchange_observer.hpp"

namespace antiphon {

/// Counts what processes do, on a slot of a board.
///
/// It follows each connection from its Accept to the Close of the process that serves it. That is the one that accepted
/// it or, after a Fork, the child: a parent that goes on with a connection all the same has its bytes counted, and no
/// more. Its memory is some 100 bytes for each open connection; one that finds no memory counts as ended.
///
/// A Recv begins when the clock was read last before its answer: as its loop woke up, or as the Send before it was
/// through. Only a Send that pays all that is owed reads the clock.
class Meter final : public ExchangeObserver {
 public:
  /// Who adds to the slot.
  enum class Writers : std::uint8_t {
    one,     ///< This meter alone.
    several  ///< Its copies in other processes too.
  };

  /// `when_accepted` is called with each client that comes.
  Meter(MetricsSlot& slot, Writers writers, std::function<void()> when_accepted = {},
        kernel::Nanoseconds (*clock)() = &kernel::now)
      : slot_(&slot), shared_(writers == Writers::several), when_accepted_(std::move(when_accepted)), clock_(clock) {}

  void saw(ProcessId process, const ExchangeView& exchange, kernel::Nanoseconds known) override;
  void forked(ProcessId parent, std::optional<ProcessId> child) override;
  void ended(ProcessId process, const Result<Unit>& result, kernel::Nanoseconds known) override;

 private:
  struct Connection {
    Socket socket;
    bool refused = false;  ///< A Fork for it failed.
    kernel::Nanoseconds since = 0;
    kernel::Nanoseconds received_at = 0;  ///< The first bytes of those that are owed.
    std::uint64_t owed = 0;
  };
  using Held = std::vector<Connection>;

  void note(ProcessId process, const Accept& accept, const Result<Socket>& client);
  void note(ProcessId process, const Fork& fork, const Result<Forked>& forked);
  void note(ProcessId process, const Recv& recv, const Result<Bytes>& message);
  void note(ProcessId process, const Send& send, const Result<std::size_t>& sent);
  void note(ProcessId process, const Close& close, const Result<Unit>& closed);
  template <class I, class Response>
  void note(ProcessId, const I&, const Response&) {}

  Held* held_by(ProcessId process);
  Connection* find(ProcessId process, Socket socket);
  void count_end(const Connection& connection);

  void add(Count& count, std::uint64_t more) const {
    if (shared_) {
      count.fetch_add(more, std::memory_order_relaxed);
    } else {
      count.store(count.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    }
  }
  template <class Histogram>
  void measure(Histogram& histogram, kernel::Nanoseconds time) const {
    const auto ns = static_cast<std::uint64_t>(std::max<kernel::Nanoseconds>(time, 0));
    add(histogram.classes[Histogram::class_of(ns)], 1);
    add(histogram.sum_ns, ns);
  }

  MetricsSlot* slot_;
  bool shared_;
  std::function<void()> when_accepted_;
  kernel::Nanoseconds (*clock_)();
  kernel::Nanoseconds known_ = 0;  ///< The latest time that was read.
  std::unordered_map<ProcessId, Held> held_;
  ProcessId last_process_ = 0;
  Held* last_held_ = nullptr;  ///< Of `last_process_`: a message's Recv and Send come one after the other.
};

}  // namespace antiphon
