#include "apps/verify_report_trace.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/verify_report_parts.hpp"

namespace antiphon {

namespace {

using verify::Violation;

const TracePlace* place_of(const JudgedTrace& judged, const verify::ProcessEventName& event) {
  const auto found = std::ranges::find(judged.places, event, &std::pair<verify::ProcessEventName, TracePlace>::first);
  return found == judged.places.end() ? nullptr : &found->second;
}

/// "  at t.jsonl:17", where that is known.
std::string place_text(const JudgedTrace& judged, const std::optional<verify::ProcessEventName>& event) {
  const TracePlace* const place = event ? place_of(judged, *event) : nullptr;
  return place == nullptr ? "" : fmt::format("  at {}:{}\n", place->path, place->line);
}

/// The same as fields, where that is known.
void put_place(Json& json, const JudgedTrace& judged, const verify::ProcessEventName& event) {
  const TracePlace* const place = place_of(judged, event);
  if (place == nullptr) return;
  json["file"] = place->path;
  json["line"] = place->line;
}

std::string side_text(const std::variant<Issued, Ended>& side) {
  if (const auto* const issued = std::get_if<Issued>(&side)) return instruction_line(issued->exchange);
  const Result<Unit>& result = std::get<Ended>(side).result;
  return fmt::format(R"({{"end":"{}"}})", result ? "ok" : name_of(result.error()));
}

std::string shortened(std::string text) {
  constexpr std::size_t longest = 300;
  if (text.size() <= longest) return text;
  return text.substr(0, longest / 2) + "\u2026" + text.substr(text.size() - longest / 2);
}

std::string parting_text(const JudgedTrace& judged, const Conformance& conformance) {
  const Parting& parting = *conformance.parting;
  return fmt::format("violated: conformance: the trace is one of program {}\n", conformance.program) +
         fmt::format("  process {}, event {}: the program would do something else\n", parting.process, parting.event) +
         fmt::format("    recorded  {}\n", shortened(side_text(parting.recorded))) +
         fmt::format("    program   {}\n", shortened(side_text(parting.issued))) +
         place_text(judged, verify::ProcessEventName{parting.process, parting.event});
}

Json conformance_json(const JudgedTrace& judged, const Conformance& conformance) {
  Json json{{"program", conformance.program},
            {"conforms", !conformance.parting && conformance.is_known},
            {"instructions", conformance.instructions}};
  if (!conformance.parting) return json;
  const Parting& parting = *conformance.parting;
  json["parting"] = {{"process", parting.process},
                     {"event", parting.event},
                     {"recorded", Json::parse(side_text(parting.recorded))},
                     {"program", Json::parse(side_text(parting.issued))}};
  put_place(json["parting"], judged, {parting.process, parting.event});
  return json;
}

Json violations_json(const JudgedTrace& judged) {
  Json list = Json::array();
  for (const Violation& violation : judged.verdict.violations) {
    Json one = violation_json(violation);
    if (violation.at) put_place(one, judged, *violation.at);
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace

std::string report(const VerifyArguments& arguments, const JudgedTrace& judged) {
  const verify::Verdict& verdict = judged.verdict;
  const auto& conformance = judged.conformance;
  if (arguments.as_json) {
    Json json{{"verdict", verify::name_of(verdict.ruling)},
              {"program", judged.header.program},
              {"interpreter", judged.header.interpreter},
              {"violations", violations_json(judged)}};
    if (conformance) json["conformance"] = conformance_json(judged, *conformance);
    json["remarks"] = verdict.remarks;
    json["tally"] = tally_json(verdict.tally);
    return printed(json);
  }
  std::string text;
  if (conformance && conformance->parting) text += parting_text(judged, *conformance);
  for (const Violation& violation : verdict.violations) {
    text += violation_text(violation) + place_text(judged, violation.at);
  }
  text += fmt::format("{}: program {} on {}\n", verify::name_of(verdict.ruling), judged.header.program,
                      judged.header.interpreter);
  if (conformance && !conformance->parting && conformance->is_known) {
    text += fmt::format("  conforms: program {} issues these {} instructions, answered like this\n",
                        conformance->program, conformance->instructions);
  }
  return text + tally_text(verdict.tally) + lines_of(verdict.remarks);
}

}  // namespace antiphon
