#include "apps/serving.hpp"

#include <fmt/format.h>

#include <ctime>
#include <random>

#include "apps/expectations.hpp"

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
          .run = std::random_device{}()};
}

ServerFacts facts_of(const ServerArguments& arguments) {
  return {.program = arguments.program,
          .interpreter = arguments.interpreter,
          .workers = static_cast<std::size_t>(arguments.workers),
          .monitored = arguments.monitor,
          .started_s = std::time(nullptr)};
}

void note_dead_metrics(const ServerLog& log, MetricsProcess& metrics) {
  if (metrics.has_died()) log.note("the process of the metrics has ended; serving goes on");
}

verify::Expectations expectations_of_one(const ServerArguments& arguments) {
  TraceHeader header = header_of(arguments, arguments.options.server.at);
  header.workers = 1;
  return expectations_of(header, arguments.program);
}

void note_stopping(const ServerLog& log, std::int64_t connections, const ServerArguments& arguments) {
  log.note(fmt::format("asked to stop; {} connections may go on for {} s", connections,
                       static_cast<double>(arguments.options.session.until.drain_ms) / 1000));
}

std::optional<ExitCode> failure_of(const ServerLog& log, const ServerArguments& arguments, const Result<Unit>& result) {
  if (!log.has_listened()) {
    log.note(fmt::format("cannot serve at {}: {}", text_of(arguments.options.server.at), explained(result.error())));
    return ExitCode::bad_input;
  }
  if (result || result.error() == Errno::STOPPING) return std::nullopt;
  log.totals();
  log.note(fmt::format("ended by an unhandled {}", explained(result.error())));
  return ExitCode::violated;
}

ExitCode farewell(const ServerLog& log, std::int64_t failed, std::int64_t left) {
  log.totals();
  if (failed != 0) log.note(fmt::format("{} sessions ended by a signal or a failure", failed));
  if (left != 0) {
    log.note(fmt::format("{} connections did not end in time", left));
    return ExitCode::violated;
  }
  log.note("stopped");
  return ExitCode::holds;
}

}  // namespace antiphon
