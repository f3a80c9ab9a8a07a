#include "interpreters/endless.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>

#include "interpreters/simulated.hpp"

namespace antiphon {
namespace {

/// Rests of a second, for ever, in place of the server.
Server sleeper() {
  return iter(Unit{}, [](const Unit&) {
    return Sleep{1'000} >> [](const Result<Unit>&) { return ret(Step<Unit, Result<Unit>>{Continue{Unit{}}}); };
  });
}

TEST(Endless, WhoSleepsOnIsNoticedWhereTimePasses) {
  const auto run = simulate(sleeper(), Scenario(0));
  EXPECT_FALSE(run.at_rest);
  EXPECT_EQ(run.lap_from, 0U);
  EXPECT_GE(run.steps, Endless::many_steps);
  EXPECT_EQ(run.trace.size(), 8U);
}

TEST(Endless, WhereTimeIsFreeTheFirstLapIsFound) {
  Scenario scenario(0);
  scenario.free_time = true;
  const auto run = simulate(sleeper(), scenario);
  EXPECT_EQ(run.lap_from, 0U);
  EXPECT_EQ(run.trace.size(), 1U);
}

/// The place in the turns is that of the next choice, however large the number is after which they are the same.
TEST(Endless, TurnsAreTheSameAfterTheLeastCommonMultiple) {
  const Scenario turns(0);
  const auto place_after = [&](std::initializer_list<std::uint32_t> counts) {
    Chooser chooser(turns);
    for (const std::uint32_t count : counts) chooser.which(count);
    return chooser.place();
  };
  EXPECT_EQ(place_after({2, 3, 2, 3, 2, 3}), 0U);
  EXPECT_EQ(place_after({2, 3, 2, 3, 2, 3, 2}), 1U);
  // 3 x 0xaaaaaaab is 1 in 32 bits.
  EXPECT_EQ(place_after({3, 0xaaaaaaabU}), 2U);
  EXPECT_EQ(place_after({3, 0xaaaaaaabU, 3, 5, 7}), 5U);
}

TEST(Endless, AFaultThatIsToComeMayEndIt) {
  Scenario scenario(0);
  scenario.free_time = true;
  scenario.faults = {{fault_place(Sleep::name), 5, Errno::INTR}};
  EXPECT_EQ(simulate(sleeper(), scenario).lap_from, 6U);
}

/// A client that could connect is never let to: that is the schedule's doing, not the server's.
TEST(Endless, WhereSomebodyIsKeptFromGoingOnNothingIsSaid) {
  const Server server = OpenSocket{{"127.0.0.1", 1}} >> [](const Result<Socket>& socket) {
    return Listen{*socket, 1} >> [](const Result<Endpoint>&) { return sleeper(); };
  };
  Scenario scenario(0);
  scenario.free_time = true;
  scenario.clients = {{script::Connect{}}};
  scenario.choices = {1};
  scenario.comes_round = 1;
  const auto kept = simulate(server, scenario);
  EXPECT_FALSE(kept.at_rest);
  EXPECT_FALSE(kept.lap_from);
  scenario.comes_round = 0;
  EXPECT_TRUE(simulate(server, scenario).lap_from);
}

}  // namespace
}  // namespace antiphon
