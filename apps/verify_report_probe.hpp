#pragma once

#include <string>

#include "core/endpoint.hpp"
#include "verify/probe.hpp"

namespace antiphon {

/// What `echo-verify probe` prints. No durations are in it but those of scripts.
std::string probe_report(const Endpoint& at, const verify::ProbeOptions& options, const verify::ProbeResult& result,
                         bool as_json);

}  // namespace antiphon
