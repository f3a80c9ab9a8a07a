#include "verify/explorer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "core/programs/seed.hpp"
#include "tests/verify/explored.hpp"
#include "verify/campaign.hpp"
#include "verify/planted.hpp"
#include "verify/state_space.hpp"
#include "verify/way.hpp"

namespace antiphon::verify {
namespace {

TEST(Explorer, ClosesOverTheStream) {
  const Exploration result = explored(*program_named("stream"), scope({}));
  EXPECT_EQ(result.ruling, Ruling::holds);
  EXPECT_TRUE(result.closed);
  EXPECT_GT(result.states, 50U);
  EXPECT_EQ(result.rests, 1U);
  EXPECT_LT(result.missed, 1e-20);
}

TEST(Explorer, ClosesOverConversationsOfAnyLength) {
  const Exploration result = explored(*program_named("stream"), scope({.clients = 1, .size = 2, .any = true}));
  EXPECT_EQ(result.ruling, Ruling::holds);
  EXPECT_TRUE(result.closed);
}

TEST(Explorer, TheSameScopeGivesTheSameResult) {
  const Exploration one = explored(*program_named("once"), scope({}));
  const Exploration other = explored(*program_named("once"), scope({}));
  EXPECT_EQ(one.states, other.states);
  EXPECT_EQ(one.transitions, other.transitions);
}

TEST(Explorer, SaysThatItIsIncompleteWhenTheMemoryIsFull) {
  ExploreOptions options;
  options.expectations = expectations_of_catalogue();
  options.most_memory = 40'000;
  options.reductions = nothing;
  const Exploration result = explore(*program_named("stream"), scope({.clients = 3}), options);
  EXPECT_EQ(result.ruling, Ruling::incomplete);
  EXPECT_FALSE(result.closed);
  EXPECT_GT(result.frontier, 0U);
}

TEST(Explorer, AScopeThatIsTooLargeIsSaidToBe) {
  Scope large = scope({.clients = 2});
  large.scenario.clients.assign(40, large.scenario.clients.front());
  ExploreOptions options;
  options.expectations = expectations_of_catalogue();
  options.fresh = [] { return *program_named("stream"); };
  for (options.threads = 1; options.threads <= 4; ++options.threads) {
    const Exploration result = explore(*program_named("stream"), large, options);
    EXPECT_EQ(result.ruling, Ruling::incomplete);
    EXPECT_FALSE(result.closed);
    EXPECT_EQ(result.endless, EndlessRuns::not_judged);
    ASSERT_FALSE(result.remarks.empty());
    EXPECT_NE(result.remarks.front().find("the scope is too large"), std::string::npos) << result.remarks.front();
  }
}

/// How many have ended. (A real one would forget.)
struct Ends {
  static constexpr About about = About::door;
  std::uint32_t count = 0;
  static constexpr std::tuple fields{Field{"count", &Ends::count}};
};

struct OneEndsAtMost {
  using Witness = Parts<Ends>;
  static constexpr Clause clause{"one-ends", "no second session ends"};

  void caller(const Witness& ends, const Seen& seen, Report& report) const {
    if (seen.ended() == nullptr || ends.find(0) == nullptr) return;
    report.breach(clause, Party::program, "is the second to end");
  }
  void move(Witness& ends, const Seen& seen) const {
    if (seen.ended() != nullptr) ++ends.edit(0).count;
  }
};

TEST(Explorer, HoldsAProgramToAnyContract) {
  ExploreOptions options;
  options.space = with_contract(OneEndsAtMost{});
  const Server server = *program_named("stream");
  const Exploration one = explore(server, scope({.clients = 1}), options);
  EXPECT_EQ(one.ruling, Ruling::holds);
  for (const Order order : {Order::depth_first, Order::breadth_first, Order::random}) {
    options.order = order;
    options.runs = 100;
    const Exploration two = explore(server, scope({.clients = 2}), options);
    ASSERT_EQ(two.discoveries.size(), 1U);
    EXPECT_EQ(two.discoveries.front().breach.clause.name, "one-ends");
  }
  options.order = Order::depth_first;
  options.threads = 2;
  options.fresh = [] { return *program_named("stream"); };
  EXPECT_EQ(explore(server, scope({.clients = 2}), options).discoveries.size(), 1U);
}

TEST(Explorer, EightClientsAreNotTooMany) {
  const Exploration result = explored(*program_named("stream"), scope({.clients = 8, .messages = 0}));
  EXPECT_EQ(result.ruling, Ruling::holds);
}

/// The tables count too, not only the states.
TEST(Explorer, LargeMessagesFillTheMemory) {
  ScopeRequest request;
  request.clients = 1;
  request.messages = 2;
  request.size = 40;
  request.capacity = 40;
  ExploreOptions options;
  options.expectations = expectations_of_catalogue();
  options.most_memory = 4'000'000;
  const Exploration result = explore(*program_named("stream"), *scope_of(request), options);
  EXPECT_FALSE(result.closed);
  EXPECT_EQ(result.ruling, Ruling::incomplete);
}

/// Servers that go on for ever while a client waits. Where circles are not judged that is said; and where no run comes
/// to rest, nothing holds.
TEST(Explorer, WhatIsNotJudgedIsNotSaidToHold) {
  for (const Planted& planted : planted_violations()) {
    if (planted.clause != Served::clause.name) continue;
    for (const std::uint32_t threads : {1U, 2U}) {
      ExploreOptions options;
      options.expectations = expectations_of_catalogue();
      options.order = threads == 1 ? Order::breadth_first : Order::depth_first;
      options.threads = threads;
      const std::string_view defect = planted.defect;
      options.fresh = [defect] {
        const auto all = planted_violations();
        return std::ranges::find(all, defect, &Planted::defect)->server;
      };
      const Exploration result = explore(planted.server, scope({.clients = 1}), options);
      EXPECT_EQ(result.endless, EndlessRuns::not_judged);
      EXPECT_EQ(result.ruling, result.rests == 0 ? Ruling::incomplete : Ruling::holds) << planted.defect;
    }
  }
}

TEST(Explorer, NeedsContentThatNobodyLooksAt) {
  const Server server = tcp_server(ServerOptions{}, [](Socket client) -> Program<Net, Unit> {
    return Recv{client, 16, {}} >> [=](const Result<Bytes>& got) -> Program<Net, Unit> {
      if (got && got->view() == "x") return ret(Unit{});
      return ignore(Close{client});
    };
  });
  const Exploration result = explored(server, scope({.clients = 1}));
  EXPECT_NE(result.ruling, Ruling::holds);
  ASSERT_FALSE(result.remarks.empty());
  EXPECT_NE(result.remarks.front().find("looks at the content"), std::string::npos);
}

/// The runs that a discovery leads to break its clause: what is explored is what is simulated.
TEST(Explorer, EveryDiscoveryReplays) {
  const Scope small = scope({.clients = 2, .faults = "interrupts,accept,reset"});
  const Exploration result = explored(seed::echo_server(), small);
  EXPECT_GE(result.discoveries.size(), 4U);
  for (const Discovery& one : result.discoveries) {
    const Scenario scenario = scenario_of(seed::echo_server(), small.scenario, one.path);
    const Judged judged = run_and_judge(seed::echo_server(), scenario, expectations_of_catalogue());
    EXPECT_NE(violation_of(judged.verdict, one.breach.clause.name), nullptr) << one.breach.clause.name;
  }
}

/// What is wrong with the original, as exploration shows it: each on a screen.
TEST(Explorer, RefutesTheOriginalRowByRow) {
  const std::pair<std::string_view, Asked> rows[] = {
      {"reaped", {.clients = 1}},                              // 1
      {"idle-limit", {.clients = 1}},                          // 2
      {"input-read", {.clients = 1, .messages = 2}},           // 3 and 4
      {"delivered", {.clients = 1, .messages = 2}},            // 4
      {"admission", {.clients = 3, .messages = 0}},            // 5
      {"handled", {.clients = 1, .faults = "reset"}},          // 6
      {"acceptor-lives", {.clients = 1, .faults = "accept"}},  // 7
      {"acceptor-lives", {.clients = 1, .faults = "fork"}},    // 7
      {"answered", {.clients = 1, .faults = "interrupts"}},    // 8
      {"own-connection", {.clients = 1}},                      // 9
      {"drained", {.clients = 1, .faults = "stop"}},           // 10
  };
  const Server original = seed::echo_server();
  for (const auto& [clause, asked] : rows) {
    SCOPED_TRACE(testing::Message() << clause << ", faults " << asked.faults);
    const Scope small = scope(asked);
    const Exploration result = explored(original, small);
    const auto found =
        std::ranges::find(result.discoveries, clause, [](const Discovery& one) { return one.breach.clause.name; });
    ASSERT_NE(found, result.discoveries.end());
    const Finding finding =
        minimised(original, expectations_of_catalogue(), scenario_of(original, small.scenario, found->path), clause);
    EXPECT_LE(finding.trace.size(), 40U);
  }
}

TEST(Explorer, BreadthFirstFindsTheShortestWay) {
  const Server server = seed::echo_server();
  const Exploration deep = explored(server, scope({}), nothing);
  const Exploration broad = explored(server, scope({}), nothing, Order::breadth_first);
  ASSERT_EQ(clauses(deep), clauses(broad));
  for (const Discovery& shortest : broad.discoveries) {
    for (const Discovery& one : deep.discoveries) {
      if (one.breach.clause.name != shortest.breach.clause.name) continue;
      EXPECT_LE(shortest.path.size(), one.path.size()) << one.breach.clause.name;
    }
  }
}

}  // namespace
}  // namespace antiphon::verify
