#!/usr/bin/env python3
"""Measures the echo servers beside each other and prints tables. tests/bench/README.md tells how to read them.

A lost or wrong byte makes it exit 1. It asserts no speed.
"""

import argparse
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# ---- The servers ----

# Our server's command line. What an older one does not know is left away (see Server.start).
OURS = ["apps/echo-server", "--port", "{port}", "--idle-timeout", "0", "--interpreter"]

# name: (command below the build folder, is it ours, does it fork)
SERVERS = {
    "antiphon-epoll": (OURS + ["epoll", "--workers", "1"], True, False),
    "antiphon-uring": (OURS + ["uring", "--workers", "1"], True, False),
    "antiphon-fork": (OURS + ["fork"], True, True),
    "c-epoll": (["tests/bench/c-epoll", "{port}"], False, False),
    "c-epoll-edge": (["tests/bench/c-epoll", "{port}", "--edge"], False, False),
    "c-epoll-spin": (["tests/bench/c-epoll", "{port}", "--spin", "{spin}"], False, False),
    "c-uring": (["tests/bench/c-uring", "{port}"], False, False),
    "c-uring-spin": (["tests/bench/c-uring", "{port}", "--spin", "{spin}"], False, False),
    "libuv": (["tests/bench/libuv", "{port}"], False, False),
    "libevent": (["tests/bench/libevent", "{port}"], False, False),
    "asio": (["tests/bench/asio", "{port}"], False, False),
    "c-fork": (["tests/bench/c-fork", "{port}"], False, True),
}

# What recording and counting cost our server: options beside those of the plain one; {folder} is a new one each time.
RECORDED = {
    "plain": [],
    "--trace": ["--trace", "{folder}/t.jsonl", "--trace-limit", "256M"],
    "digest": ["--trace", "{folder}/t.jsonl", "--trace-limit", "256M", "--trace-payload", "digest"],
    "--monitor": ["--monitor"],
    "--metrics": ["--metrics", "127.0.0.1:0"],
    "both": ["--trace", "{folder}/t.jsonl", "--trace-limit", "256M", "--monitor"],
}

# What guards the server, one by one and together. The first is what the others are compared with.
LIMITS = ["--max-connections", "1000", "--max-per-address", "1000", "--progress-timeout", "30"]
GUARDED = {
    "bare": ["--sandbox", "off"],
    "--sandbox on": ["--sandbox", "on"],
    "--metrics": ["--sandbox", "off", "--metrics", "127.0.0.1:0"],
    "limits": ["--sandbox", "off", *LIMITS],
    "all three": ["--sandbox", "on", "--metrics", "127.0.0.1:0", *LIMITS],
}

PARTS = ["floor", "effect", "checker", "meter", "echo", "connect", "record", "guard", "memory", "start", "crowd",
         "never-read", "build", "explore"]
# echo has the floor in its tables
DEFAULT_PARTS = [part for part in PARTS if part not in ("floor", "record", "guard", "build", "explore")]

# A process for each connection: more of them than this is no measurement of anything else.
MOST_FORKED = 1000

SERVER_CPU, LOAD_CPU = 1, 0

# ---- Processor time ----

ACCOUNT = Path("/sys/fs/cgroup/cpuacct/antiphon-bench")


def open_account():
    """A cgroup that adds up the processor time of a server and of all that it ever forked, or None."""
    try:
        ACCOUNT.mkdir(exist_ok=True)
        (ACCOUNT / "cpuacct.usage").read_text()
        return ACCOUNT
    except OSError:
        return None


def close_account():
    try:
        ACCOUNT.rmdir()
    except OSError:
        pass


def tasks_of(pid):
    """A process and its descendants."""
    found = [pid]
    for task in found:
        try:
            found += [int(child) for child in Path(f"/proc/{task}/task/{task}/children").read_text().split()]
        except OSError:
            pass
    return found


def schedstat_ns(pid):
    total = 0
    for process in tasks_of(pid):
        for stat in Path(f"/proc/{process}/task").glob("*/schedstat"):
            try:
                total += int(stat.read_text().split()[0])
            except OSError:
                pass
    return total


# ---- Running things ----


class Skipped(Exception):
    """A server that cannot be measured, and why."""


class Bench:
    """What all parts share: options, where programs are, what went wrong."""

    def __init__(self, options):
        self.options = options
        self.build = Path(options.build).resolve()
        self.failures = []
        self.skipped = {}
        self.results = []
        self.port = 20000 + os.getpid() % 4000
        self.account = open_account()

    def next_port(self):
        self.port = 20000 + (self.port - 20000 + 1) % 12000
        return self.port

    def servers(self, *, ours_only=False, forks=True):
        for name in self.options.servers:
            _, ours, forked = SERVERS[name]
            if name not in self.skipped and (ours or not ours_only) and (forks or not forked):
                yield name

    def load_command(self, mode, port, **options):
        command = [str(self.build / "tests/bench/load"), mode, str(port)]
        for option, value in options.items():
            flag = "--" + option.replace("_", "-")
            if value is True:
                command.append(flag)
            elif value is not False:
                command += [flag, str(value)]
        if self.options.spin_load:
            command.append("--spin")
        return command

    def check(self, what, result):
        bad = {key: result[key] for key in ("errors", "lost_bytes", "wrong_bytes") if result[key]}
        if bad:
            self.failures.append(f"{what}: {bad} {result['first_error']}")
        return not bad

    def skip(self, name, why):
        if name not in self.skipped:
            self.skipped[name] = why
            print(f"skipped: {name}: {why}", flush=True)


def start_on(cpu, command, **how):
    """Starts a program that runs on one processor only."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu} & mine or mine)
    try:
        return subprocess.Popen(command, text=True, start_new_session=True, **how)
    finally:
        os.sched_setaffinity(0, mine)


class Server:
    """A server that runs, in its own session and on its own processor, until the block ends."""

    def __init__(self, bench, name, once=False, more=()):
        """`more`: further options of ours."""
        self.bench = bench
        self.name = name
        self.port = bench.next_port()
        command, self.ours, self.forks = SERVERS[name]
        values = {"port": self.port, "spin": bench.options.spin_us}
        command = [word.format(**values) for word in command] + (["--once"] if once else []) + list(more)
        command[0] = str(bench.build / command[0])
        self.process = self.start(command)
        if self.process is None and "--workers" in command:
            at = command.index("--workers")
            self.process = self.start(command[:at] + command[at + 2:])
        if self.process is None:
            raise Skipped(self.complaint)
        self.pid = self.process.pid
        if self.bench.account and self.forks:
            (self.bench.account / "cgroup.procs").write_text(str(self.pid))

    def start(self, command):
        self.complaint = ""
        try:
            process = start_on(SERVER_CPU, command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as error:
            self.complaint = str(error)
            return None
        speaks, _, _ = select.select([process.stdout], [], [], 10)
        if speaks and process.stdout.readline().startswith("listening on"):
            return process
        process.kill()
        self.complaint = (process.communicate()[1].strip() or "ended at once").split("\n")[0]
        return None

    def cpu_ns(self):
        if self.bench.account and self.forks:
            return int((self.bench.account / "cpuacct.usage").read_text())
        return schedstat_ns(self.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.communicate()


class Load:
    """Clients that run until they report; with `wait` they first stop at `ready`."""

    def __init__(self, command):
        self.process = start_on(LOAD_CPU, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)
        self.first = None

    def wait_ready(self):
        self.first = self.process.stdout.readline()
        return self.first == "ready\n"

    def go(self):
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def result(self):
        """The report, read as soon as it is there."""
        line = self.process.stdout.readline() if self.first in (None, "ready\n") else self.first
        try:
            return json.loads(line)
        except ValueError:
            return {"count": 0, "seconds": 0, "errors": 1, "lost_bytes": 0, "wrong_bytes": 0,
                    "first_error": self.process.communicate()[1].strip() or "no report"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()


def measure(bench, name, mode, once=False, seconds=None, more=(), **load):
    """One run of one server: what the clients saw, and the server's processor time while they did."""
    seconds = bench.options.seconds if seconds is None else seconds
    with Server(bench, name, once, more) as server:
        command = bench.load_command(mode, server.port, once=once, wait=True, seconds=seconds, warmup=0.15, **load)
        with Load(command) as clients:
            clients.wait_ready()
            before = server.cpu_ns()
            clients.go()
            result = clients.result()
            used = server.cpu_ns() - before
    good = bench.check(f"{mode} {name} {load}", result)
    if not good or not result["count"]:
        return None
    result["cpu_us"] = used / 1000 / result["count"]
    result["rate"] = result["count"] / result["seconds"]
    return result


# ---- The canary ----


def echo_badly(listener, spoil):
    """Serves one client; its third message is spoilt."""
    client = listener.accept()[0]
    with client:
        for number in range(1_000_000):
            message = client.recv(65536)
            if not message:
                return
            client.sendall(spoil(message) if number == 2 else message)
            if number == 2:
                return


def check_canary(bench):
    """Clients that do not notice a wrong or a lost byte would make every table worthless."""
    for key, spoil in (("wrong_bytes", lambda message: message[:-1] + bytes([message[-1] ^ 1])),
                       ("lost_bytes", lambda message: message[:-1])):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=echo_badly, args=(listener, spoil), daemon=True)
            thread.start()
            with Load(bench.load_command("echo", listener.getsockname()[1], seconds=1, warmup=0)) as clients:
                if not clients.result()[key]:
                    bench.failures.append(f"canary: the clients did not notice {key}")


# ---- Tables ----


def spread(values, form):
    return f"{form.format(statistics.median(values))} ({form.format(min(values))}..{form.format(max(values))})"


def print_table(title, columns, rows):
    print(f"\n{title}")
    rows = [columns] + rows
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())
    sys.stdout.flush()


def median_of(rounds, key):
    return statistics.median(one[key] for one in rounds)


def best_peer(measured, key, highest=False):
    """The peer with the best median. Those that poll take a whole processor, so for time taken they do not count."""
    peers = [name for name in measured if not SERVERS[name][1] and measured[name]
             and not (key == "cpu_us" and name.endswith("-spin"))]
    if not peers:
        return None
    pick = max if highest else min
    return pick(peers, key=lambda name: median_of(measured[name], key))


def ratio(measured, name, best, key):
    """The median of the ratios within each round."""
    if best is None:
        return "-"
    pairs = {one["round"]: one[key] for one in measured[best]}
    ratios = [one[key] / pairs[one["round"]] for one in measured[name] if pairs.get(one["round"])]
    return f"{statistics.median(ratios):.2f}" if ratios else "-"


def compare(bench, title, names, one_run, unit, floor=None):
    """Rounds of all servers in turn, and their table. `floor` measures what the kernel takes, once a round."""
    measured = {name: [] for name in names}
    floors = []
    for number in range(bench.options.rounds + 1):
        if floor and number > 0:
            floors.append({"round": number, "cpu_us": floor()})
        for name in list(measured):
            try:
                # The first round warms up.
                result = one_run(name, 0.2 if number == 0 else None)
            except Skipped as why:
                bench.skip(name, why)
                del measured[name]
                continue
            if result and number > 0:
                result["round"] = number
                measured[name].append(result)
    measured = {name: rounds for name, rounds in measured.items() if rounds}
    best = {key: best_peer(measured, key, key == "rate") for key in ("cpu_us", "rate", "p50_us", "p99_us")}
    rows = []
    for name, rounds in measured.items():
        rows.append([
            name,
            spread([one["cpu_us"] for one in rounds], "{:.2f}"), ratio(measured, name, best["cpu_us"], "cpu_us"),
            spread([one["rate"] for one in rounds], "{:.0f}"), ratio(measured, name, best["rate"], "rate"),
            f"{median_of(rounds, 'p50_us'):.1f}", ratio(measured, name, best["p50_us"], "p50_us"),
            f"{median_of(rounds, 'p99_us'):.1f}", ratio(measured, name, best["p99_us"], "p99_us"),
            f"{median_of(rounds, 'p999_us'):.1f}",
        ])
    if floors:
        # The floor's ratio is that of the two columns of processor time, as for a server.
        share = ratio(measured | {"floor": floors}, "floor", best["cpu_us"], "cpu_us")
        rows.append(["(floor)", spread([one["cpu_us"] for one in floors], "{:.2f}"), share] + ["-"] * 7)
    print_table(title, ["server", "CPU us", "ratio", f"{unit}/s", "ratio", "p50 us", "ratio", "p99 us", "ratio",
                        "p99.9 us"], rows)
    print("  best peer: " + ", ".join(f"{what} {best[key]}" for what, key in (
        ("CPU", "cpu_us"), (f"{unit}/s", "rate"), ("p50", "p50_us"), ("p99", "p99_us"))))
    bench.results.append({"title": title, "measured": measured, "floor": floors})
    return measured, best


# ---- The parts ----


def floor_us(bench, size, connections):
    command = [str(bench.build / "tests/bench/floor"), str(size), str(min(connections, 9000)), "0.3"]
    process = start_on(SERVER_CPU, command, stdout=subprocess.PIPE)
    return json.loads(process.communicate()[0])["cpu_us"]


def part_floor(bench):
    rows = []
    for connections in bench.options.connections:
        for size in bench.options.bytes:
            values = [floor_us(bench, size, connections) for _ in range(bench.options.rounds)]
            rows.append([f"{connections} x {size}", spread(values, "{:.2f}")])
    print_table("floor: one send and one recv over loopback TCP, nothing else", ["connections x bytes", "CPU us"], rows)


def part_effect(bench):
    process = start_on(SERVER_CPU, [str(bench.build / "tests/bench/effect")], stdout=subprocess.PIPE)
    result = json.loads(process.communicate()[0])
    print_table(
        f"effect: the stream session over stubs, median of {result['rounds']} rounds",
        ["", "program", "by hand", "ratio"],
        [["ns an instruction", f"{result['program_ns']:.1f}", f"{result['by_hand_ns']:.1f}", f"{result['ratio']:.2f}"],
         ["heap allocations an instruction", f"{result['program_heap']:.4f}", f"{result['by_hand_heap']:.4f}", ""],
         ["ns to copy a process", f"{result['copy_ns']:.2f}", "", ""]])


def part_meter(bench):
    process = start_on(SERVER_CPU, [str(bench.build / "tests/bench/meter")], stdout=subprocess.PIPE)
    results = [json.loads(line) for line in process.communicate()[0].splitlines()]
    if process.returncode != 0:
        bench.failures.append("meter: it miscounts")
    print_table("meter: processor time that --metrics adds, the fastest of many rounds",
                ["connections", "ns a round trip", "of it the clock"],
                [[str(one["connections"]), f"{one['round_trip_ns']:.1f}", f"{one['clock_ns']:.1f}"] for one in results])


def part_checker(bench):
    """How fast traces are read and judged."""
    checker = str(bench.build / "tests/bench/checker")
    for connections, messages, size in ((64, 2000, 64), (9000, 20, 64), (64, 200, 16384)):
        process = start_on(SERVER_CPU, [checker, str(connections), str(messages), str(size), str(bench.options.rounds)],
                           stdout=subprocess.PIPE)
        results = [json.loads(line) for line in process.communicate()[0].splitlines()]
        if process.returncode != 0:
            bench.failures.append(f"checker {connections} {messages} {size}")
        print_table(f"checker: {connections} connections, {messages} messages of {size} bytes on each, median of "
                    f"{bench.options.rounds} rounds", ["", "million events/s", "GiB/s"],
                    [[one["what"], f"{one['million_events_per_s']:.2f}",
                      f"{one['gib_per_s']:.2f}" if one["gib_per_s"] else ""] for one in results])


def part_echo(bench):
    ours = [name for name in bench.options.servers if SERVERS[name][1]]
    rows = []
    for connections in bench.options.connections:
        for size in bench.options.bytes:
            names = list(bench.servers(forks=connections <= MOST_FORKED))
            measured, best = compare(
                bench, f"echo: {connections} connections x {size} bytes", names,
                lambda name, seconds: measure(bench, name, "echo", seconds=seconds, connections=connections,
                                              bytes=size), "round trips",
                floor=lambda: floor_us(bench, size, connections))
            for key, what in (("cpu_us", "CPU us"), ("rate", "round trips/s"), ("p99_us", "p99 us")):
                if best[key]:
                    rows.append([f"{connections} x {size}", what, best[key],
                                 f"{median_of(measured[best[key]], key):.2f}"]
                                + [ratio(measured, name, best[key], key) if name in measured else "-" for name in ours])
    if len(rows) > 3:
        print_table("echo: the best peer of each table, and our ratio to it",
                    ["connections x bytes", "", "best peer", "its figure"] + ours, rows)


def part_connect(bench):
    for once in (False, True):
        who = "the server ends it (--once)" if once else "the client closes"
        compare(bench, f"connect: 64 at a time, one message of 64 bytes, {who}", list(bench.servers()),
                lambda name, seconds: measure(bench, name, "connect", once=once, seconds=seconds, connections=64,
                                              bytes=64), "connections")


def measure_variant(bench, name, options, **load):
    with tempfile.TemporaryDirectory() as folder:
        more = [word.format(folder=folder) for word in options]
        return measure(bench, name, "echo", more=more, connections=64, **load)


def compare_variants(bench, part, variants):
    """The variants of one server in turn, round by round; ratios to the first of them within each round."""
    first = next(iter(variants))
    for name in bench.servers(ours_only=True):
        rows = []
        for size in bench.options.bytes:
            measured = {variant: [] for variant in variants}
            for number in range(bench.options.rounds + 1):
                for variant, rounds in measured.items():
                    # The first round warms up.
                    seconds = 0.2 if number == 0 else None
                    result = measure_variant(bench, name, variants[variant], seconds=seconds, bytes=size)
                    if result and number > 0:
                        rounds.append({"round": number, **result})
            bench.results.append({"title": f"{part}: {name}, {size} bytes", "measured": measured})
            plain = {one["round"]: one for one in measured[first]}
            for variant, rounds in measured.items():
                pairs = [(one, plain[one["round"]]) for one in rounds if one["round"] in plain]
                if pairs:
                    rows.append([f"{size} B, {variant}", spread([one["cpu_us"] for one, _ in pairs], "{:.2f}")]
                                + [spread([one[key] / other[key] for one, other in pairs], "{:.3f}")
                                   for key in ("cpu_us", "rate")])
        print_table(f"{part}: {name}, 64 connections; ratios to the {first} server, by round",
                    ["", "CPU us", "CPU ratio", "round trips/s ratio"], rows)


def part_record(bench):
    compare_variants(bench, "record", RECORDED)


def part_guard(bench):
    compare_variants(bench, "guard", GUARDED)


def user_memory(pid):
    """Resident bytes of a process and its descendants: (anonymous, all), what is shared counted by its share."""
    anonymous = everything = 0
    for process in tasks_of(pid):
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue
        fields = {key: int(value) * 1024 for key, value in re.findall(r"^(\w+): +(\d+) kB", text, re.M)}
        anonymous += fields.get("Pss_Anon", fields.get("Anonymous", 0))
        everything += fields["Pss"]
    return anonymous, everything


def kernel_memory():
    """Of the whole machine, in bytes: slabs (sockets, what epoll and io_uring note) and what sockets have buffered."""
    slab = int(re.search(r"^Slab: +(\d+)", Path("/proc/meminfo").read_text(), re.M)[1]) * 1024
    pages = re.search(r"^TCP:.* mem (\d+)", Path("/proc/net/sockstat").read_text(), re.M)
    return slab, int(pages[1]) * os.sysconf("SC_PAGE_SIZE")


def part_memory(bench):
    rows = []
    for name in list(bench.servers()):
        few, many = (200, MOST_FORKED) if SERVERS[name][2] else (5000, bench.most - 1000)
        try:
            with Server(bench, name) as server:
                before = server_memory = kernel = None
                with Load(bench.load_command("hold", server.port, connections=few, bytes=64)) as first:
                    good = first.wait_ready()
                    time.sleep(0.3)
                    before, kernel_before = user_memory(server.pid), kernel_memory()
                    with Load(bench.load_command("hold", server.port, connections=many - few, bytes=64)) as second:
                        good = second.wait_ready() and good
                        time.sleep(0.3)
                        server_memory, kernel = user_memory(server.pid), kernel_memory()
                        second.go()
                        good = bench.check(f"memory {name}", second.result()) and good
                    first.go()
                    good = bench.check(f"memory {name}", first.result()) and good
        except Skipped as why:
            bench.skip(name, why)
            continue
        if good:
            each = [(after - start) / (many - few) for start, after in
                    zip(before + kernel_before, server_memory + kernel)]
            rows.append([name, f"{few}..{many}"] + [f"{value:.0f}" for value in each])
    print_table("memory: bytes for each idle connection that has echoed 64 bytes once (slope); "
                "the kernel's: of the whole machine, both ends",
                ["server", "connections", "anonymous", "Pss", "kernel slab", "socket buffers"], rows)


def first_echo_ms(bench, name):
    start = time.perf_counter()
    with Server(bench, name) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"hello")
            if client.recv(5) != b"hello":
                bench.failures.append(f"start {name}: the first echo is wrong")
            return (time.perf_counter() - start) * 1000


def part_start(bench):
    times = {name: [] for name in bench.servers()}
    for _ in range(4 * bench.options.rounds + 1):
        for name in list(times):
            try:
                times[name].append(first_echo_ms(bench, name))
            except Skipped as why:
                bench.skip(name, why)
                del times[name]
    print_table("start: from its start to its first echo", ["server", "ms"],
                [[name, spread(values[1:], "{:.2f}")] for name, values in times.items()])


def part_crowd(bench):
    busy = 1000
    idle = bench.most - busy - 1000
    rows = []
    for name in bench.servers(forks=False):
        try:
            with Server(bench, name) as server:
                with Load(bench.load_command("hold", server.port, connections=idle, bytes=64)) as idlers:
                    idlers.wait_ready()
                    with Load(bench.load_command("echo", server.port, connections=busy, bytes=64,
                                                 seconds=bench.options.seconds, warmup=0.2)) as clients:
                        result = clients.result()
                    idlers.go()
                    good = bench.check(f"crowd {name}, the idle", idlers.result())
        except Skipped as why:
            bench.skip(name, why)
            continue
        if bench.check(f"crowd {name}, the busy", result) and good:
            rows.append([name, f"{result['count'] / result['seconds']:.0f}"]
                        + [f"{result[key]:.0f}" for key in ("p50_us", "p99_us", "p999_us", "max_us")])
    print_table(f"crowd: {busy} busy connections among {idle} idle ones, 64 bytes; no byte lost",
                ["server", "round trips/s", "p50 us", "p99 us", "p99.9 us", "max us"], rows)


def part_never_read(bench):
    rude, polite = 9000, 64
    rows = []

    def echo(server):
        command = bench.load_command("echo", server.port, connections=polite, bytes=64, warmup=0.2,
                                     seconds=bench.options.seconds)
        with Load(command) as clients:
            return clients.result()

    for name in bench.servers(forks=False):
        try:
            with Server(bench, name) as server:
                alone = echo(server)
                before = user_memory(server.pid)[0]
                command = bench.load_command("hold", server.port, connections=rude, never_read=True,
                                             bytes=bench.options.never_read_bytes)
                with Load(command) as senders:
                    senders.wait_ready()
                    after, kernel = user_memory(server.pid)[0], kernel_memory()[1]
                    among = echo(server)
                    senders.go()
                    senders_result = senders.result()
        except Skipped as why:
            bench.skip(name, why)
            continue
        good = [bench.check(f"never-read {name}, {what}", result)
                for what, result in (("alone", alone), ("among them", among), ("they", senders_result))]
        if all(good):
            rows.append([name, f"{senders_result['sent_bytes'] / rude:.0f}", f"{before / 2**20:.1f}",
                         f"{after / 2**20:.1f}", f"{kernel / 2**20:.0f}"]
                        + [f"{result[key]:.0f}" for result in (alone, among) for key in ("p99_us", "max_us")])
    print_table(f"never-read: {polite} connections echo 64 bytes, alone and among {rude} that send and never read",
                ["server", "bytes each sent", "MiB before", "MiB after", "kernel MiB", "alone p99 us", "max us",
                 "among p99 us", "max us"], rows)


def part_build(bench):
    folder = ROOT / "build" / "bench-clean"
    shutil.rmtree(folder, ignore_errors=True)
    environment = dict(os.environ, CCACHE_DISABLE="1")
    quiet = {"env": environment, "stdout": subprocess.DEVNULL, "check": True, "cwd": ROOT}
    subprocess.run(["cmake", "--preset", "release", "-B", str(folder)], **quiet)
    start = time.monotonic()
    subprocess.run(["cmake", "--build", str(folder), "-j", str(bench.options.jobs)], **quiet)
    seconds = time.monotonic() - start
    units = []
    for line in (folder / ".ninja_log").read_text().splitlines():
        fields = line.split("\t")
        if len(fields) == 5 and fields[3].endswith(".o"):
            units.append(((int(fields[1]) - int(fields[0])) / 1000, fields[3]))
    units.sort(reverse=True)
    rows = [["all apps", f"{seconds:.1f}"], [f"{len(units)} units together", f"{sum(unit[0] for unit in units):.1f}"]]
    rows += [[re.sub(r"CMakeFiles/[^/]*\.dir/|\.o$", "", name), f"{time_s:.1f}"] for time_s, name in units[:5]]
    print_table(f"build: clean release build without ccache, {bench.options.jobs} jobs", ["what", "s"], rows)
    shutil.rmtree(folder, ignore_errors=True)


# ---- Exploration: SPIN on our model, beside our own explorer ----

MODEL = ROOT / "tests/bench/spin/echo.pml"


def explored_by_spin(folder, model, *flags, canary=False):
    """Builds the model's checker and runs it: (states, transitions, seconds, errors)."""
    macros = [f"-D{name}={value}" for name, value in model.items()] + (["-DCANARY"] if canary else [])
    quiet = {"cwd": folder, "check": True, "stdout": subprocess.PIPE, "text": True}
    subprocess.run(["spin", "-a", *macros, str(MODEL)], **quiet)
    subprocess.run(["gcc", "-O2", "-DSAFETY", *flags, "-o", "pan", "pan.c"], **quiet)
    start = time.monotonic()
    output = subprocess.run(["./pan", "-m1000000", "-w24"], **quiet).stdout
    seconds = time.monotonic() - start
    states, transitions, errors = (int(re.search(pattern, output)[1]) for pattern in (
        r"(\d+) states, stored", r"(\d+) transitions", r"errors: (\d+)"))
    if "Search not completed" in output and not errors:
        raise Skipped("the search was not completed")
    return states, transitions, seconds, errors


def explored_by_us(bench, options):
    """The same of `echo-verify explore`, as a whole command."""
    verify = str(bench.build / "apps/echo-verify")
    start = time.monotonic()
    ran = subprocess.run([verify, "explore", "--program", "stream", *options, "--format", "json"],
                         stdout=subprocess.PIPE, text=True)
    seconds = time.monotonic() - start
    report = json.loads(ran.stdout)
    return report["states"], report["transitions"], seconds, ran.returncode


def explored_in_rounds(bench, title, explorers):
    """A table of all explorers, and how many times as long as the last each took; all in each round."""
    seen = {name: [] for name, _ in explorers}
    for _ in range(bench.options.rounds):
        for name, explore in explorers:
            try:
                seen[name].append(explore())
            except Skipped as why:
                bench.skip(name, why)
    rows = []
    for name, _ in explorers:
        if not seen[name]:
            continue
        states, transitions, _, errors = seen[name][0]
        if errors:
            bench.failures.append(f"explore: {name} finds {errors} errors")
        times = sorted(seconds for _, _, seconds, _ in seen[name])
        last = [seconds for _, _, seconds, _ in seen[explorers[-1][0]]]
        ratios = sorted(one[2] / other for one, other in zip(seen[name], last))
        median = times[len(times) // 2]
        rows.append([name, str(states), str(transitions), f"{median:.3f}", f"{times[0]:.3f} to {times[-1]:.3f}",
                     f"{transitions / median / 1e6:.1f}", f"{ratios[len(ratios) // 2]:.1f}"])
    print_table(title, ["", "states", "transitions", "s", "from, to", "million transitions/s", "times the last"], rows)


def print_scenario_rates(bench):
    """Scenarios a second: by how much longer twice as many take, so that a start counts for nothing."""
    verify = str(bench.build / "apps/echo-verify")
    rows = []
    for name, runs, options in (
            ("explore --strategy random", 100_000, ["explore", "--strategy", "random"]),
            ("explore --strategy pct", 100_000, ["explore", "--strategy", "pct"]),
            ("explore --strategy random --faults all", 100_000, ["explore", "--strategy", "random", "--faults", "all"]),
            ("properties", 10_000, ["properties"]),
            ("properties --faults all", 10_000, ["properties", "--faults", "all"])):
        rates = []
        for _ in range(bench.options.rounds):
            seconds = []
            for count in runs, 2 * runs:
                start = time.monotonic()
                ran = subprocess.run([verify, *options, "--runs", str(count)], stdout=subprocess.DEVNULL)
                seconds.append(time.monotonic() - start)
                if ran.returncode not in (0, 3):
                    bench.failures.append(f"explore: {name} ends with {ran.returncode}")
            rates.append(runs / max(seconds[1] - seconds[0], 1e-9))
        rates.sort()
        rows.append([name, f"{rates[len(rates) // 2]:.0f}", f"{rates[0]:.0f} to {rates[-1]:.0f}"])
    print_table("explore: scenarios a second, on one core", ["", "median", "from, to"], rows)


def part_explore(bench):
    model = bench.options.model
    options = [word for name, value in model.items() for word in ("--" + name.lower(), str(value))]
    asked = ", ".join(f"{name.lower()} {value}" for name, value in model.items())
    with tempfile.TemporaryDirectory() as folder:
        if not explored_by_spin(folder, model, canary=True)[3]:
            bench.failures.append("canary: SPIN did not notice wrong bytes")
        explored_in_rounds(bench, f"explore: every schedule, every short read and write; {asked}", [
            ("SPIN, partial-order reduction", lambda: explored_by_spin(folder, model)),
            ("SPIN, no reduction (-DNOREDUCE)", lambda: explored_by_spin(folder, model, "-DNOREDUCE")),
            ("echo-verify explore --reduce none", lambda: explored_by_us(bench, [*options, "--reduce", "none"])),
            ("echo-verify explore", lambda: explored_by_us(bench, options)),
        ])
    large = ["--clients", "4", "--messages", "any", "--faults", "interrupts,accept,reset"]
    explored_in_rounds(bench, "explore: what else", [
        ("3 clients, 2 messages of 2 bytes", lambda: explored_by_us(bench, ["--clients", "3"])),
        ("4 clients, any number of messages", lambda: explored_by_us(bench, large[:4])),
        ("the same, faults interrupts, accept, reset; 2 threads",
         lambda: explored_by_us(bench, [*large, "--threads", "2"])),
        ("the same, 1 thread", lambda: explored_by_us(bench, large)),
    ])
    print_scenario_rates(bench)


# ---- The command line ----


def sizes(text):
    """Of the model: CLIENTS x MESSAGES x SIZE x CAPACITY."""
    words = numbers(text.replace("x", ","))
    if len(words) != 4 or min(words) < 1 or words[0] * words[1] * words[2] > 255:
        raise argparse.ArgumentTypeError("four numbers with x between them, at most 255 bytes in all")
    return dict(zip(("CLIENTS", "MESSAGES", "SIZE", "CAPACITY"), words))


def numbers(text):
    return [int(word) for word in text.split(",")]


def names(text):
    unknown = [name for name in text.split(",") if name not in SERVERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no server {unknown[0]}; there are {', '.join(SERVERS)}")
    return text.split(",")


def read_options():
    parser = argparse.ArgumentParser(
        prog="run.sh", description="Measures the echo servers beside each other. Parts: " + ", ".join(PARTS)
        + ". Without any, all but floor, which echo measures too, record, build and explore.")
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--build", default=str(ROOT / "build/bench"), help=argparse.SUPPRESS)
    parser.add_argument("--servers", type=names, default=list(SERVERS), metavar="A,B,...")
    parser.add_argument("--connections", type=numbers, default=[1, 64, 1000, 9000], metavar="N,...")
    parser.add_argument("--bytes", type=numbers, default=[64, 1024, 16384], metavar="N,...")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S", help="of one run of one server")
    parser.add_argument("--spin-us", type=int, default=50, metavar="US", help="how long the polling peers poll")
    parser.add_argument("--spin-load", action="store_true", help="the clients poll, and never sleep")
    parser.add_argument("--never-read-bytes", type=int, default=131072, metavar="N")
    parser.add_argument("--model", type=sizes, default=sizes("2x2x2x2"), metavar="AxBxCxD",
                        help="of explore: clients, messages of each, bytes of each, capacity")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="of the build part")
    parser.add_argument("--json", metavar="FILE", help="write every measurement of echo and connect there")
    options = parser.parse_args()
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"no part {part}; there are {', '.join(PARTS)}")
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("at least one round of some seconds")
    return options


def main():
    options = read_options()
    bench = Bench(options)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    bench.most = min(hard, 20000)
    if not {SERVER_CPU, LOAD_CPU} <= os.sched_getaffinity(0):
        print("note: two processors are needed; servers and clients share one here")
    clients = "they poll" if options.spin_load else "they sleep"
    account = "the cpuacct cgroup" if bench.account else "schedstat of the processes that live (no cpuacct cgroup here)"
    print(f"servers on processor {SERVER_CPU}, clients on {LOAD_CPU} ({clients}); "
          f"{options.rounds} rounds of {options.seconds:g} s, in turn, after one that warms up")
    print(f"processor time: schedstat of all threads; of servers that fork, {account}")
    try:
        check_canary(bench)
        for part in options.parts or DEFAULT_PARTS:
            globals()["part_" + part.replace("-", "_")](bench)
    finally:
        close_account()
    if options.json:
        Path(options.json).write_text(json.dumps(bench.results))
    for failure in bench.failures:
        print(f"FAILED: {failure}")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
