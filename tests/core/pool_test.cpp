#include "core/pool.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include "tests/heap.hpp"

namespace antiphon {
namespace {

TEST(Pool, GivesABlockOutAgain) {
  void* const first = pool::take(48);
  pool::give_back(first, 48);
  void* const second = pool::take(48);
  EXPECT_EQ(second, first);
  pool::give_back(second, 48);
}

TEST(Pool, ABlockServesEverySizeOfItsClass) {
  void* const first = pool::take(33);
  pool::give_back(first, 33);
  void* const second = pool::take(48);
  EXPECT_EQ(second, first);
  pool::give_back(second, 48);
}

TEST(Pool, SizesOfOtherClassesDoNotMix) {
  pool::trim();
  void* const small = pool::take(48);
  pool::give_back(small, 48);
  void* const larger = pool::take(49);
  EXPECT_NE(larger, small);
  pool::give_back(larger, 49);
}

/// Every size around the borders of the classes is there to be written to: AddressSanitizer sees if it is not.
TEST(Pool, EverySizeIsUsable) {
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size <= 700; ++size) sizes.push_back(size);
  for (std::size_t power = 1024; power <= 131072; power *= 2) {
    for (std::size_t near = power - 1; near <= power + 129; ++near) sizes.push_back(near);
  }
  for (int round = 0; round < 2; ++round) {
    for (const std::size_t size : sizes) {
      void* const block = pool::take(size);
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0U) << size;
      std::memset(block, 0x5A, size);
      pool::give_back(block, size);
    }
  }
}

// -- The reserve -------------------------------------------------------------------------------------------------

TEST(Pool, TakesFromTheReserveWhereTheHeapHasNoMemory) {
  pool::trim();
  ASSERT_TRUE(pool::keep_reserve());
  scarce_heap::fail(1, scarce_heap::for_ever);
  std::array<void*, pool::reserved_blocks> blocks{};
  for (std::size_t place = 0; place < blocks.size(); ++place) {
    blocks[place] = pool::take(place);
    std::memset(blocks[place], 0x5A, place);
  }
  EXPECT_THROW(pool::take(1'000), std::bad_alloc);
  EXPECT_THROW(pool::take(500), std::bad_alloc);
  EXPECT_FALSE(pool::keep_reserve());
  scarce_heap::recover();
  EXPECT_TRUE(pool::keep_reserve());
  const std::ptrdiff_t outstanding = pool::outstanding();
  for (std::size_t place = 0; place < blocks.size(); ++place) pool::give_back(blocks[place], place);
  EXPECT_EQ(pool::outstanding(), outstanding - static_cast<std::ptrdiff_t>(blocks.size()));
}

TEST(Pool, HasNoReserveUnlessItIsAskedFor) {
  pool::trim();
  scarce_heap::fail(1, scarce_heap::for_ever);
  const std::ptrdiff_t outstanding = pool::outstanding();
  EXPECT_THROW(pool::take(48), std::bad_alloc);
  EXPECT_EQ(pool::outstanding(), outstanding);
  EXPECT_FALSE(pool::keep_reserve());
  EXPECT_EQ(scarce_heap::recover(), 2);
}

TEST(Pool, BlocksInUseDoNotOverlap) {
  struct Block {
    unsigned char* start;
    std::size_t size;
  };
  std::vector<Block> blocks;
  for (std::size_t n = 0; n < 2000; ++n) {
    const std::size_t size = 1 + n * 37 % 3000;
    blocks.push_back({static_cast<unsigned char*>(pool::take(size)), size});
    std::memset(blocks.back().start, static_cast<int>(n % 256), size);
  }
  for (std::size_t n = 0; n < blocks.size(); ++n) {
    const auto [start, size] = blocks[n];
    EXPECT_EQ(start[0], n % 256);
    EXPECT_EQ(start[size - 1], n % 256);
    pool::give_back(start, size);
  }
}

TEST(Pool, CountsWhatIsOut) {
  const std::ptrdiff_t before = pool::outstanding();
  void* const small = pool::take(1);
  void* const huge = pool::take(pool::largest + 1);
  EXPECT_EQ(pool::outstanding(), before + 2);
  pool::give_back(small, 1);
  pool::give_back(huge, pool::largest + 1);
  EXPECT_EQ(pool::outstanding(), before);
}

TEST(Pool, TrimLeavesWhatIsInUse) {
  auto* const used = static_cast<unsigned char*>(pool::take(64));
  *used = 7;
  pool::give_back(pool::take(64), 64);
  pool::trim();
  EXPECT_EQ(*used, 7);
  pool::give_back(used, 64);
  pool::trim();
}

}  // namespace
}  // namespace antiphon
