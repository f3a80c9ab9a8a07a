#include "verify/sometimes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/effects.hpp"
#include "verify/expectations.hpp"

/// The rows of a campaign's limits: what shows that they took effect, and what does not.

namespace antiphon::verify {
namespace {

constexpr std::string_view alarm = "an alarm ends a Send";
constexpr std::string_view address = "a client is refused for its address";

ProgramOptions limited() {
  ProgramOptions options;
  options.server.max_per_address = 1;
  options.session.progress_ms = 30'000;
  return options;
}

SometimesTable table(std::string_view faults, std::string_view program = "stream") {
  return SometimesTable::of_limits({4, *faults_named(faults)}, expectations_of(program, limited()));
}

std::uint64_t runs_with(std::string_view what, const Scenario& scenario, const Tally& tally) {
  SometimesTable rows = table("all");
  rows.count(scenario, tally);
  return std::ranges::find(rows.rows(), what, &Sometimes::what)->runs;
}

TEST(Sometimes, ALimitThatIsNotSetHasNoRow) {
  EXPECT_TRUE(SometimesTable::of_limits({4, *faults_named("all")}, expectations_of("stream", {})).rows().empty());
  EXPECT_EQ(table("all").rows().size(), 2U);
}

TEST(Sometimes, WhatNeverHappenedIsRemarkedOn) {
  const auto never = never_happened(table("all").rows());
  ASSERT_EQ(never.size(), 2U);
  EXPECT_EQ(never.front(), "it never happened that an alarm ends a Send; more runs may show it");
}

TEST(Sometimes, WhatCannotHappenIsNotNeeded) {
  for (const auto& [faults, program] : {std::pair("none", "stream"), std::pair("all", "once")}) {
    const std::vector<Sometimes> rows = table(faults, program).rows();
    EXPECT_FALSE(std::ranges::find(rows, alarm, &Sometimes::what)->needed) << faults << ", " << program;
    EXPECT_TRUE(std::ranges::find(rows, address, &Sometimes::what)->needed);
    EXPECT_EQ(never_happened(rows).size(), 1U);
  }
}

TEST(Sometimes, AnAlarmIsCounted) {
  Tally tally;
  EXPECT_EQ(runs_with(alarm, Scenario(0), tally), 0U);
  tally.alarms = 2;
  EXPECT_EQ(runs_with(alarm, Scenario(0), tally), 1U);
}

TEST(Sometimes, WhoIsRefusedForAnotherReasonIsNotRefusedForItsAddress) {
  Tally tally;
  tally.excuses.at(static_cast<std::size_t>(Excuse::refused)) = 1;
  EXPECT_EQ(runs_with(address, Scenario(0), Tally{}), 0U);
  EXPECT_EQ(runs_with(address, Scenario(0), tally), 1U);
  Scenario few(0);
  few.max_processes = 2;
  EXPECT_EQ(runs_with(address, few, tally), 0U);
  Scenario failing(0);
  failing.faults = {{fault_place(Accept::name), 0, Errno::INTR}};
  EXPECT_EQ(runs_with(address, failing, tally), 1U);
  failing.faults.push_back({fault_place(Fork::name), 0, Errno::AGAIN});
  EXPECT_EQ(runs_with(address, failing, tally), 0U);
}

}  // namespace
}  // namespace antiphon::verify
