#pragma once

#include "apps/exit_code.hpp"
#include "apps/verify_arguments.hpp"

namespace antiphon {

/// `echo-verify trace`: judges what a recorded run did, and whether it is a run of the program that is named.
ExitCode judge_trace(const VerifyArguments& arguments);

}  // namespace antiphon
