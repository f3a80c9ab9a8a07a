#include "apps/verify_in_simulator.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <utility>

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

}  // namespace

std::expected<InSimulator, std::string> look_in_simulator(const std::string& program, const Server& server,
                                                          const std::vector<ProcessEvent>& record) {
  auto retraced = verify::retrace(server, record);
  if (!retraced) return std::unexpected(std::move(retraced.error()));
  InSimulator found{*std::move(retraced), {}, {}};
  if (found.retraced.scenario) give_replay(found, program, record);
  return found;
}

}  // namespace antiphon
