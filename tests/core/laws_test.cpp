#include <set>
#include <utility>
#include <variant>

#include "core/program.hpp"
#include "tests/core/arrows.hpp"
#include "tests/core/toy.hpp"
#include "tests/rapidcheck.hpp"

/// The laws of programs. Two programs are equal if, whatever the world answers, they issue the same
/// instructions with the same operands in the same order and end with the same result. Programs, functions
/// and worlds are generated; of a program that goes on for ever the first hundred instructions are compared.

namespace antiphon::toy {
namespace {

using Turn = Step<int, int>;

const int* goes_on(const Turn& turn) {
  const auto* again = std::get_if<0>(&turn);
  return again == nullptr ? nullptr : &again->state;
}

int result_of(const Turn& turn) { return std::get<1>(turn).result; }

// -- Monad
// ------------------------------------------------------------------------------------------------------

TEST(Laws, LeftIdentity) {
  EXPECT_TRUE(holds([](const Arrow& k, const Table& f, const World& world) {
    const int x = f(0);
    RC_ASSERT(hear(Numbers(ret(x) >> k), world) == hear(k(x), world));
  }));
}

TEST(Laws, RightIdentity) {
  EXPECT_TRUE(holds([](const Arrow& m, const World& world) {
    RC_ASSERT(hear(m(0) >> [](const int& x) -> Numbers { return ret(x); }, world) == hear(m(0), world));
  }));
}

TEST(Laws, Associativity) {
  EXPECT_TRUE(holds([](const Arrow& m, const Arrow& k, const Arrow& l, const World& world) {
    const auto left = (m(0) >> k) >> l;
    const auto right = m(0) >> [=](const int& x) { return k(x) >> l; };
    RC_ASSERT(hear(left, world) == hear(right, world));
  }));
}

TEST(Laws, AnInstructionBindsAsItsProgramDoes) {
  EXPECT_TRUE(holds([](const Arrow& k, const World& world) {
    RC_ASSERT(hear(Ask{} >> k, world) == hear(Numbers(Ask{}) >> k, world));
  }));
}

// -- Map
// --------------------------------------------------------------------------------------------------------

TEST(Laws, MapIdentity) {
  EXPECT_TRUE(holds([](const Arrow& m, const World& world) {
    RC_ASSERT(hear(map(m(0), [](int x) { return x; }), world) == hear(m(0), world));
  }));
}

TEST(Laws, MapComposition) {
  EXPECT_TRUE(holds([](const Arrow& m, const Table& f, const Table& g, const World& world) {
    RC_ASSERT(hear(map(map(m(0), f), g), world) == hear(map(m(0), [=](int x) { return g(f(x)); }), world));
  }));
}

TEST(Laws, MapIsBindWithRet) {
  EXPECT_TRUE(holds([](const Arrow& m, const Table& f, const World& world) {
    RC_ASSERT(hear(map(m(0), f), world) == hear(m(0) >> [=](const int& x) { return ret(f(x)); }, world));
  }));
}

// -- Iteration
// --------------------------------------------------------------------------------------------------

/// One turn, and then what the turn says: the right side of the fixpoint law.
Numbers unfolded(int state, const StepArrow& f) {
  return f(state) >> [=](const Turn& turn) -> Numbers {
    if (const int* next = goes_on(turn)) return iter(*next, f);
    return ret(result_of(turn));
  };
}

TEST(Laws, Fixpoint) {
  EXPECT_TRUE(holds([](const StepArrow& f, const World& world) {
    RC_ASSERT(hear(iter(0, f), world) == hear(unfolded(0, f), world));
  }));
}

/// What follows a loop may as well be done by the turn that breaks.
TEST(Laws, Naturality) {
  EXPECT_TRUE(holds([](const StepArrow& f, const Arrow& k, const World& world) {
    const auto after = iter(0, f) >> k;
    const auto inside = iter(0, [=](const int& state) {
      return f(state) >> [=](const Turn& turn) -> Program<Toy, Turn> {
        if (goes_on(turn) != nullptr) return ret(turn);
        return map(k(result_of(turn)), [](int x) { return Turn{Break{x}}; });
      };
    });
    RC_ASSERT(hear(after, world) == hear(inside, world));
  }));
}

TEST(Laws, NaturalityOfMap) {
  EXPECT_TRUE(holds([](const StepArrow& f, const Table& g, const World& world) {
    const auto inside = iter(0, [=](const int& state) {
      return map(f(state),
                 [=](const Turn& turn) { return goes_on(turn) != nullptr ? turn : Turn{Break{g(result_of(turn))}}; });
    });
    RC_ASSERT(hear(map(iter(0, f), g), world) == hear(inside, world));
  }));
}

/// Two loops of one state are one loop.
TEST(Laws, Codiagonal) {
  EXPECT_TRUE(holds([](const StepArrow& f, const Table& g, const World& world) {
    using Inner = Step<int, Turn>;
    const auto body = [=](const int& state) {
      return map(f(state), [=](const Turn& turn) -> Inner {
        if (const int* next = goes_on(turn)) return Continue{*next};
        const int x = result_of(turn);
        return g(x) % 2 != 0 ? Inner{Break{Turn{Continue{x}}}} : Inner{Break{Turn{Break{x}}}};
      });
    };
    const auto nested = iter(0, [=](const int& state) { return iter(state, body); });
    const auto single = iter(0, [=](const int& state) {
      return map(body(state), [](const Inner& turn) -> Turn {
        if (const auto* again = std::get_if<0>(&turn)) return Continue{again->state};
        return std::get<1>(turn).result;
      });
    });
    RC_ASSERT(hear(nested, world) == hear(single, world));
  }));
}

/// A loop that takes turns with two bodies may start with the second.
TEST(Laws, Dinaturality) {
  EXPECT_TRUE(holds([](const StepArrow& f, const StepArrow& g, const World& world) {
    const auto one_after_other = [](const StepArrow& first, const StepArrow& second) {
      return [=](const int& state) {
        return first(state) >> [=](const Turn& turn) -> Program<Toy, Turn> {
          if (const int* next = goes_on(turn)) return second(*next);
          return ret(turn);
        };
      };
    };
    const auto whole = iter(0, one_after_other(f, g));
    const auto shifted = f(0) >> [=](const Turn& turn) -> Numbers {
      if (const int* next = goes_on(turn)) return iter(*next, one_after_other(g, f));
      return ret(result_of(turn));
    };
    RC_ASSERT(hear(whole, world) == hear(shifted, world));
  }));
}

/// What a loop carries along and never looks at makes no difference.
TEST(Laws, Uniformity) {
  EXPECT_TRUE(holds([](const StepArrow& f, const World& world) {
    using Counted = std::pair<int, int>;
    const auto counting = iter(Counted(0, 0), [=](const Counted& state) {
      return map(f(state.first), [turns = state.second](const Turn& turn) -> Step<Counted, int> {
        if (const int* next = goes_on(turn)) return Continue{Counted(*next, turns + 1)};
        return Break{result_of(turn)};
      });
    });
    RC_ASSERT(hear(counting, world) == hear(iter(0, f), world));
  }));
}

// -- The cases are worth checking
// -------------------------------------------------------------------------------

TEST(LawsCases, ReachWhatCanHappen) {
  int endless = 0;
  int long_ones = 0;
  int silent = 0;
  std::set<int> results;
  EXPECT_TRUE(holds([&](const Arrow& m, const World& world) {
    const Heard<int> heard = hear(m(0), world);
    if (!heard.result) ++endless;
    if (heard.result) results.insert(*heard.result);
    if (heard.result && heard.said.size() > 5) ++long_ones;
    if (heard.said.empty()) ++silent;
  }));
  EXPECT_GT(endless, 20);
  EXPECT_GT(long_ones, 20);
  EXPECT_GT(silent, 20);
  EXPECT_EQ(results, (std::set<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(LawsCases, LoopsGoRoundAndEnd) {
  int at_once = 0;
  int later = 0;
  int never = 0;
  EXPECT_TRUE(holds([&](const StepArrow& f, const World& world) {
    int turns = 0;
    const auto counted = [&](const int& state) {
      ++turns;
      return f(state);
    };
    const Heard<int> heard = hear(iter(0, counted), world);
    ++(!heard.result ? never : turns == 1 ? at_once : later);
  }));
  EXPECT_GT(at_once, 100);
  EXPECT_GT(later, 100);
  EXPECT_GT(never, 20);
}

// -- The harness finds what is wrong
// ----------------------------------------------------------------------------

TEST(LawsCanary, ALoopUnrolledOnceTooOftenIsFound) {
  EXPECT_TRUE(refuted([](const StepArrow& f, const World& world) {
    const auto unrolled = f(0) >> [=](const Turn& turn) -> Numbers {
      if (const int* next = goes_on(turn)) return unfolded(*next, f);
      return unfolded(result_of(turn), f);
    };
    RC_ASSERT(hear(iter(0, f), world) == hear(unrolled, world));
  }));
}

TEST(LawsCanary, ABindThatLosesTheEffectsOfWhatFollowsIsFound) {
  EXPECT_TRUE(refuted([](const Arrow& m, const Arrow& k, const World& world) {
    const auto lossy = m(0) >> [=](const int& x) -> Numbers { return ret(hear(k(x)).result.value_or(0)); };
    RC_ASSERT(hear(lossy, world) == hear(m(0) >> k, world));
  }));
}

TEST(LawsCanary, ABindThatRunsItsFirstPartTwiceIsFound) {
  EXPECT_TRUE(refuted([](const Arrow& m, const World& world) {
    const auto twice = m(0) >> [=](const int&) { return m(0); };
    RC_ASSERT(hear(twice, world) == hear(m(0), world));
  }));
}

TEST(LawsCanary, EffectsOutOfOrderAreFound) {
  EXPECT_TRUE(refuted([](const Arrow& m, const Arrow& k, const World& world) {
    RC_ASSERT(hear(ignore(m(0)) >> ignore(k(0)), world) == hear(ignore(k(0)) >> ignore(m(0)), world));
  }));
}

TEST(LawsCanary, MapsInTheWrongOrderAreFound) {
  EXPECT_TRUE(refuted([](const Arrow& m, const Table& f, const Table& g, const World& world) {
    RC_ASSERT(hear(map(map(m(0), f), g), world) == hear(map(map(m(0), g), f), world));
  }));
}

TEST(LawsCanary, AWrongResultAloneIsFound) {
  EXPECT_TRUE(refuted([](const Arrow& m, const World& world) {
    RC_ASSERT(hear(map(m(0), [](int x) { return x == 7 ? 6 : x; }), world) == hear(m(0), world));
  }));
}

}  // namespace
}  // namespace antiphon::toy
