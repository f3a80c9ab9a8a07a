#include "core/program.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/handler.hpp"
#include "tests/core/toy.hpp"

namespace antiphon::toy {
namespace {

using Said = std::vector<std::string>;

TEST(Program, RetEndsWithItsValueAndIssuesNothing) {
  const Program<Effects<>, int> seven = ret(7);
  EXPECT_EQ(hear(seven), (Heard<int>{{}, 7}));
}

TEST(Program, RetTurnsIntoAnyProgramThatCanHoldTheValue) {
  const Program<Toy, std::string> text = ret("text");
  EXPECT_EQ(hear(text), (Heard<std::string>{{}, "text"}));
}

TEST(Program, AnInstructionIsAProgramThatEndsWithItsResponse) {
  const Program<Toy, int> asked = Ask{};
  EXPECT_EQ(hear(asked, {5}), (Heard<int>{{"ask"}, 5}));
}

TEST(Program, AContinuationTakesTheResponse) {
  const auto doubled = Ask{} >> [](const int& answer) { return ret(2 * answer); };
  EXPECT_EQ(hear(doubled, {21}), (Heard<int>{{"ask"}, 42}));
}

TEST(Program, AContinuationMayReturnAnInstruction) {
  const auto echoed = Ask{} >> [](const int& answer) { return Tell{answer}; };
  EXPECT_EQ(hear(echoed, {3}), (Heard<Unit>{{"ask", "tell 3"}, Unit{}}));
}

TEST(Program, AContinuationMayReturnAProgram) {
  const auto twice = Ask{} >> [](const int& answer) { return Tell{answer} >> Tell{answer}; };
  EXPECT_EQ(hear(twice, {3}), (Heard<Unit>{{"ask", "tell 3", "tell 3"}, Unit{}}));
}

TEST(Program, AProgramGoesOnWithItsResult) {
  const Program<Toy, int> first = Tell{1} >> ret(10);
  const auto both = first >> [](const int& ten) { return Tell{2} >> ret(ten + 1); };
  EXPECT_EQ(hear(both), (Heard<int>{{"tell 1", "tell 2"}, 11}));
}

TEST(Program, RetGoesOnWithItsValue) {
  const auto told = ret(4) >> [](const int& four) { return Tell{four}; };
  EXPECT_EQ(hear(told), (Heard<Unit>{{"tell 4"}, Unit{}}));
}

TEST(Program, SequenceRunsLeftToRight) {
  const auto three = Tell{1} >> Tell{2} >> Tell{3} >> ret(0);
  EXPECT_EQ(hear(three), (Heard<int>{{"tell 1", "tell 2", "tell 3"}, 0}));
}

TEST(Program, ChainedContinuationsRunInTheOrderOfTheText) {
  const auto chain = Ask{} >> [](const int& first) { return Tell{first}; } >> [](const Unit&) { return Ask{}; } >>
                     [](const int& second) { return Tell{10 * second}; };
  EXPECT_EQ(hear(chain, {1, 0, 2, 0}), (Heard<Unit>{{"ask", "tell 1", "ask", "tell 20"}, Unit{}}));
}

TEST(Program, BranchesAreChosenByTheResponse) {
  const auto branch = Choose{0} >> [](const bool& yes) -> Program<Toy, int> {
    if (yes) return Tell{1} >> ret(1);
    return ret(0);
  };
  EXPECT_EQ(hear(branch, {1}), (Heard<int>{{"choose 0", "tell 1"}, 1}));
  EXPECT_EQ(hear(branch, {0}), (Heard<int>{{"choose 0"}, 0}));
}

TEST(Program, MapChangesTheResultOnly) {
  const auto text = map(Tell{1} >> Ask{}, [](int answer) { return std::to_string(answer); });
  EXPECT_EQ(hear(text, {0, 8}), (Heard<std::string>{{"tell 1", "ask"}, "8"}));
}

TEST(Program, IgnoreLeavesTheResultOut) {
  const auto unheard = ignore(Ask{}) >> Tell{1};
  EXPECT_EQ(hear(unheard, {8}), (Heard<Unit>{{"ask", "tell 1"}, Unit{}}));
}

/// Counts down from `start`, telling each number; ends with the number of turns.
Program<Toy, int> count_down(int start) {
  using Turn = Step<int, int>;
  return iter(start, [start](const int& left) -> Program<Toy, Turn> {
    if (left == 0) return ret(Turn{Break{start}});
    return Tell{left} >> ret(Turn{Continue{left - 1}});
  });
}

TEST(Program, IterGoesRoundUntilItBreaks) {
  EXPECT_EQ(hear(count_down(3)), (Heard<int>{{"tell 3", "tell 2", "tell 1"}, 3}));
  EXPECT_EQ(hear(count_down(0)), (Heard<int>{{}, 0}));
}

TEST(Program, IterMayGoOnForEver) {
  using Turn = Step<int, Unit>;
  const auto forever = iter(0, [](const int& turn) { return Tell{turn} >> ret(Turn{Continue{turn + 1}}); });
  EXPECT_EQ(hear(forever, {}, 3), (Heard<Unit>{{"tell 0", "tell 1", "tell 2"}, std::nullopt}));
}

TEST(Program, AnInnerLoopMayEndATurnOfTheOuterOne) {
  using Inner = Step<int, Step<int, int>>;
  using Outer = Step<int, int>;
  const auto nested = iter(0, [](const int& rows) {
    return iter(0, [rows](const int& columns) -> Program<Toy, Inner> {
      if (rows == 2) return ret(Inner{Break{Outer{Break{99}}}});
      if (columns == 2) return ret(Inner{Break{Outer{Continue{rows + 1}}}});
      return Tell{10 * rows + columns} >> ret(Inner{Continue{columns + 1}});
    });
  });
  EXPECT_EQ(hear(nested), (Heard<int>{{"tell 0", "tell 1", "tell 10", "tell 11"}, 99}));
}

TEST(Program, AValueCanBeRunAnyNumberOfTimes) {
  const auto once = Ask{} >> [](const int& answer) { return Tell{answer}; };
  const auto twice = once >> once;
  const Heard<Unit> expected{{"ask", "tell 1", "ask", "tell 2"}, Unit{}};
  EXPECT_EQ(hear(twice, {1, 0, 2, 0}), expected);
  EXPECT_EQ(hear(twice, {1, 0, 2, 0}), expected);
}

TEST(Program, AProgramOfASmallerSetIsOneOfALarger) {
  const Program<Effects<Ask>, int> narrow = Ask{};
  const Program<Toy, int> wide = narrow;
  EXPECT_EQ(hear(wide, {6}), hear(narrow, {6}));
}

TEST(Program, BindingCombinesTheSets) {
  const auto both = Ask{} >> [](const int&) { return Tell{0}; };
  static_assert(std::same_as<decltype(both)::Set, Effects<Ask, Tell>>);
  static_assert(std::same_as<decltype(both)::Value, Unit>);
  static_assert(std::same_as<decltype(Tell{0} >> both)::Set, Effects<Ask, Tell>>);
  static_assert(std::same_as<decltype(map(both, [](Unit) { return 1; }))::Set, Effects<Ask, Tell>>);
  static_assert(
      std::same_as<decltype(iter(0, [](const int&) { return Tell{0} >> ret(Step<int, int>{Break{0}}); }))::Set,
                   Effects<Tell>>);
}

TEST(Handler, RunAnswersUntilTheEnd) {
  struct Script {
    Said said;
    int operator()(const Ask&) { return said.emplace_back("ask"), 20; }
    Unit operator()(const Tell& tell) { return said.push_back(text_of(tell)), Unit{}; }
    bool operator()(const Choose&) { return true; }
  };
  Script script;
  const Program<Toy, int> program = Ask{} >> [](const int& answer) { return Tell{answer} >> ret(answer + 1); };
  EXPECT_EQ(run(program, script), 21);
  EXPECT_EQ(script.said, (Said{"ask", "tell 20"}));
}

TEST(Handler, TellsWhoCanHandleWhat) {
  const auto answers_ask = [](const Ask&) { return 1; };
  const auto answers_text = [](const Ask&) { return std::string(); };
  static_assert(Handles<decltype(answers_ask), Ask>);
  static_assert(!Handles<decltype(answers_ask), Tell>);
  static_assert(!Handles<decltype(answers_text), Ask>);
  static_assert(handles_all<decltype(answers_ask), Effects<Ask>>);
  static_assert(!handles_all<decltype(answers_ask), Toy>);
  static_assert(handles_all<decltype(answers_ask), Effects<>>);
}

}  // namespace
}  // namespace antiphon::toy
