#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "tests/verify/history.hpp"
#include "verify/bisimilar.hpp"
#include "verify/campaign.hpp"
#include "verify/exhaustive.hpp"
#include "verify/generate.hpp"

namespace antiphon::verify {
namespace {

constexpr std::uint64_t runs = 300;

/// What these clauses ask for nobody sees from outside: how often a server tries, how large its buffers are, and how it
/// treats names that are gone, or about to go with their process.
const std::set<std::string_view> inner_clauses{"rests", "buffer", "open", "released"};

/// All that a server breaks in random scenarios.
std::set<std::string_view> broken_by(const Server& server, const Expectations& expected) {
  const Generation generation{4, std::vector<bool>(fault_classes().size(), true)};
  std::set<std::string_view> broken;
  for (std::uint64_t run = 1; run <= runs; ++run) {
    const Judged judged = run_and_judge(server, scenario_of_run(generation, 1, run), expected);
    for (const Violation& one : judged.verdict.violations) broken.insert(one.clause.name);
  }
  return broken;
}

constexpr std::size_t every = 3;  ///< Of the mutants, for the sake of time.

/// What is seen from outside, and killed for it, is not proved equivalent.
void expect_sound(std::string_view program, Answers answers, std::size_t least) {
  MutationOptions options;
  options.runs = runs;
  options.expectations = expectations(answers);
  const Server original = *program_named(program);
  const Strategy strategy = bisimilar();
  std::size_t told = 0;
  std::size_t number = 0;
  for (const Trial& trial :
       mutation_campaign(original, options, {failing_starts(options), random_scenarios(options), exhaustive(options)})
           .trials) {
    if (trial.fate != Fate::killed || number++ % every != 0) continue;
    if (strategy.judge(original, trial.mutant).fate == Fate::survived) {
      ++told;
      continue;
    }
    std::set<std::string_view> clauses = broken_by(trial.mutant.server, options.expectations);
    clauses.insert(trial.clause);
    EXPECT_TRUE(std::ranges::includes(inner_clauses, clauses)) << name_of(trial.mutant) << " breaks " << trial.clause;
  }
  EXPECT_GE(told, least);
}

TEST(BisimilarSlow, NoMutantOfTheStreamThatClientsCanTell) { expect_sound("stream", Answers::everything, 22); }

TEST(BisimilarSlow, NoMutantOfOnceThatClientsCanTell) { expect_sound("once", Answers::first_message, 25); }

}  // namespace
}  // namespace antiphon::verify
