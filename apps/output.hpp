#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apps/arguments.hpp"
#include "apps/exit_code.hpp"

namespace antiphon {

/// Writes a program's whole output, and answers the code, or `bad_input` with one line on standard error where the
/// output cannot be written: a verdict that nobody saw is none.
ExitCode print(std::string_view program, const std::string& text, ExitCode code);

/// Why a new file cannot be made there, in a line, or none. Whoever works long before there is something to write asks
/// first.
std::optional<std::string> cannot_make(const std::string& path);

/// Makes a file that must not be there yet, and writes the text into it. Answers why it could not, or none.
std::optional<std::string> make_file(const std::string& path, const std::string& text);

/// Says what there is to say instead of running.
ExitCode leave(std::string_view program, const Farewell& farewell);

}  // namespace antiphon
