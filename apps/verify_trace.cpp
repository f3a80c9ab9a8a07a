#include "apps/verify_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <expected>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "apps/output.hpp"
#include "apps/trace_parts.hpp"
#include "apps/verify_foreign.hpp"
#include "apps/verify_in_simulator.hpp"
#include "apps/verify_report_trace.hpp"
#include "apps/verify_verdict.hpp"
#include "core/programs/catalogue.hpp"
#include "verify/expectations.hpp"

namespace antiphon {

namespace {

/// There is too little to say anything.
ExitCode not_judged(const VerifyArguments& arguments, TraceHeader header, std::string why) {
  JudgedTrace nothing;
  nothing.header = std::move(header);
  nothing.verdict.remarks.push_back(std::move(why));
  return print(own_name, report(arguments, nothing), code_of(nothing.verdict.ruling));
}

/// The workers' programs, made from what the header says.
std::vector<Server> programs_of(const TraceHeader& header, const std::string& program) {
  ProgramOptions options = verify::options_of(header);
  std::vector<Server> programs;
  for (std::uint32_t worker = 0; worker < header.workers; ++worker) {
    programs.push_back(*program_named(program, options));
    options.server.at = header.bound;
  }
  return programs;
}

void leave_open(verify::Verdict& verdict, std::string remark) {
  verdict.remarks.push_back(std::move(remark));
  if (verdict.ruling == verify::Ruling::holds) verdict.ruling = verify::Ruling::incomplete;
}

/// Judges event by event, and replays the program beside it if one is named.
class Trial {
 public:
  Trial(const VerifyArguments& arguments, TraceHeader header)
      : header_(std::move(header)),
        program_(arguments.program.value_or(header_.program)),
        judge_(verify::expectations_of(header_, program_)),
        keeps_(arguments.in_simulator) {
    if (arguments.program) replay_.emplace(programs_of(header_, program_));
  }

  void see(const Event& event) {
    judge_.see(event);
    if (replay_) replay_->see(event);
    const auto* const of_process = std::get_if<ProcessEvent>(&event);
    if (keeps_ && of_process != nullptr) keep(*of_process);
  }

  /// Error: it is more than can be looked for in the simulator.
  std::expected<JudgedTrace, std::string> finish(bool cut) {
    JudgedTrace judged{header_, judge_.finish(cut), std::nullopt, {}, {}};
    if (!replay_) return judged;
    judged.conformance = {program_, replay_->parting(), replay_->instructions(), !replay_->has_looked()};
    verify::Verdict& verdict = judged.verdict;
    if (replay_->parting()) {
      verdict.ruling = verify::Ruling::violated;
    } else if (replay_->has_looked()) {
      leave_open(verdict, "the program looks at messages, and the trace has but their digests");
    } else if (!replay_->is_whole() && verdict.remarks.empty()) {
      leave_open(verdict, "a process was not seen to its end");
    }
    if (!keeps_ || replay_->parting()) return judged;
    auto found = look_in_simulator(program_, verify::options_of(header_), programs_of(header_, program_), record_);
    if (!found) return std::unexpected(std::move(found.error()));
    const bool may_lack_lines = !verdict.remarks.empty();
    for (const InSimulator& one : *found) rule(one, may_lack_lines, verdict);
    judged.simulator = *std::move(found);
    return judged;
  }

 private:
  /// Of each worker one event more than is allowed, so that it is noticed.
  void keep(const ProcessEvent& event) {
    std::size_t& kept = kept_[event.process % header_.workers];
    if (kept > verify::most_retraced_events) return;
    ++kept;
    record_.push_back(event);
  }

  /// What parts from the simulator is a violation, unless that may come of what is not known.
  static void rule(const InSimulator& found, bool may_lack_lines, verify::Verdict& verdict) {
    if (found.retraced.has_looked) {
      leave_open(verdict, "the program looks at messages, and the simulated ones say something else");
    } else if (found.retraced.parting && may_lack_lines) {
      leave_open(verdict, "that it parts from the simulator may come of what is missing");
    } else if (found.retraced.parting) {
      verdict.ruling = verify::Ruling::violated;
    }
  }

  TraceHeader header_;
  std::string program_;
  verify::Judge judge_;
  std::optional<Replay> replay_;
  bool keeps_;
  std::vector<ProcessEvent> record_;                     ///< What is looked for in the simulator.
  std::unordered_map<std::uint64_t, std::size_t> kept_;  ///< How much that is, by worker.
};

/// Looks for the places of the events that something is said about. In files that are gone there are none.
void find_places(const std::vector<std::string>& files, JudgedTrace& judged) {
  std::vector<verify::ProcessEventName> wanted;
  for (const verify::Violation& violation : judged.verdict.violations) {
    if (violation.at) wanted.push_back(*violation.at);
  }
  if (judged.conformance && judged.conformance->parting) {
    wanted.push_back({judged.conformance->parting->process, judged.conformance->parting->event});
  }
  for (const InSimulator& one : judged.simulator) {
    if (one.retraced.parting) wanted.push_back(one.retraced.parting->at);
  }
  auto parts = TraceParts::open(files);
  if (wanted.empty() || !parts || parts->header() == nullptr) return;
  // What cannot be read was told before.
  [[maybe_unused]] const auto cut = parts->read([&](const Event& event, const TracePlace& place) {
    const auto* const one = std::get_if<ProcessEvent>(&event);
    if (one == nullptr) return;
    const verify::ProcessEventName name{one->process, one->number};
    if (std::ranges::find(wanted, name) != wanted.end()) judged.places.emplace_back(name, place);
  });
}

}  // namespace

ExitCode judge_trace(const VerifyArguments& arguments) {
  if (arguments.input != TraceInput::antiphon) return judge_foreign(arguments);
  auto parts = TraceParts::open(arguments.files);
  if (!parts) return refused(parts.error());
  if (parts->header() == nullptr) return not_judged(arguments, {"unknown", "unknown"}, *parts->cut_in_header());
  const TraceHeader& header = *parts->header();
  if (!arguments.program && !program_named(header.program)) {
    return refused(
        fmt::format("{}:1: it is of program '{}', which is not known", arguments.files.front(), header.program));
  }
  if (header.part > 0) {
    const std::string which = header.part == 1 ? "part 0 is" : fmt::format("parts 0 to {} are", header.part - 1);
    return not_judged(arguments, header, which + " missing: what came before these events is not known");
  }
  Trial trial(arguments, header);
  const auto cut = parts->read([&](const Event& event, const TracePlace&) { trial.see(event); });
  if (!cut) return refused(cut.error());
  auto judged = trial.finish(*cut);
  if (!judged) return refused(fmt::format("{}: {}", arguments.files.front(), judged.error()));
  find_places(arguments.files, *judged);
  return print(own_name, report(arguments, *judged), code_of(judged->verdict.ruling));
}

}  // namespace antiphon
