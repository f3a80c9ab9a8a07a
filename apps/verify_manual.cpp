#include "apps/verify_manual.hpp"

#include <fmt/format.h>

#include <string_view>

#include "verify/generate.hpp"

namespace antiphon {

namespace {

constexpr std::string_view manual =
    R"(echo-verify - checks what an echo server does against the contracts that it must keep

USAGE
  echo-verify properties [--program NAME] [--runs N] [--seed S] [--clients N] [--faults LIST]
                         [--coverage] [--emit-test FILE] [--format FORMAT]
  echo-verify properties [--program NAME] --replay TOKEN [--emit-test FILE | --on STAGE] [--format FORMAT]
  echo-verify properties --on STAGE [--program NAME] [--runs N] [--seed S] [--clients N] [--faults LIST]
                         [--format FORMAT]
  echo-verify explore [--program NAME] [--clients N] [--messages K|any] [--size B] [--capacity B] [--faults LIST]
                      [--strategy dfs|bfs] [--reduce none|por|symmetry|all] [--memory MIB] [--threads N]
                      [--emit-test FILE] [--format FORMAT]
  echo-verify explore --strategy random|pct|guided [--runs N] [--seed S] [--depth D] [the scope, as above]
                      [--memory MIB] [--emit-test FILE] [--format FORMAT]
  echo-verify compare A B [--clients N] [--messages K|any] [--size B] [--capacity B] [--faults LIST] [--memory MIB]
                      [--format FORMAT]
  echo-verify trace FILE... [--program NAME [--in-simulator]] [--format FORMAT]
  echo-verify trace FILE --input strace|pcap [--port N] [--format FORMAT]
  echo-verify faults [--program NAME] [--on STAGE] [--format FORMAT]
  echo-verify mutants [--program NAME] [--runs N] [--seed S] [--format FORMAT]
  Each of them but trace and probe: [--progress-timeout S] [--max-per-address N]
  echo-verify probe HOST:PORT [--once] [--runs N] [--seed S] [--timeout S] [--expect-idle-timeout S]
                    [--allow-remote] [--format FORMAT | --json]

  `properties` runs the server's program in a simulated network with random clients, schedules and faults, and judges
  every run. What breaks a contract is shrunk to a small scenario, printed as a table with a column for each client
  and process, with a token that replays it, and with the nearest schedule that keeps the contract. Servers with a
  planted defect are run beside it and must be caught.

  With --on the same runs take place on the kernel too: the server in processes of its own, with real clients on
  loopback that do what the simulated ones did, one thing after the other in the same order. Faults, limits of the
  scenario and the ends of deadlines are put in the kernel's place; all else it answers itself. What it answers is
  compared with what the simulator did. Where the two part, the simulator or the interpreter is wrong: that is shrunk,
  and shown as what breaks a contract is. The contracts are judged by what happened on the kernel.

  `explore` tries everything: each interleaving, each length of a read, a write and an arrival, each fault of the
  classes that are asked for, wherever it can come. It runs the program itself, and each state once. When it has
  closed, the verdict is a proof for that scope; with `--messages any` for conversations of any length. Deadlines pass
  when nothing else can happen, and with the fault `idle` at any step. Where there is too much to see it all, it walks:
  at random, or with random priorities. Walks find violations; that they find none is no verdict.

  `compare` explores two programs in one scope and decides whether they look the same from outside: weak bisimulation,
  and whether each has the traces of the other. What shows is what clients do and meet, the operator's stop, the end of
  the first process, and what is still held when all is at rest. Where they differ it prints the shortest trace that
  one has and the other lacks; where they have the same traces, a trace after which one of them may be where something
  cannot follow. Nothing is left out but by symmetry, so the scope is best kept small.

  `trace` judges a run that `echo-server --trace FILE` recorded: what the program did, and what the interpreter and the
  kernel answered. With --program it also replays that program with the recorded answers, and decides whether each
  instruction that it issues is the one that was recorded; where the two part, both are shown.
  With `--trace-limit` a trace has parts: FILE.1 and FILE together, in this order, are judged if they begin with part 0.
  What was before is gone after a while; then the verdict is incomplete, and says so. (For a verdict on all of a long
  run: keep each FILE.1 before it is replaced, or have the server judged while it runs, by `echo-server --monitor`.)

  With --in-simulator it also looks for the run in the simulator: for clients, an order of what happens, faults and a
  stop with which the simulated network gives each process the same answers, but for pids, addresses and letters (so a
  trace of digests will do). Found, it is printed with the scope that it needs and a token that replays it. Where the
  two part, the event and both answers are shown: the simulator or the kernel is wrong there, not the program. Several
  workers are looked for one by one. At most, for each of them: 20000 events, 1024 connections, 1 MiB in one answer.

  With --input it judges any echo server: of `strace` by what its system calls did (recorded with
  `strace -f -xx -s 1048576 -o FILE SERVER…`), of `pcap` by what went over the wire (pcap or pcapng, as of
  `tcpdump -w FILE`). Such a server owes every client its own bytes, all of them, once and in order; by its system
  calls also that it uses no descriptor after it is closed, and keeps none.

  `faults` lets each instruction fail with each error that its manual page gives, once, 8 and 200 times in a row, while
  three clients want to be served. It says what came of it: served on; some clients refused, the others served; stopped,
  with that error. Whatever dies, hangs, leaks or loses a byte is a violation. With --on it happens on the kernel too.

  `mutants` asks what the checks are worth. It does one thing wrong at a time, at each instruction that `echo-dump`
  numbers: drops it, issues it twice, on another socket or after the next one, mistakes what it is answered, counts one
  byte too many or too few. A mutant that is the program in other words is proved equivalent. The others run in
  scenarios with all faults until they break a clause that the program keeps, and are explored in small scopes. What is
  left is compared with the program, as `compare` does, in small scopes that answer what was changed in every way; if
  nothing shows in any of them it is proved equivalent too. A survivor is printed with the lines in which its tree
  differs: it shows what is not checked.

  `probe` asks the same of a server of which it knows nothing but the address, whatever it is written in. Clients with
  real sockets try one promise after the other: one word, the server's end after the client's, message after message,
  a message in segments, 1 KiB, 16 KiB, 64 KiB and 4 MiB, slow clients, clients that say nothing, read nothing, reset
  or vanish, 16 at the same time, 100 at once, 200 in a row, then random ones. What fails is shrunk to a small script,
  which is run again, and printed as a session of nc: `>` is what the client sends, `<` what it meets. A failure that
  is not seen again makes its promise incomplete; so does what was not tried for want of time. Bounds: it connects to
  that address alone, with at most 100 connections at a time; some 430 and 22 MiB in all where everything holds; at
  most 100 smaller scripts are tried for each promise that does not, twice each; nothing is begun after --timeout.
  Nothing is kept of what the server sends beyond what is owed and 4 KiB. IPv6: [::1]:8888.

OPTIONS
  --program NAME   stream, once or seed. Default stream. Of a trace: the program that it must be a run of; without it,
                   the contracts are those of the program that its first line names.
  --runs N         How many scenarios, or walks; of `mutants`, for each that survives. Default 10000; of `mutants` 1000,
                   of `probe` 20, with --on 200.
  --seed S         Where they are drawn from; the same seed gives the same scenarios. Default 1.
  --clients N      The most clients in a scenario, 1 to 16. Default 4. Of explore, compare: how many, 1 to 8. Default 2.
  --messages K     Messages that each client sends, 0 to 8, or `any`. Default 2.
  --size B         Bytes of a message, 1 to 64. Default 2.
  --capacity B     Bytes that one direction of a connection holds, 1 to 64. Default 2.
  --strategy NAME  dfs: depth first, with little memory. bfs: breadth first, finds the shortest way. Default dfs.
                   random: walks; each step is drawn. pct: walks; who goes on is drawn once for each actor, and some
                   fall back on the way, so that each order of D steps has a probability that is known.
                   guided: walks that go on from where earlier ones met something new.
  --depth D        Of pct: how many steps in a certain order a defect takes, 1 to 10. Default 3.
  --reduce NAME    none; por: actors that cannot meet take turns; symmetry: clients that do the same connect in turn;
                   all. Default all. Where a reduction may not be used the report says so.
  --memory MIB     The most memory for states. Default 2048. Once it is full the verdict is incomplete.
  --threads N      How many threads search, 1 to 64; only of strategy dfs. Default 1. Several do not judge runs without
                   end (clause served), and how many states a reduction leaves depends on who is faster.
  --faults LIST    none, all, or names with commas between them. Default none. Each scenario has some of them.
{}  --progress-timeout S, --max-per-address N
                   Make the program with these limits, as echo-server does, and hold it to them. Clients are then at up
                   to two addresses. Whether the limits took effect is said: an alarm that ends a Send (it takes the
                   fault `idle`, and S below the idle limit of 60), a client that is refused for its address (it takes
                   more than N clients at one). Default: no limits, and nothing said of them.
  --once           Of probe: the server answers the first message and ends the connection.
  --timeout S      Of probe: seconds that all of it may take, 5 to 3600. Default 40. A client that waits in silence for
                   a twentieth of that gives up.
  --expect-idle-timeout S
                   Of probe: the server lets go of a client that is silent for S seconds, at most half of --timeout.
                   Without it a server that does not is no violation, and only remarked on.
  --allow-remote   Of probe: the server may be on another host than this one.
  --json           Of probe: the same as --format json.
  --replay TOKEN   Run the scenario of a counterexample again.
  --on STAGE       Of properties and faults: on the kernel too, by fork, epoll or uring. The server listens at a free
                   port of 127.0.0.1; `seed` at 8888, as ever.
  --input NAME     What FILE is: antiphon, strace or pcap. Default antiphon.
  --in-simulator   Of trace: look for the run in the simulator too.
  --port N         Judge the server that listens on this port only, 1 to 65535. Default: every socket that accepts; of
                   pcap, whoever was connected to.
  --coverage       List the points, branches and errors of the program that no run reached.
  --emit-test FILE Write what was found as a GoogleTest source that fails while the defect is there. FILE must be new.
  --format FORMAT  text or json. Default text.
  --version        Print the version and exit.
  -h, --help       Print this page and exit.

EXIT STATUS
  0  holds; no mutant survived; the programs are equivalent
  1  violated; mutants survived; the programs differ; a run on the kernel is not the simulated one
  2  did not run: wrong usage, a trace that does not read, parts of several traces, a token of another program, a port
     where nothing listens
  3  incomplete: what was seen allows no verdict; the last lines say why (more runs may help)

EXAMPLES
  echo-verify properties --faults all
  echo-verify properties --program seed
  echo-verify properties --program seed --emit-test seed_test.cpp
  echo-verify properties --faults all --on epoll
  echo-verify properties --faults all --progress-timeout 30 --max-per-address 2
  echo-verify explore --clients 3
  echo-verify explore --messages any --faults interrupts
  echo-verify explore --clients 8 --faults all --strategy pct
  echo-verify compare stream once
  echo-verify faults --on uring
  echo-verify mutants --program once
  echo-verify probe 127.0.0.1:8888 --expect-idle-timeout 10
  echo-server --trace t.jsonl      then, once it has stopped: echo-verify trace t.jsonl --program stream
  echo-server --trace t.jsonl --trace-limit 100M             then: echo-verify trace t.jsonl.1 t.jsonl
  strace -f -xx -s 1048576 -o log socat TCP-LISTEN:7000,fork EXEC:cat
                                   then, once it has stopped: echo-verify trace log --input strace
  echo-verify trace t.jsonl --program stream --in-simulator
)";

}  // namespace

std::string verify_manual() {
  std::string faults;
  for (const verify::FaultClass& one : verify::fault_classes()) {
    faults += fmt::format("                     {:<11}{}\n", one.name, one.meaning);
  }
  return fmt::format(fmt::runtime(manual), faults);
}

}  // namespace antiphon
