#pragma once

#include <string>
#include <string_view>

#include "apps/arguments.hpp"
#include "apps/exit_code.hpp"

namespace antiphon {

/// Writes a program's whole output, and answers the code, or `bad_input` with one line on standard error where the
/// output cannot be written: a verdict that nobody saw is none.
ExitCode print(std::string_view program, const std::string& text, ExitCode code);

/// Says what there is to say instead of running.
ExitCode leave(std::string_view program, const Farewell& farewell);

}  // namespace antiphon
