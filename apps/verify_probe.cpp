#include "apps/verify_probe.hpp"

#include <fmt/format.h>

#include "apps/output.hpp"
#include "apps/verify_report_probe.hpp"
#include "apps/verify_verdict.hpp"
#include "core/result.hpp"
#include "verify/kernel_clients.hpp"

namespace antiphon {

ExitCode probe(const ProbeArguments& arguments, bool as_json) {
  verify::ProbeOptions options = arguments.options;
  options.progress = show_progress;
  verify::ProbeResult result;
  const Endpoint* at = nullptr;
  for (const Endpoint& one : arguments.at) {
    at = &one;
    result = verify::probe(verify::kernel_clients(one), options);
    if (!result.unreachable) break;
  }
  show_progress("");
  if (result.unreachable) {
    const bool refused = result.unreachable == Errno::CONNREFUSED;
    fmt::print(stderr, "echo-verify: {} {} ({})\n", refused ? "nothing listens at" : "no connection to", text_of(*at),
               name_of(*result.unreachable));
    return ExitCode::bad_input;
  }
  return print(own_name, probe_report(*at, options, result, as_json), code_of(result.ruling));
}

}  // namespace antiphon
