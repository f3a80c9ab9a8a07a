#include "verify/circles.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/rewrite.hpp"
#include "tests/verify/explored.hpp"
#include "verify/campaign.hpp"
#include "verify/planted.hpp"
#include "verify/way.hpp"

namespace antiphon::verify {
namespace {

// -- components by hand -----------------------------------------------------------------------------------------------

/// A component whose edges are made of these; the first state is 0.
class Drawn {
 public:
  explicit Drawn(std::uint32_t states) : actors_(states, Component::Actors{0, 0}) {
    for (std::uint32_t state = 0; state < states; ++state) states_.push_back(state);
  }
  Drawn& edge(std::uint32_t from, std::uint32_t to, std::uint16_t actor, std::uint32_t told = 0,
              Move::Kind kind = Move::Kind::process) {
    outcomes_.push_back(std::make_unique<Outcome>());
    outcomes_.back()->move.kind = kind;
    outcomes_.back()->actor = actor;
    outcomes_.back()->told = told;
    edges_.push_back({from, to, outcomes_.back().get()});
    return *this;
  }
  Drawn& able(std::uint32_t state, Component::Able able, Component::Able pending = 0) {
    actors_[state] = {able, pending};
    return *this;
  }
  [[nodiscard]] Component component() const { return {states_, actors_, edges_}; }

 private:
  std::vector<std::uint32_t> states_;
  std::vector<Component::Actors> actors_;
  std::vector<std::unique_ptr<Outcome>> outcomes_;
  std::vector<Component::Edge> edges_;
};

/// Two states, and actor 0 goes from one to the other and back.
Drawn two_states() { return std::move(Drawn(2).edge(0, 1, 0).edge(1, 0, 0).able(0, 1).able(1, 1)); }

TEST(Circles, WhoGoesRoundAloneGoesRoundFairly) {
  const Drawn drawn = two_states();
  const Component component = drawn.component();
  const Circles circles(component);
  EXPECT_TRUE(circles.any());
  const Circles::Found found = circles.without(0);
  ASSERT_EQ(found.fair.size(), 1U);
  EXPECT_TRUE(found.fair.front().stem.empty());
  EXPECT_EQ(found.fair.front().lap.size(), 2U);
}

TEST(Circles, WhoIsKeptFromGoingOnMakesItUnfair) {
  const Drawn drawn = std::move(two_states().able(0, 3).able(1, 3));  // actor 1 could, all the time
  const Component component = drawn.component();
  EXPECT_TRUE(Circles(component).any());
  EXPECT_TRUE(Circles(component).without(0).fair.empty());
  EXPECT_FALSE(Circles(component).without(0).undecided);
}

TEST(Circles, WhoGoesOnOrCannotSomewhereIsNotKept) {
  const Drawn moving = std::move(two_states().able(0, 3).able(1, 3).edge(0, 0, 1));
  const Component with_edge = moving.component();
  const Circles::Found found = Circles(with_edge).without(0);
  ASSERT_EQ(found.fair.size(), 1U);
  EXPECT_EQ(found.fair.front().lap.size(), 3U);  // actor 1 has its turn
  const Drawn resting = std::move(two_states().able(0, 3));
  const Component with_rest = resting.component();
  EXPECT_EQ(Circles(with_rest).without(0).fair.size(), 1U);
}

TEST(Circles, ADeadlineThatIsPendingLeavesItOpen) {
  const Drawn drawn = std::move(two_states().able(0, 1, 2).able(1, 1, 2));
  const Component component = drawn.component();
  const Circles::Found found = Circles(component).without(0);
  EXPECT_TRUE(found.fair.empty());
  EXPECT_TRUE(found.undecided);
}

TEST(Circles, WhoIsToldSomethingDoesNotWait) {
  const Drawn drawn = std::move(Drawn(2).edge(0, 1, 0, 0b10).edge(1, 0, 0).able(0, 1).able(1, 1));
  const Component component = drawn.component();
  EXPECT_TRUE(Circles(component).without(1).fair.empty());
  EXPECT_EQ(Circles(component).without(0).fair.size(), 1U);
}

TEST(Circles, FaultsDoNotComeWithoutEnd) {
  const Drawn drawn = std::move(Drawn(2).edge(0, 1, 0).edge(1, 0, 0, 0, Move::Kind::fault).able(0, 1).able(1, 1));
  const Component component = drawn.component();
  EXPECT_FALSE(Circles(component).any());
  EXPECT_TRUE(Circles(component).without(0).fair.empty());
}

TEST(Circles, AStemLeadsToOneFurtherOn) {
  Drawn drawn(3);
  drawn.edge(0, 1, 0).edge(1, 2, 0).edge(2, 1, 0).edge(2, 0, 0, 1).able(0, 1).able(1, 1).able(2, 1);
  const Component component = drawn.component();
  const Circles::Found found = Circles(component).without(0);
  ASSERT_EQ(found.fair.size(), 1U);
  EXPECT_EQ(found.fair.front().stem.size(), 1U);
  EXPECT_EQ(found.fair.front().lap.size(), 2U);
}

// -- of servers -------------------------------------------------------------------------------------------------------

/// What goes on for ever is shown as a way and what comes again after it, and runs so.
TEST(Circles, OneInWhichAClientWaitsReplays) {
  std::size_t circles = 0;
  for (const auto& [two, reductions] :
       {std::pair(scope({.clients = 2}), nothing), std::pair(scope({.clients = 2}), everything),
        std::pair(scope({.clients = 2, .any = true, .faults = "stop"}), symmetry)}) {
    for (const Planted& planted : planted_violations()) {
      if (planted.clause != Served::clause.name) continue;
      SCOPED_TRACE(planted.defect);
      const Exploration result = explored(planted.server, two, reductions);
      const auto found = std::ranges::find(result.discoveries, planted.clause,
                                           [](const Discovery& one) { return one.breach.clause.name; });
      ASSERT_NE(found, result.discoveries.end());
      ASSERT_FALSE(found->lap.empty());
      const Scenario scenario = scenario_of(planted.server, two.scenario, found->path, found->lap);
      const Judged judged = run_and_judge(planted.server, scenario, expectations_of_catalogue());
      EXPECT_TRUE(judged.run.lap_from);
      const Violation* const violation = violation_of(judged.verdict, planted.clause);
      ASSERT_NE(violation, nullptr);
      EXPECT_EQ(violation->sentence, found->breach.sentence);
      ++circles;
    }
  }
  EXPECT_EQ(circles, 6U);
}

/// A server that serves one client after the other: whoever talks on keeps the next one out for ever.
TEST(Circles, AClientMayStarveBehindOneThatTalksOn) {
  const Server napping = replace<Fork>(*program_named("stream"), [](const Fork& fork) {
    return fork >> [](const Result<Forked>& forked) -> Program<Net, Result<Forked>> {
      if (!forked || std::holds_alternative<Child>(*forked)) return ret(forked);
      return Sleep{1} >> [=](const Result<Unit>&) { return ret(forked); };
    };
  });
  const Exploration fair = explored(napping, scope({.clients = 2, .size = 1, .any = true}));
  EXPECT_FALSE(clauses(fair).contains(Served::clause.name));  // who sleeps wakes up

  const auto close_client = [](const Close& close) -> Program<Net, Result<Unit>> {
    if (close.socket == Socket{0}) return ret(Result<Unit>());
    return close;
  };
  const Server serve_oneself = replace<Close>(
      replace<Fork>(*program_named("stream"), [](const Fork&) { return ret(Result<Forked>(Child{})); }), close_client);
  const Exploration starving = explored(serve_oneself, scope({.clients = 2, .size = 1, .any = true}), nothing);
  const auto found = std::ranges::find(starving.discoveries, Served::clause.name,
                                       [](const Discovery& one) { return one.breach.clause.name; });
  ASSERT_NE(found, starving.discoveries.end());
  EXPECT_NE(found->breach.sentence.find(" is never accepted"), std::string::npos) << found->breach.sentence;
}

}  // namespace
}  // namespace antiphon::verify
