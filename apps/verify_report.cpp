#include "apps/verify_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <range/v3/algorithm/count_if.hpp>
#include <range/v3/view/enumerate.hpp>

#include "apps/verify_report_parts.hpp"
#include "interpreters/trace_text.hpp"
#include "verify/table.hpp"

namespace antiphon {

namespace {

using verify::CampaignResult;
using verify::Finding;
using verify::Tally;
using verify::Violation;

std::string_view name_of(verify::Party party) {
  return party == verify::Party::program ? "the program" : "the interpreter or the kernel";
}

}  // namespace

std::string indented(const std::string& text) {
  std::string out;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size() - 1);
    out += "    " + text.substr(start, end - start + 1);
    start = end + 1;
  }
  return out;
}

std::string excuses(const Tally& tally) {
  std::string text;
  for (const auto [index, count] : tally.excuses | ranges::views::enumerate) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", verify::name_of(verify::Excuse(index)), count);
  }
  return text;
}

Json violations_json(const std::vector<Violation>& violations) {
  Json list = Json::array();
  for (const Violation& violation : violations) list.push_back(violation_json(violation));
  return list;
}

namespace {

Json trace_json(const std::vector<Event>& trace) {
  Json list = Json::array();
  for (const Event& event : trace) list.push_back(Json::parse(event_line(event)));
  return list;
}

/// What else could have happened, and the clause would have been kept.
std::string nearest_text(const Subject& subject, const verify::Nearest& nearest) {
  if (!nearest.parting) {
    return nearest.tried == 0 ? "  there is no other schedule to try\n"
                              : fmt::format("  every schedule tried breaks it too: {} tried\n", nearest.tried);
  }
  const verify::Parting& parting = *nearest.parting;
  return fmt::format("  the nearest schedule that keeps the clause parts at row {}, by {}\n", parting.event + 1,
                     parting.choices == 1 ? "one choice" : "two choices") +
         fmt::format("    here   {}\n    there  {}\n  see it with\n    {}\n", parting.happens, parting.could_have,
                     replay_command(subject, parting.scenario));
}

Json nearest_json(const Subject& subject, const verify::Nearest& nearest) {
  Json json{{"tried", nearest.tried}};
  if (!nearest.parting) return json;
  const verify::Parting& parting = *nearest.parting;
  json["choices"] = parting.choices;
  json["event"] = parting.event;
  json["here"] = parting.happens;
  json["there"] = parting.could_have;
  json["replay"] = replay_command(subject, parting.scenario);
  return json;
}

// -- Findings ---------------------------------------------------------------------------------------------------

std::uint64_t canaries_found(const CampaignResult& result) {
  return static_cast<std::uint64_t>(
      ranges::count_if(result.canaries, [](const verify::Canary& canary) { return canary.found_in_run > 0; }));
}

Json campaign_json(const Subject& subject, const VerifyArguments& arguments, const CampaignResult& result) {
  Json json{{"verdict", verify::name_of(result.ruling)},
            {"program", subject.name},
            {"options", subject.options},
            {"identity", subject.identity},
            {"runs", result.runs},
            {"seed", arguments.seed},
            {"clients", arguments.clients},
            {"faults", arguments.faults},
            {"incomplete_runs", result.incomplete_runs},
            {"data_independent", result.data_independent},
            {"total", tally_json(result.total)}};
  json["clauses"] = Json::array();
  for (const verify::Clause& clause : verify::all_clauses()) {
    const bool violated = std::ranges::any_of(
        result.findings, [&](const Finding& finding) { return finding.violation.clause.name == clause.name; });
    const bool asked = std::ranges::find(result.not_asked, clause.name) == result.not_asked.end();
    json["clauses"].push_back({{"name", clause.name}, {"text", clause.text}, {"asked", asked}, {"violated", violated}});
  }
  json["findings"] = Json::array();
  for (const Finding& finding : result.findings) json["findings"].push_back(finding_json(subject, finding));
  json["sometimes"] = sometimes_json(result.sometimes);
  json["canaries"] = Json::array();
  for (const verify::Canary& canary : result.canaries) {
    json["canaries"].push_back(
        {{"clause", canary.clause}, {"defect", canary.defect}, {"found_in_run", canary.found_in_run}});
  }
  if (result.incomplete) json["incomplete_replay"] = replay_command(subject, *result.incomplete);
  json["remarks"] = result.remarks;
  return json;
}

}  // namespace

std::string tally_text(const Tally& tally) {
  return fmt::format(
      "  {} events of {} processes; {} connections, at most {} at once; {} bytes received, {} sent back\n"
      "  how connections ended, by excuse: {}\n",
      tally.events, tally.processes, tally.connections, tally.at_once, tally.bytes_received, tally.bytes_sent,
      excuses(tally));
}

std::string sometimes_text(const std::vector<verify::Sometimes>& rows) {
  std::string text;
  for (const verify::Sometimes& row : rows) {
    const std::string_view why_not = row.runs > 0 || row.needed ? "" : ", since these cannot show it";
    text += fmt::format("  sometimes {}: in {} runs{}\n", row.what, row.runs, why_not);
  }
  return text;
}

Json sometimes_json(const std::vector<verify::Sometimes>& rows) {
  Json list = Json::array();
  for (const verify::Sometimes& row : rows) list.push_back({{"what", row.what}, {"runs", row.runs}});
  return list;
}

std::string violation_text(const Violation& violation) {
  return fmt::format("violated: {}: {}\n  by {}: {}\n", violation.clause.name, violation.clause.text,
                     name_of(violation.party), violation.sentence);
}

Json tally_json(const Tally& tally) {
  Json by_excuse = Json::object();
  for (const auto [index, count] : tally.excuses | ranges::views::enumerate) {
    by_excuse[std::string(verify::name_of(verify::Excuse(index)))] = count;
  }
  return {{"events", tally.events},
          {"processes", tally.processes},
          {"connections", tally.connections},
          {"at_once", tally.at_once},
          {"bytes_received", tally.bytes_received},
          {"bytes_sent", tally.bytes_sent},
          {"failed_instructions", tally.errors},
          {"sends_ended_by_alarm", tally.alarms},
          {"connections_by_excuse", by_excuse}};
}

Json violation_json(const Violation& violation) {
  return {{"clause", violation.clause.name},
          {"text", violation.clause.text},
          {"by", violation.party == verify::Party::program ? "program" : "interpreter"},
          {"what", violation.sentence},
          {"event", violation.event}};
}

std::string printed(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n'; }

std::string lines_of(const std::vector<std::string>& remarks) {
  std::string text;
  for (const std::string& remark : remarks) text += "  " + remark + '\n';
  return text;
}

std::string finding_text(const Subject& subject, const Finding& finding, const std::string& effort) {
  return violation_text(finding.violation) +
         fmt::format("  {}, shrunk in {} runs to\n", effort, finding.shrinking_runs) +
         indented(describe(finding.scenario)) +
         indented(verify::table_of(finding.trace, finding.violation.event, finding.lap_from)) +
         nearest_text(subject, finding.nearest) + "  replay it with\n    " + replay_command(subject, finding.scenario) +
         "\n\n";
}

Json finding_json(const Subject& subject, const Finding& finding) {
  Json one = violation_json(finding.violation);
  one["found_in_run"] = finding.found_in_run;
  one["shrinking_runs"] = finding.shrinking_runs;
  one["scenario"] = describe(finding.scenario);
  one["trace"] = trace_json(finding.trace);
  one["replay"] = replay_command(subject, finding.scenario);
  one["nearest_passing"] = nearest_json(subject, finding.nearest);
  return one;
}

std::string report(const Subject& subject, const VerifyArguments& arguments, const CampaignResult& result,
                   const verify::Coverage& coverage) {
  if (arguments.as_json) {
    Json json = campaign_json(subject, arguments, result);
    json["coverage"] = coverage_json(coverage);
    return printed(json);
  }
  const std::size_t clauses = verify::all_clauses().size();
  std::string text;
  for (const Finding& finding : result.findings) {
    text += finding_text(subject, finding, fmt::format("found in run {}", finding.found_in_run));
  }
  text +=
      fmt::format("{}: program {}, {} runs from seed {}, up to {} clients, faults {}\n", verify::name_of(result.ruling),
                  text_of(subject), result.runs, arguments.seed, arguments.clients, arguments.faults);
  text += tally_text(result.total);
  text += fmt::format(
      "  contracts: {} of {} clauses hold in every run{}\n", clauses - result.findings.size() - result.not_asked.size(),
      clauses,
      result.not_asked.empty() ? "" : fmt::format("; no limit is set for {}", fmt::join(result.not_asked, ", ")));
  text += sometimes_text(result.sometimes);
  text += fmt::format("  planted violations found, with all faults: {} of {}\n", canaries_found(result),
                      result.canaries.size());
  text += fmt::format("  content of messages: {}\n",
                      result.data_independent ? "never looked at, so any payload does the same" : "looked at");
  text += coverage_text(coverage);
  if (arguments.coverage) text += never_reached(coverage);
  if (result.incomplete)
    text += "  one that did not come to rest\n    " + replay_command(subject, *result.incomplete) + '\n';
  return text + lines_of(result.remarks);
}

std::string replayed_text(const Scenario& scenario, const verify::Judged& judged) {
  const auto& violations = judged.verdict.violations;
  const std::size_t mark = violations.empty() ? judged.run.trace.size() : violations.front().event;
  std::string text = describe(scenario) + verify::table_of(judged.run.trace, mark, judged.run.lap_from);
  for (const Violation& violation : violations) text += violation_text(violation);
  return text;
}

Json replayed_json(const Subject& subject, const Scenario& scenario, const verify::Judged& judged) {
  return {{"verdict", verify::name_of(judged.verdict.ruling)},
          {"program", subject.name},
          {"options", subject.options},
          {"identity", subject.identity},
          {"scenario", describe(scenario)},
          {"violations", violations_json(judged.verdict.violations)},
          {"remarks", judged.verdict.remarks},
          {"tally", tally_json(judged.verdict.tally)},
          {"trace", trace_json(judged.run.trace)}};
}

std::string report(const Subject& subject, const VerifyArguments& arguments, const Scenario& scenario,
                   const verify::Judged& judged) {
  if (arguments.as_json) return printed(replayed_json(subject, scenario, judged));
  return replayed_text(scenario, judged) +
         fmt::format("{}: program {}, replayed\n", verify::name_of(judged.verdict.ruling), text_of(subject)) +
         lines_of(judged.verdict.remarks);
}

}  // namespace antiphon
