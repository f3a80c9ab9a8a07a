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

// -- In the simulator -------------------------------------------------------------------------------------------------

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// The scenario in words, where that is not too long to read.
std::string scenario_text(const Scenario& scenario) {
  constexpr std::size_t longest = 2'000;
  const std::string text = describe(scenario);
  return text.size() > longest ? "" : indented(text);
}

std::string found_text(const JudgedTrace& judged, const InSimulator& found) {
  const verify::Retraced& retraced = found.retraced;
  const verify::ScopeNeeded& needed = retraced.needed;
  const std::string who = judged.header.workers == 1 ? "" : fmt::format(" worker {}:", found.worker);
  return fmt::format("  in the simulator:{} the same {}, in {}\n", who, counted(retraced.events, "event"),
                     counted(retraced.steps, "step")) +
         (retraced.left_out == 0 ? ""
                                 : fmt::format("    without {} of processes whose Fork is missing\n",
                                               counted(retraced.left_out, "event"))) +
         fmt::format("    it needs {}, up to {} each of up to {}, {}{}\n", counted(needed.clients, "client"),
                     counted(needed.messages, "message"), counted(needed.size, "byte"), counted(needed.faults, "fault"),
                     needed.stop ? ", a stop" : "") +
         scenario_text(*retraced.scenario) +
         (found.replay.empty() ? fmt::format("    {}\n", found.no_replay)
                               : fmt::format("    replay it with\n      {}\n", found.replay));
}

std::string parted_text(const JudgedTrace& judged, const verify::SimulatorParting& parting) {
  return fmt::format("{}: simulator: the run is one of the simulated network\n",
                     verify::name_of(judged.verdict.ruling)) +
         fmt::format("  process {}, event {}: {}\n", parting.at.process, parting.at.event, parting.sentence) +
         place_text(judged, parting.at) +
         (judged.verdict.ruling == verify::Ruling::violated ? "  the simulator and the kernel differ there, and one of "
                                                              "them is wrong: that is no fault of the program\n"
                                                            : "");
}

Json simulator_json(const JudgedTrace& judged, const InSimulator& found) {
  const verify::Retraced& retraced = found.retraced;
  Json json{{"worker", found.worker}, {"found", retraced.scenario.has_value()}, {"events", retraced.events}};
  if (retraced.parting) {
    const verify::SimulatorParting& parting = *retraced.parting;
    json["parting"] = {{"process", parting.at.process}, {"event", parting.at.event}, {"sentence", parting.sentence}};
    put_place(json["parting"], judged, parting.at);
    return json;
  }
  json["left_out"] = retraced.left_out;
  json["steps"] = retraced.steps;
  json["clients"] = retraced.needed.clients;
  json["messages"] = retraced.needed.messages;
  json["size"] = retraced.needed.size;
  json["faults"] = retraced.needed.faults;
  json["stop"] = retraced.needed.stop;
  json["scenario"] = describe(*retraced.scenario);
  if (found.replay.empty()) {
    json["no_replay"] = found.no_replay;
  } else {
    json["replay"] = found.replay;
  }
  return json;
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
    for (const InSimulator& one : judged.simulator) json["simulator"].push_back(simulator_json(judged, one));
    json["remarks"] = verdict.remarks;
    json["tally"] = tally_json(verdict.tally);
    return printed(json);
  }
  std::string text;
  if (conformance && conformance->parting) text += parting_text(judged, *conformance);
  for (const InSimulator& one : judged.simulator) {
    if (one.retraced.parting) text += parted_text(judged, *one.retraced.parting);
  }
  for (const Violation& violation : verdict.violations) {
    text += violation_text(violation) + place_text(judged, violation.at);
  }
  text += fmt::format("{}: program {} on {}\n", verify::name_of(verdict.ruling), judged.header.program,
                      judged.header.interpreter);
  if (conformance && !conformance->parting && conformance->is_known) {
    text += fmt::format("  conforms: program {} issues these {} instructions, answered like this\n",
                        conformance->program, conformance->instructions);
  }
  for (const InSimulator& one : judged.simulator) {
    if (one.retraced.scenario) text += found_text(judged, one);
  }
  return text + tally_text(verdict.tally) + lines_of(verdict.remarks);
}

}  // namespace antiphon
