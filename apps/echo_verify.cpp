// Checks an echo server against its contracts: in simulation, by exploring, or in a recorded run; and the checks, with
// mutants. Compares one with another. `echo-verify --help` is its manual.
//
// Try: echo-verify properties --program seed

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "apps/limits.hpp"
#include "apps/output.hpp"
#include "apps/verify_arguments.hpp"
#include "apps/verify_probe.hpp"
#include "apps/verify_report.hpp"
#include "apps/verify_trace.hpp"
#include "apps/verify_verdict.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/dump.hpp"
#include "verify/campaign.hpp"
#include "verify/comparison.hpp"
#include "verify/coverage.hpp"
#include "verify/emitted_test.hpp"
#include "verify/expectations.hpp"
#include "verify/explorer.hpp"
#include "verify/fault_matrix.hpp"
#include "verify/mutation.hpp"
#include "verify/parity.hpp"
#include "verify/token.hpp"

namespace antiphon {
namespace {

/// Writes the counterexamples as a test, where that was asked for; then as the code says.
ExitCode emit_test(const VerifyArguments& arguments, const Subject& subject, std::vector<verify::Counterexample> found,
                   ExitCode code) {
  if (!arguments.emit_test || code == ExitCode::bad_input) return code;
  const std::string& file = *arguments.emit_test;
  if (found.empty()) {
    fmt::print(stderr, "echo-verify: nothing is violated: '{}' is not written\n", file);
    return code;
  }
  for (verify::Counterexample& one : found) one.replay = replay_command(subject, one.scenario);
  const auto failure = make_file(file, verify::emitted_test(subject.name, arguments.options, found));
  return failure ? refused("--emit-test: " + *failure) : code;
}

ExitCode replay(const VerifyArguments& arguments, const Server& server, const Subject& subject,
                const verify::Expectations& expected) {
  const auto scenario = verify::scenario_of(*arguments.token, subject.name, subject.identity);
  if (!scenario) return refused("--replay: " + scenario.error());
  const verify::Judged judged = verify::run_and_judge(server, *scenario, expected);
  std::vector<verify::Counterexample> found;
  found.reserve(judged.verdict.violations.size());
  for (const verify::Violation& one : judged.verdict.violations) found.push_back({one.clause, *scenario, ""});
  const ExitCode code = print(own_name, report(subject, arguments, *scenario, judged), code_of(judged.verdict.ruling));
  return emit_test(arguments, subject, std::move(found), code);
}

/// The program that is asked for, and what it is held to.
struct Asked {
  explicit Asked(const VerifyArguments& arguments)
      : options(arguments.options),
        name(arguments.program.value_or("stream")),
        server(*program_named(name, options)),
        expected(verify::expectations_of(name, options)) {}

  ProgramOptions options;
  std::string name;
  Server server;
  verify::Expectations expected;
};

Subject subject_of(const Asked& asked, std::string identity) {
  return {asked.name, std::move(identity), limits_as_options(asked.options)};
}

verify::Generation generation_of(const VerifyArguments& arguments, const Asked& asked) {
  return verify::generation_for(asked.expected, arguments.clients, arguments.fault_classes);
}

std::vector<verify::Counterexample> counterexamples(const std::vector<verify::Finding>& findings) {
  std::vector<verify::Counterexample> found;
  found.reserve(findings.size());
  for (const verify::Finding& one : findings) found.push_back({one.violation.clause, one.scenario, ""});
  return found;
}

/// The same program, at another address.
verify::MakeServer maker(const Asked& asked) {
  return [&asked](const Endpoint& at) {
    ProgramOptions options = asked.options;
    options.server.at = at;
    return *program_named(asked.name, options);
  };
}

ExitCode replay_on_the_kernel(const VerifyArguments& arguments, const Asked& asked, const Subject& subject) {
  const auto scenario = verify::scenario_of(*arguments.token, subject.name, subject.identity);
  if (!scenario) return refused("--replay: " + scenario.error());
  verify::Performance performance = verify::perform(maker(asked), *scenario, *arguments.stage);
  verify::Judged judged = verify::judged(std::move(performance.run), asked.expected);
  if (performance.difference) judged.verdict.ruling = verify::Ruling::violated;
  return print(own_name, report(subject, arguments, *scenario, performance, judged), code_of(judged.verdict.ruling));
}

ExitCode check_on_the_kernel(const VerifyArguments& arguments) {
  const Asked asked(arguments);
  const Subject subject = subject_of(asked, identity_of(asked.server));
  if (const auto why_not = verify::why_not(*arguments.stage)) return refused("--on: " + *why_not);
  if (arguments.token) return replay_on_the_kernel(arguments, asked, subject);
  verify::ParityOptions options;
  options.stage = *arguments.stage;
  options.runs = arguments.stage_runs;
  options.seed = arguments.seed;
  options.generation = generation_of(arguments, asked);
  options.expectations = asked.expected;
  options.progress = show_progress;
  const verify::ParityResult result = verify::check_parity(maker(asked), options);
  show_progress("");
  return print(own_name, report(subject, arguments, result), code_of(result.ruling));
}

ExitCode check_properties(const VerifyArguments& arguments) {
  if (arguments.stage) return check_on_the_kernel(arguments);
  const Asked asked(arguments);
  verify::Coverage coverage(asked.server);
  const Subject subject = subject_of(asked, identity_of(coverage.graph()));
  if (const auto failure = arguments.emit_test ? cannot_make(*arguments.emit_test) : std::nullopt) {
    return refused("--emit-test: " + *failure);
  }
  if (arguments.token) return replay(arguments, asked.server, subject, asked.expected);
  verify::CampaignOptions campaign;
  campaign.runs = arguments.runs;
  campaign.seed = arguments.seed;
  campaign.generation = generation_of(arguments, asked);
  campaign.expectations = asked.expected;
  campaign.planted = asked.options;
  campaign.progress = show_progress;
  campaign.each_run = [&](const std::vector<Event>& trace) { coverage.see(trace); };
  const verify::CampaignResult result = verify::campaign(asked.server, campaign);
  show_progress("");
  const ExitCode code = print(own_name, report(subject, arguments, result, coverage), code_of(result.ruling));
  return emit_test(arguments, subject, counterexamples(result.findings), code);
}

/// The scope of `explore` and `compare`. Where clients are counted by address there are two; of two clients one.
void settle_scope(VerifyArguments& arguments) {
  verify::ScopeRequest& scope = arguments.explore.scope;
  scope.faults = arguments.fault_classes;
  scope.addresses = scope.clients > 2 && arguments.options.server.max_per_address != unlimited ? 2 : 1;
}

ExitCode explore(VerifyArguments arguments) {
  settle_scope(arguments);
  const auto scope = verify::scope_of(arguments.explore.scope);
  if (!scope) return refused("--messages: " + scope.error());
  if (const auto failure = arguments.emit_test ? cannot_make(*arguments.emit_test) : std::nullopt) {
    return refused("--emit-test: " + *failure);
  }
  const Asked asked(arguments);
  verify::ExploreOptions options;
  options.order = arguments.explore.order;
  options.reductions = arguments.explore.reductions;
  options.most_memory = arguments.explore.memory_mib << 20U;
  options.threads = arguments.explore.threads;
  options.fresh = [&] { return *program_named(asked.name, asked.options); };
  options.expectations = asked.expected;
  options.runs = arguments.runs;
  options.seed = arguments.seed;
  options.depth = arguments.explore.depth;
  options.progress = show_progress;
  const auto estimate = verify::estimate(asked.server, *scope, options);
  if (estimate) show_progress(estimate_text(*estimate));
  Explored explored{verify::explore(asked.server, *scope, options), {}, {}};
  explored.result.estimate = estimate;
  for (const verify::Discovery& one : explored.result.discoveries) {
    show_progress("shrinking a violation of " + std::string(one.breach.clause.name));
    const Scenario scenario = verify::scenario_of(asked.server, scope->scenario, one.path, one.lap);
    explored.findings.push_back(verify::minimised(asked.server, asked.expected, scenario, one.breach.clause.name));
  }
  options.progress("looking for runs that meet the limits");
  explored.limits = verify::limits_met(asked.server, *scope, options);
  show_progress("");
  const Subject subject = subject_of(asked, identity_of(asked.server));
  const ExitCode code = print(own_name, report(subject, arguments, explored), code_of(explored.result.ruling));
  return emit_test(arguments, subject, counterexamples(explored.findings), code);
}

ExitCode compare(VerifyArguments arguments) {
  settle_scope(arguments);
  const auto scope = verify::scope_of(arguments.explore.scope);
  if (!scope) return refused("--messages: " + scope.error());
  std::vector<Server> servers;
  std::array<Subject, 2> subjects;
  for (std::size_t side = 0; side < subjects.size(); ++side) {
    const std::string& name = arguments.compared.at(side);
    servers.push_back(*program_named(name, arguments.options));
    subjects.at(side) = {name, identity_of(servers[side]), limits_as_options(arguments.options)};
  }
  verify::CompareOptions options;
  options.most_memory = arguments.explore.memory_mib << 20U;
  options.progress = show_progress;
  const verify::Comparison result = verify::compare(servers[0], servers[1], *scope, options);
  show_progress("");
  const auto replayed = [&](std::size_t side, const std::vector<verify::Taken>& path) {
    if (path.empty()) return std::string();
    return replay_command(subjects.at(side), verify::scenario_of(servers[side], scope->scenario, path));
  };
  Replays replays;
  for (std::size_t side = 0; side < subjects.size(); ++side) {
    if (const auto& only = result.only.at(side)) replays.only.at(side) = replayed(side, only->path);
  }
  if (const auto& found = result.distinction) {
    replays.can = replayed(found->who_can, found->can);
    replays.cannot = replayed(1 - found->who_can, found->cannot);
  }
  return print(own_name, report(subjects, arguments, result, replays), code_of(result.ruling));
}

ExitCode check_mutants(const VerifyArguments& arguments) {
  const Asked asked(arguments);
  verify::MutationOptions options;
  options.runs = arguments.mutant_runs;
  options.seed = arguments.seed;
  options.expectations = asked.expected;
  options.progress = show_progress;
  const verify::MutationResult result = verify::mutation_campaign(asked.server, options);
  show_progress("");
  const Subject subject = subject_of(asked, identity_of(asked.server));
  return print(own_name, report(subject, arguments, result), code_of(result.ruling));
}

ExitCode check_faults(const VerifyArguments& arguments) {
  const Asked asked(arguments);
  if (const auto why_not = arguments.stage ? verify::why_not(*arguments.stage) : std::nullopt) {
    return refused("--on: " + *why_not);
  }
  verify::FaultMatrixOptions options;
  options.stage = arguments.stage;
  options.expectations = asked.expected;
  options.progress = show_progress;
  const verify::FaultMatrix result = verify::fault_matrix(maker(asked), options);
  show_progress("");
  const Subject subject = subject_of(asked, identity_of(asked.server));
  return print(own_name, report(subject, arguments, result), code_of(result.ruling));
}

ExitCode obey(const VerifyArguments& arguments) {
  switch (arguments.command) {
    case VerifyCommand::trace:
      return judge_trace(arguments);
    case VerifyCommand::explore:
      return explore(arguments);
    case VerifyCommand::compare:
      return compare(arguments);
    case VerifyCommand::mutants:
      return check_mutants(arguments);
    case VerifyCommand::faults:
      return check_faults(arguments);
    case VerifyCommand::probe:
      return probe(arguments.probe, arguments.as_json);
    case VerifyCommand::properties:
      break;
  }
  return check_properties(arguments);
}

}  // namespace
}  // namespace antiphon

int main(int count, char** values) {
  using namespace antiphon;
  const auto arguments = read_verify_arguments(count, values);
  if (!arguments) return status_of(leave("echo-verify", arguments.error()));
  try {
    return status_of(obey(*arguments));
  } catch (const std::exception& failure) {
    fmt::print(stderr, "echo-verify: {}\n", failure.what());
    return status_of(ExitCode::incomplete);
  }
}
