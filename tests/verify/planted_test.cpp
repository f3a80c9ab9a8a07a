#include "verify/planted.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "tests/verify/history.hpp"
#include "verify/campaign.hpp"
#include "verify/exhaustive.hpp"
#include "verify/explorer.hpp"
#include "verify/lying_kernels.hpp"

namespace antiphon::verify {
namespace {

TEST(Planted, ThereAreSomeForEachClause) {
  std::vector<std::string_view> clauses;
  for (const Clause& clause : all_clauses()) clauses.push_back(clause.name);
  std::vector<std::string_view> planted;
  for (const Planted& one : planted_violations()) planted.push_back(one.clause);
  for (const LyingKernel& one : lying_kernels()) planted.push_back(one.clause);
  std::ranges::sort(clauses);
  std::ranges::sort(planted);
  planted.erase(std::ranges::unique(planted).begin(), planted.end());
  EXPECT_EQ(planted, clauses);
}

TEST(Planted, EachIsFoundSoon) {
  const Generation generation{4, std::vector<bool>(fault_classes().size(), true)};
  for (const Planted& planted : planted_violations()) {
    std::uint64_t draws = 0;
    bool found = false;
    while (!found && draws < 300) {
      const Verdict verdict =
          run_and_judge(planted.server, draw(generation, ++draws), planted.held_to(expectations())).verdict;
      found = std::ranges::any_of(verdict.violations,
                                  [&](const Violation& violation) { return violation.clause.name == planted.clause; });
    }
    EXPECT_TRUE(found) << planted.clause << ": " << planted.defect;
  }
}

TEST(Planted, EachLieIsFoundSoonAndTheInterpreterIsBlamed) {
  const Generation generation{4, {}};
  const Server server = *program_named("stream");
  for (const LyingKernel& kernel : lying_kernels()) {
    std::uint64_t draws = 0;
    const Violation* found = nullptr;
    Verdict verdict;
    while (found == nullptr && draws < 300) {
      std::vector<Event> trace = simulate(server, draw(generation, ++draws)).trace;
      kernel.lie(trace);
      verdict = judge(trace, expectations());
      found = violation_of(verdict, kernel.clause);
    }
    ASSERT_NE(found, nullptr) << kernel.clause << ": " << kernel.defect;
    EXPECT_EQ(found->party, Party::interpreter) << kernel.clause << ": " << kernel.defect;
  }
}

TEST(Planted, EachIsFoundByAnExploration) {
  std::vector<Scope> scopes = scopes_for_mutants();
  scopes.push_back(*scope_of({}));
  for (const Planted& planted : planted_violations()) {
    ExploreOptions options;
    options.expectations = planted.held_to(expectations());
    const bool found = std::ranges::any_of(scopes, [&](const Scope& scope) {
      return std::ranges::any_of(explore(planted.server, scope, options).discoveries,
                                 [&](const Discovery& one) { return one.breach.clause.name == planted.clause; });
    });
    EXPECT_TRUE(found) << planted.clause << ": " << planted.defect;
  }
}

}  // namespace
}  // namespace antiphon::verify
