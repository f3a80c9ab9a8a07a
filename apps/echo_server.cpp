// A TCP echo server: a program of the catalogue, run against the Linux kernel. `echo-server --help` is its manual.
//
// Try: echo-server & printf 'hello\n' | nc -N 127.0.0.1 8888

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "apps/life.hpp"
#include "apps/metrics_process.hpp"
#include "apps/output.hpp"
#include "apps/sandboxing.hpp"
#include "apps/server_arguments.hpp"
#include "apps/server_log.hpp"
#include "apps/serving.hpp"
#include "interpreters/trace_file.hpp"

namespace antiphon {
namespace {

/// What is opened next must not come to stand where standard output or error are expected.
bool open_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (fcntl(stream, F_GETFD) == -1 && open("/dev/null", O_RDWR) != stream) return false;
  }
  return true;
}

ExitCode serve(ServerArguments arguments) {
  if (arguments.sandbox == SandboxMode::report) {
    return print("echo-server", sandbox_report(arguments), ExitCode::holds);
  }
  ServerLog log(arguments.interpreter, arguments.log_format);
  Life life(arguments, log);
  if (const auto why = life.inherit(arguments)) {
    log.not_started(*why);
    return ExitCode::bad_input;
  }
  std::unique_ptr<TraceFile> trace;
  if (arguments.trace) {
    auto opened = TraceFile::open(*arguments.trace, arguments.most_trace_bytes, [&](const std::string& line) {
      log.tell({.level = LogLevel::error, .event = "trace", .message = line});
    });
    if (!opened) {
      log.not_started("--trace: " + opened.error());
      return ExitCode::bad_input;
    }
    trace = *std::move(opened);
    life.let_reopen(*trace);
  }
  // Its process must not have what the server has.
  std::unique_ptr<MetricsProcess> metrics;
  if (arguments.metrics) {
    const std::optional<sandbox::Sandbox> closed = metrics_sandbox(arguments);
    auto started = MetricsProcess::start(*arguments.metrics, facts_of(arguments), closed ? &*closed : nullptr,
                                         [&] { life.settle_helper(); });
    if (!started) {
      log.not_started("--metrics: " + started.error());
      return ExitCode::bad_input;
    }
    metrics = *std::move(started);
    log.note("metrics on " + metrics->at());
  }
  try {
    return arguments.interpreter == "fork" ? serve_by_fork(arguments, log, trace.get(), life, metrics.get())
                                           : serve_by_loops(arguments, log, trace.get(), life, metrics.get());
  } catch (const std::exception& failure) {
    if (!log.has_listened()) {
      log.not_started(failure.what());
      return ExitCode::bad_input;
    }
    log.tell({.level = LogLevel::error, .event = "failed", .message = failure.what()});
    return ExitCode::violated;
  }
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
    return status_of(ExitCode::bad_input);
  }
}
