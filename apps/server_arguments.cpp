#include "apps/server_arguments.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "apps/addresses.hpp"
#include "interpreters/trace_file.hpp"
#include "interpreters/trace_text.hpp"
#include "interpreters/uring.hpp"

namespace antiphon {

namespace {

constexpr std::int64_t most_spin_us = 1'000'000;
constexpr std::string_view on_violation_names[] = {"log", "abort"};  // as in OnViolation

constexpr std::string_view manual = R"(echo-server - a TCP echo server: one program value, run against the Linux kernel

USAGE
  echo-server [OPTIONS]

  Sends back to each client what it receives, until the client ends its side. The first line on standard output is
  `listening on ADDR:PORT (interpreter NAME)`, once clients can connect. Logs go to standard error.

OPTIONS
  --host ADDR             The address to serve at, or a name that resolves to one. Default 127.0.0.1.
  --port N                The port; 0 takes any free one. Default 8888.
  --interpreter NAME      What gives the program its meaning. Default auto.
                            fork   a process for each connection, blocking calls
                            epoll  event loops on epoll(7)
                            uring  event loops on io_uring(7)
                            auto   uring, or epoll where the kernel lacks or forbids io_uring
  --workers N             Event loops, each in a thread of its own with a listener of its own (SO_REUSEPORT).
                          Default: one for each core.
  --spin US               Event loops poll for that long before they sleep, while events come soon and one by one;
                          0: never. Default: up to 100, as long as it pays.
  --program NAME          The server to run. Default stream.
                            stream  echoes until the client ends its side
                            once    answers the first message and ends the connection
                            seed    the original echo server with all its defects, always at 127.0.0.1:8888
  --once                  The same as --program once.
  --backlog N             How many clients may wait to be accepted; the kernel's own limit holds too. Default 4096.
  --max-connections N     How many clients are served at one time; others are refused. Default: no limit.
  --idle-timeout S        Seconds that a client may keep its connection without sending or reading; 0: no limit.
                          Default 60.
  --drain-timeout S       Seconds that connections may go on after the server was asked to stop. Default 5.
  --trace FILE            Write what every process of every worker does to FILE, as JSON Lines, for
                          `echo-verify trace FILE`. Each writes its latest when a client comes or goes, and whenever
                          64 KiB are together. Who is killed loses what it has not written, and no more.
  --trace-payload WHAT    full: the trace has the messages. digest: it has their sizes and CRC-64, taken where each Recv
                          and each Send ends, so that it still decides whether they came back. Default full.
  --trace-limit SIZE      Keep the trace within SIZE, from 64K on (100M, 2G): when FILE has half of it, it becomes
                          FILE.1, in place of an older one, and FILE begins anew. An old FILE.1 is removed at the
                          start. For a verdict on a run that passed SIZE, use --monitor.
  --monitor               Judge the run while it goes on, as `echo-verify trace` judges a trace: by each worker in its
                          own thread; with `fork` in a process of its own, which hears of a session when that ends or
                          has 32 KiB of news. The last line on standard error is the verdict: `monitor: holds: N events,
                          M connections`, or `violated`, or `incomplete`, and why.
  --on-violation WHAT     With --monitor, at the first violation of each clause: log (a line on standard error) or
                          abort (the line, and the server ends at once with status 1). Default log.
  --version               Print the version and exit.
  -h, --help              Print this page and exit.

SIGNALS
  SIGTERM and SIGINT end the server: it accepts no more, lets the connections finish for the drain timeout, and exits.

EXIT STATUS
  0  ran until it was asked to stop; with --monitor: and all contracts hold
  1  failed while it ran, or a connection did not end in time, or the monitor saw a violation
  2  did not start: wrong usage, an address that it cannot serve at, a file that it cannot write
  3  ran well, and the monitor did not see all that it needs for a verdict

EXAMPLES
  echo-server                                   then, elsewhere: printf 'hello\n' | nc -N 127.0.0.1 8888
  echo-server --host ::1 --port 0               any free port, IPv6
  echo-server --interpreter epoll --workers 1   one event loop
  echo-server --once                            then: telnet 127.0.0.1 8888
  echo-server --trace t.jsonl --idle-timeout 0  then: echo-verify trace t.jsonl
  echo-server --monitor --on-violation abort    a server that ends before it does wrong twice
)";

/// The interpreter that a name stands for.
std::string chosen_interpreter(const std::string& name) {
  constexpr auto option = "--interpreter";
  if (name == "fork" || name == "epoll") return name;
  if (name != "uring" && name != "auto") {
    refuse(option, fmt::format("'{}' is none of fork, epoll, uring, auto", name));
  }
  const auto why_not = why_no_uring();
  if (why_not && name == "uring") refuse(option, fmt::format("this kernel does not run 'uring': {}", *why_not));
  return why_not ? "epoll" : "uring";
}

/// As many event loops as cores that we may run on.
int cores() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

/// What depends on more than one option.
void settle_workers(const CLI::App& app, ServerArguments& arguments) {
  if (arguments.interpreter == "fork") {
    for (const char* name : {"--workers", "--spin"}) {
      if (app.count(name) != 0) refuse(name, "the interpreter 'fork' does not take it");
    }
  } else if (app.count("--workers") == 0) {
    // The original is one process that accepts.
    arguments.workers = arguments.program == "seed" ? 1 : cores();
  }
}

/// What needs another option to mean anything.
void check_companions(const CLI::App& app) {
  for (const auto& [name, needed] : {std::pair("--trace-limit", "--trace"), std::pair("--trace-payload", "--trace"),
                                     std::pair("--on-violation", "--monitor")}) {
    if (app.count(name) != 0 && app.count(needed) == 0) refuse(name, fmt::format("there is no {}", needed));
  }
}

/// The seed takes nothing from outside; who sets something for it would be misled.
void check_seed(const CLI::App& app) {
  for (const char* name : {"--host", "--port", "--backlog", "--max-connections", "--idle-timeout", "--drain-timeout"}) {
    if (app.count(name) != 0) refuse(name, "the program 'seed' does not take it");
  }
}

/// Declares the options; each one that is given is checked and put where it belongs.
void add_options(CLI::App& app, ServerArguments& arguments) {
  ServerOptions& server = arguments.options.server;
  Deadline& until = arguments.options.session.until;
  using Text = const std::string&;
  constexpr std::int64_t most_int = std::numeric_limits<int>::max();

  app.set_help_flag("-h,--help");
  app.set_version_flag("--version", fmt::format("echo-server {}", version));
  add_text(app, "--host", [&](Text host) { server.at.host = host; });
  add_number(app, "--port", server.at.port, 0, 65535);
  add_text(app, "--interpreter", [&](Text name) { arguments.interpreter = chosen_interpreter(name); });
  add_number(app, "--workers", arguments.workers, 1, most_workers);
  add_number(app, "--spin", arguments.spin_us, 0, most_spin_us);
  CLI::Option* const program =
      add_text(app, "--program", [&](Text name) { arguments.program = program_name("--program", name); });
  app.add_flag_callback("--once", [&] { arguments.program = "once"; })->excludes(program)->disable_flag_override();
  add_number(app, "--backlog", server.backlog, 0, most_int);
  add_number(app, "--max-connections", server.max_connections, 1, unlimited - 1);
  add_text(app, "--idle-timeout", [&](Text text) {
    const std::int64_t limit = seconds("--idle-timeout", text);
    until.wait_ms = limit == 0 ? forever_ms : limit;
  });
  add_text(app, "--drain-timeout", [&](Text text) { until.drain_ms = seconds("--drain-timeout", text); });
  add_text(app, "--trace", [&](Text path) { arguments.trace = path; });
  add_text(app, "--trace-payload", [&](Text what) {
    arguments.trace_payload = static_cast<Payload>(choice("--trace-payload", what, payload_names));
  });
  add_text(app, "--trace-limit", [&](Text text) {
    arguments.most_trace_bytes = size_in_bytes("--trace-limit", text, least_trace_bytes, most_trace_bytes);
  });
  app.add_flag_callback("--monitor", [&] { arguments.monitor = true; })->disable_flag_override();
  add_text(app, "--on-violation", [&](Text what) {
    arguments.on_violation = static_cast<OnViolation>(choice("--on-violation", what, on_violation_names));
  });
}

}  // namespace

std::expected<ServerArguments, Farewell> read_server_arguments(int count, const char* const* values) {
  ServerArguments arguments;
  CLI::App app;
  add_options(app, arguments);
  app.final_callback([&] {
    if (arguments.interpreter.empty()) arguments.interpreter = chosen_interpreter("auto");
    settle_workers(app, arguments);
    check_companions(app);
    if (arguments.program == "seed") {
      check_seed(app);
      arguments.options.server.at = {"127.0.0.1", 8888};
      arguments.options.session.until = {};
    } else {
      arguments.options.server.at.host = addresses_of("--host", arguments.options.server.at.host).front();
    }
  });
  if (auto farewell = parse("echo-server", app, count, values, std::string(manual))) {
    return std::unexpected(*std::move(farewell));
  }
  return arguments;
}

}  // namespace antiphon
