#!/usr/bin/env python3
"""Runs what finds more the longer it runs, in so many minutes, and ends with a summary.

    tests/long.sh --minutes 60
    tests/long.sh --minutes 10 properties kernel

Exits 0 if all of it held, 1 if something is violated or crashed (what is said about it stands above the summary), 2 on
bad usage, 3 if something has no verdict.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ROOT / "build" / "release" / "apps"
VERIFY = str(APPS / "echo-verify")

HOLDS, VIOLATED, INCOMPLETE = 0, 1, 3
VERDICTS = {HOLDS: "holds", VIOLATED: "VIOLATED", INCOMPLETE: "incomplete"}

MOST_RUNS = 1_000_000
RUNS_AT_ONCE = 20_000
RUNS_ON_KERNEL_AT_ONCE = 200

# From small to large. A search that the time does not suffice for has no verdict.
SCOPES = [
    "--program once --clients 4",
    "--program once --clients 2 --faults interrupts,reset,close,fork",
    "--program stream --clients 8 --messages any",
    "--program stream --clients 3 --messages any --faults interrupts,reset",
]


class Clock:
    """What is left of a part's time."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def left(self):
        return max(0.0, self.end - time.monotonic())


def run(command, seconds=None):
    """The status, and what was printed. Time that runs out leaves no verdict."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
    except subprocess.TimeoutExpired:
        return INCOMPLETE, "the time was up\n"
    status = done.returncode if done.returncode in VERDICTS else VIOLATED
    return status, done.stdout.decode(errors="replace")


def worst(statuses):
    for status in (VIOLATED, INCOMPLETE):
        if status in statuses:
            return status
    return HOLDS


class Summary:
    """Lines for the end; what does not hold is printed at once."""

    def __init__(self):
        self.lines = []

    def add(self, what, status, output):
        if status != HOLDS:
            print(f"{what}:\n{output}", flush=True)
        self.lines.append((what, status))
        print(f"{VERDICTS[status]:<10} {what}", flush=True)

    def status(self):
        return worst([status for _, status in self.lines])


def fuzz(clock, _seed, summary):
    sys.path.insert(0, str(ROOT / "tests" / "fuzz"))
    import run as runner

    jobs = os.cpu_count() or 1
    seconds = max(5, int(clock.left() * jobs / len(runner.known_targets())))
    command = [sys.executable, str(ROOT / "tests" / "fuzz" / "run.py"), "--seconds", str(seconds), "--seed", "0"]
    status, output = run(command)
    print(output, end="")
    summary.add(f"fuzz: every target for {seconds} s", status, "")


def in_slices(name, commands, runs_at_once, clock, seed, summary):
    """Runs the commands in turn, each time with another seed, until the time is up or enough was run."""
    done = 0
    first = seed
    longest = 0.0
    while done == 0 or (done < MOST_RUNS and clock.left() > longest):
        start = time.monotonic()
        for command in commands:
            status, output = run([VERIFY, *command, "--runs", str(runs_at_once), "--seed", str(seed)])
            if status != HOLDS:
                return summary.add(f"{name}: {' '.join(command)} --seed {seed}", status, output)
        longest = max(longest, time.monotonic() - start)
        done += runs_at_once
        seed += 1
    return summary.add(f"{name}: {done} runs of each, from seeds {first} to {seed - 1}", HOLDS, "")


def properties(clock, seed, summary):
    commands = [["properties", "--program", name, "--faults", "all"] for name in ("stream", "once")]
    in_slices("properties", commands, RUNS_AT_ONCE, clock, seed, summary)


def kernel(clock, seed, summary):
    stages = ["fork", "epoll", "uring"]
    usable = [stage for stage in stages if "kernel" not in run([VERIFY, "properties", "--on", stage, "--runs", "1"])[1]]
    commands = [["properties", "--on", stage, "--faults", "all"] for stage in usable]
    in_slices(f"on the kernel ({', '.join(usable)})", commands, RUNS_ON_KERNEL_AT_ONCE, clock, seed, summary)


def explore(clock, _seed, summary):
    for scope in SCOPES:
        if clock.left() <= 0:
            print(f"left out   explore {scope}", flush=True)
            continue
        status, output = run([VERIFY, "explore", *scope.split()], clock.left())
        summary.add(f"explore {scope}", status, output)


def soak(clock, seed, summary):
    os.environ["ANTIPHON_APPS_DIR"] = str(APPS)
    minutes = f"{clock.left() / 60:.1f}"
    command = [sys.executable, str(ROOT / "tests" / "soak" / "soak.py"), "--minutes", minutes, "--seed", str(seed)]
    status, output = run(command)
    summary.add(f"soak: {minutes} minutes", status, output)


# Each part, and its share of the time.
PARTS = {
    "fuzz": (fuzz, 4),
    "properties": (properties, 3),
    "kernel": (kernel, 2),
    "explore": (explore, 2),
    "soak": (soak, 3),
}


def read_arguments():
    parser = argparse.ArgumentParser(
        usage="long.sh [PART...] [--minutes N] [--seed S]",
        description=__doc__.split("\n")[0],
        epilog=f"parts: {', '.join(PARTS)}",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="default: all")
    parser.add_argument("--minutes", type=float, default=30, help="how long all of it may take; default 30")
    parser.add_argument("--seed", type=int, help="where scenarios are drawn from; default: the time")
    arguments = parser.parse_args()
    for name in arguments.parts:
        if name not in PARTS:
            parser.error(f"there is no part {name}; there are {', '.join(PARTS)}")
    if not 1 <= arguments.minutes <= 10_000:
        parser.error("--minutes is a number from 1 to 10000")
    return arguments


def main():
    arguments = read_arguments()
    names = arguments.parts or list(PARTS)
    seed = int(time.time()) if arguments.seed is None else arguments.seed
    shares = sum(PARTS[name][1] for name in names)
    summary = Summary()
    for name in names:
        part, share = PARTS[name]
        part(Clock(arguments.minutes * 60 * share / shares), seed, summary)
    print(f"\n{arguments.minutes:g} minutes:")
    for what, status in summary.lines:
        print(f"  {VERDICTS[status]:<10} {what}")
    return summary.status()


if __name__ == "__main__":
    sys.exit(main())
