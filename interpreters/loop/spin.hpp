#pragma once

#include <cstdint>

#include "interpreters/kernel.hpp"

namespace antiphon::loop {

/// Decides how long a loop polls for events before it sleeps. To sleep and be woken costs more than most answers take,
/// so polling pays while events come one by one and soon. It does not pay when they come slowly, and need not when
/// they come in numbers; and it harms when the core is wanted by somebody else, perhaps the very peer we wait for.
class Spin {
 public:
  explicit Spin(std::int64_t spin_us);

  /// How long to poll now; 0: not at all.
  [[nodiscard]] kernel::Nanoseconds limit() const { return worth_ && skip_ == 0 ? longest_ : 0; }

  /// After a poll that brought nothing: now and then lets go of the core for whoever wants it. False: it was wanted,
  /// stop polling.
  bool give_way();

  /// After a wait: how long it lasted, whether it began with polling, and how many events it brought.
  void learn(kernel::Nanoseconds waited, bool polled, std::size_t events);

 private:
  kernel::Nanoseconds longest_;
  bool worth_ = false;
  bool contended_ = false;
  std::uint32_t polls_ = 0;
  std::uint32_t failures_ = 0;  ///< In a row.
  std::uint32_t skip_ = 0;      ///< So many waits go without polling.
};

}  // namespace antiphon::loop
