#pragma once

#include <atomic>

#include "interpreters/errand.hpp"
#include "interpreters/kernel.hpp"

namespace antiphon {

/// A clock that ticks as an errand: whoever sees to it shows that it is alive.
class Heartbeat {
 public:
  /// Throws std::system_error when there is no descriptor left.
  explicit Heartbeat(kernel::Nanoseconds interval);

  /// To be seen to by the thread that is watched.
  Errand errand();
  /// Ticks, if it is due.
  void tick();
  [[nodiscard]] int descriptor() const { return timer_.number(); }
  /// When it last ticked, at first when it was made. Any thread may ask.
  [[nodiscard]] kernel::Nanoseconds last() const { return last_.load(std::memory_order_relaxed); }

 private:
  kernel::Descriptor timer_;
  std::atomic<kernel::Nanoseconds> last_ = kernel::now();
};

}  // namespace antiphon
