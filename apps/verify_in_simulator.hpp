#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "verify/retrace.hpp"

namespace antiphon {

/// What came of looking for a worker's recorded run in the simulator.
struct InSimulator {
  std::uint32_t worker = 0;
  verify::Retraced retraced;
  std::string replay;     ///< The command that runs it again; "" if there is none.
  std::string no_replay;  ///< Why there is none.
};

/// Looks for the runs of the program of that name, one a worker: they share nothing. `servers` are the program as it
/// was made for each of them, with these options. Error: why one cannot be looked for.
std::expected<std::vector<InSimulator>, std::string> look_in_simulator(const std::string& program,
                                                                       const ProgramOptions& options,
                                                                       const std::vector<Server>& servers,
                                                                       const std::vector<ProcessEvent>& record);

}  // namespace antiphon
