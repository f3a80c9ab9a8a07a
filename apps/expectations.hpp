#pragma once

#include <string_view>

#include "core/instructions.hpp"
#include "interpreters/trace_text.hpp"
#include "verify/judge.hpp"

namespace antiphon {

/// What a program of the catalogue is held to.
verify::Expectations expectations(std::string_view program, const Deadline& until, std::int64_t max_connections);

/// What a run is held to that its header describes, all workers together, if it is to be of that program.
verify::Expectations expectations_of(const TraceHeader& header, std::string_view program);

}  // namespace antiphon
