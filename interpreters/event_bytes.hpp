#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/trace.hpp"

/// A compact form of processes' events, for processes of one run of one program to tell each other. Of messages that
/// are longer than 256 bytes it has the digests. It has no version and is not for files: `trace_text.hpp` has the form
/// that lasts.

namespace antiphon {

/// Appends the event.
void append_bytes(std::string& bytes, const ProcessEvent& event);

/// Takes the event off that `bytes` begin with; none if they begin with no whole event.
std::optional<ProcessEvent> take_event(std::string_view& bytes);

}  // namespace antiphon
