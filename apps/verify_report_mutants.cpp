#include <fmt/format.h>

#include "apps/verify_report_parts.hpp"
#include "verify/bisimilar.hpp"
#include "verify/exhaustive.hpp"

namespace antiphon {

namespace {

using verify::Fate;
using verify::MutationResult;
using verify::Trial;

Json json_of(const Trial& trial) {
  const verify::Mutant& mutant = trial.mutant;
  Json json{{"mutant", name_of(mutant)},
            {"number", mutant.node},
            {"instruction", mutant.instruction},
            {"line", mutant.line},
            {"kind", verify::mutant_kind_names[static_cast<std::size_t>(mutant.kind)]},
            {"text", mutant.text},
            {"fate", verify::name_of(trial.fate)}};
  if (trial.fate == Fate::killed) json["clause"] = trial.clause;
  if (trial.fate != Fate::survived) json["strategy"] = trial.strategy;
  json["scenarios"] = trial.scenarios;
  if (trial.fate == Fate::survived) json["difference"] = trial.difference;
  return json;
}

std::string json_text(const Subject& subject, const VerifyArguments& arguments, const MutationResult& result) {
  Json mutants = Json::array();
  Json survived = Json::array();
  for (const Trial& trial : result.trials) {
    mutants.push_back(json_of(trial));
    if (trial.fate == Fate::survived) survived.push_back(name_of(trial.mutant));
  }
  const Json json{{"verdict", verify::name_of(result.ruling)},
                  {"program", subject.name},
                  {"options", subject.options},
                  {"identity", subject.identity},
                  {"runs", arguments.mutant_runs},
                  {"seed", arguments.seed},
                  {"total", result.trials.size()},
                  {"killed", result.count(Fate::killed)},
                  {"equivalent", result.count(Fate::equivalent)},
                  {"survived", survived},
                  {"canary",
                   {{"clause", result.canary.clause},
                    {"defect", result.canary.defect},
                    {"found_in_run", result.canary.found_in_run}}},
                  {"mutants", mutants},
                  {"remarks", result.remarks}};
  return printed(json);
}

std::string row(const Trial& trial) {
  return fmt::format("{:<10}  {:<14}  {:<13}  {:>5}  {}\n", verify::name_of(trial.fate),
                     trial.clause.empty() ? "-" : trial.clause, trial.strategy.empty() ? "-" : trial.strategy,
                     trial.scenarios, name_of(trial.mutant));
}

std::string survivor(const Trial& trial) {
  return fmt::format("\nsurvived: {}\n{}", name_of(trial.mutant),
                     trial.difference.empty() ? "  (its tree says the same)\n" : trial.difference);
}

}  // namespace

std::string report(const Subject& subject, const VerifyArguments& arguments, const MutationResult& result) {
  if (arguments.as_json) return json_text(subject, arguments, result);
  std::string text =
      fmt::format("{:<10}  {:<14}  {:<13}  {:>5}  {}\n", "fate", "by clause", "strategy", "runs", "mutant");
  for (const Trial& trial : result.trials) text += row(trial);
  for (const Trial& trial : result.trials) {
    if (trial.fate == Fate::survived) text += survivor(trial);
  }
  text += fmt::format("\n{}: program {}, {} mutants: {} killed, {} equivalent, {} survived\n",
                      verify::name_of(result.ruling), text_of(subject), result.trials.size(),
                      result.count(Fate::killed), result.count(Fate::equivalent), result.count(Fate::survived));
  text += fmt::format(
      "  random scenarios from seed {}, up to {} for each mutant, all faults; then all of {} small scopes;\n"
      "  equivalent: the same tree, or bisimilar in all of {} scopes\n",
      arguments.seed, arguments.mutant_runs, verify::scopes_for_mutants().size(), verify::scopes_for_proofs().size());
  if (result.canary.found_in_run != 0) {
    text += fmt::format("  the canary ({}) was killed in run {}\n", result.canary.defect, result.canary.found_in_run);
  }
  return text + lines_of(result.remarks);
}

}  // namespace antiphon
