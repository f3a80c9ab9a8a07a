#include "verify/schedule.hpp"

#include <gtest/gtest.h>

#include "core/programs/catalogue.hpp"
#include "interpreters/simulated.hpp"
#include "tests/verify/history.hpp"
#include "verify/campaign.hpp"
#include "verify/table.hpp"

namespace antiphon::verify {
namespace {

Scenario drawn(std::uint64_t seed) { return draw({3, std::vector<bool>(fault_classes().size(), true)}, seed); }

std::uint64_t switches_of(const std::vector<Event>& trace) {
  std::uint64_t switches = 0;
  for (std::size_t index = 1; index < trace.size(); ++index) {
    if (!same_column(trace[index - 1], trace[index])) ++switches;
  }
  return switches;
}

// -- Written out ------------------------------------------------------------------------------------------------

TEST(Schedule, WrittenOutItIsTheSameRun) {
  const Server server = *program_named("stream");
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Scenario scenario = drawn(seed);
    scenario.seed = seed % 3;  // turns, or drawn
    Scenario said = written_out(server, scenario);
    said.seed = 0;
    EXPECT_EQ(simulate(server, said).trace, simulate(server, scenario).trace) << seed;
  }
}

TEST(Schedule, WrittenOutItSaysNoMoreThanIsAsked) {
  Scenario scenario(0);
  scenario.clients = {{script::Connect{}}};
  scenario.choices = std::vector<std::uint32_t>(50, 7);
  EXPECT_LT(written_out(*program_named("seed"), scenario).choices.size(), 5U);
}

// -- Calmer -----------------------------------------------------------------------------------------------------

TEST(Schedule, CalmerItHasTheSameViolationAndFewerSwitches) {
  const Server server = *program_named("seed");
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Scenario scenario = drawn(seed);
    const Judged judged = run_and_judge(server, scenario, expectations());
    if (judged.verdict.violations.empty()) continue;
    const Violation& violation = judged.verdict.violations.front();
    const Calmer calm = calmer(server, scenario, expectations(), violation);
    EXPECT_LT(calm.runs, 10'000U);
    const Judged again = run_and_judge(server, calm.scenario, expectations());
    const Violation* const found = violation_of(again.verdict, violation.clause.name);
    ASSERT_NE(found, nullptr) << seed;
    EXPECT_EQ(found->sentence, violation.sentence);
    EXPECT_LE(again.run.trace.size(), judged.run.trace.size());
    before += switches_of(judged.run.trace);
    after += switches_of(again.run.trace);
    scenario.choices = calm.scenario.choices;
    EXPECT_EQ(scenario, calm.scenario) << "nothing but the schedule differs";
  }
  EXPECT_LT(after, before);
}

TEST(Schedule, CalmedAProcessGoesOnForAsLongAsItCan) {
  Scenario scenario(0);
  scenario.clients = {{script::Connect{}, script::EndSide{}}, {script::Connect{}, script::EndSide{}}};
  const Server server = *program_named("seed");
  const Judged judged = run_and_judge(server, scenario, expectations());
  const Violation* const reaped = violation_of(judged.verdict, "reaped");
  ASSERT_NE(reaped, nullptr);
  const Calmer calm = calmer(server, scenario, expectations(), *reaped);
  const auto trace = simulate(server, calm.scenario).trace;
  EXPECT_LT(5 * switches_of(trace), 4 * switches_of(judged.run.trace)) << table_of(trace, trace.size());
}

}  // namespace
}  // namespace antiphon::verify
