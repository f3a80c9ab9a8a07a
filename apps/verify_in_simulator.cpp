#include "apps/verify_in_simulator.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <utility>
#include <variant>

#include "apps/limits.hpp"
#include "apps/verify_report.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/dump.hpp"
#include "verify/token.hpp"

namespace antiphon {

namespace {

/// Linux takes no longer argument (MAX_ARG_STRLEN), its end included.
constexpr std::size_t longest_argument = std::size_t{1} << 17U;

/// What a command line makes a program from: of these options the limits, all else by default. The seed takes none.
ProgramOptions as_replayed(const std::string& program, const ProgramOptions& options) {
  ProgramOptions made;
  if (program == "seed") return made;
  made.server.max_per_address = options.server.max_per_address;
  made.session.progress_ms = options.session.progress_ms;
  return made;
}

void give_replay(InSimulator& found, const std::string& program, const ProgramOptions& options,
                 const std::vector<ProcessEvent>& record) {
  const verify::Retraced& retraced = found.retraced;
  if (const auto why = verify::beyond_bounds(*retraced.scenario)) {
    found.no_replay = "no token: " + *why;
    return;
  }
  const Server replayed = *program_named(program, options);
  if (!verify::has_run(replayed, *retraced.scenario, retraced.steps, record, verify::Operands::sockets)) {
    found.no_replay =
        "no token: a replay makes the program by default but for the limits, and made so it has another run";
    return;
  }
  std::string command =
      replay_command({program, identity_of(replayed), limits_as_options(options)}, *retraced.scenario);
  if (command.size() >= longest_argument) {
    found.no_replay =
        fmt::format("no token: it has some {} characters, more than an argument may have", command.size());
    return;
  }
  found.replay = std::move(command);
}

/// What one of the workers did, as if it had been alone (interpreters/trace_writer.hpp).
std::vector<ProcessEvent> record_of(std::uint32_t worker, std::uint64_t workers,
                                    const std::vector<ProcessEvent>& record) {
  std::vector<ProcessEvent> own;
  for (const ProcessEvent& event : record) {
    if (event.process % workers != worker) continue;
    ProcessEvent& here = own.emplace_back(event);
    here.process /= workers;
    auto* const issued = std::get_if<Issued>(&here.what);
    if (issued != nullptr && issued->child) *issued->child /= workers;
  }
  return own;
}

}  // namespace

std::expected<std::vector<InSimulator>, std::string> look_in_simulator(const std::string& program,
                                                                       const ProgramOptions& options,
                                                                       const std::vector<Server>& servers,
                                                                       const std::vector<ProcessEvent>& record) {
  std::vector<InSimulator> all;
  const std::uint64_t workers = servers.size();
  for (std::uint32_t worker = 0; worker < workers; ++worker) {
    const auto own = workers == 1 ? record : record_of(worker, workers, record);
    if (own.empty()) continue;
    auto retraced = verify::retrace(servers[worker], own);
    if (!retraced) return std::unexpected(std::move(retraced.error()));
    InSimulator found{worker, *std::move(retraced), {}, {}};
    if (found.retraced.scenario) give_replay(found, program, as_replayed(program, options), own);
    if (auto& parting = found.retraced.parting) parting->at.process = parting->at.process * workers + worker;
    all.push_back(std::move(found));
  }
  return all;
}

}  // namespace antiphon
