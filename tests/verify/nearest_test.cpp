#include "verify/nearest.hpp"

#include <gtest/gtest.h>

#include "core/programs/catalogue.hpp"
#include "tests/verify/history.hpp"
#include "verify/campaign.hpp"
#include "verify/table.hpp"

namespace antiphon::verify {
namespace {

/// Three clients ask before the first is accepted, and the original's backlog holds two.
Scenario burst() {
  Scenario scenario(0);
  scenario.clients = {{script::Connect{}}, {script::Connect{}}, {script::Connect{}}};
  scenario.choices = {0, 1, 1};
  return scenario;
}

Nearest of(const Scenario& scenario, std::string_view clause) {
  return nearest_passing(*program_named("seed"), scenario, expectations(), clause);
}

TEST(Nearest, IsOneChoiceAwayFromABurst) {
  const Server server = *program_named("seed");
  const Judged failing = run_and_judge(server, burst(), expectations());
  ASSERT_NE(violation_of(failing.verdict, "admission"), nullptr);
  const Nearest nearest = of(burst(), "admission");
  ASSERT_TRUE(nearest.parting) << table_of(failing.run.trace, 0);
  const Judged passing = run_and_judge(server, nearest.parting->scenario, expectations());
  EXPECT_EQ(violation_of(passing.verdict, "admission"), nullptr);
  EXPECT_EQ(nearest.parting->choices, 1);

  const std::size_t event = nearest.parting->event;
  ASSERT_LT(event, std::min(failing.run.trace.size(), passing.run.trace.size()));
  EXPECT_LT(event, violation_of(failing.verdict, "admission")->event);
  for (std::size_t index = 0; index < event; ++index) EXPECT_EQ(failing.run.trace[index], passing.run.trace[index]);
  EXPECT_EQ(nearest.parting->happens, cell_of(failing.run.trace[event]));
  EXPECT_EQ(nearest.parting->could_have, cell_of(passing.run.trace[event]));
  EXPECT_EQ(nearest.parting->could_have, "process 0: Accept 0 → 1");
}

TEST(Nearest, DiffersInNothingButTheSchedule) {
  Scenario other = of(burst(), "admission").parting->scenario;
  other.choices = burst().choices;
  EXPECT_EQ(other, burst());
}

TEST(Nearest, NoScheduleHelpsAgainstAFault) {
  Scenario scenario = burst();
  scenario.faults = {{fault_place(Fork::name), 0, Errno::AGAIN}};
  const Nearest nearest = of(scenario, "acceptor-lives");
  EXPECT_FALSE(nearest.parting);
  EXPECT_GT(nearest.tried, 10U);
  EXPECT_LE(nearest.tried, 2'100U);
}

TEST(Nearest, NothingIsTriedWhereNothingIsOpen) {
  Scenario scenario(0);
  scenario.faults = {{fault_place(OpenSocket::name), 0, Errno::NFILE}};
  const Nearest nearest = of(scenario, "acceptor-lives");
  EXPECT_FALSE(nearest.parting);
  EXPECT_EQ(nearest.tried, 0U);
}

}  // namespace
}  // namespace antiphon::verify
