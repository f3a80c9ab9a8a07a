#include <fmt/format.h>

#include <cstdlib>

#include "apps/monitor_process.hpp"
#include "apps/serving.hpp"
#include "apps/told.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/fork.hpp"

namespace antiphon {

namespace {

Result<Unit> run_recorded(const Server& server, Watched<ForkHandler>& watched, TraceSink* sink) {
  if (sink == nullptr) return run(server, watched);
  Recording recording(watched, *sink);
  const Result<Unit> result = run(server, recording);
  recording.finish(result);
  return result;
}

}  // namespace

ExitCode serve_by_fork(const ServerArguments& arguments, ServerLog& log, TraceFile* trace) {
  // The monitor's process comes first: it must not have what the server has.
  Told<MonitorProcess> told;
  if (arguments.monitor) told.monitor.emplace(expectations_of_one(arguments), arguments.on_violation);
  if (trace != nullptr) told.writer.emplace(*trace, arguments.trace_payload);
  TraceSink* const sink = told.sink();
  ForkHandler handler;
  const auto when_listening = [&](const Endpoint& bound) {
    if (trace != nullptr) trace->start(header_of(arguments, bound));
    if (sink != nullptr) sink->flush();
    log.listening(bound);
  };
  const auto when_stopping = [&] { note_stopping(log, handler.living_children(), arguments); };
  Watched watched(handler, AcceptorWatch(log, when_listening, when_stopping));
  const Result<Unit> result = run_recorded(*program_named(arguments.program, arguments.options), watched, sink);

  if (!handler.in_first_process()) {
    if (!result) log.note(fmt::format("a session ended by an unhandled {}", name_of(result.error())));
    std::_Exit(status_of(result ? ExitCode::holds : ExitCode::violated));
  }
  // The exit code of a server that has served and ended by `code`, once the monitor has its verdict.
  const auto conclude = [&](ExitCode code) { return told.monitor ? joined(code, told.monitor->finish()) : code; };
  if (const auto failure = failure_of(log, arguments, result)) {
    return log.has_listened() ? conclude(*failure) : *failure;
  }
  const std::int64_t left = handler.await_children(arguments.options.session.until.drain_ms + grace_ms);
  return conclude(farewell(log, handler.failed_children(), left));
}

}  // namespace antiphon
