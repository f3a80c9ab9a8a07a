#include "verify/retrace.hpp"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <variant>

#include "interpreters/simulated.hpp"
#include "verify/recorded_run.hpp"
#include "verify/retrace_attempt.hpp"
#include "verify/way.hpp"

namespace antiphon::verify {

namespace {

std::optional<std::string> too_large(const RecordedRun& run) {
  const auto too_many = [](std::size_t most, const std::string& what) {
    return "it has more than " + std::to_string(most) + " " + what + ": it is not looked for in the simulator";
  };
  if (run.record().size() > most_retraced_events) return too_many(most_retraced_events, "events");
  if (run.accepted() > most_retraced_connections) return too_many(most_retraced_connections, "connections");
  if (run.largest() > most_retraced_bytes) return too_many(most_retraced_bytes, "bytes in one answer");
  return std::nullopt;
}

ScopeNeeded needed_by(const Scenario& scenario) {
  ScopeNeeded needed{scenario.clients.size(), 0, 0, scenario.faults.size(), scenario.stop_after.has_value()};
  for (const Script& script : scenario.clients) {
    std::size_t messages = 0;
    for (const script::Action& action : script) {
      const auto* const send = std::get_if<script::Send>(&action);
      if (send == nullptr) continue;
      ++messages;
      needed.size = std::max(needed.size, send->count);
    }
    needed.messages = std::max(needed.messages, messages);
  }
  return needed;
}

/// The scenario of the way that was found, and its run made to be sure.
Retraced found(const Server& server, const RecordedRun& run, const Attempt& attempt) {
  const std::vector<Taken>& way = attempt.world().way();
  Retraced result;
  result.scenario = scenario_of(server, attempt.world().scope(), way);
  // Turns that come round would be taken for a run without end.
  result.scenario->seed = 1;
  result.needed = needed_by(*result.scenario);
  result.events = attempt.events();
  result.left_out = run.record().size() - result.events;
  result.steps = static_cast<std::uint64_t>(
      std::ranges::count_if(way, [](const Taken& taken) { return taken.move.kind != Move::Kind::stop; }));
  result.has_looked = attempt.world().world().looks() > 0;
  if (!has_run(server, *result.scenario, result.steps, run.record(), Operands::all)) {
    throw std::logic_error("the scenario that was found has another run");
  }
  return result;
}

}  // namespace

std::expected<Retraced, std::string> retrace(const Server& server, const std::vector<ProcessEvent>& record) {
  const RecordedRun run(record);
  if (auto why = too_large(run)) return std::unexpected(*std::move(why));
  Retraced furthest;
  bool hangs_on_addresses = false;
  for (const bool late : {false, true}) {
    std::optional<std::uint32_t> capacity = most_retraced_bytes;
    while (capacity) {
      Attempt attempt(server, run, {late, *capacity});
      attempt.go();
      if (attempt.is_whole()) return found(server, run, attempt);
      if (!furthest.parting || attempt.events() > furthest.events) {
        furthest.events = attempt.events();
        furthest.parting = attempt.parting();
        hangs_on_addresses = attempt.hangs_on_addresses();
        furthest.has_looked = attempt.world().world().looks() > 0;
      }
      capacity = attempt.narrower();
    }
  }
  if (hangs_on_addresses) {
    return std::unexpected(std::string(
        "it counts clients by address, and does not tell who shares one: it is not found in the simulator"));
  }
  return furthest;
}

bool has_run(const Server& server, const Scenario& scenario, std::uint64_t steps,
             const std::vector<ProcessEvent>& record, Operands operands) {
  const RecordedRun recorded(record);
  std::unordered_map<ProcessId, ProcessId> names{{0, 0}};  // of the simulation's processes, in the record
  std::unordered_map<ProcessId, std::uint64_t> seen;
  std::size_t agreeing = 0;
  const Run run = simulate(server, scenario, steps);
  for (const Event& event : run.trace) {
    const auto* const one = std::get_if<ProcessEvent>(&event);
    if (one == nullptr || !names.contains(one->process)) continue;
    const RecordedRun::Lines& lines = recorded.of(names.at(one->process));
    const std::uint64_t number = seen[one->process]++;
    const auto* const issued = std::get_if<Issued>(&one->what);
    if (number >= lines.size()) {
      // A record that is cut has no ends, and may have nothing of a child.
      if (issued != nullptr && !is_birth(*one)) return false;
      continue;
    }
    const auto& other = lines[number].event->what;
    if (one->what.index() != other.index()) return false;
    if (issued == nullptr && std::get<Ended>(one->what) != std::get<Ended>(other)) return false;
    if (issued != nullptr && !same_exchange(issued->exchange, std::get<Issued>(other).exchange, operands)) return false;
    ++agreeing;
    if (issued != nullptr && issued->child) names.emplace(*issued->child, *std::get<Issued>(other).child);
  }
  std::size_t due = 0;
  for (const auto& [simulated, name] : names) {
    due += static_cast<std::size_t>(std::ranges::count_if(recorded.of(name), [](const RecordedRun::Line& line) {
      const auto* const issued = std::get_if<Issued>(&line.event->what);
      return issued == nullptr || is_answered(issued->exchange);
    }));
  }
  return agreeing == due;
}

}  // namespace antiphon::verify
