#include "apps/server_arguments.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/addresses.hpp"
#include "apps/limits.hpp"
#include "apps/sandboxing.hpp"
#include "apps/server_manual.hpp"
#include "interpreters/trace_file.hpp"
#include "interpreters/trace_text.hpp"
#include "interpreters/uring.hpp"

namespace antiphon {

namespace {

constexpr std::int64_t most_spin_us = 1'000'000;
constexpr std::string_view log_format_names[] = {"text", "json"};      // as in LogFormat
constexpr std::string_view sandbox_names[] = {"on", "off", "report"};  // as in SandboxMode
constexpr std::string_view not_for_seed[] = {"--host",         "--port",         "--backlog", "--max-connections",
                                             "--idle-timeout", "--drain-timeout"};
constexpr std::string_view on_violation_names[] = {"log", "abort"};  // as in OnViolation

/// The interpreter that a name stands for.
std::string chosen_interpreter(const std::string& name) {
  constexpr auto option = "--interpreter";
  if (name == "fork" || name == "epoll") return name;
  if (name != "uring" && name != "auto") {
    refuse(option, fmt::format("'{}' is none of fork, epoll, uring, auto", name));
  }
  const auto why_not = why_no_uring();
  if (why_not && name == "uring") refuse(option, fmt::format("this kernel does not run 'uring': {}", *why_not));
  return why_not ? "epoll" : "uring";
}

/// As many event loops as cores that we may run on.
int cores() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

/// What depends on more than one option.
void settle_workers(const CLI::App& app, ServerArguments& arguments) {
  if (arguments.interpreter == "fork") {
    for (const char* name : {"--workers", "--spin"}) {
      if (app.count(name) != 0) refuse(name, "the interpreter 'fork' does not take it");
    }
    arguments.chose_workers = true;
  } else if (app.count("--workers") == 0) {
    // The original is one process that accepts.
    arguments.workers = arguments.program == "seed" ? 1 : cores();
  } else {
    arguments.chose_workers = true;
  }
}

/// What needs another option to mean anything.
void check_companions(const CLI::App& app) {
  for (const auto& [name, needed] : {std::pair("--trace-limit", "--trace"), std::pair("--trace-payload", "--trace"),
                                     std::pair("--on-violation", "--monitor")}) {
    if (app.count(name) != 0 && app.count(needed) == 0) refuse(name, fmt::format("there is no {}", needed));
  }
}

SandboxMode chosen_sandbox(const std::string& name) {
  constexpr auto option = "--sandbox";
  const auto mode = static_cast<SandboxMode>(choice(option, name, sandbox_names));
  if (mode != SandboxMode::on) return mode;
  if (const auto why_not = why_no_sandbox()) refuse(option, *why_not);
  return mode;
}

/// The library that serves them is built without IPv6.
Endpoint address_of_metrics(const std::string& text) {
  constexpr auto option = "--metrics";
  const Endpoint named = host_and_port(option, text, 0);
  const std::vector<std::string> addresses = addresses_of(option, named.host);
  const auto is_v4 = [](const std::string& address) { return address.find(':') == std::string::npos; };
  const auto found = std::ranges::find_if(addresses, is_v4);
  if (found == addresses.end()) refuse(option, fmt::format("'{}': metrics are served over IPv4 only", named.host));
  return {*found, named.port};
}

/// Declares the options; each one that is given is checked and put where it belongs.
void add_options(CLI::App& app, ServerArguments& arguments) {
  ServerOptions& server = arguments.options.server;
  SessionOptions& session = arguments.options.session;
  using Text = const std::string&;
  constexpr std::int64_t most_int = std::numeric_limits<int>::max();

  app.set_help_flag("-h,--help");
  app.set_version_flag("--version", fmt::format("echo-server {}", version));
  add_text(app, "--host", [&](Text host) { server.at.host = host; });
  add_number(app, "--port", server.at.port, 0, 65535);
  add_text(app, "--interpreter", [&](Text name) { arguments.interpreter = chosen_interpreter(name); });
  add_number(app, "--workers", arguments.workers, 1, most_workers);
  add_number(app, "--spin", arguments.spin_us, 0, most_spin_us);
  CLI::Option* const program =
      add_text(app, "--program", [&](Text name) { arguments.program = program_name("--program", name); });
  app.add_flag_callback("--once", [&] { arguments.program = "once"; })->excludes(program)->disable_flag_override();
  add_number(app, "--backlog", server.backlog, 0, most_int);
  add_number(app, "--max-connections", server.max_connections, 1, unlimited - 1);
  add_limit_options(app, arguments.options);
  add_time_limit(app, "--idle-timeout", session.until.wait_ms);
  add_text(app, "--drain-timeout", [&](Text text) { session.until.drain_ms = seconds("--drain-timeout", text); });
  add_text(app, "--trace", [&](Text path) { arguments.trace = path; });
  add_text(app, "--trace-payload", [&](Text what) {
    arguments.trace_payload = static_cast<Payload>(choice("--trace-payload", what, payload_names));
  });
  add_text(app, "--trace-limit", [&](Text text) {
    arguments.most_trace_bytes = size_in_bytes("--trace-limit", text, least_trace_bytes, most_trace_bytes);
  });
  add_text(app, "--metrics", [&](Text at) { arguments.metrics = address_of_metrics(at); });
  app.add_flag_callback("--monitor", [&] { arguments.monitor = true; })->disable_flag_override();
  add_text(app, "--on-violation", [&](Text what) {
    arguments.on_violation = static_cast<OnViolation>(choice("--on-violation", what, on_violation_names));
  });
  add_text(app, "--log-format", [&](Text what) {
    arguments.log_format = static_cast<LogFormat>(choice("--log-format", what, log_format_names));
  });
  add_text(app, "--user", [&](Text name) { arguments.user = user_named("--user", name); });
  add_number(app, "--take-over", arguments.take_over, 1, most_int);
  if (!sandbox_is_default()) arguments.sandbox = SandboxMode::off;
  add_text(app, "--sandbox", [&](Text name) { arguments.sandbox = chosen_sandbox(name); });
}

}  // namespace

std::expected<ServerArguments, Farewell> read_server_arguments(int count, const char* const* values) {
  ServerArguments arguments;
  CLI::App app;
  add_options(app, arguments);
  app.final_callback([&] {
    if (arguments.interpreter.empty()) arguments.interpreter = chosen_interpreter("auto");
    settle_workers(app, arguments);
    check_companions(app);
    arguments.chose_address = app.count("--host") + app.count("--port") != 0 || arguments.program == "seed";
    if (arguments.program == "seed") {
      refuse_for_seed(app, not_for_seed);
      refuse_for_seed(app, limit_options);
      arguments.options.server.at = {"127.0.0.1", 8888};
      arguments.options.session.until = {};
    } else {
      arguments.options.server.at.host = addresses_of("--host", arguments.options.server.at.host).front();
    }
  });
  if (auto farewell = parse("echo-server", app, count, values, std::string(server_manual))) {
    return std::unexpected(*std::move(farewell));
  }
  return arguments;
}

}  // namespace antiphon
