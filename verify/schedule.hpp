#pragma once

#include <cstdint>

#include "core/programs/server.hpp"
#include "interpreters/scenario.hpp"
#include "verify/judge.hpp"

/// Schedules of one scenario: which of the things that can happen next does.

namespace antiphon::verify {

/// The scenario whose `choices` say each choice of the run, also those that it leaves to turns or to its seed. Its run
/// has the same trace.
Scenario written_out(const Server& server, const Scenario& scenario);

/// The most things that can happen at a time: two ends of each connection, processes, clients.
std::uint32_t most_alternatives(const Scenario& scenario);

/// A scenario that differs in its schedule at most, still has this very violation, and reads more easily: fewer
/// events, or as many and fewer changes between the columns of its table (see verify/table.hpp).
struct Calmer {
  Scenario scenario;
  std::uint64_t runs = 0;  ///< What it took.
};
Calmer calmer(const Server& server, const Scenario& scenario, const Expectations& expectations,
              const Violation& violation);

}  // namespace antiphon::verify
