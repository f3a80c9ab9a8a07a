#include "verify/limits_met.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "verify/expectations.hpp"
#include "verify/generate.hpp"

namespace antiphon::verify {
namespace {

/// Of a server with both limits, in a scope of two clients, whether the alarm ends a Send, and whether somebody is
/// refused for its address.
std::vector<Meeting> meetings(std::string_view faults, std::int64_t per_address, std::uint64_t memory = 64U << 20U) {
  ProgramOptions made;
  made.server.max_per_address = per_address;
  made.session.progress_ms = 30'000;
  ScopeRequest request;
  request.faults = *faults_named(faults);
  ExploreOptions options;
  options.expectations = expectations_of("stream", made);
  options.most_memory = memory;
  std::vector<Meeting> all;
  for (const LimitMet& one : limits_met(*program_named("stream", made), *scope_of(request), options)) {
    all.push_back(one.meeting);
  }
  return all;
}

using Meetings = std::vector<Meeting>;

TEST(LimitsMet, AnAlarmTakesAClientThatMayBeLate) {
  EXPECT_EQ(meetings("none", 1), (Meetings{Meeting::never, Meeting::met}));
  EXPECT_EQ(meetings("idle", 1), (Meetings{Meeting::met, Meeting::met}));
}

TEST(LimitsMet, ARefusalForTheAddressTakesTooManyThere) {
  EXPECT_EQ(meetings("none", 2), (Meetings{Meeting::never, Meeting::never}));
  // Other reasons for a Fork to fail do not count.
  EXPECT_EQ(meetings("fork,limits", 2).back(), Meeting::never);
}

TEST(LimitsMet, WhatWasNotExploredIsNotKnown) {
  EXPECT_EQ(meetings("none", 2, 1U << 10U), (Meetings{Meeting::not_seen, Meeting::not_seen}));
}

TEST(LimitsMet, NoLimitIsLookedFor) {
  ExploreOptions options;
  options.expectations = expectations_of("stream", {});
  EXPECT_TRUE(limits_met(*program_named("stream"), *scope_of({}), options).empty());
}

}  // namespace
}  // namespace antiphon::verify
