#include "apps/rate_limit.hpp"

#include <gtest/gtest.h>

namespace antiphon {
namespace {

TEST(RateLimit, TellsTheFirstAtOnceAndWhatFollowsWithItsCount) {
  std::atomic<std::uint64_t> told_at = 0;
  std::atomic<std::uint64_t> untold = 0;
  const auto at_ms = [&](std::int64_t ms) { return count_to_tell(told_at, untold, (5000 + ms) * kernel::millisecond); };
  EXPECT_EQ(at_ms(0), 1U);
  EXPECT_EQ(at_ms(0), 0U);
  EXPECT_EQ(at_ms(999), 0U);
  EXPECT_EQ(at_ms(1000), 3U);
  EXPECT_EQ(at_ms(1500), 0U);
  EXPECT_EQ(at_ms(9000), 2U);
  EXPECT_EQ(at_ms(20'000), 1U);
}

}  // namespace
}  // namespace antiphon
