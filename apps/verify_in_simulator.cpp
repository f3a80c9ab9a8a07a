#include "apps/verify_in_simulator.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <utility>
#include <variant>

#include "apps/verify_report.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/dump.hpp"
#include "verify/token.hpp"

namespace antiphon {

namespace {

/// Linux takes no longer argument (MAX_ARG_STRLEN), its end included.
constexpr std::size_t longest_argument = std::size_t{1} << 17U;

/// The token is replayed with the program as it is made by default.
void give_replay(InSimulator& found, const std::string& program, const std::vector<ProcessEvent>& record) {
  const verify::Retraced& retraced = found.retraced;
  if (const auto why = verify::beyond_bounds(*retraced.scenario)) {
    found.no_replay = "no token: " + *why;
    return;
  }
  const Server by_default = *program_named(program);
  if (!verify::has_run(by_default, *retraced.scenario, retraced.steps, record, verify::Operands::sockets)) {
    found.no_replay = "no token: a replay makes the program by default, and made so it has another run";
    return;
  }
  std::string command = replay_command({program, identity_of(by_default)}, *retraced.scenario);
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
    if (found.retraced.scenario) give_replay(found, program, own);
    if (auto& parting = found.retraced.parting) parting->at.process = parting->at.process * workers + worker;
    all.push_back(std::move(found));
  }
  return all;
}

}  // namespace antiphon
