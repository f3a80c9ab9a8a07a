#include "core/bytes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "core/pool.hpp"
#include "tests/rapidcheck.hpp"

namespace antiphon {
namespace {

static_assert(std::regular<Bytes>);
static_assert(std::is_nothrow_copy_constructible_v<Bytes> && std::is_nothrow_move_constructible_v<Bytes>);

TEST(Bytes, AreEmptyAtFirst) {
  const Bytes nothing;
  EXPECT_TRUE(nothing.empty());
  EXPECT_EQ(nothing.size(), 0U);
  EXPECT_EQ(nothing.view(), "");
  EXPECT_EQ(nothing, Bytes::copy_of(""));
  EXPECT_EQ(nothing.buffer(), nullptr);
}

TEST(Bytes, HoldACopyOfTheText) {
  std::string text = "hello";
  const Bytes hello = Bytes::copy_of(text);
  text = "other";
  EXPECT_EQ(hello.view(), "hello");
  EXPECT_EQ(hello.size(), 5U);
}

TEST(Bytes, MayHoldAnyByte) {
  const std::array<std::byte, 3> zeros{};
  EXPECT_EQ(Bytes::copy_of(zeros).view(), std::string_view("\0\0\0", 3));
}

TEST(Bytes, DropAndTakeAreSlicesOfTheSameBuffer) {
  const Bytes hello = Bytes::copy_of("hello");
  EXPECT_EQ(hello.drop(2).view(), "llo");
  EXPECT_EQ(hello.take(2).view(), "he");
  EXPECT_EQ(hello.drop(1).take(3).drop(1).view(), "ll");
  EXPECT_EQ(hello.drop(2).buffer(), hello.buffer());
  EXPECT_EQ(hello.drop(2).offset(), 2U);
}

TEST(Bytes, DropAndTakeStopAtTheEnd) {
  const Bytes hello = Bytes::copy_of("hello");
  EXPECT_EQ(hello.drop(5).size(), 0U);
  EXPECT_EQ(hello.drop(SIZE_MAX).size(), 0U);
  EXPECT_EQ(hello.take(SIZE_MAX), hello);
  EXPECT_EQ(hello.take(0).size(), 0U);
}

TEST(Bytes, CopiesShareTheBuffer) {
  const Bytes one = Bytes::copy_of("hello");
  const Bytes other = one;
  EXPECT_EQ(other.buffer(), one.buffer());
  EXPECT_EQ(one.buffer()->references, 2U);
}

TEST(Bytes, MovedFromIsEmpty) {
  Bytes one = Bytes::copy_of("hello");
  const Bytes other = std::move(one);
  EXPECT_EQ(one.size(), 0U);  // NOLINT(bugprone-use-after-move): this is what is tested
  EXPECT_EQ(other.view(), "hello");
  EXPECT_EQ(other.buffer()->references, 1U);
}

TEST(Bytes, AssignmentLetsGoOfWhatWasThere) {
  const std::ptrdiff_t before = pool::outstanding();
  Bytes one = Bytes::copy_of("one");
  one = Bytes::copy_of("two");
  EXPECT_EQ(pool::outstanding(), before + 1);
  const Bytes& same = one;
  one = same;
  EXPECT_EQ(one.view(), "two");
  one = {};
  EXPECT_EQ(pool::outstanding(), before);
}

TEST(Bytes, AreEqualByContent) {
  EXPECT_EQ(Bytes::copy_of("hello"), Bytes::copy_of("say hello").drop(4));
  EXPECT_NE(Bytes::copy_of("hello"), Bytes::copy_of("hellO"));
  EXPECT_NE(Bytes::copy_of("hello"), Bytes::copy_of("hell"));
}

TEST(Bytes, TheLastHolderGivesTheBufferBackToItsMaker) {
  static int recycled = 0;
  std::byte storage[4]{};
  Buffer slot{1, 4, storage, [](Buffer*) noexcept { ++recycled; }, false};
  {
    const Bytes whole(&slot, 4);
    const Bytes part = whole.drop(1);
    EXPECT_EQ(slot.references, 2U);
  }
  EXPECT_EQ(recycled, 1);
}

TEST(Bytes, OnlyLooksAtMarkedContentAreCounted) {
  Buffer* const buffer = Buffer::make(4);
  buffer->data[0] = buffer->data[1] = std::byte{'a'};
  const Bytes content(buffer, 2);
  const std::uint64_t before = looks();
  static_cast<void>(content.view());
  EXPECT_EQ(looks(), before);
  buffer->marked = true;
  static_cast<void>(content.size());
  static_cast<void>(content.drop(1).empty());
  static_cast<void>(content.content());
  EXPECT_EQ(looks(), before);
  static_cast<void>(content.take(1).view());
  EXPECT_EQ(looks(), before + 1);
  static_cast<void>(content == Bytes::copy_of("ab"));
  EXPECT_GT(looks(), before + 1);
}

TEST(Bytes, SlicingIsSlicingOfText) {
  EXPECT_TRUE(holds([](const std::string& text, std::uint8_t dropped, std::uint8_t taken) {
    const Bytes slice = Bytes::copy_of(text).drop(dropped).take(taken);
    const std::string expected = dropped < text.size() ? text.substr(dropped, taken) : "";
    RC_ASSERT(slice.view() == expected);
    RC_ASSERT(slice.size() == expected.size());
  }));
}

}  // namespace
}  // namespace antiphon
