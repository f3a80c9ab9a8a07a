#include "apps/verify_foreign.hpp"

#include <fmt/format.h>

#include <string>

#include "apps/input_file.hpp"
#include "apps/output.hpp"
#include "apps/verify_report_parts.hpp"
#include "apps/verify_verdict.hpp"
#include "verify/foreign/capture_judge.hpp"
#include "verify/foreign/strace_judge.hpp"

namespace antiphon {

namespace {

std::string report_text(const VerifyArguments& arguments, const verify::Verdict& verdict) {
  const verify::Tally& tally = verdict.tally;
  std::string text;
  for (const verify::Violation& violation : verdict.violations) text += violation_text(violation);
  text += fmt::format("{}: the server of {}\n", verify::name_of(verdict.ruling), arguments.files.front());
  text += arguments.input == TraceInput::pcap
              ? fmt::format("  {} packets", tally.events)
              : fmt::format("  {} calls of {} processes", tally.events, tally.processes);
  text += fmt::format("; {} connections, at most {} at once; {} bytes received, {} sent back\n", tally.connections,
                      tally.at_once, tally.bytes_received, tally.bytes_sent);
  text += fmt::format("  how connections ended, by excuse: {}\n", excuses(tally));
  return text + lines_of(verdict.remarks);
}

std::string report_json(const VerifyArguments& arguments, const verify::Verdict& verdict) {
  return printed({{"verdict", verify::name_of(verdict.ruling)},
                  {"input", arguments.input == TraceInput::pcap ? "pcap" : "strace"},
                  {"file", arguments.files.front()},
                  {"violations", violations_json(verdict.violations)},
                  {"remarks", verdict.remarks},
                  {"tally", tally_json(verdict.tally)}});
}

}  // namespace

ExitCode judge_foreign(const VerifyArguments& arguments) {
  const std::string& file = arguments.files.front();
  const auto input = opened(file);
  if (!input) return refused(input.error());
  const bool by_wire = arguments.input == TraceInput::pcap;
  const auto verdict =
      by_wire ? verify::judge_capture(file, arguments.port) : verify::judge_strace(**input, arguments.port);
  if (!verdict) {
    const auto& [number, what] = verdict.error();
    if (!by_wire) return refused(fmt::format("{}:{}: {}", file, number, what));
    const std::string packet = number == 0 ? "" : fmt::format(" packet {}:", number);
    return refused(fmt::format("{}:{} {}", file, packet, what));
  }
  return print(own_name, arguments.as_json ? report_json(arguments, *verdict) : report_text(arguments, *verdict),
               code_of(verdict->ruling));
}

}  // namespace antiphon
