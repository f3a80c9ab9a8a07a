#include "verify/campaign.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/programs/catalogue.hpp"
#include "verify/expectations.hpp"
#include "verify/lying_kernels.hpp"
#include "verify/planted.hpp"
#include "verify/schedule.hpp"
#include "verify/shrink.hpp"

namespace antiphon::verify {

namespace {

constexpr std::uint64_t most_shrinking_runs = 20'000;
constexpr std::uint64_t canary_runs = 2'000;
constexpr std::uint64_t progress_every = 256;

/// Takes the first simpler scenario that still breaks the clause, again and again; then a schedule that is easier to
/// read.
Finding shrunk(const Server& server, const Expectations& expectations, rc::Shrinkable<Scenario> found,
               std::string_view clause) {
  std::uint64_t runs = 0;
  for (bool simpler_one = true; simpler_one;) {
    simpler_one = false;
    auto candidates = found.shrinks();
    while (auto candidate = candidates.next()) {
      if (++runs > most_shrinking_runs) break;
      if (violation_of(run_and_judge(server, candidate->value(), expectations).verdict, clause) == nullptr) continue;
      found = *candidate;
      simpler_one = true;
      break;
    }
  }
  const Verdict verdict = run_and_judge(server, found.value(), expectations).verdict;
  const Calmer calm = calmer(server, found.value(), expectations, *violation_of(verdict, clause));
  Judged judged = run_and_judge(server, calm.scenario, expectations);
  return {.violation = *violation_of(judged.verdict, clause),
          .scenario = calm.scenario,
          .trace = std::move(judged.run.trace),
          .lap_from = judged.run.lap_from,
          .nearest = nearest_passing(server, calm.scenario, expectations, clause),
          .found_in_run = 0,
          .shrinking_runs = runs + calm.runs};
}

/// The random source of a run: the campaign's seed and the run's number give it, whatever came before.
rc::Random source_of(std::uint64_t seed, std::uint64_t run) { return rc::Random({seed, run, 0, 0}); }

/// Looks for the clause in these runs, until one shows it. `verdict_on(scenario)` runs and judges.
template <class VerdictOn>
Canary find_canary(const rc::Gen<Scenario>& generator, std::uint64_t seed, std::string_view clause,
                   std::string_view defect, VerdictOn verdict_on) {
  Canary canary{clause, defect, 0};
  for (std::uint64_t run = 0; run < canary_runs && canary.found_in_run == 0; ++run) {
    const Scenario scenario = generator(source_of(seed, run)).value();
    if (violation_of(verdict_on(scenario), clause) != nullptr) canary.found_in_run = run + 1;
  }
  return canary;
}

/// In runs with all faults.
std::vector<Canary> find_canaries(const CampaignOptions& campaign) {
  const ProgramOptions& options = campaign.planted;
  const std::uint64_t seed = campaign.seed;
  const Expectations expectations = expectations_of("stream", options);
  const auto generator = scenarios(generation_for(expectations, 4, std::vector<bool>(fault_classes().size(), true)));
  std::vector<Canary> canaries;
  for (const Planted& planted : planted_violations(options)) {
    const Expectations held_to = planted.held_to(expectations);
    canaries.push_back(find_canary(generator, seed, planted.clause, planted.defect, [&](const Scenario& scenario) {
      return run_and_judge(planted.server, scenario, held_to).verdict;
    }));
  }
  const Server server = *program_named("stream", options);
  for (const LyingKernel& kernel : lying_kernels()) {
    canaries.push_back(find_canary(generator, seed, kernel.clause, kernel.defect, [&](const Scenario& scenario) {
      Run run = simulate(server, scenario);
      kernel.lie(run.trace);
      return judged(std::move(run), expectations).verdict;
    }));
  }
  return canaries;
}

Ruling rule(CampaignResult& result) {
  for (const Canary& canary : result.canaries) {
    if (canary.found_in_run != 0) continue;
    result.remarks.push_back("the planted violation of '" + std::string(canary.clause) +
                             "' was not found: " + std::string(canary.defect));
  }
  std::ranges::move(never_happened(result.sometimes), std::back_inserter(result.remarks));
  if (result.incomplete_runs > 0) {
    result.remarks.push_back(std::to_string(result.incomplete_runs) + " runs did not come to rest");
  }
  if (!result.data_independent) {
    result.remarks.emplace_back(
        "the program looks at the content of messages: with another content it may do another thing");
  }
  if (result.runs == 0) result.remarks.emplace_back("nothing was run");
  if (!result.findings.empty()) return Ruling::violated;
  return result.remarks.empty() ? Ruling::holds : Ruling::incomplete;
}

}  // namespace

void add_to(Tally& total, const Tally& run) {
  total.events += run.events;
  total.processes += run.processes;
  total.connections += run.connections;
  total.bytes_received += run.bytes_received;
  total.bytes_sent += run.bytes_sent;
  total.at_once = std::max(total.at_once, run.at_once);
  total.short_sends += run.short_sends;
  total.errors += run.errors;
  total.alarms += run.alarms;
  for (std::size_t index = 0; index < total.excuses.size(); ++index) total.excuses[index] += run.excuses[index];
}

Scenario scenario_of_run(const Generation& generation, std::uint64_t seed, std::uint64_t run) {
  return scenarios(generation)(source_of(seed, run - 1)).value();
}

Finding minimised(const Server& server, const Expectations& expectations, const Scenario& scenario,
                  std::string_view clause) {
  if (violation_of(run_and_judge(server, scenario, expectations).verdict, clause) == nullptr) {
    throw std::logic_error("a scenario that was found to break '" + std::string(clause) +
                           "' does not: " + describe(scenario));
  }
  return shrunk(server, expectations,
                rc::shrinkable::shrinkRecur(Scenario(scenario), [](const Scenario& one) { return simpler(one); }),
                clause);
}

CampaignResult campaign(const Server& server, const CampaignOptions& options) {
  CampaignResult result;
  SometimesTable sometimes = SometimesTable::of(options.generation, options.expectations);
  const auto generator = scenarios(options.generation);
  std::set<std::string_view> found;
  for (std::uint64_t run = 0; run < options.runs; ++run) {
    if (run % progress_every == 0) {
      options.progress(std::to_string(run) + " of " + std::to_string(options.runs) + " runs");
    }
    const rc::Shrinkable<Scenario> drawn = generator(source_of(options.seed, run));
    const auto [ran, verdict] = run_and_judge(server, drawn.value(), options.expectations);
    ++result.runs;
    options.each_run(ran.trace);
    if (verdict.ruling == Ruling::incomplete && ++result.incomplete_runs == 1) result.incomplete = drawn.value();
    if (ran.looks > 0) result.data_independent = false;
    add_to(result.total, verdict.tally);
    sometimes.count(drawn.value(), verdict.tally);
    for (const Violation& violation : verdict.violations) {
      if (!found.insert(violation.clause.name).second) continue;
      options.progress("shrinking a violation of " + std::string(violation.clause.name));
      result.findings.push_back(shrunk(server, options.expectations, drawn, violation.clause.name));
      result.findings.back().found_in_run = run + 1;
    }
  }
  const auto clauses = all_clauses();
  std::ranges::sort(result.findings, {}, [&](const Finding& finding) {
    return std::ranges::find(clauses, finding.violation.clause.name, &Clause::name) - clauses.begin();
  });
  result.sometimes = sometimes.rows();
  options.progress("looking for planted violations");
  result.canaries = find_canaries(options);
  result.not_asked = not_asked(options.expectations);
  result.ruling = rule(result);
  return result;
}

}  // namespace antiphon::verify
