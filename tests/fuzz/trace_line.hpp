#pragma once

#include <string_view>

#include "core/trace.hpp"

namespace antiphon::fuzz {

/// Reads a line in one form only, as `scan_event` does.
using FastReader = bool (*)(std::string_view line, Event& event);

/// What the fast reader takes the other one takes too, and they agree; what was read is written in a form that both
/// read.
void try_line(std::string_view line, FastReader fast);

}  // namespace antiphon::fuzz
