#include <fmt/format.h>

#include "apps/verify_report_parts.hpp"

namespace antiphon {

namespace {

/// What is said of runs that never end.
std::string_view endless_text(verify::EndlessRuns endless) {
  switch (endless) {
    case verify::EndlessRuns::none:
      return "no run goes on for ever, but by faults without end";
    case verify::EndlessRuns::judged:
      return "runs that go on for ever (served): all were judged";
    case verify::EndlessRuns::in_part:
      return "runs that go on for ever (served): judged in part; --reduce symmetry leaves out less";
    case verify::EndlessRuns::not_judged:
      break;
  }
  return "runs that go on for ever (served): not judged; --strategy dfs with one thread does";
}

/// What of a verdict that holds is no proof.
std::string_view exception_text(const verify::Exploration& result) {
  if (result.ruling != verify::Ruling::holds) return "";
  if (result.endless == verify::EndlessRuns::not_judged) return " (all but served)";
  return result.endless == verify::EndlessRuns::in_part ? " (served in part)" : "";
}

std::string_view name_of(verify::EndlessRuns endless) {
  constexpr std::string_view names[] = {"none", "judged", "in part", "not judged"};
  return names[static_cast<std::size_t>(endless)];
}

std::string text_of(const verify::LimitMet& limit) {
  switch (limit.meeting) {
    case verify::Meeting::met:
      return fmt::format("  limits: {} in some run of this scope\n", limit.what);
    case verify::Meeting::never:
      return fmt::format("  limits: it never happens in this scope that {}; nothing is said of that\n", limit.what);
    case verify::Meeting::not_seen:
      break;
  }
  return fmt::format("  limits: a short search did not see that {}\n", limit.what);
}

Json json_of(const Subject& subject, const VerifyArguments& arguments, const Explored& explored) {
  const verify::Exploration& result = explored.result;
  Json json{
      {"verdict", verify::name_of(result.ruling)},
      {"closed", result.closed},
      {"program", subject.name},
      {"options", subject.options},
      {"identity", subject.identity},
      {"walks", result.walks},
      {"walks_cut", result.cut},
      {"states", result.states},
      {"transitions", result.transitions},
      {"estimate", result.estimate ? Json{{"least", result.estimate->least}, {"most", result.estimate->most}} : Json()},
      {"rests", result.rests},
      {"deepest", result.deepest},
      {"frontier", result.frontier},
      {"endless_runs", name_of(result.endless)},
      {"program_steps", result.steps_run},
      {"bytes", result.bytes},
      {"missed_probability", result.missed},
      {"least_chance", result.least_chance},
      {"remarks", result.remarks},
      {"notes", result.notes}};
  json.update(scope_json(arguments));
  json["findings"] = Json::array();
  for (const verify::Finding& finding : explored.findings) json["findings"].push_back(finding_json(subject, finding));
  json["limits"] = Json::array();
  for (const verify::LimitMet& limit : explored.limits) {
    json["limits"].push_back({{"what", limit.what}, {"met", verify::name_of(limit.meeting)}});
  }
  return json;
}

}  // namespace

std::string scope_text(const VerifyArguments& arguments) {
  const ExploreArguments& explore = arguments.explore;
  const verify::ScopeRequest& scope = explore.scope;
  const bool lacks_memory = arguments.faults == "all" || arguments.faults.find("memory") != std::string::npos;
  const std::string messages = scope.any_messages ? "any number of" : std::to_string(scope.messages);
  const std::string places = scope.addresses > 1 ? fmt::format(" at {} addresses", scope.addresses) : "";
  return fmt::format(
      "{} clients{}, each {} messages of {} bytes; buffers of {} bytes; reads and writes of any length; "
      "faults {}{}",
      scope.clients, places, messages, scope.size, scope.capacity, arguments.faults,
      lacks_memory ? fmt::format(" (at most {} for want of memory)", verify::most_memory_faults) : "");
}

Json scope_json(const VerifyArguments& arguments) {
  const verify::ScopeRequest& scope = arguments.explore.scope;
  return {{"clients", scope.clients},           {"addresses", scope.addresses}, {"messages", scope.messages},
          {"any_messages", scope.any_messages}, {"size", scope.size},           {"capacity", scope.capacity},
          {"faults", arguments.faults}};
}

std::string estimate_text(const verify::Estimate& estimate) {
  return fmt::format("estimated before: {:.3g} to {:.3g} states, from what fewer clients take", estimate.least,
                     estimate.most);
}

std::string report(const Subject& subject, const VerifyArguments& arguments, const Explored& explored) {
  if (arguments.as_json) return printed(json_of(subject, arguments, explored));
  const verify::Exploration& result = explored.result;
  const bool in_walks = verify::in_walks(arguments.explore.order);
  std::string text;
  for (const verify::Finding& finding : explored.findings)
    text += finding_text(subject, finding, fmt::format("found in {} states", result.states));
  const std::string seen = in_walks ? fmt::format("{} walks, ", result.walks) : result.closed ? "closed, " : "";
  text += fmt::format("{}{}: program {}, {}{} states\n", verify::name_of(result.ruling), exception_text(result),
                      text_of(subject), seen, result.states);
  text += "  " + scope_text(arguments) + '\n';
  if (result.estimate) text += "  " + estimate_text(*result.estimate) + '\n';
  text +=
      fmt::format("  {} transitions, of which the program was run for {}; longest way {} steps; {} states at rest\n",
                  result.transitions, result.steps_run, result.deepest, result.rests);
  if (result.least_chance > 0) {
    text += fmt::format(
        "  a defect that takes {} steps in a certain order is met by each further walk with a probability of {:.1e} at "
        "least\n",
        arguments.explore.depth, result.least_chance);
  }
  if (!in_walks) {
    text += fmt::format("  states are known by 128 bits: that one was missed has a probability of at most {:.1e}\n",
                        result.missed);
  }
  if (result.closed) text += fmt::format("  {}\n", endless_text(result.endless));
  for (const verify::LimitMet& limit : explored.limits) text += text_of(limit);
  if (!result.closed && !in_walks) text += fmt::format("  not closed: {} states at the frontier\n", result.frontier);
  return text + lines_of(result.notes) + lines_of(result.remarks);
}

}  // namespace antiphon
