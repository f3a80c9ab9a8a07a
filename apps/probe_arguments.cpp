#include "apps/probe_arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "apps/addresses.hpp"
#include "apps/arguments.hpp"

namespace antiphon {

namespace {

constexpr std::int64_t least_timeout_ms = 5'000;
constexpr std::int64_t most_timeout_ms = 3'600'000;
constexpr std::int64_t most_random_runs = 1'000;
/// So much of the time a client waits in silence, at least a tenth of a second.
constexpr std::int64_t waits_in_time = 20;

}  // namespace

void add_probe_options(CLI::App& command, ProbeArguments& arguments, bool& as_json) {
  verify::ProbeOptions& options = arguments.options;
  using Text = const std::string&;
  command.add_option("HOST:PORT", arguments.target)->required();
  command.add_flag_callback("--once", [&] { options.expected.answers = verify::Answers::first_message; });
  command.add_flag("--allow-remote", arguments.allow_remote);
  command.add_flag_callback("--json", [&] { as_json = true; });
  add_number(command, "--runs", options.runs, 0, most_random_runs);
  add_number(command, "--seed", options.seed, 0, most_seed);
  add_text(command, "--timeout", [&](Text text) {
    options.timeout_ms = seconds("--timeout", text);
    if (options.timeout_ms < least_timeout_ms || options.timeout_ms > most_timeout_ms) {
      refuse("--timeout", fmt::format("'{}' is not a number of seconds from 5 to 3600", text));
    }
  });
  add_text(command, "--expect-idle-timeout", [&](Text text) {
    options.expected.idle_timeout_ms = seconds("--expect-idle-timeout", text);
    if (options.expected.idle_timeout_ms == 0) refuse("--expect-idle-timeout", "0 seconds are no time to be idle in");
  });
}

void settle(ProbeArguments& arguments) {
  const std::string target = "HOST:PORT";
  const Endpoint given = host_and_port(target, arguments.target);
  std::vector<std::string> addresses = addresses_of(target, given.host);
  if (!arguments.allow_remote) {
    std::erase_if(addresses, [](const std::string& address) { return !is_loopback(address); });
    if (addresses.empty()) {
      refuse(target, fmt::format("'{}' is not on this host: --allow-remote lets the probe go there", given.host));
    }
  }
  for (const std::string& address : addresses) arguments.at.push_back({address, given.port});
  verify::PromiseOptions& expected = arguments.options.expected;
  if (expected.idle_timeout_ms && 2 * *expected.idle_timeout_ms > arguments.options.timeout_ms) {
    refuse("--expect-idle-timeout", "it is more than half of --timeout");
  }
  expected.patience_ms = arguments.options.timeout_ms / waits_in_time;
}

}  // namespace antiphon
