#pragma once

#include <string>
#include <string_view>

#include "apps/exit_code.hpp"
#include "verify/judge.hpp"

/// What the commands of echo-verify share.

namespace antiphon {

inline constexpr std::string_view own_name = "echo-verify";

ExitCode code_of(verify::Ruling ruling);

/// One line on standard error that says why.
ExitCode refused(const std::string& why);

/// How far the work is, on a terminal; nothing where nobody watches. No text: it is over.
void show_progress(const std::string& text);

}  // namespace antiphon
