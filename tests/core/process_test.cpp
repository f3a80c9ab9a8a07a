#include "core/process.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/core/arrows.hpp"
#include "tests/core/toy.hpp"
#include "tests/rapidcheck.hpp"

namespace antiphon::toy {
namespace {

template <class E, class A>
Process<E, A, Identified> identified(const Program<E, A>& program, std::uint64_t seed = 0) {
  return Process<E, A, Identified>(program, Identified{Digest(seed)});
}

/// The digest of a program's process after these answers.
template <class E, class A>
Digest after(const Program<E, A>& program, const std::vector<int>& answers, std::uint64_t seed = 0) {
  auto process = identified(program, seed);
  for (const int answer : answers) step(process, answer);
  return process.digest();
}

Program<Toy, int> sum_of_two() {
  return Ask{} >> [](const int& first) {
    return Ask{} >> [first](const int& second) { return Tell{first + second} >> ret(first + second); };
  };
}

/// Adds up what it is answered, modulo 4, for ever or until the answer is 9; ends with the sum.
Program<Toy, int> clock_of_four() {
  using Turn = Step<int, int>;
  return iter(0, [](const int& hour) {
    return Ask{} >> [hour](const int& answer) -> Program<Toy, Turn> {
      if (answer == 9) return ret(Turn{Break{hour}});
      return Tell{hour} >> ret(Turn{Continue{(hour + answer) % 4}});
    };
  });
}

// -- Standing and going on --------------------------------------------------------------------------------------

TEST(Process, StandsAtTheFirstInstruction) {
  const Process process(sum_of_two());
  std::string pending;
  process.pending([&](const auto& instruction) { pending = text_of(instruction); });
  EXPECT_FALSE(process.finished());
  EXPECT_EQ(pending, "ask");
}

TEST(Process, EndsWithTheResult) {
  Process process(sum_of_two());
  EXPECT_EQ(step(process, 1), "ask");
  EXPECT_EQ(step(process, 2), "ask");
  EXPECT_EQ(step(process, 0), "tell 3");
  ASSERT_TRUE(process.finished());
  EXPECT_EQ(process.result(), 3);
  process.pending([](const auto&) { FAIL() << "nothing is pending at the end"; });
}

TEST(Process, OutlivesTheProgramItRuns) {
  auto program = std::make_optional(sum_of_two());
  Process process(*program);
  program.reset();
  EXPECT_EQ(hear_on(process, {1, 2}), (Heard<int>{{"ask", "ask", "tell 3"}, 3}));
}

TEST(Process, AResultOutlivesTheProcessItWasCopiedFrom) {
  using Text = Process<Toy, std::string>;
  std::optional<Text> copy;
  {
    Text process(Ask{} >> [](const int& n) { return ret(std::string(100, static_cast<char>('a' + n))); });
    step(process, 1);
    copy = process;
  }
  EXPECT_EQ(copy->result(), std::string(100, 'b'));
}

TEST(Process, PlacesTellPointsOfTheTextApart) {
  const auto places = [](const auto& process) {
    std::vector<const detail::Shape*> shapes;
    process.place([&](const detail::Shape* shape) { shapes.push_back(shape); });
    return shapes;
  };
  Process process(clock_of_four());
  const auto asking = places(process);
  step(process, 1);
  const auto telling = places(process);
  step(process, 0);
  EXPECT_NE(asking, telling);
  EXPECT_EQ(places(process), asking);
}

// -- Copies -----------------------------------------------------------------------------------------------------

TEST(Process, CopiesHaveBothFutures) {
  Process one(sum_of_two());
  step(one, 10);
  Process other = one;
  EXPECT_EQ(hear_on(one, {1}), (Heard<int>{{"ask", "tell 11"}, 11}));
  EXPECT_EQ(hear_on(other, {2}), (Heard<int>{{"ask", "tell 12"}, 12}));
}

TEST(Process, CopiesInsideALoopHaveBothFutures) {
  Process one(clock_of_four());
  step(one, 3);
  Process other = one;
  step(one, 0);
  step(other, 0);
  step(one, 9);
  EXPECT_EQ(step(other, 2), "ask");
  EXPECT_EQ(step(other, 0), "tell 3");
  EXPECT_EQ(step(other, 9), "ask");
  EXPECT_EQ(one.result(), 3);
  EXPECT_EQ(other.result(), 1);
}

TEST(Process, ACopyIsNotAffectedByTheOther) {
  EXPECT_TRUE(holds([](const Arrow& program, const World& past, const World& future, const World& elsewhere) {
    const std::size_t length = *rc::gen::inRange<std::size_t>(0, 20);
    Process<Toy, int, Identified> process = identified(program(0));
    for (std::size_t n = 0; n < length && !process.finished(); ++n) {
      step(process, past.answers[n % past.answers.size()]);
    }
    const Heard<int> expected = hear_on(process, future.answers);
    const Process<Toy, int, Identified> copy = process;
    for (std::size_t n = 0; n < 50 && !process.finished(); ++n) {
      step(process, elsewhere.answers[n % elsewhere.answers.size()]);
    }
    RC_ASSERT(hear_on(copy, future.answers) == expected);
  }));
}

TEST(Process, IdentityChangesNothingElse) {
  EXPECT_TRUE(holds([](const Arrow& program, const World& world) {
    RC_ASSERT(hear_on(identified(program(0)), world.answers) == hear(program(0), world));
  }));
}

// -- Identity ---------------------------------------------------------------------------------------------------

TEST(Identity, EqualHistoriesHaveEqualDigests) { EXPECT_EQ(after(sum_of_two(), {1, 2}), after(sum_of_two(), {1, 2})); }

TEST(Identity, TwoCopiesAnsweredAlikeStayEqual) {
  auto one = identified(sum_of_two());
  step(one, 1);
  auto other = one;
  step(one, 2);
  step(other, 2);
  EXPECT_EQ(one.digest(), other.digest());
}

TEST(Identity, DifferentResponsesHaveDifferentDigests) {
  EXPECT_NE(after(sum_of_two(), {1}), after(sum_of_two(), {2}));
  EXPECT_NE(after(sum_of_two(), {1, 2}), after(sum_of_two(), {2, 1}));
}

TEST(Identity, EveryStepChangesTheDigest) {
  EXPECT_NE(after(sum_of_two(), {}), after(sum_of_two(), {0}));
  EXPECT_NE(after(sum_of_two(), {0}), after(sum_of_two(), {0, 0}));
}

TEST(Identity, TheInstructionCounts) {
  const Program<Toy, int> ask = Ask{};
  const Program<Toy, bool> choose = Choose{1};
  EXPECT_NE(after(ask, {0}), after(choose, {1}));
}

TEST(Identity, TheSeedTellsProgramsApart) { EXPECT_NE(after(sum_of_two(), {1}, 1), after(sum_of_two(), {1}, 2)); }

TEST(Identity, ALoopThatComesRoundToAStateIsTheSameProcess) {
  const Digest start = after(clock_of_four(), {});
  EXPECT_EQ(after(clock_of_four(), {4, 0}), start);
  EXPECT_EQ(after(clock_of_four(), {1, 0, 3, 0}), start);
  EXPECT_EQ(after(clock_of_four(), {1, 0, 1, 0}), after(clock_of_four(), {2, 0}));
}

TEST(Identity, DifferentStatesHaveDifferentDigests) {
  EXPECT_NE(after(clock_of_four(), {1, 0}), after(clock_of_four(), {2, 0}));
  EXPECT_NE(after(clock_of_four(), {1, 0}), after(clock_of_four(), {}));
}

TEST(Identity, AtTheEndOfALoopOnlyItsResultCounts) {
  EXPECT_EQ(after(clock_of_four(), {1, 0, 9}), after(clock_of_four(), {3, 0, 2, 0, 9}));
  EXPECT_NE(after(clock_of_four(), {1, 0, 9}), after(clock_of_four(), {2, 0, 9}));
}

TEST(Identity, WhatWasBeforeALoopCounts) {
  const auto program = Ask{} >> [](const int&) { return clock_of_four(); };
  EXPECT_NE(after(program, {1}), after(program, {2}));
  EXPECT_EQ(after(program, {1, 2, 0, 2, 0}), after(program, {1}));
  EXPECT_NE(after(program, {1, 2, 0, 2, 0}), after(program, {2}));
}

/// For ever: asks for a number and counts from it to 3.
Program<Toy, Unit> nested_loops() {
  using Outer = Step<Unit, Unit>;
  using Inner = Step<int, Unit>;
  return iter(Unit{}, [](const Unit&) {
    return Ask{} >> [](const int& start) {
      return iter(start,
                  [](const int& count) -> Program<Toy, Inner> {
                    if (count >= 3) return ret(Inner{Break{Unit{}}});
                    return Tell{count} >> ret(Inner{Continue{count + 1}});
                  }) >>
             [](const Unit&) { return ret(Outer{Continue{Unit{}}}); };
    };
  });
}

TEST(Identity, AnInnerLoopRemembersWhereItWasEntered) {
  EXPECT_NE(after(nested_loops(), {0, 0}), after(nested_loops(), {1}));
  EXPECT_NE(after(nested_loops(), {0}), after(nested_loops(), {0, 0}));
}

TEST(Identity, AnOuterLoopForgetsItsInnerOnes) {
  const Digest start = after(nested_loops(), {});
  EXPECT_EQ(after(nested_loops(), {2, 0}), start);
  EXPECT_EQ(after(nested_loops(), {0, 0, 0, 0}), start);
  EXPECT_EQ(after(nested_loops(), {3}), start);
}

/// A state may hold what any word that marks a result would be made of.
TEST(Identity, NoStateReadsLikeAResult) {
  using State = std::pair<std::string, Unit>;
  using Turn = Step<State, Unit>;
  const auto loop = iter(State("start", Unit{}), [](const State&) {
    return Choose{0} >>
           [](const bool& again) { return ret(again ? Turn{Continue{State("break", Unit{})}} : Turn{Break{Unit{}}}); };
  });
  EXPECT_NE(after(loop, {1}), after(loop, {0}));
}

/// The numbers that every compiler must agree on. They change with the digest only.
TEST(Identity, TheDigestIsTheSameInEveryBuild) {
  const Digest digest = after(nested_loops(), {1, 0}, 42);
  EXPECT_EQ(digest.low(), 9724436329772788378U);
  EXPECT_EQ(digest.high(), 17866848120517250276U);
}

/// Two walks through one program; wherever they stand at equal digests they have the same future.
template <class Key>
void expect_one_future_each(const Arrow& program, const std::vector<World>& walks, const World& future, Key key) {
  std::map<std::pair<std::uint64_t, std::uint64_t>, Heard<int>> futures;
  for (const World& walk : walks) {
    Process<Toy, int, Identified> process = identified(program(0));
    for (std::size_t n = 0; n < 40; ++n) {
      const Heard<int> heard = hear_on(process, future.answers, 20);
      const auto [known, fresh] = futures.emplace(key(process.digest()), heard);
      RC_ASSERT(known->second == heard);
      if (process.finished()) break;
      step(process, walk.answers[n % walk.answers.size()]);
    }
  }
}

TEST(Identity, EqualDigestsMeanEqualFutures) {
  EXPECT_TRUE(holds([](const Arrow& program, const World& one, const World& other, const World& future) {
    expect_one_future_each(program, {one, other}, future,
                           [](const Digest& digest) { return std::pair(digest.low(), digest.high()); });
  }));
}

TEST(IdentityCanary, ADigestThatConfusesStatesIsFound) {
  EXPECT_TRUE(refuted([](const Arrow& program, const World& one, const World& other, const World& future) {
    expect_one_future_each(program, {one, other}, future,
                           [](const Digest& digest) { return std::pair(digest.low() % 4, std::uint64_t{0}); });
  }));
}

}  // namespace
}  // namespace antiphon::toy
