#pragma once

#include <cstdint>
#include <optional>

#include "apps/exit_code.hpp"
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
ExitCode serve_by_fork(const ServerArguments& arguments, ServerLog& log, TraceFile* trace, MetricsProcess* metrics);
ExitCode serve_by_loops(const ServerArguments& arguments, ServerLog& log, TraceFile* trace, MetricsProcess* metrics);

// -- What both say -----------------------------------------------------------------------------------------------

/// `run` is drawn at random.
TraceHeader header_of(const ServerArguments& arguments, const Endpoint& bound);
/// For the metrics of a server that starts now.
ServerFacts facts_of(const ServerArguments& arguments);
/// Says once that the metrics are gone, if they are.
void note_dead_metrics(const ServerLog& log, MetricsProcess& metrics);
/// What each worker is held to by itself.
verify::Expectations expectations_of_one(const ServerArguments& arguments);
void note_stopping(const ServerLog& log, std::int64_t connections, const ServerArguments& arguments);
/// How the server ended if its acceptor failed, which is told; none: it was asked to stop.
std::optional<ExitCode> failure_of(const ServerLog& log, const ServerArguments& arguments, const Result<Unit>& result);
/// Once nothing more can happen: how many processes ended by a failure, and how many did not end in time.
ExitCode farewell(const ServerLog& log, std::int64_t failed, std::int64_t left);

}  // namespace antiphon
