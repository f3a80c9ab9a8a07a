#!/usr/bin/env python3
"""A server under mixed clients for a while: nothing may be lost, nothing leaked, and memory stays flat.

    soak.py [--minutes M] [--connections N] [--interpreter NAME] [--workers N] [--resets PERCENT] [--no-faults]
            [--no-restarts] [--seed S] [--keep FOLDER]

Clients that are fast, slow, huge, idle, empty, that reset and that vanish; N of them at a time. Meanwhile system calls
fail in bursts (strace), descriptors run short, the server is halted for a moment, and it is restarted under load. Its
own monitor judges each run while it lasts, and `echo-verify trace` afterwards; the bytes and connections that it counts
are compared with what the clients counted. Prints a line now and then, and the verdict at the end: 0 holds, 1 violated,
3 incomplete. Loopback only.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import asyncio
import collections
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time

from clients import live

APPS = os.environ["ANTIPHON_APPS_DIR"]
STARTS_WITHIN_S = 30
DRAIN_S = 5

# Failures that the server has to serve through, as its fault matrix says: no client may be lost by them.
BURST = ":when=1..8"
FAULTS = {
    "fork": [("accept4", "ECONNABORTED"), ("accept4", "ENFILE"), ("recvfrom", "EINTR"), ("recvfrom", "ENOMEM"),
             ("sendto", "ENOBUFS"), ("ppoll", "EINTR")],
    "epoll": [("accept4", "ECONNABORTED"), ("accept4", "EMFILE"), ("recvfrom", "EINTR"), ("recvfrom", "ENOMEM"),
              ("sendto", "ENOBUFS"), ("epoll_ctl", "ENOMEM"), ("epoll_wait", "EINTR")],
    "uring": [("io_uring_enter", "EINTR"), ("io_uring_enter", "EAGAIN"), ("io_uring_enter", "EBUSY")],
}  # fmt: skip


# What a trace's verdict counts.
COUNTED = ("bytes_received", "bytes_sent", "connections", "events")


class Server:
    """One run of echo-server, with its trace and its monitor."""

    def __init__(self, options, folder, port, number):
        self.trace = os.path.join(folder, f"run{number}.jsonl")
        self.log_path = os.path.join(folder, f"run{number}.log")
        workers = [] if options.interpreter == "fork" else ["--workers", str(options.workers)]
        self.log_file = open(self.log_path, "w")
        self.process = subprocess.Popen(
            [os.path.join(APPS, "echo-server"), "--port", str(port), "--interpreter", options.interpreter, *workers,
             "--trace", self.trace, "--trace-payload", "digest", "--monitor", "--drain-timeout", str(DRAIN_S)],
            stdout=subprocess.PIPE, stderr=self.log_file, stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError(f"the server did not start: {self.log()}")
        host, _, its_port = line.split()[2].rpartition(":")
        self.address = (host, int(its_port))
        self.descriptors = self.count_descriptors()

    def log(self):
        with open(self.log_path) as file:
            return file.read()

    def count_descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def sessions(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path) as file:
            return len(file.read().split())

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("VmRSS")), 0)

    def stop(self):
        """Asks it to end and answers what is wrong with how it did, or None."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(DRAIN_S + 60)
        self.log_file.close()
        return None if status == 0 else f"ended with status {status}: {self.log().strip()[-500:]}"

    def judged(self):
        """What echo-verify says of the trace."""
        done = subprocess.run(
            [os.path.join(APPS, "echo-verify"), "trace", self.trace, "--program", "stream", "--format", "json"],
            capture_output=True, text=True,
        )  # fmt: skip
        return json.loads(done.stdout)


class Soak:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.chance = random.Random(options.seed)
        self.fates = collections.Counter()  # (kind, outcome)
        self.examples = []
        self.counted = collections.Counter()  # of the clients
        self.memory = []  # (second, KiB), of the run that lasts
        self.problems = []
        self.runs = []
        self.next_seed = options.seed * 1_000_000_007
        self.restarting = False
        self.server = None

    # -- Clients -----------------------------------------------------------------------------------------------------

    async def keep_client(self):
        """One after the other, until time is over."""
        while time.monotonic() < self.end:
            self.next_seed += 1
            run = len(self.runs)
            fate = await live(self.server.address, self.next_seed, self.chance.random() * 100 < self.options.resets)
            restarted = self.restarting or run != len(self.runs)
            self.note(fate, restarted)
            if fate.outcome == "unserved":
                await asyncio.sleep(0.2)

    def note(self, fate, restarted):
        self.fates[fate.outcome] += 1
        self.counted["sent" if fate.outcome == "whole" else "sent by others"] += fate.sent
        self.counted["received"] += fate.received
        self.counted["cut"] += fate.outcome == "cut"
        excused = fate.outcome in ("whole", "reset") or (restarted and fate.outcome in ("cut", "unserved"))
        if not excused:
            self.counted["lost"] += 1
            self.examples.append(f"{fate.kind} {fate.outcome}: {fate.received} of {fate.sent} bytes {fate.why}")

    # -- Chaos -------------------------------------------------------------------------------------------------------

    async def disturb(self):
        """Something goes wrong every few seconds, for a moment."""
        while time.monotonic() < self.end - 3 * DRAIN_S:
            await asyncio.sleep(self.chance.uniform(3, 6))
            what = self.chance.choice((self.fail_calls, self.fail_calls, self.take_descriptors, self.halt))
            if not self.restarting:
                await what()

    async def fail_calls(self):
        call, error = self.chance.choice(FAULTS[self.options.interpreter])
        if not shutil.which("strace"):
            return
        strace = await asyncio.create_subprocess_exec(
            "strace", "-f", "-qq", "-e", f"trace={call}", "-e", "signal=none",
            "-e", f"inject={call}:error={error}{BURST}", "-o", "/dev/null", "-p", str(self.server.process.pid),
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        await asyncio.sleep(0.7)
        if strace.returncode is None:
            strace.terminate()
        await strace.wait()
        self.counted["failing calls"] += 1

    async def take_descriptors(self):
        """New clients wait until there are some again."""
        pid = self.server.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (self.server.count_descriptors(), hard))
        await asyncio.sleep(0.5)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        self.counted["descriptors short"] += 1

    async def halt(self):
        os.kill(self.server.process.pid, signal.SIGSTOP)
        await asyncio.sleep(0.3)
        os.kill(self.server.process.pid, signal.SIGCONT)
        self.counted["halts"] += 1

    # -- The server --------------------------------------------------------------------------------------------------

    def start_server(self, port):
        self.server = Server(self.options, self.folder, port, len(self.runs))
        self.memory = []

    async def stop_server(self):
        loop = asyncio.get_running_loop()
        self.check_memory()
        wrong = await loop.run_in_executor(None, self.server.stop)
        if wrong:
            self.problems.append(f"run {len(self.runs)} {wrong}")
        self.runs.append(self.server)

    async def restart_now_and_then(self):
        """The next one serves at the same port at once."""
        if self.options.no_restarts:
            return
        for part in range(1, 4):
            await asyncio.sleep(max(0, self.begin + part * 60 * self.options.minutes / 4 - time.monotonic()))
            self.restarting = True
            port = self.server.address[1]
            await self.stop_server()
            self.start_server(port)
            await asyncio.sleep(2)  # those that the last one cut hear of it
            self.restarting = False
            self.counted["restarts"] += 1

    async def watch(self):
        """Memory each second, once the clients are there; a line now and then."""
        ticks = 0
        while time.monotonic() < self.end:
            await asyncio.sleep(1)
            ticks += 1
            if self.restarting:
                continue
            self.memory.append(self.server.resident_kib())
            if ticks % 30 == 0:
                print(f"  {ticks} s: {self.fates['whole']} served, {self.counted['lost']} lost, "
                      f"{self.memory[-1]} KiB", file=sys.stderr, flush=True)  # fmt: skip

    def check_memory(self):
        """Flat: the last quarter takes no more than the second, once all clients have come, and a little."""
        quarter = len(self.memory) // 4
        if quarter < 5:
            return
        early = sum(self.memory[quarter : 2 * quarter]) / quarter
        late = sum(self.memory[-quarter:]) / quarter
        self.counted["KiB early"], self.counted["KiB late"] = round(early), round(late)
        if late > early * 1.1 + 2048:
            self.problems.append(f"run {len(self.runs)}: memory grew from {early:.0f} to {late:.0f} KiB")

    async def check_leaks(self):
        """Once no client is left."""
        for _ in range(100):
            left = self.server.count_descriptors() - self.server.descriptors
            sessions = self.server.sessions() - (1 if self.options.interpreter == "fork" else 0)
            if left <= 0 and sessions <= 0:
                return
            await asyncio.sleep(0.1)
        self.problems.append(f"{left} descriptors and {sessions} processes are left behind")

    # -- All of it ---------------------------------------------------------------------------------------------------

    async def run(self):
        self.start_server(0)
        self.begin = time.monotonic()
        self.end = self.begin + 60 * self.options.minutes
        others = [self.watch(), self.restart_now_and_then()]
        if not self.options.no_faults:
            others.append(self.disturb())
        clients = [self.keep_client() for _ in range(self.options.connections)]
        await asyncio.gather(*clients, *others)
        await self.check_leaks()
        await self.stop_server()

    def reconcile(self):
        """What the traces count and what the clients count."""
        total = collections.Counter()
        for number, server in enumerate(self.runs):
            verdict = server.judged()
            if verdict["verdict"] != "holds":
                self.problems.append(f"run {number}: its trace {server.trace} is {verdict['verdict']}")
            total.update({key: verdict["tally"][key] for key in COUNTED})
            total["drained"] += verdict["tally"]["connections_by_excuse"]["drain"]
        least = self.counted["sent"]
        most = least + self.counted["sent by others"]
        received, sent = total["bytes_received"], total["bytes_sent"]
        if not least <= received <= most:
            self.problems.append(f"the servers received {received} bytes, and the clients sent {least} to {most}")
        if sent < self.counted["received"]:
            self.problems.append(f"the clients received {self.counted['received']} bytes, and {sent} were sent")
        if self.counted["cut"] > total["drained"]:
            self.problems.append(f"{self.counted['cut']} clients were cut, and drains cut {total['drained']}")
        return total

    def report(self, total):
        verdict = "violated" if self.problems or self.counted["lost"] else "holds"
        if verdict == "holds" and (not self.fates["whole"] or not total["events"]):
            verdict = "incomplete"
        print(f"{verdict}: {self.options.minutes} minutes on {self.options.interpreter}, "
              f"{self.options.connections} clients at a time, {self.options.resets}% resets")  # fmt: skip
        print("  clients: " + ", ".join(f"{name} {count}" for name, count in sorted(self.fates.items())))
        print(f"  lost: {self.counted['lost']}")
        for example in self.examples[:10]:
            print("    " + example)
        print(f"  clients sent {self.counted['sent']} bytes and got all of them back; others sent up to "
              f"{self.counted['sent by others']} more")  # fmt: skip
        print(f"  servers received {total['bytes_received']} and sent {total['bytes_sent']} bytes, on "
              f"{total['connections']} connections, in {total['events']} events")  # fmt: skip
        print("  " + ", ".join(f"{name} {self.counted[name]}" for name in
                               ("restarts", "failing calls", "descriptors short", "halts")))  # fmt: skip
        print(f"  memory of the last run: {self.counted['KiB early']} KiB early, {self.counted['KiB late']} late")
        for problem in self.problems:
            print("  problem: " + problem)
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
    options = parser.parse_args()
    if not 0 < options.minutes <= 240 or not 0 < options.connections <= 15_000:
        parser.error("--minutes is above 0 and at most 240, --connections at most 15000")
    return options


def main():
    options = arguments()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="soak-") as scratch:
        folder = options.keep or scratch
        os.makedirs(folder, exist_ok=True)
        soak = Soak(options, folder)
        try:
            asyncio.run(soak.run())
        finally:
            if soak.server and soak.server.process.poll() is None:
                soak.server.process.kill()
                soak.server.process.wait()
        return soak.report(soak.reconcile())


if __name__ == "__main__":
    sys.exit(main())
