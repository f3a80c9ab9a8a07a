#include <fmt/format.h>

#include "apps/verify_report_parts.hpp"

namespace antiphon {

namespace {

using verify::ComparedSide;
using verify::Comparison;
using verify::Distinction;

using Subjects = std::array<Subject, 2>;

std::string_view verdict_of(const Comparison& result) {
  switch (result.ruling) {
    case verify::Ruling::holds:
      return "equivalent";
    case verify::Ruling::violated:
      return "differ";
    case verify::Ruling::incomplete:
      break;
  }
  return "incomplete";
}

std::string trace_text(const std::vector<std::string>& trace) {
  std::string text;
  for (std::size_t at = 0; at < trace.size(); ++at) text += fmt::format("  {:>4}  {}\n", at + 1, trace[at]);
  return text;
}

std::string replay_text(const Subject& subject, const std::string& command) {
  return command.empty() ? "" : fmt::format("  replay it with {}\n    {}\n", subject.name, command);
}

std::string distinction_text(const Subjects& subjects, const Distinction& found, const Replays& replays) {
  const Subject& one = subjects.at(found.who_can);
  const Subject& other = subjects.at(1 - found.who_can);
  std::string text = "They have the same traces, but not the same choices.\n";
  text += found.trace.empty() ? "At the beginning\n" : "After\n" + trace_text(found.trace);
  text += fmt::format("{} may be where this can follow, and {} where it cannot:\n        {}\n", one.name, other.name,
                      found.then);
  return text + replay_text(one, replays.can) + replay_text(other, replays.cannot) + '\n';
}

std::string side_text(const Subject& subject, const ComparedSide& side) {
  if (side.states == 0) return fmt::format("  {}: not explored\n", subject.name);
  return fmt::format("  {}: {} states, {} silent and {} visible transitions, {} states at rest\n", subject.name,
                     side.states, side.silent, side.visible, side.rests);
}

Json side_json(const Subject& subject, const ComparedSide& side) {
  return {{"program", subject.name}, {"options", subject.options}, {"identity", subject.identity},
          {"states", side.states},   {"silent", side.silent},      {"visible", side.visible},
          {"rests", side.rests}};
}

Json only_json(const Comparison& result, const Replays& replays) {
  Json all = Json::array();
  for (std::size_t side = 0; side < result.only.size(); ++side) {
    const auto& only = result.only.at(side);
    all.push_back(only ? Json{{"trace", only->trace}, {"replay", replays.only.at(side)}} : Json());
  }
  return all;
}

std::string json_text(const Subjects& subjects, const VerifyArguments& arguments, const Comparison& result,
                      const Replays& replays) {
  Json json{{"verdict", verdict_of(result)},
            {"sides", Json::array()},
            {"classes", result.classes},
            {"missed_probability", result.missed},
            {"only", only_json(result, replays)}};
  json.update(scope_json(arguments));
  for (std::size_t side = 0; side < subjects.size(); ++side) {
    json["sides"].push_back(side_json(subjects.at(side), result.sides.at(side)));
  }
  if (const auto& found = result.distinction) {
    json["distinction"] = {{"trace", found->trace},
                           {"then", found->then},
                           {"who_can", subjects.at(found->who_can).name},
                           {"replay_can", replays.can},
                           {"replay_cannot", replays.cannot}};
  }
  json["remarks"] = result.remarks;
  return printed(json);
}

/// What is known of the traces, in a line.
std::string traces_text(const Subjects& subjects, const Comparison& result) {
  if (result.ruling == verify::Ruling::holds || result.distinction) return "  each has the traces of the other\n";
  std::string text;
  if (!result.remarks.empty()) return text;
  for (std::size_t side = 0; side < subjects.size(); ++side) {
    if (!result.only.at(side)) {
      text += fmt::format("  every trace of {} is one of {}\n", subjects.at(side).name, subjects.at(1 - side).name);
    }
  }
  return text;
}

}  // namespace

std::string report(const Subjects& subjects, const VerifyArguments& arguments, const Comparison& result,
                   const Replays& replays) {
  if (arguments.as_json) return json_text(subjects, arguments, result, replays);
  std::string text;
  for (std::size_t side = 0; side < subjects.size(); ++side) {
    const auto& only = result.only.at(side);
    if (!only) continue;
    text += fmt::format("The shortest trace of {} that {} does not have:\n", subjects.at(side).name,
                        subjects.at(1 - side).name);
    text += trace_text(only->trace) + replay_text(subjects.at(side), replays.only.at(side)) + '\n';
  }
  if (result.distinction) text += distinction_text(subjects, *result.distinction, replays);
  text += fmt::format("{}: {} and {}\n", verdict_of(result), text_of(subjects[0]), text_of(subjects[1]));
  text += "  " + scope_text(arguments) + '\n';
  for (std::size_t side = 0; side < subjects.size(); ++side)
    text += side_text(subjects.at(side), result.sides.at(side));
  if (result.classes > 0) text += fmt::format("  {} classes of weak bisimulation\n", result.classes);
  text += traces_text(subjects, result);
  text += fmt::format("  states are known by 128 bits: that one was missed has a probability of at most {:.1e}\n",
                      result.missed);
  return text + lines_of(result.remarks);
}

}  // namespace antiphon
