#include "apps/serving.hpp"

#include <fmt/format.h>

#include <ctime>
#include <random>

#include "verify/expectations.hpp"

namespace antiphon {

TraceHeader header_of(const ServerArguments& arguments, const Endpoint& bound) {
  const ProgramOptions& options = arguments.options;
  return {.program = arguments.program,
          .interpreter = arguments.interpreter,
          .idle_ms = options.session.until.wait_ms,
          .drain_ms = options.session.until.drain_ms,
          .max_connections = options.server.max_connections,
          .at = options.server.at,
          .bound = bound,
          .backlog = options.server.backlog,
          .at_most = options.session.at_most,
          .workers = static_cast<std::uint32_t>(arguments.workers),
          .run = std::random_device{}(),
          .max_per_address = options.server.max_per_address,
          .progress_ms = options.session.progress_ms};
}

ServerFacts facts_of(const ServerArguments& arguments) {
  return {.program = arguments.program,
          .interpreter = arguments.interpreter,
          .workers = static_cast<std::size_t>(arguments.workers),
          .monitored = arguments.monitor,
          .started_s = std::time(nullptr)};
}

void note_dead_metrics(const ServerLog& log, MetricsProcess& metrics) {
  if (metrics.has_died()) log.warn("the process of the metrics has ended; serving goes on");
}

verify::Expectations expectations_of_one(const ServerArguments& arguments) {
  TraceHeader header = header_of(arguments, arguments.options.server.at);
  header.workers = 1;
  return verify::expectations_of(header, arguments.program);
}

std::optional<ExitCode> failure_of(const ServerLog& log, const ServerArguments& arguments, const Result<Unit>& result) {
  if (!log.has_listened()) {
    log.tell({.level = LogLevel::error,
              .event = "not_started",
              .message = fmt::format("cannot serve at {}: {}", text_of(arguments.options.server.at),
                                     explained(result.error())),
              .fields = {{"errno", std::string(name_of(result.error()))}}});
    return ExitCode::bad_input;
  }
  if (result || result.error() == Errno::STOPPING) return std::nullopt;
  log.totals();
  log.tell({.level = LogLevel::error,
            .event = "failed",
            .message = fmt::format("ended by an unhandled {}", explained(result.error())),
            .fields = {{"errno", std::string(name_of(result.error()))}}});
  return ExitCode::violated;
}

ExitCode farewell(const ServerLog& log, const SessionsReport& sessions) {
  const auto tell = [&](LogLevel level, std::string_view event, fmt::format_string<std::int64_t&> message,
                        std::int64_t count) {
    if_memory_allows([&] {
      log.tell({.level = level, .event = event, .message = fmt::format(message, count), .fields = {{"count", count}}});
    });
  };
  log.totals();
  if (sessions.failed != 0) {
    tell(LogLevel::error, "sessions_failed", "{} sessions ended by a signal or a failure", sessions.failed);
  }
  if (sessions.at_once) {
    tell(LogLevel::error, "stopped_at_once", "asked again, and stopped at once; {} connections were cut", sessions.cut);
    return ExitCode::violated;
  }
  if (sessions.cut != 0) {
    tell(LogLevel::warning, "cut", "{} connections were cut at the end of the drain", sessions.cut);
  }
  if (sessions.left != 0) {
    tell(LogLevel::error, "left", "{} connections did not end in time", sessions.left);
    return ExitCode::violated;
  }
  log.tell({.event = "stopped", .message = "stopped"});
  return ExitCode::holds;
}

}  // namespace antiphon
