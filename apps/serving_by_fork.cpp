#include <fmt/format.h>

#include <cstdlib>

#include "apps/serving.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/fork.hpp"

namespace antiphon {

ExitCode serve_by_fork(const ServerArguments& arguments, ServerLog& log, TraceFile* trace) {
  ForkHandler handler;
  const auto when_listening = [&](const Endpoint& bound) {
    if (trace != nullptr) trace->start(header_of(arguments, bound));
    log.listening(bound);
  };
  const auto when_stopping = [&] { note_stopping(log, handler.living_children(), arguments); };
  Watched watched(handler, AcceptorWatch(log, when_listening, when_stopping));

  const Server server = *program_named(arguments.program, arguments.options);
  Result<Unit> result;
  if (trace != nullptr) {
    Recording recording(watched, *trace);
    result = run(server, recording);
    recording.finish(result);
  } else {
    result = run(server, watched);
  }

  if (!handler.in_first_process()) {
    if (!result) log.note(fmt::format("a session ended by an unhandled {}", name_of(result.error())));
    std::_Exit(status_of(result ? ExitCode::holds : ExitCode::violated));
  }
  if (const auto failure = failure_of(log, arguments, result)) return *failure;
  const std::int64_t left = handler.await_children(arguments.options.session.until.drain_ms + grace_ms);
  return farewell(log, handler.failed_children(), left);
}

}  // namespace antiphon
