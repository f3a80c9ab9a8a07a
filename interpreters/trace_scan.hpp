#pragma once

#include <string_view>

#include "core/trace.hpp"

namespace antiphon {

/// Reads an event's line that is, byte for byte, as `event_line` writes it; that is most of them, and this is fast.
/// False: it may be in another form (see interpreters/trace_json.hpp), and `event` is whatever it is.
bool scan_event(std::string_view line, Event& event);

}  // namespace antiphon
