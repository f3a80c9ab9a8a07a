#pragma once

#include <cstdint>
#include <vector>

#include "core/programs/server.hpp"
#include "interpreters/scenario.hpp"
#include "interpreters/world.hpp"

namespace antiphon::verify {

/// A step that was taken, and by how much its amounts fell short.
struct Taken {
  Move move;
  std::vector<std::uint32_t> shortfalls;
};

/// The scenario whose run takes these steps first: its schedule, its faults and its stop say what the way says. `scope`
/// is what the way was found in.
Scenario scenario_of(const Server& server, const Scenario& scope, const std::vector<Taken>& way);

/// The same, and after the way it takes the steps of the lap again and again.
Scenario scenario_of(const Server& server, const Scenario& scope, const std::vector<Taken>& way,
                     const std::vector<Taken>& lap);

}  // namespace antiphon::verify
