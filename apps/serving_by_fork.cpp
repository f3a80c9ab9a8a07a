#include <cstdlib>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "apps/meter.hpp"
#include "apps/monitor_process.hpp"
#include "apps/sandboxing.hpp"
#include "apps/serving.hpp"
#include "apps/told.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/exchange_observer.hpp"
#include "interpreters/fork.hpp"

namespace antiphon {

namespace {

/// A session that finds no memory for what follows ends by that, as by any other failure.
template <class Handler>
Result<Unit> run_whole(const Server& server, Handler& handler, const ForkHandler& processes) {
  try {
    return run(server, handler);
  } catch (const std::bad_alloc&) {
    if (processes.in_first_process()) throw;
    return failed(Errno::NOMEM);
  }
}

Result<Unit> run_recorded(const Server& server, Observed<Watched<ForkHandler>>& observed, const ForkHandler& processes,
                          TraceSink* sink) {
  if (sink == nullptr) return run_whole(server, observed, processes);
  Recording recording(observed, *sink);
  const Result<Unit> result = run_whole(server, recording, processes);
  recording.finish(result);
  return result;
}

}  // namespace

ExitCode serve_by_fork(const ServerArguments& arguments, ServerLog& log, TraceFile* trace, Life& life,
                       MetricsProcess* metrics) {
  // The monitor's process comes first: it must not have what the server has.
  Told<MonitorProcess> told;
  MetricsSlot* const slot = metrics == nullptr ? nullptr : &metrics->board().slot(0);
  if (arguments.monitor) {
    told.monitor.emplace(expectations_of_one(arguments), arguments.on_violation, log, arguments.sandbox, slot,
                         [&] { life.settle_helper(); });
  }
  if (trace != nullptr) told.writer.emplace(*trace, arguments.trace_payload);
  TraceSink* const sink = told.sink();
  const Sandboxing sandbox(arguments, log, life.sends_notices());
  ForkHandler handler(life.adopted(), life.errand());
  std::optional<Meter> meter;
  if (metrics != nullptr) {
    meter.emplace(*slot, Meter::Writers::several, [&] {
      slot->failed_children.store(static_cast<std::uint64_t>(handler.failed_children()), std::memory_order_relaxed);
      note_dead_metrics(log, *metrics);
    });
  }
  WorkerState state;
  const auto when_listening = [&](const Endpoint& bound) {
    if (trace != nullptr) trace->start(header_of(arguments, bound));
    if (sink != nullptr) sink->flush();
    life.settle();
    sandbox.limit_process();
    sandbox.close_server();
    state.bound = bound;
    life.ready(bound);
  };
  const auto when_stopping = [&] {
    state.bound.reset();
    life.stopping(handler.living_children());
  };
  AcceptorWatch watch(log, when_listening, when_stopping);
  watch.count_accepted(state.accepted);
  watch.when_in_session([&] { life.leave(); });
  life.let_tell([&] {
    state.living = handler.living_children();
    state.failed = handler.failed_children();
    return std::vector{state};
  });
  Watched watched(handler, std::move(watch));
  Observed observed(watched, meter ? &*meter : nullptr);
  const Result<Unit> result =
      run_recorded(*program_named(arguments.program, arguments.options), observed, handler, sink);
  observed.finish(result);

  if (!handler.in_first_process()) {
    if (!result) log.session_failure(result.error());
    std::_Exit(status_of(result ? ExitCode::holds : ExitCode::violated));
  }
  // The exit code of a server that has served and ended by `code`, once the monitor has its verdict.
  const auto conclude = [&](ExitCode code) { return told.monitor ? joined(code, told.monitor->finish()) : code; };
  if (const auto failure = failure_of(log, arguments, result)) {
    return log.has_listened() ? conclude(*failure) : *failure;
  }
  const std::int64_t left = handler.await_children(arguments.options.session.until.drain_ms + grace_ms);
  return conclude(farewell(
      log,
      {.failed = handler.failed_children(), .cut = handler.cut(), .left = left, .at_once = handler.stops_at_once()}));
}

}  // namespace antiphon
