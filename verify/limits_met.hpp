#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/programs/server.hpp"
#include "verify/explorer.hpp"

/// Whether a scope has runs in which a limit of the program takes effect. Where none has, an exploration says nothing
/// of the limit.

namespace antiphon::verify {

enum class Meeting : std::uint8_t {
  met,      ///< There is such a run.
  never,    ///< There is none: the scope was explored.
  not_seen  ///< It is not known.
};

struct LimitMet {
  std::string_view what;  ///< What happens then.
  Meeting meeting = Meeting::not_seen;
};

/// For the progress limit and that by address, as far as the program is held to them. It takes a search of its own,
/// which ends once all was seen, or little memory is full.
std::vector<LimitMet> limits_met(const Server& server, const Scope& scope, const ExploreOptions& options);

std::string_view name_of(Meeting meeting);

}  // namespace antiphon::verify
