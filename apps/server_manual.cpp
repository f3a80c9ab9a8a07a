#include "apps/server_manual.hpp"

namespace antiphon {

const std::string_view server_manual =
    R"(echo-server - a TCP echo server: one program value, run against the Linux kernel

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
  --max-per-address N     The same for clients at one address, all workers together; of an IPv6 address the first 64
                          bits count. Behind a proxy all clients are at its address. Default: no limit.
  --idle-timeout S        Seconds that a client may keep its connection without sending or reading; 0: no limit.
                          Default 60.
  --progress-timeout S    Seconds in which a client takes all that answers what was received of it at a time (up to 16
                          KiB), however little it takes at once; after that its connection is given up; 0: no limit.
                          Default 0.
  --drain-timeout S       Seconds that connections may go on after the server was asked to stop. Default 5.
  --trace FILE            Write what every process of every worker does to FILE, as JSON Lines, for
                          `echo-verify trace FILE`. Each writes its latest when a client comes or goes, and whenever
                          64 KiB are together. Who is killed loses what it has not written, and no more. What stood in
                          FILE goes when the server listens; one that another server has begun with is refused.
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
  --metrics HOST:PORT     Show counters at http://HOST:PORT/metrics as Prometheus reads them: connections, bytes,
                          instructions by what they answered, latencies, with --monitor its verdict. A process of its
                          own serves them, to whoever asks: choose a HOST that only operators reach. A line says
                          where: `metrics on ADDR:PORT`. Port 0 takes any free one.
  --log-format FORMAT     text: sentences. json: an object a line, with the members time, level, event, origin, message
                          and fields. Of failures of one kind the first is told at once, further ones at most once a
                          second with their count. No line has what clients send. Wrong usage is told as text. Default
                          text.
  --user NAME[:GROUP]     Become that user, with its groups or with GROUP alone, once the server listens and before it
                          accepts anybody; for a port that only root may bind. It ends if there were a way back.
  --take-over PID         Follow the server PID without refusing anybody: take part in its listeners, and ask it to stop
                          last, once nothing here can fail any more. It drains; who waits to be accepted is served by
                          one of the two. The address and the least number of workers are those of PID's listeners. It
                          takes the same user and the right to trace PID, or root. Give it another --trace FILE, and
                          another address for --metrics.
  --sandbox on|off|report Once it listens, give up all that the program cannot ask for any more: system calls (a process
                          that makes another one is ended by SIGSYS), operations of io_uring, files, ports,
                          capabilities. on: the default; a line tells what the kernel lacks. report: do not serve, but
                          print what the program needs and why. Default in a build with a sanitizer: off.
  --version               Print the version and exit.
  -h, --help              Print this page and exit.

SIGNALS
  SIGTERM, SIGINT  End the server: it accepts no more, lets the connections finish for the drain timeout, says how many
                   it cut, and exits. The second one ends it at once: what is left is cut, and the exit status is 1.
  SIGHUP           Go on in a new --trace FILE: for who moved FILE away. Both are parts of one trace, for `echo-verify
                   trace OLD NEW`, and no event is lost. A FILE that has content already is left alone.
  SIGUSR1          Tell the state to the log: for how long it is up, where each worker listens, how many connections it
                   has and has accepted, which failures there were.
  Send them to the first process. Those of its sessions (with `fork`) heed SIGTERM and SIGINT, for themselves.

ENVIRONMENT
  LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES
                   Listening sockets that a service manager passes (sd_listen_fds(3)). The server serves on them, at
                   their address unless --host or --port choose one of theirs, with a worker for each at least.
  NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID
                   Where a service manager is told that the server is ready, reloads, stops, is alive (sd_notify(3)).

EXIT STATUS
  0  ran until it was asked to stop; with --monitor: and all contracts hold
  1  failed while it ran, was stopped at once, had a connection that did not end in time, or a violation for its monitor
  2  did not start: wrong usage, an address that it cannot serve at, a file that it cannot write
  3  ran well, and the monitor did not see all that it needs for a verdict

EXAMPLES
  echo-server                                   then, elsewhere: printf 'hello\n' | nc -N 127.0.0.1 8888
  echo-server --host ::1 --port 0               any free port, IPv6
  echo-server --interpreter epoll --workers 1   one event loop
  echo-server --once                            then: telnet 127.0.0.1 8888
  echo-server --trace t.jsonl --idle-timeout 0  then: echo-verify trace t.jsonl
  echo-server --metrics 127.0.0.1:9464          then: curl http://127.0.0.1:9464/metrics
  echo-server --monitor --on-violation abort    a server that ends before it does wrong twice
  echo-server --port 7 --user nobody            started by root; then, for the next version of it:
  echo-server --take-over 4242 --user nobody
)";

}  // namespace antiphon
