#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "apps/arguments.hpp"
#include "apps/log_entry.hpp"
#include "apps/monitoring.hpp"
#include "apps/user.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/event_loop.hpp"
#include "interpreters/trace_text.hpp"

namespace antiphon {

/// Whether the server gives up what its program does not need.
enum class SandboxMode : std::uint8_t {
  on,
  off,
  report  ///< It does not serve, but says what it would need.
};

/// What echo-server was asked to do.
struct ServerArguments {
  std::string program = "stream";
  std::string interpreter;  ///< fork, epoll or uring.
  int workers = 1;          ///< Event loops, each in a thread.
  bool chose_workers = false;
  bool chose_address = false;
  std::int64_t spin_us = adaptive_spin_us;
  ProgramOptions options;            ///< The address is numeric.
  std::optional<std::string> trace;  ///< A path.
  Payload trace_payload = Payload::full;
  std::uint64_t most_trace_bytes = unlimited;
  std::optional<Endpoint> metrics;  ///< Where they are shown; the address is numeric.
  bool monitor = false;             ///< The run is judged while it goes on.
  OnViolation on_violation = OnViolation::log;
  LogFormat log_format = LogFormat::text;
  std::optional<User> user;  ///< Whom to become before clients are served.
  int take_over = 0;         ///< The process whose listeners are taken; 0: nobody's.
  SandboxMode sandbox = SandboxMode::on;
};

/// Reads the command line of echo-server and resolves the host. Errors are one line that names the option.
std::expected<ServerArguments, Farewell> read_server_arguments(int count, const char* const* values);

}  // namespace antiphon
