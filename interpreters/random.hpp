#pragma once

#include <cstdint>

namespace antiphon {

/// Random numbers that are the same everywhere: splitmix64, from a seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  /// A number below `bound`, which is at least 1.
  std::uint32_t below(std::uint32_t bound) {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t drawn = state_;
    drawn = (drawn ^ (drawn >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    drawn = (drawn ^ (drawn >> 27U)) * 0x94D049BB133111EBULL;
    return static_cast<std::uint32_t>(((drawn >> 32U) * bound) >> 32U);
  }

 private:
  std::uint64_t state_;
};

}  // namespace antiphon
