#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/programs/server.hpp"
#include "interpreters/scenario.hpp"
#include "verify/judge.hpp"

/// The nearest passing schedule: what else could have happened, and all would have been well.

namespace antiphon::verify {

/// Where a failing run and one that keeps the clause part.
struct Parting {
  Scenario scenario;       ///< The one that keeps the clause: the failing one with another schedule.
  int choices = 1;         ///< In how many choices it differs.
  std::size_t event = 0;   ///< How many events the two runs begin with alike.
  std::string happens;     ///< What comes then in the failing run, as in its table.
  std::string could_have;  ///< What comes then in the other.
};

struct Nearest {
  std::optional<Parting> parting;
  std::uint64_t tried = 0;  ///< How many other schedules were run.
};

/// Looks among the schedules that differ from the failing scenario's in one choice, the latest first, then in two. The
/// number of runs is bounded: none found does not mean that there is none.
Nearest nearest_passing(const Server& server, const Scenario& failing, const Expectations& expectations,
                        std::string_view clause);

}  // namespace antiphon::verify
