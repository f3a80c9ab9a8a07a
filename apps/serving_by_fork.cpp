#include <fmt/format.h>

#include <cstdlib>
#include <optional>

#include "apps/monitor_process.hpp"
#include "apps/serving.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/both_sinks.hpp"
#include "interpreters/fork.hpp"
#include "interpreters/trace_writer.hpp"

namespace antiphon {

namespace {

/// Who is told what the processes do: the trace, the monitor, both or nobody.
class Told {
 public:
  Told(const ServerArguments& arguments, TraceFile* trace) {
    if (arguments.monitor) monitor_.emplace(expectations_of_one(arguments), arguments.on_violation);
    if (trace != nullptr) writer_.emplace(*trace, arguments.trace_payload);
    if (monitor_ && writer_) both_.emplace(*writer_, *monitor_);
  }

  /// Null: nobody.
  TraceSink* sink() {
    if (both_) return &*both_;
    if (writer_) return &*writer_;
    return monitor_ ? &*monitor_ : nullptr;
  }

  /// The exit code of a server that has served and ended by `code`, once the monitor has its verdict.
  ExitCode conclude(ExitCode code) { return monitor_ ? joined(code, monitor_->finish()) : code; }

 private:
  std::optional<MonitorProcess> monitor_;
  std::optional<TraceWriter> writer_;
  std::optional<BothSinks> both_;
};

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
  Told told(arguments, trace);
  ForkHandler handler;
  const auto when_listening = [&](const Endpoint& bound) {
    if (trace != nullptr) trace->start(header_of(arguments, bound));
    if (told.sink() != nullptr) told.sink()->flush();
    log.listening(bound);
  };
  const auto when_stopping = [&] { note_stopping(log, handler.living_children(), arguments); };
  Watched watched(handler, AcceptorWatch(log, when_listening, when_stopping));
  const Result<Unit> result = run_recorded(*program_named(arguments.program, arguments.options), watched, told.sink());

  if (!handler.in_first_process()) {
    if (!result) log.note(fmt::format("a session ended by an unhandled {}", name_of(result.error())));
    std::_Exit(status_of(result ? ExitCode::holds : ExitCode::violated));
  }
  if (const auto failure = failure_of(log, arguments, result)) {
    return log.has_listened() ? told.conclude(*failure) : *failure;
  }
  const std::int64_t left = handler.await_children(arguments.options.session.until.drain_ms + grace_ms);
  return told.conclude(farewell(log, handler.failed_children(), left));
}

}  // namespace antiphon
