#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "interpreters/kernel.hpp"

namespace antiphon {

/// Tells event loops, in whatever threads they run, that the server was asked to stop, and when; and that it is to stop
/// at once, whatever it owes.
class Stop {
 public:
  /// Throws std::system_error when there is no descriptor left.
  Stop();

  /// Asks. The first time counts, and is answered with true. Any thread may, and a signal's handler.
  bool request();
  /// Asks that every drain be over now. As `request`.
  void request_at_once();

  /// By `kernel::now`; `kernel::never` if it was not requested yet.
  [[nodiscard]] kernel::Nanoseconds requested_at() const { return requested_at_.load(std::memory_order_acquire); }
  [[nodiscard]] bool at_once() const { return at_once_.load(std::memory_order_acquire); }
  /// Becomes readable with the request, and stays so.
  [[nodiscard]] int descriptor() const { return event_.number(); }
  /// The same for the request to stop at once.
  [[nodiscard]] int descriptor_at_once() const { return event_at_once_.number(); }

 private:
  std::atomic<kernel::Nanoseconds> requested_at_{kernel::never};
  std::atomic<bool> at_once_ = false;
  kernel::Descriptor event_;
  kernel::Descriptor event_at_once_;
};

static_assert(std::atomic<kernel::Nanoseconds>::is_always_lock_free, "a signal's handler takes no lock");

/// As long as it lives, SIGTERM and SIGINT request the stop, the second of them at once, and do nothing else. There is
/// one of these in a process.
/// It needs no thread: a process of one thread makes its calls more cheaply.
class StopBySignal {
 public:
  explicit StopBySignal(Stop& stop);
  ~StopBySignal();
  StopBySignal(const StopBySignal&) = delete;
  StopBySignal& operator=(const StopBySignal&) = delete;

 private:
  struct Before;
  std::unique_ptr<Before> before_;
};

}  // namespace antiphon
