#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "interpreters/bad_input.hpp"
#include "verify/judge.hpp"

/// What the fuzz targets share. A target is one file that defines `try_input`; where it does not get what it demands
/// the process ends, which the fuzzer takes for a crash.

namespace antiphon::fuzz {

/// Each target's own: must come back from whatever it is given.
void try_input(std::string_view input);

/// Ends the process, unless the condition holds: `what` did not.
void demand(bool condition, std::string_view what);
[[noreturn]] void give_up(std::string_view what);

/// A complaint is one line that a person can read.
void demand_one_line(std::string_view complaint);
/// The same of bad input, and that it points into the text.
void demand_place_in(std::string_view text, const BadInput& bad);
/// Violated by violations and by nothing else; and incomplete for a reason.
void demand_sound(const verify::Verdict& verdict);
/// The same, of two verdicts on the same run.
void demand_same(const verify::Verdict& one, const verify::Verdict& other);

/// A file that has the content, for readers that open their file by its path. There is one at a time.
const std::string& file_of(std::string_view content);

}  // namespace antiphon::fuzz
