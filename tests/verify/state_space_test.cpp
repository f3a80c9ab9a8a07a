#include "verify/state_space.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "core/programs/seed.hpp"
#include "interpreters/random.hpp"
#include "interpreters/simulated.hpp"
#include "tests/verify/explored.hpp"
#include "verify/campaign.hpp"
#include "verify/echo_contract.hpp"
#include "verify/planted.hpp"
#include "verify/way.hpp"

namespace antiphon::verify {
namespace {

/// The clauses that are broken by the time when the way's steps were taken, in a simulation.
std::set<std::string_view> broken_on(const Server& server, const Scope& scope, const std::vector<Taken>& way,
                                     const Expectations& expected) {
  const Scenario scenario = scenario_of(server, scope.scenario, way);
  Judge judge(expected);
  for (const Event& event : simulate(server, scenario, way.size()).trace) judge.see(event);
  std::set<std::string_view> broken;
  for (const Violation& violation : judge.finish(true).violations) broken.insert(violation.clause.name);
  return broken;
}

TEST(StateSpace, AWayThroughItIsARunOfTheProgram) {
  const Scope wild =
      scope({.clients = 2, .messages = 2, .size = 2, .faults = "interrupts,accept,fork,close,reset,idle"});
  std::set<std::string_view> ever;
  for (const Specimen& specimen : specimens(false)) {
    SCOPED_TRACE(specimen.name);
    StateSpace space(specimen.server, wild.scenario, wild.adversity, echo_server(specimen.expected));
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      Random random(seed);
      State state = space.first();
      std::vector<Taken> way;
      std::set<std::string_view> broken;
      while (way.size() < 60) {
        std::vector<const Outcome*> all;
        for (std::size_t actor = 0; actor < space.actor_count(); ++actor) {
          const Prospect* const prospect = space.prospect(actor, state);
          if (prospect == nullptr) continue;
          for (const Outcome& outcome : prospect->outcomes) all.push_back(&outcome);
        }
        if (all.empty()) break;
        const Outcome& next = *all[random.below(static_cast<std::uint32_t>(all.size()))];
        for (const Breach& breach : next.breaches) broken.insert(breach.clause.name);
        way.push_back({next.move, next.shortfalls});
        state = StateSpace::after(state, next);
      }
      EXPECT_EQ(broken_on(specimen.server, wild, way, specimen.expected), broken) << "seed " << seed;
      ever.insert(broken.begin(), broken.end());
    }
  }
  EXPECT_GE(ever.size(), 10U);
}

}  // namespace
}  // namespace antiphon::verify
