#pragma once

#include <atomic>
#include <cstdint>

#include "interpreters/kernel.hpp"

namespace antiphon {

/// Of what happens again and again: the first is told at once, what follows once in a while, with its count.
inline constexpr kernel::Nanoseconds least_time_between_lines = kernel::second;

/// One more happened, at `now`. Answers how many did since it was last told, if it is to be told now, else 0. Who
/// shares the two numbers, which start at 0, shares the limit: threads, or processes.
inline std::uint64_t count_to_tell(std::atomic<std::uint64_t>& told_at, std::atomic<std::uint64_t>& untold,
                                   kernel::Nanoseconds now) {
  untold.fetch_add(1);
  std::uint64_t last = told_at.load();
  const auto time = static_cast<std::uint64_t>(now);
  if (last != 0 && time < last + static_cast<std::uint64_t>(least_time_between_lines)) return 0;
  return told_at.compare_exchange_strong(last, time) ? untold.exchange(0) : 0;
}

}  // namespace antiphon
