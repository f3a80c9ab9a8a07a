#pragma once

#include <string>
#include <vector>

#include "apps/verify_arguments.hpp"
#include "apps/verify_report.hpp"
#include "verify/explorer.hpp"

namespace antiphon {

/// What `echo-verify explore` prints. A violated clause comes with its counterexample, minimised.
std::string report(const Subject& subject, const VerifyArguments& arguments, const verify::Exploration& result,
                   const std::vector<verify::Finding>& findings);

}  // namespace antiphon
