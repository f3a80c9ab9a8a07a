#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "interpreters/scenario.hpp"
#include "verify/judge.hpp"
#include "verify/modulo_names.hpp"

/// Whether a recorded run is one of the simulator's: a scenario in which each process issues the same instructions and
/// is answered the same, but for names (verify/modulo_names.hpp). What is explored in simulation is worth something
/// only if what the kernel does is among it.
///
/// The simulated events come in the order of the record as far as they can. Where the record has two processes in an
/// order in which they cannot have been (each writes its lines when it likes to), one waits for the other. Each
/// process's own order is kept, and a child comes after its Fork.

namespace antiphon::verify {

/// Where a record and the simulator part.
struct SimulatorParting {
  ProcessEventName at;
  std::string sentence;  ///< What was recorded, and what the simulated network would do.

  bool operator==(const SimulatorParting&) const = default;
};

/// How large a scope a scenario needs.
struct ScopeNeeded {
  std::size_t clients = 0;
  std::size_t messages = 0;  ///< The most that one client sends.
  std::uint32_t size = 0;    ///< Bytes of the largest.
  std::size_t faults = 0;
  bool stop = false;
};

struct Retraced {
  /// Its run is the recorded one, and goes on where the record ends. None: they part.
  std::optional<Scenario> scenario;
  ScopeNeeded needed;
  std::optional<SimulatorParting> parting;
  std::uint64_t events = 0;    ///< So many of the record's were found again.
  std::uint64_t left_out = 0;  ///< Of processes whose Fork it lacks. (Only where no parting is.)
  std::uint64_t steps = 0;     ///< The scenario's run has them after so many.
  /// The program looked at what a message says, which in the simulation is something else.
  bool has_looked = false;
};

/// Larger records are refused: each step looks through everything that lives.
inline constexpr std::size_t most_retraced_events = 20'000;
inline constexpr std::size_t most_retraced_connections = 1'024;
/// A scenario's buffers hold no more, so no Send or Recv may have carried more at once.
inline constexpr std::uint32_t most_retraced_bytes = 1U << 20U;

/// Where a Fork counts clients by address, the simulated ones have each its own, and who was refused was refused by a
/// fault: a trace does not tell who shares an address. No parting is told at such a Fork.
///
/// Looks for the run of one first process, which runs `server`. Events are in the record's order, each process's
/// numbered from 0 without a gap. Error: why it cannot be looked for.
std::expected<Retraced, std::string> retrace(const Server& server, const std::vector<ProcessEvent>& record);

/// Whether the scenario's first `steps` steps are the recorded run for this server too.
bool has_run(const Server& server, const Scenario& scenario, std::uint64_t steps,
             const std::vector<ProcessEvent>& record, Operands operands);

}  // namespace antiphon::verify
