// Whatever trace reads is judged, replayed and looked for in the simulator.

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/replay.hpp"
#include "interpreters/trace_reader.hpp"
#include "tests/fuzz/harness.hpp"
#include "verify/expectations.hpp"
#include "verify/retrace.hpp"

namespace antiphon::fuzz {

namespace {

constexpr std::uint32_t most_programs = 4;

std::vector<Server> programs_of(const TraceHeader& header) {
  const auto program = program_named(header.program, verify::options_of(header));
  return program ? std::vector<Server>(header.workers, *program) : std::vector<Server>();
}

void judge(const TraceHeader& header, const std::vector<Event>& events, bool cut) {
  const verify::Expectations expected = verify::expectations_of(header, header.program);
  const auto judged = [&] {
    verify::Judge judge(expected);
    for (const Event& event : events) judge.see(event);
    return judge.finish(cut);
  };
  const verify::Verdict verdict = judged();
  demand_sound(verdict);
  demand(!cut || verdict.ruling != verify::Ruling::holds, "a trace that is cut holds");
  demand_same(verdict, judged());
}

void replay(const std::vector<Server>& programs, const std::vector<Event>& events) {
  Replay replay(programs);
  for (const Event& event : events) replay.see(event);
  demand(replay.instructions() <= events.size(), "more instructions were replayed than there are events");
}

/// The record of one first process, as the app makes it.
void retrace(const Server& program, const std::vector<Event>& events) {
  std::vector<ProcessEvent> record;
  for (const Event& event : events) {
    if (const auto* const one = std::get_if<ProcessEvent>(&event)) record.push_back(*one);
  }
  const auto retraced = verify::retrace(program, record);
  if (!retraced) return demand_one_line(retraced.error());
  demand(retraced->scenario.has_value() != retraced->parting.has_value(), "neither found nor parted, or both");
  demand(!retraced->scenario ||
             verify::has_run(program, *retraced->scenario, retraced->steps, record, verify::Operands::all),
         "a scenario was found, and has another run");
}

}  // namespace

void try_input(std::string_view input) {
  std::istringstream text{std::string(input)};
  TraceReader reader(text);
  const auto header = reader.header();
  if (!header || header->workers > most_programs) return;
  std::vector<Event> events;
  for (;;) {
    auto event = reader.next();
    if (!event) return;
    if (!*event) break;
    events.push_back(**std::move(event));
  }
  judge(*header, events, reader.cut());
  const std::vector<Server> programs = programs_of(*header);
  if (programs.empty()) return;
  replay(programs, events);
  if (header->workers == 1) retrace(programs.front(), events);
}

}  // namespace antiphon::fuzz
