#include "apps/verify_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "apps/output.hpp"
#include "apps/verify_report_trace.hpp"
#include "apps/verify_verdict.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/trace_reader.hpp"

namespace antiphon {

namespace {

ExitCode bad(const VerifyArguments& arguments, const BadInput& input) {
  return refused(fmt::format("{}:{}: {}", arguments.file, input.line, input.what));
}

/// Nothing but the beginning of a header is there: nothing can be said.
ExitCode cut_in_header(const VerifyArguments& arguments, const BadInput& input) {
  JudgedTrace nothing;
  nothing.header = {.program = "unknown", .interpreter = "unknown"};
  nothing.verdict.remarks.push_back(input.what);
  return print(own_name, report(arguments, nothing), code_of(nothing.verdict.ruling));
}

verify::Expectations expectations_of(const TraceHeader& header, const std::string& program) {
  verify::Expectations expected = expectations(program, {header.idle_ms, header.drain_ms}, header.max_connections);
  expected.at_most = static_cast<std::int64_t>(header.at_most);
  expected.workers = header.workers;
  return expected;
}

/// The workers' programs, made from what the header says.
std::vector<Server> programs_of(const TraceHeader& header, const std::string& program) {
  ProgramOptions options;
  options.server = {.at = header.at, .backlog = header.backlog, .max_connections = header.max_connections};
  options.session = {.at_most = header.at_most, .until = {.wait_ms = header.idle_ms, .drain_ms = header.drain_ms}};
  std::vector<Server> programs;
  for (std::uint32_t worker = 0; worker < header.workers; ++worker) {
    programs.push_back(*program_named(program, options));
    options.server.at = header.bound;
  }
  return programs;
}

/// Judges event by event, and replays the program beside it if one is named.
class Trial {
 public:
  Trial(const VerifyArguments& arguments, TraceHeader header)
      : header_(std::move(header)),
        program_(arguments.program.value_or(header_.program)),
        judge_(expectations_of(header_, program_)) {
    if (arguments.program) replay_.emplace(programs_of(header_, program_));
  }

  void see(const Event& event) {
    judge_.see(event);
    if (replay_) replay_->see(event);
  }

  JudgedTrace finish(bool cut) {
    JudgedTrace judged{std::move(header_), judge_.finish(cut), std::nullopt, {}};
    if (!replay_) return judged;
    judged.conformance = {program_, replay_->parting(), replay_->instructions()};
    verify::Verdict& verdict = judged.verdict;
    if (replay_->parting()) {
      verdict.ruling = verify::Ruling::violated;
    } else if (!replay_->is_whole() && verdict.ruling == verify::Ruling::holds) {
      verdict.ruling = verify::Ruling::incomplete;
      verdict.remarks.emplace_back("a process was not seen to its end");
    }
    return judged;
  }

 private:
  TraceHeader header_;
  std::string program_;
  verify::Judge judge_;
  std::optional<Replay> replay_;
};

/// Looks for the lines of the events that something is said about. A file that is gone has none.
void find_lines(const std::string& file, JudgedTrace& judged) {
  std::vector<verify::ProcessEventName> wanted;
  for (const verify::Violation& violation : judged.verdict.violations) {
    if (violation.at) wanted.push_back(*violation.at);
  }
  if (judged.conformance && judged.conformance->parting) {
    wanted.push_back({judged.conformance->parting->process, judged.conformance->parting->event});
  }
  std::ifstream in(file, std::ios::binary);
  TraceReader reader(in);
  if (wanted.empty() || !in || !reader.header()) return;
  for (;;) {
    const auto event = reader.next();
    if (!event || !*event) return;
    const auto* const one = std::get_if<ProcessEvent>(&**event);
    if (one == nullptr) continue;
    const verify::ProcessEventName name{one->process, one->number};
    if (std::ranges::find(wanted, name) != wanted.end()) judged.lines.emplace_back(name, reader.line());
  }
}

}  // namespace

ExitCode judge_trace(const VerifyArguments& arguments) {
  std::ifstream file(arguments.file, std::ios::binary);
  if (!file) return refused(fmt::format("'{}': {}", arguments.file, std::strerror(errno)));
  if (std::filesystem::is_directory(arguments.file)) return refused(arguments.file + ": it is a directory");
  TraceReader reader(file);
  auto header = reader.header();
  if (!header && reader.cut()) return cut_in_header(arguments, header.error());
  if (!header) return bad(arguments, header.error());
  if (!arguments.program && !program_named(header->program)) {
    return refused(fmt::format("{}:1: it is of program '{}', which is not known", arguments.file, header->program));
  }
  Trial trial(arguments, *std::move(header));
  for (;;) {
    const auto event = reader.next();
    if (!event) return bad(arguments, event.error());
    if (!*event) break;
    trial.see(**event);
  }
  JudgedTrace judged = trial.finish(reader.cut());
  find_lines(arguments.file, judged);
  return print(own_name, report(arguments, judged), code_of(judged.verdict.ruling));
}

}  // namespace antiphon
