#include "core/digest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "core/instructions.hpp"

namespace antiphon {
namespace {

template <class T>
constexpr Digest of(const T& value) {
  Digest digest;
  add(digest, value);
  return digest;
}

enum class Colour : std::uint8_t { red, green };

struct Point {
  int x;
  int y;
  static constexpr std::tuple fields{Field{"x", &Point::x}, Field{"y", &Point::y}};
};

TEST(Digest, IsKnownAtCompileTime) {
  static_assert(of(1) != of(2));
  static_assert(of(Point{1, 2}) == of(Point{1, 2}));
  constexpr std::string_view text = "a text of more than one word";
  constexpr Digest known = of(text);
  EXPECT_EQ(of(std::string(text)), known) << "and the same at run time";
}

TEST(Digest, TellsValuesApart) {
  EXPECT_NE(of(0), of(1));
  EXPECT_NE(of(-1), of(1));
  EXPECT_NE(of(true), of(false));
  EXPECT_NE(of(Colour::red), of(Colour::green));
  EXPECT_NE(of(std::string("ab")), of(std::string("ba")));
  EXPECT_NE(of(Bytes::copy_of("a")), of(Bytes::copy_of("b")));
  EXPECT_NE(of(Point{1, 2}), of(Point{2, 1}));
}

TEST(Digest, TellsTextsOfEveryLengthApart) {
  std::set<Digest> seen;
  for (std::size_t length = 0; length < 40; ++length) {
    EXPECT_TRUE(seen.insert(of(std::string(length, '\0'))).second) << length;
    EXPECT_TRUE(seen.insert(of(std::string(length, '\0') + "x")).second) << length;
  }
}

TEST(Digest, TellsFullAndEmptyApart) {
  using Maybe = std::optional<int>;
  EXPECT_NE(of(Maybe()), of(Maybe(0)));
  using Either = std::expected<int, Errno>;
  EXPECT_NE(of(Either(4)), of(Either(failed(Errno::INTR))));
  using Both = std::variant<int, bool>;
  EXPECT_NE(of(Both(std::in_place_index<0>, 1)), of(Both(std::in_place_index<1>, true)));
}

TEST(Digest, KeepsTheBordersOfLists) {
  using Lists = std::vector<std::vector<int>>;
  EXPECT_NE(of(Lists{{1}, {2}}), of(Lists{{1, 2}}));
  EXPECT_NE(of(Lists{{1, 2}, {}}), of(Lists{{}, {1, 2}}));
  EXPECT_NE(of(std::pair(std::string("a"), std::string("bc"))), of(std::pair(std::string("ab"), std::string("c"))));
}

TEST(Digest, OrderCounts) {
  Digest one;
  one.add_word(1);
  one.add_word(2);
  Digest other;
  other.add_word(2);
  other.add_word(1);
  EXPECT_NE(one, other);
}

TEST(Digest, TheSeedCounts) { EXPECT_NE(Digest(1), Digest(2)); }

TEST(Digest, SharedBytesCountByContent) {
  const Bytes hello = Bytes::copy_of("say hello");
  EXPECT_EQ(of(hello.drop(4)), of(Bytes::copy_of("hello")));
}

TEST(Digest, NamedBytesCountByTheirNameAndPlace) {
  const auto named = [](std::uint32_t name) {
    Buffer* const buffer = Buffer::make(4);
    std::memset(buffer->data, 'x', 4);
    buffer->name = name;
    return Bytes(buffer, 4);
  };
  EXPECT_EQ(of(named(1)), of(named(1)));
  EXPECT_NE(of(named(1)), of(named(2)));
  EXPECT_NE(of(named(1).take(2)), of(named(1).drop(2)));
  EXPECT_EQ(of(named(1).take(0)), of(Bytes()));
}

TEST(Digest, DoesNotLook) {
  Buffer* const buffer = Buffer::make(8);
  buffer->marked = true;
  buffer->data[0] = std::byte{'x'};
  const Bytes marked(buffer, 1);
  const std::uint64_t before = looks();
  static_cast<void>(of(marked));
  EXPECT_EQ(looks(), before);
}

TEST(Digest, EveryInstructionHasOne) {
  const auto has_one = []<class... Is>(Effects<Is...>) {
    Digest digest;
    (add(digest, std::optional<Is>()), ...);
    (add(digest, std::optional<typename Is::Response>()), ...);
    return digest;
  };
  EXPECT_NE(has_one(Net{}), Digest());
}

TEST(Digest, TheLineOfAnInstructionIsNoPartOfIt) {
  const Accept here{Socket{3}};
  const Accept there{Socket{3}};
  EXPECT_NE(here.where.line, there.where.line);
  EXPECT_EQ(here, there);
  EXPECT_EQ(of(here), of(there));
}

/// The numbers that every compiler must agree on.
TEST(Digest, IsTheSameInEveryBuild) {
  Digest digest(2024);
  digest.add_word(7);
  digest.add_text("antiphon, call and response");
  add(digest, std::tuple(-1, Colour::green, std::array{1U, 2U}, Result<Socket>(failed(Errno::CONNRESET))));
  EXPECT_EQ(digest.low(), 17912288305172334247U);
  EXPECT_EQ(digest.high(), 14915421116881268150U);
}

}  // namespace
}  // namespace antiphon
