#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "core/trace.hpp"
#include "interpreters/trace_text.hpp"

/// One line of a trace, read as any JSON: fields in any order, with any white space. The error is one sentence.

namespace antiphon {

std::expected<TraceHeader, std::string> read_header(std::string_view line);
std::expected<Event, std::string> read_event(std::string_view line);

/// What a first line that is none is told.
inline constexpr const char* no_header = "not a trace: the first line is not a trace's header";

}  // namespace antiphon
