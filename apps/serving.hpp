#pragma once

#include <cstdint>
#include <optional>

#include "apps/exit_code.hpp"
#include "apps/life.hpp"
#include "apps/metrics_process.hpp"
#include "apps/server_arguments.hpp"
#include "apps/server_log.hpp"
#include "interpreters/trace_file.hpp"
#include "verify/judge.hpp"

/// echo-server, once its arguments are read: the program on the interpreter that was chosen, until it is asked to stop.

namespace antiphon {

/// What a connection may need beyond the drain's deadline to end its process.
inline constexpr std::int64_t grace_ms = 2000;

/// `trace` and `metrics` may be null.
ExitCode serve_by_fork(const ServerArguments& arguments, ServerLog& log, TraceFile* trace, Life& life,
                       MetricsProcess* metrics);
ExitCode serve_by_loops(const ServerArguments& arguments, ServerLog& log, TraceFile* trace, Life& life,
                        MetricsProcess* metrics);

/// What became of the sessions, once nothing more can happen.
struct SessionsReport {
  std::int64_t failed = 0;  ///< Ended by a signal or a failure.
  std::int64_t cut = 0;     ///< The end of the drain came before theirs.
  std::int64_t left = 0;    ///< Did not end in time, even so.
  bool at_once = false;     ///< The server was asked to stop at once.
};

// -- What both say -----------------------------------------------------------------------------------------------

/// `run` is drawn at random.
TraceHeader header_of(const ServerArguments& arguments, const Endpoint& bound);
/// For the metrics of a server that starts now.
ServerFacts facts_of(const ServerArguments& arguments);
/// Says once that the metrics are gone, if they are.
void note_dead_metrics(const ServerLog& log, MetricsProcess& metrics);
/// What each worker is held to by itself.
verify::Expectations expectations_of_one(const ServerArguments& arguments);
/// How the server ended if its acceptor failed, which is told; none: it was asked to stop.
std::optional<ExitCode> failure_of(const ServerLog& log, const ServerArguments& arguments, const Result<Unit>& result);
ExitCode farewell(const ServerLog& log, const SessionsReport& sessions);

}  // namespace antiphon
