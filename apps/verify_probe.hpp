#pragma once

#include "apps/exit_code.hpp"
#include "apps/probe_arguments.hpp"

/// `echo-verify probe`: what it does.

namespace antiphon {

/// Probes the server and prints the report.
ExitCode probe(const ProbeArguments& arguments, bool as_json);

}  // namespace antiphon
