#pragma once

#include <expected>
#include <string>
#include <vector>

#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "verify/retrace.hpp"

namespace antiphon {

/// What came of looking for a recorded run in the simulator.
struct InSimulator {
  verify::Retraced retraced;
  std::string replay;     ///< The command that runs it again; "" if there is none.
  std::string no_replay;  ///< Why there is none.
};

/// Looks for a run of the program of that name. `server` is the program as it was made for the run. Error: why it
/// cannot be looked for.
std::expected<InSimulator, std::string> look_in_simulator(const std::string& program, const Server& server,
                                                          const std::vector<ProcessEvent>& record);

}  // namespace antiphon
