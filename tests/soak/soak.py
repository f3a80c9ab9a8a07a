#!/usr/bin/env python3
"""A server under mixed clients for a while: nothing may be lost, nothing leaked, and memory stays flat.

    soak.py [--minutes M] [--connections N] [--interpreter NAME] [--workers N] [--resets PERCENT] [--no-faults]
            [--no-restarts] [--seed S] [--keep FOLDER] [--program seed]

Clients that are fast, slow, huge, idle, empty, that reset and that vanish; N of them at a time. Meanwhile system calls
fail in bursts (strace), descriptors run short, the server is halted for a moment, and it is restarted under load. Its
own monitor judges each run while it lasts, and `echo-verify trace` afterwards; the bytes and the connections that the
traces count are compared with what the clients counted (reckoning.py), and of each run the memory of all processes in
its first quarter with that in its last. Less than a minute goes as one does, only faster.

Prints a line now and then, and the verdict at the end: 0 holds, 1 violated, 3 incomplete: something that was asked for
did not take place. `--program seed` is the canary: the original server has to be violated. Loopback only.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import asyncio
import collections
import os
import pathlib
import random
import resource
import signal
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "apps"))

import reckoning
from clients import live
from failing_calls import Attached
from serving import is_sanitized
from soaked_server import DRAIN_S, NotStarted, Server

LEAVES_WITHIN_S = 10
RESTARTS = 3
FAILING_S = 0.7

# At most that share of the time goes into looking at memory, which takes the kernel long of hundreds of processes.
LOOKING_SHARE = 0.1

# Failures that the server has to serve through, as its fault matrix says: no client may be lost by them. (sendto is not
# here for fork: its sessions tell the monitor by it, whose verdict would be incomplete.)
BURST = ":when=1..8"
FAULTS = {
    "fork": [("accept4", "ECONNABORTED"), ("accept4", "ENFILE"), ("recvfrom", "EINTR"), ("recvfrom", "ENOMEM"),
             ("ppoll", "EINTR")],
    "epoll": [("accept4", "ECONNABORTED"), ("accept4", "ENFILE"), ("recvfrom", "EINTR"), ("recvfrom", "ENOMEM"),
              ("sendto", "ENOBUFS"), ("epoll_ctl", "ENOMEM"), ("epoll_wait", "EINTR")],
    "uring": [("io_uring_enter", "EINTR"), ("io_uring_enter", "EAGAIN"), ("io_uring_enter", "EBUSY")],
}  # fmt: skip

# Who feels a lower limit of descriptors at once. (A ring's Accept, which goes on by itself, keeps the limit that it
# began with; tests/apps/echo_server_test.py has a ring begin with few.)
FEELS_LIMIT = ("fork", "epoll")

HAPPENINGS = ("restarts", "failing calls", "halts", "descriptors short", "runs that told of it")

# What a trace's verdict counts.
COUNTED = ("bytes_received", "bytes_sent", "connections", "events")


class Soak:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.chance = random.Random(options.seed)
        self.clients = reckoning.Clients()
        self.lost = 0
        self.examples = []  # of those that are lost
        self.done = collections.Counter()  # of what was asked for
        self.memory = []  # a line for each run
        self.problems = []
        self.gaps = []
        self.runs = []
        self.stops = []  # (begin, end) of each time without a server
        self.drops = reckoning.listen_drops()
        self.next_seed = options.seed * 1_000_000_007
        self.restarting = False
        self.unfinished = 0  # of what goes on beside the clients
        self.one_at_a_time = asyncio.Lock()
        self.server = None

    # -- Clients -----------------------------------------------------------------------------------------------------

    def is_over(self):
        """Not before all that was asked for took place once, however slow the machine is."""
        return time.monotonic() >= self.end and not self.unfinished

    async def keep_client(self):
        """One after the other, until time is over."""
        while not self.is_over():
            self.next_seed += 1
            run, begin = len(self.runs), time.monotonic()
            is_resetting = self.chance.random() * 100 < self.options.resets
            fate = await live(self.server.address, self.next_seed, is_resetting, self.options.pace)
            self.clients.note(fate, begin, time.monotonic())
            self.look_for_loss(fate, self.restarting or run != len(self.runs))
            if fate.outcome == "unserved":
                await asyncio.sleep(0.2)

    def look_for_loss(self, fate, restarted):
        if fate.outcome in ("whole", "reset") or (restarted and fate.outcome in ("cut", "unserved")):
            return
        self.lost += 1
        self.examples.append(f"{fate.kind} {fate.outcome}: {fate.received} of {fate.sent} bytes {fate.why}")

    # -- Chaos -------------------------------------------------------------------------------------------------------

    async def disturb(self):
        """Something goes wrong every few seconds, for a moment; each kind of it once before one comes again."""
        kinds = [self.fail_calls, self.fail_calls, self.halt]
        kinds += [self.take_descriptors] if self.options.interpreter in FEELS_LIMIT else []
        first = True
        while first or time.monotonic() < self.end - 3 * DRAIN_S * self.options.pace:
            self.chance.shuffle(kinds)
            for kind in kinds:
                await asyncio.sleep(self.chance.uniform(3, 6) * self.options.pace)
                async with self.one_at_a_time:
                    await kind()
            self.unfinished -= first
            first = False

    async def fail_calls(self):
        call, error = self.chance.choice(FAULTS[self.options.interpreter])
        try:
            injected = await asyncio.to_thread(self.injected, call, error)
        except (RuntimeError, OSError) as failure:
            self.gaps.append(str(failure))
            return
        self.done["failing calls"] += injected

    def injected(self, call, error):
        """How many calls did fail."""
        with Attached(self.server, call, error, BURST) as attached:
            time.sleep(FAILING_S)
        return attached.injected

    async def take_descriptors(self):
        """New clients wait until there are some again."""
        pid = self.server.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (self.server.count_descriptors(), hard))
        await asyncio.sleep(0.5)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        self.done["descriptors short"] += 1

    async def halt(self):
        os.kill(self.server.pid, signal.SIGSTOP)
        await asyncio.sleep(0.3)
        os.kill(self.server.pid, signal.SIGCONT)
        self.done["halts"] += 1

    # -- The server --------------------------------------------------------------------------------------------------

    def start_server(self, port):
        self.server = Server(self.options, self.folder, port, len(self.runs))

    async def stop_server(self):
        begin = time.monotonic()
        self.check_memory()
        wrong, unjudged = await asyncio.to_thread(self.server.stop)
        if wrong:
            self.problems.append(f"run {len(self.runs)} {wrong}")
        if unjudged:
            self.gaps.append(f"run {len(self.runs)}: its monitor did not see all of it")
        self.runs.append(self.server)
        self.stops.append((begin, time.monotonic()))

    async def restart_now_and_then(self):
        """The next one serves at the same port at once."""
        for part in range(1, RESTARTS + 1):
            due = self.begin + part * 60 * self.options.minutes / (RESTARTS + 1)
            await asyncio.sleep(max(0, due - time.monotonic()))
            async with self.one_at_a_time:
                self.restarting = True
                port = self.server.address[1]
                await self.stop_server()
                self.start_server(port)
                await asyncio.sleep(2 * self.options.pace)  # those that the last one cut hear of it
                self.restarting = False
            self.done["restarts"] += 1
        self.unfinished -= 1

    async def watch(self):
        """Memory each second, or less often where looking takes long; a line now and then."""
        told = self.begin
        while not self.is_over():
            begin = time.monotonic()
            if not self.restarting:
                await asyncio.to_thread(self.server.look_at_memory)
            took = time.monotonic() - begin
            if begin - told > 30 and self.server.samples:
                told = begin
                first, family = self.server.samples[-1]
                print(f"  {begin - self.begin:.0f} s: {self.clients.outcomes['whole']} served, {self.lost} lost, "
                      f"{first} KiB, {family:.0f} in all processes", file=sys.stderr, flush=True)  # fmt: skip
            await asyncio.sleep(max(self.options.pace, took / LOOKING_SHARE))

    def check_memory(self):
        if is_sanitized():
            return
        for what, samples in zip(("the first process", "all processes"), zip(*self.server.samples)):
            compared = reckoning.quarters(samples)
            if not compared:
                continue
            first, last = compared
            line = f"run {len(self.runs)}: {what}: {first:.0f} KiB in the first quarter, {last:.0f} in the last"
            self.memory.append(line)
            if reckoning.has_grown(*compared):
                self.problems.append("memory grew: " + line)

    async def check_leaks(self):
        """Once no client is left."""
        end = time.monotonic() + LEAVES_WITHIN_S
        monitors = 1 if self.options.interpreter == "fork" else 0
        while True:
            left = self.server.count_descriptors() - self.server.descriptors
            sessions = len(self.server.children()) - monitors
            if left <= 0 and sessions <= 0:
                return
            if time.monotonic() > end:
                break
            await asyncio.sleep(0.1)
        self.problems.append(f"{left} descriptors and {sessions} processes are left behind")

    # -- All of it ---------------------------------------------------------------------------------------------------

    async def run(self):
        self.start_server(0)
        self.begin = time.monotonic()
        self.end = self.begin + 60 * self.options.minutes
        others = [] if self.options.no_restarts else [self.restart_now_and_then()]
        others += [] if self.options.no_faults else [self.disturb()]
        self.unfinished = len(others)
        clients = [self.keep_client() for _ in range(self.options.connections)]
        await asyncio.gather(self.watch(), *clients, *others)
        await self.check_leaks()
        await self.stop_server()

    def reconcile(self):
        """What the traces count and what the clients count."""
        total = collections.Counter()
        for number, server in enumerate(self.runs):
            verdict = server.judged()
            if verdict["verdict"] != "holds":
                found = self.problems if verdict["verdict"] == "violated" else self.gaps
                found.append(f"run {number}: its trace {server.trace} is {verdict['verdict']}")
            total.update({key: verdict["tally"][key] for key in COUNTED})
            total["drained"] += verdict["tally"]["connections_by_excuse"]["drain"]
            self.done["runs that told of it"] += "EMFILE" in server.log()
        drops = reckoning.listen_drops() - self.drops
        self.problems += reckoning.disagreements(self.clients, total, self.stops, drops)
        self.bounds = reckoning.accepted_bounds(self.clients, total, self.stops, drops)
        return total

    def look_for_gaps(self, total):
        asked = [] if self.options.no_restarts else ["restarts"]
        asked += [] if self.options.no_faults else ["failing calls", "halts"]
        if not self.options.no_faults and self.options.interpreter in FEELS_LIMIT:
            asked += ["descriptors short", "runs that told of it"]
        self.gaps += [f"{what}: none" for what in asked if not self.done[what]]
        if not self.clients.outcomes["whole"] or not total["events"]:
            self.gaps.append("nobody was served")
        if not self.memory and not is_sanitized():
            self.gaps.append("memory was looked at too seldom to be compared")

    def report(self, total):
        if self.lost:
            self.problems.append(f"{self.lost} clients are lost")
        self.look_for_gaps(total)
        verdict = reckoning.verdict_of(self.problems, self.gaps)
        clients, options = self.clients, self.options
        print(f"{verdict}: {options.minutes} minutes on {options.interpreter}, "
              f"{options.connections} clients at a time, {options.resets}% resets")  # fmt: skip
        print("  clients: " + ", ".join(f"{name} {count}" for name, count in sorted(clients.outcomes.items())))
        print(f"  lost: {self.lost}")
        for example in self.examples[:10]:
            print("    " + example)
        print(f"  clients that were served sent {clients.sent_by_whole} bytes and got all of them back; "
              f"the others sent {clients.sent_by_others} and got {clients.heard_by_others} back")  # fmt: skip
        print(f"  servers received {total['bytes_received']} and sent {total['bytes_sent']} bytes in "
              f"{total['events']} events, and accepted {self.bounds[1]} connections "
              f"(by the clients {self.bounds[0]} to {self.bounds[2]})")  # fmt: skip
        print("  " + ", ".join(f"{name} {self.done[name]}" for name in HAPPENINGS))
        for line in self.memory or ["no memory compared" + (": a sanitizer has its own" if is_sanitized() else "")]:
            print("  " + line)
        for problem in self.problems:
            print("  problem: " + problem)
        for gap in sorted(set(self.gaps)):
            print("  incomplete: " + gap)
        return {"holds": 0, "violated": 1, "incomplete": 3}[verdict]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--interpreter", default="epoll", choices=tuple(FAULTS))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--resets", type=float, default=1)
    parser.add_argument("--no-faults", action="store_true")
    parser.add_argument("--no-restarts", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", metavar="FOLDER", help="keep the traces and logs there")
    parser.add_argument("--program", default="stream", choices=("stream", "seed"))
    options = parser.parse_args()
    options.pace = min(1.0, options.minutes)
    if not 0 < options.minutes <= 240 or not 0 < options.connections <= 15_000:
        parser.error("--minutes is above 0 and at most 240, --connections at most 15000")
    return options


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))  # with its server, and incomplete
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="soak-") as scratch:
        folder = options.keep or scratch
        os.makedirs(folder, exist_ok=True)
        soak = Soak(options, folder)
        try:
            asyncio.run(soak.run())
        except NotStarted as failure:
            # The first one may have been asked for what cannot be; the next ones have to follow.
            print(f"violated: {failure}" if soak.runs else f"soak.py: {failure}", file=sys.stderr)
            return 1 if soak.runs else 2
        finally:
            if soak.server and soak.server.process.poll() is None:
                soak.server.process.kill()
                soak.server.process.wait()
        return soak.report(soak.reconcile())


if __name__ == "__main__":
    sys.exit(main())
