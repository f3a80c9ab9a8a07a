#include "verify/coverage.hpp"

#include <gtest/gtest.h>

#include "core/programs/catalogue.hpp"
#include "interpreters/simulated.hpp"
#include "tests/verify/history.hpp"
#include "verify/campaign.hpp"

namespace antiphon::verify {
namespace {

/// Receives once: three points, of which the last is reached by any error.
Server small() {
  return Recv{client, 9, {}} >> [](const Result<Bytes>& message) -> Server {
    if (!message) return Close{client} >> [](const Result<Unit>& closed) { return ret(closed); };
    return Send{client, *message, {}} >> [](const Result<std::size_t>&) { return ret(Result<Unit>()); };
  };
}

std::vector<std::size_t> figures(const Coverage& coverage) {
  return {coverage.points().reached, coverage.branches().reached, coverage.errors().reached};
}

using Figures = std::vector<std::size_t>;

TEST(Coverage, OfNothingIsNothing) {
  const Coverage coverage(small());
  EXPECT_EQ(figures(coverage), (Figures{0, 0, 0}));
  EXPECT_EQ(coverage.points().all, 3U);
  EXPECT_EQ(coverage.graph(), graph_of(small()));
}

TEST(Coverage, CountsPointsBranchesAndErrors) {
  Coverage coverage(small());
  coverage.see(History().waits(0, Recv{client, 9, {}}).events);
  EXPECT_EQ(figures(coverage), (Figures{1, 0, 0})) << "it stands there, and is not answered";
  coverage.see(History().on(0, Recv{client, 9, {}}, bytes("ab")).on(0, Send{client, {}, {}}, 2).ends(0).events);
  EXPECT_EQ(figures(coverage), (Figures{2, 2, 0}));
  coverage.see(History().on(0, Recv{client, 9, {}}, failed(Errno::CONNRESET)).events);
  EXPECT_EQ(figures(coverage), (Figures{3, 3, 1}));
  coverage.see(History().on(0, Recv{client, 9, {}}, failed(Errno::CONNRESET)).events);
  EXPECT_EQ(figures(coverage), (Figures{3, 3, 1}));
  EXPECT_EQ(coverage.arrivals(0), 4U);
}

TEST(Coverage, AnErrorThatNoListHasIsAnyOther) {
  Coverage coverage(small());
  coverage.see(History().on(0, Recv{client, 9, {}}, failed(Errno{77})).events);
  EXPECT_EQ(figures(coverage), (Figures{2, 1, 1}));
}

TEST(Coverage, WhatIsOfAnotherProgramIsNotFollowed) {
  Coverage coverage(small());
  coverage.see(History().on(0, Fork{}, failed(Errno::AGAIN)).on(7, Fork{}, failed(Errno::AGAIN)).events);
  EXPECT_EQ(figures(coverage), (Figures{1, 0, 0}));
}

TEST(Coverage, FollowsChildren) {
  const Server server = *program_named("seed");
  Scenario scenario(0);
  scenario.clients = {{script::Connect{}, script::Send{1}, script::EndSide{}}};
  Coverage coverage(server);
  coverage.see(simulate(server, scenario).trace);
  EXPECT_EQ(coverage.points().reached, coverage.points().all);
  EXPECT_EQ(coverage.errors().reached, 0U);
}

TEST(Coverage, OfACampaignGrowsWithItsFaults) {
  const auto covered = [](std::string_view faults) {
    const Server server = *program_named("stream");
    Coverage coverage(server);
    CampaignOptions options;
    options.runs = 500;
    options.generation = {4, *faults_named(faults)};
    options.expectations = expectations();
    options.each_run = [&](const std::vector<Event>& trace) { coverage.see(trace); };
    campaign(server, options);
    std::uint64_t passages = 0;
    for (std::size_t node = 0; node < coverage.graph().nodes.size(); ++node) {
      for (std::size_t branch = 0; branch < coverage.graph().nodes[node].branches.size(); ++branch) {
        passages += coverage.passages(node, branch);
      }
    }
    EXPECT_GT(passages, 10'000U);
    return figures(coverage);
  };
  const Figures without = covered("none");
  const Figures with = covered("all");
  for (std::size_t index = 0; index < with.size(); ++index) EXPECT_GT(with[index], without[index]);
}

}  // namespace
}  // namespace antiphon::verify
