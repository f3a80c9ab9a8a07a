#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "interpreters/scenario.hpp"

/// Replay tokens: a scenario in one word, bound to the program it was found with.

namespace antiphon::verify {

/// Why the scenario's token is refused, or none: one that no campaign draws could take all memory or all time.
std::optional<std::string> beyond_bounds(const Scenario& scenario);

/// "a1-PROGRAM-IDENTITY-SCENARIO-CHECK": the version, the program's name, the first digits of its identity, the
/// scenario, and a checksum of all that. No spaces.
std::string token_of(const Scenario& scenario, std::string_view program, std::string_view identity);

/// The scenario of a token. The error says what does not match: garbled, another version, another program.
std::expected<Scenario, std::string> scenario_of(std::string_view token, std::string_view program,
                                                 std::string_view identity);

}  // namespace antiphon::verify
