#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/trace_text.hpp"
#include "verify/generate.hpp"
#include "verify/judge.hpp"

/// What the programs of the catalogue are made from, what they are held to then, and in which scenarios.

namespace antiphon::verify {

/// What a program of the catalogue is held to that is made from these.
Expectations expectations_of(std::string_view program, const ProgramOptions& options);

/// What the first program was made from whose run has this header.
ProgramOptions options_of(const TraceHeader& header);

/// What a run is held to that its header describes, all workers together, if it is to be of that program.
Expectations expectations_of(const TraceHeader& header, std::string_view program);

/// Scenarios in which these expectations matter: with a limit by address clients are at up to two of them, and with a
/// progress limit some of them let their buffers fill.
Generation generation_for(const Expectations& expectations, std::uint32_t most_clients, std::vector<bool> faults);

}  // namespace antiphon::verify
