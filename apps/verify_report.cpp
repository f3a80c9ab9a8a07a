#include "apps/verify_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <range/v3/algorithm/count_if.hpp>
#include <range/v3/view/enumerate.hpp>
#include <range/v3/view/split.hpp>

#include "verify/table.hpp"
#include "verify/token.hpp"

namespace antiphon {

namespace {

using Json = nlohmann::ordered_json;
using verify::CampaignResult;
using verify::Finding;
using verify::Tally;
using verify::Violation;

std::string_view name_of(verify::Party party) {
  return party == verify::Party::program ? "the program" : "the interpreter or the kernel";
}

std::string replay_command(const Subject& subject, const Scenario& scenario) {
  return fmt::format("echo-verify properties --program {} --replay {}", subject.name,
                     verify::token_of(scenario, subject.name, subject.identity));
}

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

std::string tally_text(const Tally& tally) {
  return fmt::format(
      "  {} events of {} processes; {} connections, at most {} at once; {} bytes received, {} sent back\n"
      "  how connections ended, by excuse: {}\n",
      tally.events, tally.processes, tally.connections, tally.at_once, tally.bytes_received, tally.bytes_sent,
      excuses(tally));
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
          {"connections_by_excuse", by_excuse}};
}

Json violation_json(const Violation& violation) {
  return {{"clause", violation.clause.name},
          {"text", violation.clause.text},
          {"by", violation.party == verify::Party::program ? "program" : "interpreter"},
          {"what", violation.sentence},
          {"event", violation.event}};
}

Json violations_json(const std::vector<Violation>& violations) {
  Json list = Json::array();
  for (const Violation& violation : violations) list.push_back(violation_json(violation));
  return list;
}

Json trace_json(const std::vector<Event>& trace) {
  Json list = Json::array();
  for (const Event& event : trace) list.push_back(Json::parse(event_line(event)));
  return list;
}

std::string printed(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n'; }

std::string remarks_text(const std::vector<std::string>& remarks) {
  std::string text;
  for (const std::string& remark : remarks) text += "  " + remark + '\n';
  return text;
}

std::string finding_text(const Subject& subject, const Finding& finding) {
  return violation_text(finding.violation) +
         fmt::format("  found in run {}, shrunk in {} runs to\n", finding.found_in_run, finding.shrinking_runs) +
         indented(describe(finding.scenario)) + indented(verify::table_of(finding.trace, finding.violation.event)) +
         "  replay it with\n    " + replay_command(subject, finding.scenario) + "\n\n";
}

std::uint64_t canaries_found(const CampaignResult& result) {
  return static_cast<std::uint64_t>(
      ranges::count_if(result.canaries, [](const verify::Canary& canary) { return canary.found_in_run > 0; }));
}

Json campaign_json(const Subject& subject, const VerifyArguments& arguments, const CampaignResult& result) {
  Json json{{"verdict", verify::name_of(result.ruling)},
            {"program", subject.name},
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
    json["clauses"].push_back({{"name", clause.name}, {"text", clause.text}, {"violated", violated}});
  }
  json["findings"] = Json::array();
  for (const Finding& finding : result.findings) {
    Json one = violation_json(finding.violation);
    one["found_in_run"] = finding.found_in_run;
    one["shrinking_runs"] = finding.shrinking_runs;
    one["scenario"] = describe(finding.scenario);
    one["trace"] = trace_json(finding.trace);
    one["replay"] = replay_command(subject, finding.scenario);
    json["findings"].push_back(std::move(one));
  }
  json["sometimes"] = Json::array();
  for (const verify::Sometimes& row : result.sometimes)
    json["sometimes"].push_back({{"what", row.what}, {"runs", row.runs}});
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

std::string report(const Subject& subject, const VerifyArguments& arguments, const CampaignResult& result) {
  if (arguments.as_json) return printed(campaign_json(subject, arguments, result));
  const std::size_t clauses = verify::all_clauses().size();
  std::string text;
  for (const Finding& finding : result.findings) text += finding_text(subject, finding);
  text += fmt::format("{}: program {} ({:.12}), {} runs from seed {}, up to {} clients, faults {}\n",
                      verify::name_of(result.ruling), subject.name, subject.identity, result.runs, arguments.seed,
                      arguments.clients, arguments.faults);
  text += tally_text(result.total);
  text += fmt::format("  contracts: {} of {} clauses hold in every run\n", clauses - result.findings.size(), clauses);
  for (const verify::Sometimes& row : result.sometimes)
    text += fmt::format("  sometimes {}: in {} runs\n", row.what, row.runs);
  text += fmt::format("  planted violations found, with all faults: {} of {}\n", canaries_found(result),
                      result.canaries.size());
  text += fmt::format("  content of messages: {}\n",
                      result.data_independent ? "never looked at, so any payload does the same" : "looked at");
  if (result.incomplete)
    text += "  one that did not come to rest\n    " + replay_command(subject, *result.incomplete) + '\n';
  return text + remarks_text(result.remarks);
}

std::string report(const Subject& subject, const VerifyArguments& arguments, const Scenario& scenario,
                   const verify::Judged& judged) {
  const verify::Verdict& verdict = judged.verdict;
  if (arguments.as_json) {
    return printed({{"verdict", verify::name_of(verdict.ruling)},
                    {"program", subject.name},
                    {"identity", subject.identity},
                    {"scenario", describe(scenario)},
                    {"violations", violations_json(verdict.violations)},
                    {"remarks", verdict.remarks},
                    {"tally", tally_json(verdict.tally)},
                    {"trace", trace_json(judged.run.trace)}});
  }
  const std::size_t mark = verdict.violations.empty() ? judged.run.trace.size() : verdict.violations.front().event;
  std::string text = describe(scenario) + verify::table_of(judged.run.trace, mark);
  for (const Violation& violation : verdict.violations) text += violation_text(violation);
  text += fmt::format("{}: program {} ({:.12}), replayed\n", verify::name_of(verdict.ruling), subject.name,
                      subject.identity);
  return text + remarks_text(verdict.remarks);
}

std::string report(const TraceHeader& header, const VerifyArguments& arguments, const verify::Verdict& verdict) {
  if (arguments.as_json) {
    return printed({{"verdict", verify::name_of(verdict.ruling)},
                    {"program", header.program},
                    {"interpreter", header.interpreter},
                    {"violations", violations_json(verdict.violations)},
                    {"remarks", verdict.remarks},
                    {"tally", tally_json(verdict.tally)}});
  }
  std::string text;
  for (const Violation& violation : verdict.violations) text += violation_text(violation);
  text += fmt::format("{}: program {} on {}\n", verify::name_of(verdict.ruling), header.program, header.interpreter);
  return text + tally_text(verdict.tally) + remarks_text(verdict.remarks);
}

}  // namespace antiphon
