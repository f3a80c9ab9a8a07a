#include "verify/mutation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "core/programs/catalogue.hpp"
#include "tests/verify/history.hpp"
#include "verify/bisimilar.hpp"
#include "verify/exhaustive.hpp"

namespace antiphon::verify {
namespace {

MutationOptions options(std::uint64_t runs) {
  MutationOptions made;
  made.runs = runs;
  made.expectations = expectations(Answers::everything);
  return made;
}

const MutationResult& of_the_stream() {
  static const MutationResult result = mutation_campaign(*program_named("stream"), options(30));
  return result;
}

/// What became of the first mutant of a node of that instruction with that text.
const Trial& trial(std::string_view instruction, std::string_view text) {
  const auto found = std::ranges::find_if(of_the_stream().trials, [&](const Trial& one) {
    return one.mutant.instruction == instruction && one.mutant.text == text;
  });
  EXPECT_NE(found, of_the_stream().trials.end()) << instruction << ' ' << text;
  return *found;
}

void expect_the_bad_killed() {
  EXPECT_EQ(trial("Send", "is issued twice, and the last response counts").clause, "echo");
  EXPECT_EQ(trial("Recv", "loses the last byte").clause, "answered");
  EXPECT_EQ(trial("DiscardChildren", "is not issued, as if it was answered ok").clause, "reaped");
  EXPECT_EQ(trial("Recv", "takes a success for EINTR (EINTR)").clause, comes_to_rest);
  EXPECT_EQ(trial("Recv", "asks for one byte more").clause, "buffer");
  EXPECT_EQ(trial("Accept", "takes any error for socket 1").strategy, "random");
  EXPECT_EQ(trial("Listen", "takes any error for ok").strategy, "failing start");
}

void expect_the_same_tree_proved() {
  for (const Trial& one : {trial("Recv", "takes Expired, Stopping, any other error for end of input"),
                           trial("Fork", "takes any error for Parent")}) {
    EXPECT_EQ(one.fate, Fate::equivalent);
    EXPECT_EQ(one.strategy, "same tree");
    EXPECT_EQ(one.difference, "");
  }
}

void expect_exploration_to_kill_what_scenarios_miss() {
  for (const std::string_view text :
       {"is issued twice, and the first response counts", "is issued twice, and the last response counts"}) {
    EXPECT_EQ(trial("Listen", text).fate, Fate::killed);
    EXPECT_EQ(trial("Listen", text).strategy, "exhaustive");
  }
}

void expect_what_nobody_can_tell_proved() {
  for (const Trial& one :
       {trial("Recv", "asks for one byte less"), trial("Sleep", "is issued twice, and the last response counts")}) {
    EXPECT_EQ(one.fate, Fate::equivalent);
    EXPECT_EQ(one.strategy, "bisimilar");
    EXPECT_EQ(one.scenarios, scopes_for_proofs().size());
  }
}

/// One test, since each has a process of its own.
TEST(Mutation, OfTheStreamNoneSurvives) {
  expect_the_bad_killed();
  expect_the_same_tree_proved();
  expect_exploration_to_kill_what_scenarios_miss();
  expect_what_nobody_can_tell_proved();
  EXPECT_EQ(of_the_stream().ruling, Ruling::holds);
  EXPECT_GT(of_the_stream().canary.found_in_run, 0U);
  EXPECT_EQ(of_the_stream().count(Fate::survived), 0U);
  EXPECT_EQ(of_the_stream().count(Fate::killed) + of_the_stream().count(Fate::equivalent),
            of_the_stream().trials.size());
}

TEST(Mutation, SurvivorsDecideTheRulingAndAreShown) {
  const MutationResult result = mutation_campaign(*program_named("seed"), options(30));
  EXPECT_EQ(result.ruling, Ruling::violated);
  const auto less =
      std::ranges::find(result.trials, "asks for one byte less", [](const Trial& one) { return one.mutant.text; });
  ASSERT_NE(less, result.trials.end());
  EXPECT_EQ(less->fate, Fate::survived);
  EXPECT_EQ(less->clause, "");
  EXPECT_GT(less->scenarios, 30U + 3U + scopes_for_mutants().size());
  EXPECT_NE(less->difference.find("\n-"), std::string::npos) << less->difference;
  EXPECT_NE(less->difference.find("at most 1023"), std::string::npos) << less->difference;
}

TEST(Mutation, TheSameSeedKillsInTheSameScenarios) {
  const auto of_the_seed = [] {
    return mutation_campaign(*program_named("seed"), options(100), {random_scenarios(options(100))});
  };
  const auto told = [](const MutationResult& result) {
    std::string text;
    for (const Trial& one : result.trials) {
      text += name_of(one.mutant) + ' ' + one.clause + ' ' + one.strategy + ' ' + std::to_string(one.scenarios) + '\n';
    }
    return text;
  };
  EXPECT_EQ(told(of_the_seed()), told(of_the_seed()));
}

// -- Other strategies -------------------------------------------------------------------------------------------

Strategy says(std::string name, const Opinion& opinion) {
  return {std::move(name), [=](const Server&, const Mutant&) { return opinion; }};
}

TEST(Mutation, TheFirstStrategyThatHasSomethingToSayDecides) {
  const MutationResult result =
      mutation_campaign(*program_named("stream"), options(1),
                        {says("mute", {Fate::survived, {}, 7}), says("sure", {Fate::killed, "echo", 2}),
                         says("late", {Fate::equivalent, {}, 1})});
  EXPECT_EQ(result.ruling, Ruling::holds);
  EXPECT_EQ(result.count(Fate::killed), result.trials.size());
  EXPECT_EQ(result.trials.front().strategy, "sure");
  EXPECT_EQ(result.trials.front().scenarios, 2U);
}

TEST(Mutation, ACanaryThatLivesMakesItIncomplete) {
  for (const Fate fate : {Fate::survived, Fate::equivalent}) {
    const MutationResult result = mutation_campaign(*program_named("seed"), options(1), {says("blind", {fate, {}, 1})});
    EXPECT_EQ(result.ruling, Ruling::incomplete);
    EXPECT_EQ(result.remarks.size(), 1U);
    EXPECT_EQ(result.count(fate), result.trials.size());
  }
}

}  // namespace
}  // namespace antiphon::verify
