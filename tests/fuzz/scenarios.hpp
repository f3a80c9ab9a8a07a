#pragma once

#include <string_view>

#include "interpreters/scenario.hpp"

namespace antiphon::fuzz {

/// Any bytes as a scenario that a campaign could draw: few clients, and faults that a server must live with. A small
/// change of the bytes is a small change of the scenario.
Scenario scenario_from(std::string_view bytes);

}  // namespace antiphon::fuzz
