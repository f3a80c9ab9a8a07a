// Checks an echo server against its contracts: in simulation, or in a recorded run. `echo-verify --help` is its manual.
//
// Try: echo-verify properties --program seed

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>

#include "apps/output.hpp"
#include "apps/verify_arguments.hpp"
#include "apps/verify_report.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/dump.hpp"
#include "interpreters/trace_text.hpp"
#include "verify/campaign.hpp"
#include "verify/token.hpp"

namespace antiphon {
namespace {

constexpr std::string_view own_name = "echo-verify";

ExitCode code_of(verify::Ruling ruling) {
  switch (ruling) {
    case verify::Ruling::holds:
      return ExitCode::holds;
    case verify::Ruling::violated:
      return ExitCode::violated;
    case verify::Ruling::incomplete:
      break;
  }
  return ExitCode::incomplete;
}

ExitCode refused(const std::string& why) {
  fmt::print(stderr, "echo-verify: {}\n", why);
  return ExitCode::bad_input;
}

verify::Expectations expectations(std::string_view program, const Deadline& until, std::int64_t max_connections) {
  const auto answers = program == "once" ? verify::Answers::first_message : verify::Answers::everything;
  return {answers, until.wait_ms, until.drain_ms, max_connections};
}

/// How far a campaign is, on a terminal; nothing where nobody watches. No text: it is over.
void show_progress(const std::string& text) {
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K{}", text);
}

ExitCode check_properties(const VerifyArguments& arguments) {
  const ProgramOptions options;
  const std::string name = arguments.program.value_or("stream");
  const Server server = *program_named(name, options);
  const Subject subject{name, identity_of(server)};
  const verify::Expectations expected = expectations(name, options.session.until, options.server.max_connections);
  if (arguments.token) {
    const auto scenario = verify::scenario_of(*arguments.token, name, subject.identity);
    if (!scenario) return refused("--replay: " + scenario.error());
    const verify::Judged judged = verify::run_and_judge(server, *scenario, expected);
    return print(own_name, report(subject, arguments, *scenario, judged), code_of(judged.verdict.ruling));
  }
  verify::CampaignOptions campaign;
  campaign.runs = arguments.runs;
  campaign.seed = arguments.seed;
  campaign.generation = {arguments.clients, arguments.fault_classes};
  campaign.expectations = expected;
  campaign.progress = show_progress;
  const verify::CampaignResult result = verify::campaign(server, campaign);
  show_progress("");
  return print(own_name, report(subject, arguments, result), code_of(result.ruling));
}

/// Nothing but the beginning of a header is there: nothing can be said.
ExitCode cut_in_header(const VerifyArguments& arguments, const BadInput& input) {
  verify::Verdict nothing;
  nothing.remarks.push_back(input.what);
  return print(own_name, report({"unknown", "unknown"}, arguments, nothing), code_of(nothing.ruling));
}

ExitCode judge_trace(const VerifyArguments& arguments) {
  std::ifstream file(arguments.file, std::ios::binary);
  if (!file) return refused(fmt::format("'{}': {}", arguments.file, std::strerror(errno)));
  if (std::filesystem::is_directory(arguments.file)) return refused(arguments.file + ": it is a directory");
  const auto bad = [&](const BadInput& input) {
    return refused(fmt::format("{}:{}: {}", arguments.file, input.line, input.what));
  };
  TraceReader reader(file);
  const auto header = reader.header();
  if (!header && reader.cut()) return cut_in_header(arguments, header.error());
  if (!header) return bad(header.error());
  if (!program_named(header->program)) {
    return refused(fmt::format("{}:1: it is of program '{}', which is not known", arguments.file, header->program));
  }
  if (arguments.program && *arguments.program != header->program) {
    return refused(
        fmt::format("{}:1: it is of program '{}', not '{}'", arguments.file, header->program, *arguments.program));
  }
  verify::Judge judge(expectations(header->program, {header->idle_ms, header->drain_ms}, header->max_connections));
  for (;;) {
    const auto event = reader.next();
    if (!event) return bad(event.error());
    if (!*event) break;
    judge.see(**event);
  }
  const verify::Verdict verdict = judge.finish(reader.cut());
  return print(own_name, report(*header, arguments, verdict), code_of(verdict.ruling));
}

}  // namespace
}  // namespace antiphon

int main(int count, char** values) {
  using namespace antiphon;
  const auto arguments = read_verify_arguments(count, values);
  if (!arguments) return status_of(leave("echo-verify", arguments.error()));
  try {
    return status_of(arguments->judges_trace ? judge_trace(*arguments) : check_properties(*arguments));
  } catch (const std::exception& failure) {
    fmt::print(stderr, "echo-verify: {}\n", failure.what());
    return status_of(ExitCode::incomplete);
  }
}
