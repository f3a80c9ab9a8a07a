#include <fmt/format.h>

#include "apps/verify_report_parts.hpp"
#include "verify/table.hpp"

namespace antiphon {

namespace {

using verify::Difference;
using verify::ParityGap;
using verify::ParityResult;
using verify::PerformedFinding;

std::string_view stage_name(const VerifyArguments& arguments) {
  return verify::stage_names[static_cast<std::size_t>(*arguments.stage)];
}

std::string difference_text(const Difference& difference, std::string_view stage) {
  return fmt::format("  {}\n    in the simulator  {}\n    {:<16}  {}\n", difference.place, difference.simulated,
                     fmt::format("on {}", stage), difference.performed);
}

Json difference_json(const Difference& difference) {
  return {{"place", difference.place}, {"simulated", difference.simulated}, {"performed", difference.performed}};
}

constexpr std::string_view parity_text = "violated: parity: on the kernel the run is the simulated one\n";

std::string on_stage(const Subject& subject, const VerifyArguments& arguments, const Scenario& scenario) {
  return fmt::format("{} --on {}", replay_command(subject, scenario), stage_name(arguments));
}

std::string gap_text(const Subject& subject, const VerifyArguments& arguments, const ParityGap& gap) {
  return std::string(parity_text) + difference_text(gap.difference, stage_name(arguments)) +
         fmt::format("  found in run {}, shrunk in {} runs to\n", gap.found_in_run, gap.shrinking_runs) +
         indented(describe(gap.scenario)) +
         fmt::format("  replay it with\n    {}\n\n", on_stage(subject, arguments, gap.scenario));
}

std::string performed_text(const Subject& subject, const VerifyArguments& arguments, const PerformedFinding& one) {
  const std::string seen = one.on_the_kernel ? fmt::format("found in run {}, seen on {} too", one.finding.found_in_run,
                                                           stage_name(arguments))
                                             : fmt::format("found in run {}, not seen on {} in what follows",
                                                           one.finding.found_in_run, stage_name(arguments));
  return finding_text(subject, one.finding, seen);
}

Json gap_json(const Subject& subject, const VerifyArguments& arguments, const ParityGap& gap) {
  Json json = difference_json(gap.difference);
  json["found_in_run"] = gap.found_in_run;
  json["shrinking_runs"] = gap.shrinking_runs;
  json["scenario"] = describe(gap.scenario);
  json["replay"] = on_stage(subject, arguments, gap.scenario);
  return json;
}

Json parity_json(const Subject& subject, const VerifyArguments& arguments, const ParityResult& result) {
  Json json{{"verdict", verify::name_of(result.ruling)},
            {"program", subject.name},
            {"options", subject.options},
            {"identity", subject.identity},
            {"on", stage_name(arguments)},
            {"runs", result.runs},
            {"seed", arguments.seed},
            {"clients", arguments.clients},
            {"faults", arguments.faults},
            {"steps", result.steps},
            {"given", result.given},
            {"tried_again", result.tried_again},
            {"cut_short", result.cut_short},
            {"incomplete_runs", result.incomplete_runs},
            {"planted_differences_found", result.planted_found},
            {"total", tally_json(result.total)},
            {"sometimes", sometimes_json(result.sometimes)},
            {"findings", Json::array()}};
  for (const PerformedFinding& one : result.findings) {
    json["findings"].push_back(finding_json(subject, one.finding));
    json["findings"].back()["on_the_kernel"] = one.on_the_kernel;
  }
  if (result.gap) json["difference"] = gap_json(subject, arguments, *result.gap);
  if (result.once) json["once"] = gap_json(subject, arguments, *result.once);
  json["remarks"] = result.remarks;
  return json;
}

}  // namespace

std::string report(const Subject& subject, const VerifyArguments& arguments, const ParityResult& result) {
  if (arguments.as_json) return printed(parity_json(subject, arguments, result));
  std::string text;
  if (result.gap) text += gap_text(subject, arguments, *result.gap);
  for (const PerformedFinding& one : result.findings) text += performed_text(subject, arguments, one);
  text += fmt::format("{}: program {} on {}, {} runs from seed {}, up to {} clients, faults {}\n",
                      verify::name_of(result.ruling), text_of(subject), stage_name(arguments), result.runs,
                      arguments.seed, arguments.clients, arguments.faults);
  text += tally_text(result.total) + sometimes_text(result.sometimes);
  text += fmt::format("  {} steps went as in the simulator; {} answers were given in the kernel's stead\n",
                      result.steps, result.given);
  if (result.tried_again > 0) {
    text += fmt::format("  {} runs went another way once, and not again; the first of them\n", result.tried_again) +
            indented(difference_text(result.once->difference, stage_name(arguments))) +
            fmt::format("    {}\n", on_stage(subject, arguments, result.once->scenario));
  }
  if (result.cut_short > 0) {
    text += fmt::format("  {} runs are not compared to their end: a Recv answered less than there was, as it may\n",
                        result.cut_short);
  }
  text += fmt::format("  planted differences: {}\n", result.planted_found ? "found" : "not found");
  return text + lines_of(result.remarks);
}

std::string report(const Subject& subject, const VerifyArguments& arguments, const Scenario& scenario,
                   const verify::Performance& performance, const verify::Judged& judged) {
  const verify::Verdict& verdict = judged.verdict;
  const auto& difference = performance.difference;
  if (arguments.as_json) {
    Json json = replayed_json(subject, scenario, judged);
    json["on"] = stage_name(arguments);
    json["steps"] = performance.steps;
    json["given"] = performance.given;
    json["cut_short"] = performance.cut_short;
    json["tries"] = performance.tries;
    if (difference) json["difference"] = difference_json(*difference);
    return printed(json);
  }
  std::string text = replayed_text(scenario, judged);
  if (difference) text += std::string(parity_text) + difference_text(*difference, stage_name(arguments));
  text += fmt::format("{}: program {}, replayed on {}\n", verify::name_of(verdict.ruling), text_of(subject),
                      stage_name(arguments));
  const std::string_view how_far = difference              ? ", and then none"
                                   : performance.cut_short ? "; then a Recv answered less than there was, as it may"
                                                           : ", all that there are";
  text += fmt::format("  {} steps went as in the simulator{}; {} answers were given in the kernel's stead\n",
                      performance.steps, how_far, performance.given);
  return text + lines_of(verdict.remarks);
}

}  // namespace antiphon
