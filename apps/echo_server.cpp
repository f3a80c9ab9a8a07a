// A TCP echo server: a program of the catalogue, run against the Linux kernel. `echo-server --help` is its manual.
//
// Try: echo-server & printf 'hello\n' | nc -N 127.0.0.1 8888

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>

#include "apps/server_arguments.hpp"
#include "apps/server_log.hpp"
#include "interpreters/fork.hpp"
#include "interpreters/trace_file.hpp"

namespace antiphon {
namespace {

/// What a connection may need beyond the drain's deadline to end its process.
constexpr std::int64_t grace_ms = 2000;

/// The server's end in the first process, with its children still at work.
ExitCode conclude(const Result<Unit>& result, const ServerArguments& arguments, const ServerLog& log,
                  ForkHandler& handler) {
  if (!result && result.error() != Errno::STOPPING) {
    log.totals();
    log.note(fmt::format("ended by an unhandled {}", explained(result.error())));
    return ExitCode::violated;
  }
  const std::int64_t left = handler.await_children(arguments.options.session.until.drain_ms + grace_ms);
  log.totals();
  if (handler.failed_children() != 0) {
    log.note(fmt::format("{} sessions ended by a signal or a failure", handler.failed_children()));
  }
  if (left != 0) {
    log.note(fmt::format("{} connections did not end in time", left));
    return ExitCode::violated;
  }
  log.note("stopped");
  return ExitCode::holds;
}

/// What is opened next must not come to stand where standard output or error are expected.
bool open_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (fcntl(stream, F_GETFD) == -1 && open("/dev/null", O_RDWR) != stream) return false;
  }
  return true;
}

ExitCode serve(const ServerArguments& arguments) {
  const ProgramOptions& options = arguments.options;
  ServerLog log(arguments.interpreter);
  std::unique_ptr<TraceFile> trace;
  if (arguments.trace) {
    auto opened = TraceFile::open(*arguments.trace);
    if (!opened) {
      log.note("--trace: " + opened.error());
      return ExitCode::bad_input;
    }
    trace = *std::move(opened);
  }

  ForkHandler handler;
  const auto when_listening = [&] {
    if (!trace) return;
    trace->start({arguments.program, arguments.interpreter, options.session.until.wait_ms,
                  options.session.until.drain_ms, options.server.max_connections});
  };
  const auto when_stopping = [&] {
    log.note(fmt::format("asked to stop; {} connections may go on for {} s", handler.living_children(),
                         static_cast<double>(options.session.until.drain_ms) / 1000));
  };
  Watched watched(handler, log, when_listening, when_stopping);

  const Server server = *program_named(arguments.program, options);
  Result<Unit> result;
  if (trace) {
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
  if (!log.has_listened()) {
    log.note(fmt::format("cannot serve at {}: {}", text_of(options.server.at), explained(result.error())));
    return ExitCode::bad_input;
  }
  return conclude(result, arguments, log, handler);
}

}  // namespace
}  // namespace antiphon

int main(int count, char** values) {
  using namespace antiphon;
  if (!open_standard_streams()) return status_of(ExitCode::bad_input);
  const auto arguments = read_server_arguments(count, values);
  if (!arguments) {
    const Farewell& farewell = arguments.error();
    std::fputs(farewell.text.c_str(), farewell.code == ExitCode::holds ? stdout : stderr);
    return status_of(farewell.code);
  }
  // A reader of our logs that went away, or a limit on the size of files, must not end the server.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return status_of(serve(*arguments));
  } catch (const std::exception& failure) {
    std::fputs((std::string("echo-server: ") + failure.what() + '\n').c_str(), stderr);
    return status_of(ExitCode::violated);
  }
}
