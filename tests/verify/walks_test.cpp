#include "verify/walks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/programs/seed.hpp"
#include "core/rewrite.hpp"
#include "tests/verify/explored.hpp"
#include "verify/campaign.hpp"
#include "verify/contracts/delivered.hpp"
#include "verify/generate.hpp"
#include "verify/planted.hpp"
#include "verify/scope.hpp"

namespace antiphon::verify {
namespace {

class Walks : public testing::TestWithParam<Order> {
 protected:
  static Scope scope(std::uint32_t clients, const std::string& faults) {
    ScopeRequest request;
    request.clients = clients;
    request.faults = *faults_named(faults);
    return *scope_of(request);
  }

  static ExploreOptions options(std::uint64_t runs, const Expectations& expected = expectations_of_catalogue()) {
    ExploreOptions options;
    options.order = GetParam();
    options.runs = runs;
    options.expectations = expected;
    return options;
  }

  static bool finds(const Exploration& result, std::string_view clause) {
    return std::ranges::any_of(result.discoveries,
                               [&](const Discovery& one) { return one.breach.clause.name == clause; });
  }
};

TEST_P(Walks, FindEachPlantedViolation) {
  for (const Planted& planted : planted_violations()) {
    if (planted.clause == Served::clause.name) continue;  // walks end
    const bool found = std::ranges::any_of(std::array{"all", "none"}, [&](const char* faults) {
      return finds(walks(planted.server, scope(3, faults), options(1500, planted.held_to(expectations_of_catalogue()))),
                   planted.clause);
    });
    EXPECT_TRUE(found) << planted.clause << ": " << planted.defect;
  }
}

TEST_P(Walks, FindNothingWhereNothingIs) {
  for (const std::string faults : {"none", "all"}) {
    const Exploration result = explore(*program_named("stream"), scope(3, faults), options(2000));
    EXPECT_EQ(result.discoveries.size(), 0U) << result.discoveries.front().breach.clause.name;
    EXPECT_EQ(result.walks, 2000U);
    EXPECT_EQ(result.ruling, Ruling::incomplete);
    ASSERT_FALSE(result.remarks.empty());
    EXPECT_NE(result.remarks.back().find("prove nothing"), std::string::npos);
  }
}

TEST_P(Walks, EveryDiscoveryReplays) {
  const Server server = seed::echo_server();
  const Scope all = scope(2, "all");
  const ExploreOptions asked = options(1000);
  const Exploration result = explore(server, all, asked);
  EXPECT_GE(result.discoveries.size(), 4U);
  for (const Discovery& one : result.discoveries) {
    const Scenario scenario = scenario_of(server, all.scenario, one.path);
    const Judged judged = run_and_judge(server, scenario, asked.expectations);
    EXPECT_NE(violation_of(judged.verdict, one.breach.clause.name), nullptr) << one.breach.clause.name;
  }
}

/// The acceptor's rest doubles with each Accept that fails for want of something: the longest takes nine in a row.
TEST(GuidedWalks, FindWhatTakesManyRareSteps) {
  const Server server = replace<Sleep>(*program_named("stream"), [](const Sleep& sleep) -> Program<Net, Result<Unit>> {
    if (sleep.wait_ms != acceptor::longest_rest_ms) return sleep;
    return Close{Socket{0}};
  });
  const Scope failing = scope({.clients = 1, .faults = "accept"});
  const auto finds = [&](Order order, std::uint64_t seed) {
    ExploreOptions options;
    options.order = order;
    options.runs = 3'000;
    options.seed = seed;
    options.expectations = expectations_of_catalogue();
    return !explore(server, failing, options).discoveries.empty();
  };
  int random = 0;
  int guided = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    random += finds(Order::random, seed) ? 1 : 0;
    guided += finds(Order::guided, seed) ? 1 : 0;
  }
  EXPECT_EQ(guided, 5);
  EXPECT_LT(random, 5);
}

TEST_P(Walks, TheSeedSaysWhichTheyAre) {
  const Server server = *program_named("once");
  ExploreOptions asked = options(50, expectations_of_catalogue(Answers::first_message));
  const Exploration one = explore(server, scope(2, "none"), asked);
  const Exploration same = explore(server, scope(2, "none"), asked);
  asked.seed = 2;
  const Exploration other = explore(server, scope(2, "none"), asked);
  EXPECT_EQ(one.transitions, same.transitions);
  EXPECT_EQ(one.states, same.states);
  EXPECT_NE(one.transitions, other.transitions);
}

/// All states of a small scope are come by, and none that is not one of them: with two clients, many processes and
/// faults, what an actor can do must be looked up again when parts come up that were not there before.
TEST_P(Walks, StayInTheScope) {
  const Server server = *program_named("stream");
  ExploreOptions everything = options(0);
  everything.order = Order::depth_first;
  everything.reductions = {.partial_order = false, .symmetry = false};
  ScopeRequest request;
  request.messages = 1;
  request.size = 1;
  for (const std::string faults : {"none", "accept,fork"}) {
    request.faults = *faults_named(faults);
    for (request.clients = 1; request.clients <= 2; ++request.clients) {
      SCOPED_TRACE(testing::Message() << request.clients << " clients, faults " << faults);
      const Scope small = *scope_of(request);
      const Exploration all = explore(server, small, everything);
      ASSERT_TRUE(all.closed);
      const Exploration walked = explore(server, small, options(5000));
      EXPECT_LE(walked.states, all.states);
      EXPECT_LE(walked.rests, all.rests);
      if (request.clients == 1 && faults == "none") {
        EXPECT_EQ(walked.states, all.states);
        EXPECT_EQ(walked.rests, all.rests);
      }
    }
  }
}

TEST_P(Walks, CountNoStatesThatDoNotFit) {
  ExploreOptions asked = options(300);
  asked.most_memory = 1;
  const Exploration result = explore(*program_named("stream"), scope(2, "none"), asked);
  EXPECT_EQ(result.walks, 300U);
  EXPECT_EQ(result.states, 0U);
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_NE(result.notes.front().find("the memory was full"), std::string::npos);
}

/// A server that never comes to an end of what it does.
TEST_P(Walks, SayWhichWereCut) {
  const Server server = iter(Unit{}, [](const Unit&) {
    return DiscardChildren{} >> [](const Result<Unit>&) { return ret(Step<Unit, Result<Unit>>{Continue{Unit{}}}); };
  });
  const Exploration result = explore(server, scope(1, "none"), options(2));
  EXPECT_EQ(result.cut, 2U);
}

INSTANTIATE_TEST_SUITE_P(Each, Walks, testing::Values(Order::random, Order::pct, Order::guided), [](const auto& one) {
  return one.param == Order::pct ? "pct" : one.param == Order::guided ? "guided" : "random";
});

TEST(Pct, SaysHowLikelyADefectIsMet) {
  ExploreOptions options;
  options.order = Order::pct;
  options.runs = 100;
  ScopeRequest request;
  double before = 1;
  for (options.depth = 1; options.depth < 4; ++options.depth) {
    const Exploration result = explore(*program_named("stream"), *scope_of(request), options);
    EXPECT_GT(result.least_chance, 0);
    EXPECT_LT(result.least_chance, before);
    before = result.least_chance;
  }
}

}  // namespace
}  // namespace antiphon::verify
