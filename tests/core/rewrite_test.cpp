#include "core/rewrite.hpp"

#include <concepts>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/handler.hpp"
#include "core/pool.hpp"
#include "core/programs/catalogue.hpp"
#include "tests/core/arrows.hpp"
#include "tests/core/small_stack.hpp"
#include "tests/core/toy.hpp"
#include "tests/rapidcheck.hpp"

/// A rewritten program says what its rule makes of its original, and is as finite as that.

namespace antiphon::toy {
namespace {

constexpr int million = 1'000'000;
constexpr int ten_million = 10 * million;

constexpr auto leave = []<class I>(const I& instruction) { return instruction; };

/// The same, as a program and with a look at the place.
constexpr auto leave_there = []<class I>(const I& instruction, const Place&) {
  return Program<Toy, typename I::Response>(instruction);
};

/// Says everything twice.
constexpr auto twice = []<class I>(const I& instruction) {
  using Answer = Program<Toy, typename I::Response>;
  return instruction >> [=](const typename I::Response&) -> Answer { return instruction; };
};

/// Tells one more, and asks before each choice.
constexpr auto louder = []<class I>(const I& instruction) {
  if constexpr (std::same_as<I, Tell>) {
    return Tell{instruction.what + 1};
  } else if constexpr (std::same_as<I, Choose>) {
    return Ask{} >> [=](const int& about) { return Choose{about}; };
  } else {
    return instruction;
  }
};

/// Tells nothing and is sure of its answers.
constexpr auto quieter = []<class I>(const I& instruction) {
  if constexpr (std::same_as<I, Tell>) {
    return ret(Unit{});
  } else if constexpr (std::same_as<I, Choose>) {
    return ret(true);
  } else {
    return instruction;
  }
};

/// The digests of a process at each instruction it comes to.
template <class E, class A>
std::vector<Digest> digests(const Program<E, A>& program, const World& world, std::size_t most = 100) {
  Process<E, A, Identified> process(program);
  std::vector<Digest> found{process.digest()};
  while (!process.finished() && found.size() < most) {
    step(process, world.answers[found.size() % world.answers.size()]);
    found.push_back(process.digest());
  }
  return found;
}

// -- Laws -------------------------------------------------------------------------------------------------------

TEST(RewriteLaws, ARuleThatLeavesEverythingChangesNothing) {
  EXPECT_TRUE(holds([](const Arrow& m, const World& world) {
    RC_ASSERT(hear(rewrite(m(0), leave), world) == hear(m(0), world));
    RC_ASSERT(hear(rewrite(m(0), leave_there), world) == hear(m(0), world));
    RC_ASSERT(digests(rewrite(m(0), leave), world) == digests(m(0), world));
    RC_ASSERT(digests(rewrite(m(0), leave_there), world) == digests(m(0), world));
  }));
}

/// What one rule makes is rewritten by the other: as one rule that does both.
TEST(RewriteLaws, TwoRulesAreOne) {
  constexpr auto both = []<class I>(const I& instruction) {
    return rewrite(Program<Toy, typename I::Response>(twice(instruction)), louder);
  };
  EXPECT_TRUE(holds([=](const Arrow& m, const World& world) {
    RC_ASSERT(hear(rewrite(rewrite(m(0), twice), louder), world) == hear(rewrite(m(0), both), world));
  }));
}

TEST(RewriteLaws, ABindOfRewrittenProgramsIsTheRewrittenBind) {
  EXPECT_TRUE(holds([](const Arrow& m, const Arrow& k, const World& world) {
    const auto apart = rewrite(m(0), louder) >> [=](const int& x) { return rewrite(k(x), louder); };
    RC_ASSERT(hear(rewrite(m(0) >> k, louder), world) == hear(apart, world));
  }));
}

TEST(RewriteLaws, ALoopOfRewrittenTurnsIsTheRewrittenLoop) {
  EXPECT_TRUE(holds([](const StepArrow& f, const World& world) {
    const auto inside = iter(0, [=](const int& state) { return rewrite(f(state), louder); });
    RC_ASSERT(hear(rewrite(iter(0, f), louder), world) == hear(inside, world));
  }));
}

/// A handler under a rule is a handler: the same end comes of either.
TEST(RewriteLaws, RunningARewrittenProgramIsRunningTheOriginalUnderTheRule) {
  EXPECT_TRUE(holds([](const Arrow& m, const Table& world) {
    const auto issue = [&]<class I>(const I& instruction) { return response_to(instruction, world(1)); };
    const auto under_rule = [&]<class I>(const I& instruction) {
      return run(Program<Toy, typename I::Response>(twice(instruction)), issue);
    };
    const auto once = Tell{0} >> m(0);  // some arrows go on for ever: a turn or two are enough
    const auto end = [](const auto& program, const auto& handler) {
      Process<Toy, int> process(program);
      for (int n = 0; n < 50 && !process.finished(); ++n) {
        process.pending([&]<class I>(const I& i) { process.template answer<I>(handler(i)); });
      }
      return process.finished() ? process.result() : -1;
    };
    const int under = end(once, under_rule);
    if (under >= 0) RC_ASSERT(hear(rewrite(once, twice), {world(1)}, 100).result == under);
  }));
}

// -- Multi-shot -------------------------------------------------------------------------------------------------

TEST(Rewrite, ACopyGoesOnByItself) {
  const Numbers original = Ask{} >> [](const int& x) { return Tell{x} >> ret(x); };
  const auto program = rewrite(original, twice);
  Process process(program);
  step(process, 1);
  Process copy = process;
  EXPECT_EQ(hear_on(process, {2}), (Heard<int>{{"ask", "tell 2", "tell 2"}, 2}));
  EXPECT_EQ(hear_on(copy, {3}), (Heard<int>{{"ask", "tell 3", "tell 3"}, 3}));
}

// -- Places -----------------------------------------------------------------------------------------------------

Program<Toy, int> ask_often() {
  using Turn = Step<int, int>;
  return iter(0, [](const int& turn) {
    return Ask{} >> [=](const int& one) {
      return Ask{} >> [=](const int& other) {
        const int sum = turn + one + other;
        return ret(sum > 5 ? Turn{Break{sum}} : Turn{Continue{sum}});
      };
    };
  });
}

template <class P>
std::vector<Place> places_on_the_way(const P& program) {
  std::vector<Place> places;
  Process process(program);
  while (!process.finished()) {
    places.push_back(place_of(process));
    step(process, 1);
  }
  return places;
}

TEST(RewritePlaces, AreThoseOfTheOriginal) {
  const std::vector<Place> places = places_on_the_way(ask_often());
  EXPECT_EQ(std::set(places.begin(), places.end()).size(), 2U);
  EXPECT_EQ(places_on_the_way(rewrite(ask_often(), leave)), places);
  EXPECT_EQ(places_on_the_way(rewrite(rewrite(ask_often(), leave_there), leave)), places);
}

TEST(RewritePlaces, TheRuleIsToldWhereItIs) {
  std::vector<Place> told;
  const auto note = [&]<class I>(const I& instruction, const Place& place) {
    told.push_back(place);
    return instruction;
  };
  const std::vector<Place> places = places_on_the_way(rewrite(ask_often(), note));
  EXPECT_EQ(told, places);
  told.clear();
  static_cast<void>(places_on_the_way(rewrite(rewrite(ask_often(), louder), note)));
  EXPECT_EQ(told, places);
}

TEST(RewritePlaces, OneOfTwoAlikeIsRewritten) {
  const Place second = places_on_the_way(ask_often()).at(1);
  const auto rewritten = rewrite(ask_often(), [=]<class I>(const I& instruction, const Place& place) {
    if constexpr (std::same_as<I, Ask>) {
      return place == second ? Program<Toy, int>(Tell{7} >> ret(7)) : Program<Toy, int>(instruction);
    } else {
      return instruction;
    }
  });
  EXPECT_EQ(hear(rewritten, {0}), (Heard<int>{{"ask", "tell 7"}, 7}));
}

// -- As finite as the original ----------------------------------------------------------------------------------

/// Feeds each state a few responses, until no new digest is found. None if there are too many.
std::size_t states_of(const Server& server, std::size_t most = 100'000) {
  using State = Process<Net, Result<Unit>, Identified>;
  std::vector<State> waiting{State(server)};
  std::set<Digest> seen{waiting.back().digest()};
  const auto meet = [&]<class I>(State state, const typename I::Response& response) {
    state.answer<I>(response);
    if (seen.insert(state.digest()).second) waiting.push_back(std::move(state));
  };
  while (!waiting.empty() && seen.size() < most) {
    const State state = std::move(waiting.back());
    waiting.pop_back();
    state.pending([&]<class I>(const I& instruction) {
      for (const Errno error : {Errno::INTR, Errno::NOMEM, Errno::STOPPING}) {
        meet.template operator()<I>(state, failed(error));
      }
      if constexpr (std::same_as<I, Recv>) {
        meet.template operator()<I>(state, Bytes());
        meet.template operator()<I>(state, Bytes::copy_of("abc"));
      } else if constexpr (std::same_as<I, Send>) {
        meet.template operator()<I>(state, instruction.bytes.size());
        meet.template operator()<I>(state, std::size_t{1});
      } else if constexpr (std::same_as<I, Fork>) {
        meet.template operator()<I>(state, Forked(Parent{Pid{5}}));
        meet.template operator()<I>(state, Forked(Child{}));
      } else {
        meet.template operator()<I>(state, typename I::Response());
      }
    });
  }
  return seen.size() < most ? seen.size() : 0;
}

TEST(RewriteStates, AreAsManyAsTheOriginals) {
  constexpr auto leave_net = []<class I>(const I& instruction, const Place&) {
    return Program<Net, typename I::Response>(instruction);
  };
  for (const std::string_view name : program_names) {
    const Server server = *program_named(name);
    const std::size_t states = states_of(server);
    EXPECT_GT(states, 10U) << name;
    EXPECT_EQ(states_of(rewrite(server, leave)), states) << name;
    EXPECT_EQ(states_of(rewrite(rewrite(server, leave_net), leave)), states) << name;
  }
}

TEST(RewriteStates, AreFinitelyManyWhateverTheRule) {
  constexpr auto twice_net = []<class I>(const I& instruction) {
    return instruction >>
               [=](const typename I::Response&) -> Program<Net, typename I::Response> { return instruction; };
  };
  for (const std::string_view name : program_names) EXPECT_GT(states_of(rewrite(*program_named(name), twice_net)), 0U);
}

// -- Scale ------------------------------------------------------------------------------------------------------

Numbers left_nested(int depth) {
  Numbers program = Ask{};
  for (int n = 0; n < depth; ++n) program = std::move(program) >> [](const int& x) { return ret(x + 1); };
  return program;
}

/// What a rewritten program ends with on a small stack, answered with 1, and the blocks that it leaves.
template <class Make>
std::pair<int, std::ptrdiff_t> end_on_small_stack(const Make& make) {
  std::pair<int, std::ptrdiff_t> end;
  on_small_stack([&] {
    {
      Process<Toy, int> process(make());
      const Process<Toy, int> copy = process;
      while (!process.finished()) step(process, 1);
      end.first = process.result();
    }
    end.second = pool::outstanding();
  });
  return end;
}

TEST(RewriteScale, TenMillionBindsNestedToTheLeft) {
  EXPECT_EQ(end_on_small_stack([] { return rewrite(left_nested(ten_million), leave); }),
            (std::pair<int, std::ptrdiff_t>{ten_million + 1, 0}));
}

TEST(RewriteScale, AMillionBindsWithTheirPlaces) {
  EXPECT_EQ(end_on_small_stack([] { return rewrite(left_nested(million), leave_there); }),
            (std::pair<int, std::ptrdiff_t>{million + 1, 0}));
}

TEST(RewriteScale, AMillionTurnsOfWhichNothingIsLeft) {
  const auto count = [] {
    using Turn = Step<int, int>;
    return iter(0, [](const int& turn) {
      return Tell{turn} >>
             [=](const Unit&) { return ret(turn == million ? Turn{Break{turn}} : Turn{Continue{turn + 1}}); };
    });
  };
  EXPECT_EQ(end_on_small_stack([=] { return rewrite(count(), quieter); }),
            (std::pair<int, std::ptrdiff_t>{million, 0}));
}

}  // namespace
}  // namespace antiphon::toy
