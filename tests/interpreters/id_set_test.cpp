#include "interpreters/id_set.hpp"

#include <set>
#include <vector>

#include "tests/rapidcheck.hpp"

namespace antiphon {
namespace {

TEST(IdSet, IsOneIntervalWhenTheNumbersAreDense) {
  IdSet ids;
  for (const std::uint64_t id : {4, 0, 2, 1, 3}) ids.insert(id);
  EXPECT_EQ(ids.intervals(), 1U);
  for (std::uint64_t id = 0; id < 5; ++id) EXPECT_TRUE(ids.contains(id));
  EXPECT_FALSE(ids.contains(5));
}

TEST(IdSet, TakesTheLargestNumber) {
  constexpr std::uint64_t largest = ~std::uint64_t{0};
  IdSet ids;
  ids.insert(largest);
  EXPECT_TRUE(ids.contains(largest));
  EXPECT_FALSE(ids.contains(0));
  ids.insert(0);
  ids.insert(largest - 1);
  EXPECT_EQ(ids.intervals(), 2U);
}

TEST(IdSet, HoldsWhatASetHolds) {
  EXPECT_TRUE(holds([](const std::vector<std::uint8_t>& numbers) {
    IdSet ids;
    std::set<std::uint64_t> model;
    for (const std::uint64_t number : numbers) {
      RC_ASSERT(ids.contains(number) == model.contains(number));
      if (model.insert(number).second) ids.insert(number);
    }
    std::size_t intervals = 0;
    for (const std::uint64_t number : model) intervals += number == 0 || !model.contains(number - 1) ? 1 : 0;
    RC_ASSERT(ids.intervals() == intervals);
    for (std::uint64_t number = 0; number < 257; ++number) {
      RC_ASSERT(ids.contains(number) == model.contains(number));
    }
  }));
}

}  // namespace
}  // namespace antiphon
