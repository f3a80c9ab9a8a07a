#include "interpreters/loop/spin.hpp"

#include <sched.h>

#include <algorithm>

#include "interpreters/event_loop.hpp"

namespace antiphon::loop {

namespace {

constexpr std::int64_t default_us = 100;

/// To give way takes a microsecond when nobody wants the core. Nobody else needs less than this for a turn on it.
constexpr kernel::Nanoseconds turn_of_another = 20 * kernel::microsecond;

constexpr std::uint32_t polls_a_turn = 8;  ///< A microsecond or two: nobody waits longer for the core.

constexpr std::uint32_t most_failures = 10;  ///< After that many, one wait in 1024 tries again.

}  // namespace

Spin::Spin(std::int64_t spin_us)
    : longest_((spin_us == adaptive_spin_us ? default_us : spin_us) * kernel::microsecond) {}

bool Spin::give_way() {
  if (++polls_ % polls_a_turn != 0) return true;
  const kernel::Nanoseconds before = kernel::now();
  sched_yield();
  contended_ = kernel::now() - before > turn_of_another;
  return !contended_;
}

void Spin::learn(kernel::Nanoseconds waited, bool polled, std::size_t events) {
  if (longest_ == 0) return;
  if (skip_ > 0) --skip_;
  if (polled && (contended_ || waited > longest_)) {
    failures_ = std::min(failures_ + 1, most_failures);
    skip_ = (1U << failures_) - 1;
  } else if (polled) {
    failures_ = 0;
  }
  contended_ = false;
  // Being woken takes its own time, which polling would not.
  worth_ = events == 1 && waited <= (polled ? longest_ : 2 * longest_);
}

}  // namespace antiphon::loop
