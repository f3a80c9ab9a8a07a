#include "tests/fuzz/subject.hpp"

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <variant>
#include <vector>

#include "apps/limits.hpp"
#include "apps/subject.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/dump.hpp"
#include "interpreters/event_bytes.hpp"
#include "interpreters/replay.hpp"
#include "interpreters/trace_reader.hpp"
#include "tests/fuzz/harness.hpp"
#include "verify/expectations.hpp"
#include "verify/judged.hpp"
#include "verify/retrace.hpp"

namespace antiphon::fuzz {

namespace {

/// A scenario of a subject, of which things are demanded.
class Trial {
 public:
  Trial(const Subject& subject, const Scenario& scenario) : subject_(&subject), scenario_(&scenario) {
    // A crash in the middle of it tells nothing of the scenario.
    if (std::getenv("ANTIPHON_FUZZ_SHOW") != nullptr) std::fprintf(stderr, "%s\n", command().c_str());
  }

  void run() {
    const verify::Judged judged = verify::run_and_judge(subject_->server, *scenario_, subject_->expected);
    const std::string text = text_of(judged.run.trace);
    const Run again = simulate(subject_->server, *scenario_);
    want(text_of(again.trace) == text && again.choices == judged.run.choices, "a scenario has two runs");
    demand_sound(judged.verdict);
    const auto& violations = judged.verdict.violations;
    if (subject_->keeps_all && !violations.empty()) {
      want(false, std::string(violations.front().clause.name) + ": " + violations.front().sentence);
    }
    read_back(judged, text);
    const auto record = of_processes(judged.run.trace);
    pass_on(record);
    replay(judged.run.trace);
    if (!judged.run.lap_from) retrace(record);
  }

 private:
  [[nodiscard]] std::string command() const {
    return replay_command({subject_->name, identity_of(subject_->server), limits_as_options(subject_->options)},
                          *scenario_);
  }
  void want(bool condition, const std::string& what) const {
    if (!condition) give_up(what + "\n  " + command());
  }

  static std::string text_of(const std::vector<Event>& trace) {
    std::string text;
    for (const Event& event : trace) append_line(text, event);
    return text;
  }
  static std::vector<ProcessEvent> of_processes(const std::vector<Event>& trace) {
    std::vector<ProcessEvent> record;
    for (const Event& event : trace) {
      if (const auto* const one = std::get_if<ProcessEvent>(&event)) record.push_back(*one);
    }
    return record;
  }

  /// The text of the trace gives the same events, and so the same verdict.
  void read_back(const verify::Judged& judged, const std::string& text) const {
    std::istringstream in(header_line({.program = subject_->name, .interpreter = "simulated"}) + '\n' + text);
    TraceReader reader(in);
    want(reader.header().has_value(), "a header that was written does not read");
    verify::Judged again{judged.run, {}};
    again.run.trace.clear();
    for (;;) {
      const auto event = reader.next();
      want(event.has_value(), "a trace that was written does not read");
      if (!*event) break;
      again.run.trace.push_back(**event);
    }
    want(again.run.trace == judged.run.trace, "a trace comes back as another");
    demand_same(verify::judged(std::move(again.run), subject_->expected).verdict, judged.verdict);
  }

  /// From process to process.
  void pass_on(const std::vector<ProcessEvent>& record) const {
    std::string bytes;
    for (const ProcessEvent& event : record) append_bytes(bytes, event);
    std::string_view rest = bytes;
    for (const ProcessEvent& event : record) {
      const auto taken = take_event(rest);
      want(taken && event.process == taken->process && event.number == taken->number, "an event does not arrive");
    }
    want(rest.empty(), "more arrives than was passed on");
  }

  void replay(const std::vector<Event>& trace) const {
    Replay replay({subject_->server});
    for (const Event& event : trace) replay.see(event);
    want(!replay.parting(), "a program parts from its own trace");
  }

  void retrace(const std::vector<ProcessEvent>& record) const {
    const auto retraced = verify::retrace(subject_->server, record);
    if (!retraced) return demand_one_line(retraced.error());
    want(!retraced->parting,
         "the simulator parts from itself: " + (retraced->parting ? retraced->parting->sentence : std::string()));
  }

  const Subject* subject_;
  const Scenario* scenario_;
};

}  // namespace

Subject subject_named(const std::string& name, const ProgramOptions& options) {
  return {name, options, *program_named(name, options), verify::expectations_of(name, options), name != "seed"};
}

void try_scenario(const Subject& subject, const Scenario& scenario) { Trial(subject, scenario).run(); }

}  // namespace antiphon::fuzz
