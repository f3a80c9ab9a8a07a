#pragma once

#include <string_view>

#include "core/programs/catalogue.hpp"
#include "interpreters/trace_text.hpp"
#include "verify/judge.hpp"

namespace antiphon {

/// What a program of the catalogue is held to that is made from these.
verify::Expectations expectations(std::string_view program, const ProgramOptions& options);

/// What the first program was made from whose run has this header.
ProgramOptions options_of(const TraceHeader& header);

/// What a run is held to that its header describes, all workers together, if it is to be of that program.
verify::Expectations expectations_of(const TraceHeader& header, std::string_view program);

}  // namespace antiphon
