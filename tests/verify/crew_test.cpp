#include "verify/crew.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <stdexcept>

#include "core/programs/seed.hpp"
#include "tests/verify/explored.hpp"
#include "verify/campaign.hpp"
#include "verify/way.hpp"

namespace antiphon::verify {
namespace {

TEST(Crew, FillsTheMemoryToo) {
  ExploreOptions options;
  options.expectations = expectations_of_catalogue();
  options.most_memory = 10'000'000;
  options.reductions = nothing;
  options.threads = 2;
  options.fresh = [] { return *program_named("stream"); };
  const Exploration result = explore(*program_named("stream"), scope({.clients = 3, .messages = 2}), options);
  EXPECT_EQ(result.ruling, Ruling::incomplete);
  EXPECT_FALSE(result.closed);
  EXPECT_GT(result.frontier, 0U);
}

TEST(Crew, WhatOneThreadFindsReplays) {
  const Scope small = scope({.clients = 2, .faults = "interrupts,accept,reset"});
  ExploreOptions options;
  options.expectations = expectations_of_catalogue();
  options.threads = 2;
  options.fresh = seed::echo_server;
  const Exploration result = explore(seed::echo_server(), small, options);
  EXPECT_GE(result.discoveries.size(), 4U);
  for (const Discovery& one : result.discoveries) {
    const Scenario scenario = scenario_of(seed::echo_server(), small.scenario, one.path);
    const Judged judged = run_and_judge(seed::echo_server(), scenario, expectations_of_catalogue());
    EXPECT_NE(violation_of(judged.verdict, one.breach.clause.name), nullptr) << one.breach.clause.name;
  }
}

TEST(Crew, EveryThreadNeedsTheSameProgram) {
  ExploreOptions options;
  options.reductions = nothing;
  options.threads = 2;
  int made = 0;
  std::mutex mutex;
  options.fresh = [&] {
    const std::scoped_lock lock(mutex);
    return ++made % 2 == 0 ? *program_named("stream") : seed::echo_server();
  };
  EXPECT_THROW(explore(*program_named("stream"), scope({.clients = 3}), options), std::logic_error);
}

}  // namespace
}  // namespace antiphon::verify
