#pragma once

#include "apps/exit_code.hpp"
#include "apps/verify_arguments.hpp"

namespace antiphon {

/// Judges a server that is not ours by the file that was recorded of it, and prints the verdict.
ExitCode judge_foreign(const VerifyArguments& arguments);

}  // namespace antiphon
