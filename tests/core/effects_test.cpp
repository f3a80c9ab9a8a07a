#include "core/effects.hpp"

#include <gtest/gtest.h>

#include <concepts>
#include <string>
#include <string_view>
#include <tuple>

#include "core/instructions.hpp"
#include "tests/core/toy.hpp"

namespace antiphon {

/// Each lacks one thing that makes an instruction.
namespace almost {

struct Nameless {
  using Response = int;
  static constexpr std::tuple<> fields{};
  bool operator==(const Nameless&) const = default;
};

struct WithoutFields {
  using Response = int;
  static constexpr std::string_view name = "WithoutFields";
  bool operator==(const WithoutFields&) const = default;
};

struct Unanswered {
  static constexpr std::string_view name = "Unanswered";
  static constexpr std::tuple<> fields{};
  bool operator==(const Unanswered&) const = default;
};

struct Incomparable {
  using Response = int;
  static constexpr std::string_view name = "Incomparable";
  static constexpr std::tuple<> fields{};
};

struct AnswersNothing {
  using Response = void;
  static constexpr std::string_view name = "AnswersNothing";
  static constexpr std::tuple<> fields{};
  bool operator==(const AnswersNothing&) const = default;
};

}  // namespace almost

namespace {

using toy::Ask;
using toy::Choose;
using toy::Tell;
using toy::Toy;

// -- What is an instruction -------------------------------------------------------------------------------------

static_assert(Instruction<Ask> && Instruction<Tell> && Instruction<Choose>);
static_assert([]<class... Is>(Effects<Is...>) { return (Instruction<Is> && ...); }(Net{}));

static_assert(!Instruction<almost::Nameless> && !Instruction<almost::WithoutFields> &&
              !Instruction<almost::Unanswered> && !Instruction<almost::Incomparable> &&
              !Instruction<almost::AnswersNothing>);

static_assert(!Instruction<int> && !Instruction<std::string> && !Instruction<Unit> && !Instruction<Socket>);

// -- Sets -------------------------------------------------------------------------------------------------------

static_assert(member<Ask, Toy>);
static_assert(!member<Recv, Toy>);
static_assert(!member<Ask, Effects<>>);

static_assert(subset<Effects<>, Effects<>>);
static_assert(subset<Effects<>, Toy>);
static_assert(subset<Effects<Choose, Ask>, Toy>);
static_assert(subset<Toy, Toy>);
static_assert(!subset<Toy, Effects<Ask>>);
static_assert(!subset<Effects<Ask, Recv>, Toy>);

static_assert(std::same_as<Combine<Effects<Ask>, Effects<Tell>>, Effects<Ask, Tell>>);
static_assert(std::same_as<Combine<Effects<Ask, Tell>, Effects<Tell, Choose>>, Effects<Ask, Tell, Choose>>);
static_assert(std::same_as<Combine<Effects<>, Toy>, Toy>);
static_assert(std::same_as<Combine<Toy, Effects<>>, Toy>);
static_assert(std::same_as<Combine<Effects<Tell>, Toy>, Toy>);
static_assert(std::same_as<Combine<Toy, Effects<Choose>>, Toy>);
static_assert(std::same_as<Combine<Combine<Sockets, Processes>, Clock>, Net>);
static_assert(subset<Toy, Combine<Net, Toy>> && subset<Net, Combine<Net, Toy>>);

// -- Codes ------------------------------------------------------------------------------------------------------

static_assert(code_of("Recv") != code_of("Send"));
static_assert(code_of("Recv") == code_of(Recv::name));

/// The number is FNV-1a's: it is in every digest, and so must never change.
TEST(Effects, CodesAreTheSameInEveryBuild) {
  EXPECT_EQ(code_of(""), 2166136261U);
  EXPECT_EQ(code_of("a"), 0xE40C292CU);
  EXPECT_EQ(code_of("foobar"), 0xBF9CF968U);
}

}  // namespace
}  // namespace antiphon
