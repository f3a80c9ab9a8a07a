#include "tests/rapidcheck.hpp"  // before rapidcheck's own headers

#include "verify/shrink.hpp"

#include <cstdint>
#include <vector>

#include "verify/generate.hpp"

namespace antiphon::verify {
namespace {

std::uint64_t distance(std::uint64_t left, std::uint64_t right) { return left < right ? right - left : left - right; }

std::uint64_t weight(const script::Action& action) {
  return std::visit(
      []<class A>(const A& one) -> std::uint64_t {
        if constexpr (requires { one.count; }) return 1 + distance(one.count, 1);
        if constexpr (requires { one.wait_ms; }) return 1 + distance(one.wait_ms, 1);
        return 1;
      },
      action);
}

/// How far a scenario is from the plainest. Shrinking must lessen it, and so comes to an end.
std::uint64_t weight(const Scenario& scenario) {
  const Scenario plain(0);
  std::uint64_t sum = 0;
  for (const Script& script : scenario.clients) {
    ++sum;
    for (const script::Action& action : script) sum += weight(action);
  }
  for (const std::uint32_t choice : scenario.choices) sum += 1 + choice;
  for (const Fault& fault : scenario.faults) sum += 1 + fault.nth;
  if (scenario.stop_after) sum += 1 + *scenario.stop_after;
  if (scenario.short_io) ++sum;
  return sum + distance(scenario.seed, plain.seed) + distance(scenario.capacity, plain.capacity) +
         distance(scenario.max_backlog, plain.max_backlog) + distance(scenario.max_sockets, plain.max_sockets) +
         distance(scenario.max_processes, plain.max_processes) + distance(scenario.addresses, plain.addresses);
}

Scenario drawn(std::uint64_t seed) {
  Scenario scenario = draw({3, std::vector<bool>(fault_classes().size(), true), 3}, seed);
  scenario.seed = seed % 1000;
  return scenario;
}

TEST(Shrink, EveryShrinkIsLess) {
  EXPECT_TRUE(holds(
      [](std::uint64_t seed) {
        const Scenario scenario = drawn(seed);
        auto shrinks = simpler(scenario);
        while (const auto shrink = shrinks.next()) {
          RC_ASSERT(*shrink != scenario);
          RC_ASSERT(weight(*shrink) < weight(scenario));
        }
      },
      40));
}

TEST(Shrink, NothingIsSimplerThanThePlainScenario) { EXPECT_FALSE(static_cast<bool>(simpler(Scenario(0)).next())); }

TEST(Shrink, TakingEveryFirstShrinkEndsSoonAtThePlainScenario) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Scenario scenario = drawn(seed);
    int steps = 0;
    while (auto shrink = simpler(scenario).next()) {
      scenario = *shrink;
      ASSERT_LT(++steps, 200);
    }
    EXPECT_EQ(scenario, Scenario(0));
  }
}

TEST(Shrink, EveryMemberIsReached) {
  Scenario scenario(0);
  const auto shrinks_to_plain = [](const Scenario& one) {
    auto shrinks = simpler(one);
    while (const auto shrink = shrinks.next()) {
      if (*shrink == Scenario(0)) return true;
    }
    return false;
  };
  std::vector<Scenario> one_thing_changed(10, scenario);
  one_thing_changed[0].seed = 5;
  one_thing_changed[1].clients = {{script::Connect{}}};
  one_thing_changed[2].choices = {3};
  one_thing_changed[3].faults = {{1, 2, Errno::IO}};
  one_thing_changed[4].stop_after = 4;
  one_thing_changed[5].short_io = true;
  one_thing_changed[6].capacity = 5;
  one_thing_changed[7].max_sockets = 2;
  one_thing_changed[8].max_processes = 2;
  one_thing_changed[9].addresses = 3;
  for (const Scenario& changed : one_thing_changed) EXPECT_TRUE(shrinks_to_plain(changed)) << describe(changed);
}

TEST(Shrink, TheGeneratorDrawsWhatDrawDraws) {
  const Generation generation{2, {}};
  const rc::Random random({1, 2, 3, 4});
  rc::Random copy = random;
  EXPECT_EQ(scenarios(generation)(random).value(), draw(generation, copy.next()));
}

}  // namespace
}  // namespace antiphon::verify
