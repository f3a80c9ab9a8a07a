#!/usr/bin/env python3
"""Runs the fuzz targets of build/fuzz, some at a time, and prints a line for each.

    tests/fuzz/run.sh                              all of them, 5 seconds each
    tests/fuzz/run.sh trace strace --seconds 60    these two
    tests/fuzz/run.sh --keep                       what reaches something new goes into the corpora in the tree

Exits 0 if every target came back from all that it was given and every canary crashed, 1 if not (the input is in
build/fuzz/found, with the command that gives it again), 2 on bad usage, 3 if a target ran nothing at all.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "fuzz"

# Targets that must crash, what they must say, and whose inputs they begin with. They may take longer: they end with it.
CANARIES = {
    "canary": ("heap-buffer-overflow", ""),
    "canary_trace": ("fuzz: the fast reader takes a line that the other one refuses", "trace"),
    "canary_scenario": ("--replay a3-seed-", "scenario"),
}
MOST_CANARY_SECONDS = 60

# Inputs are no longer than that: what is to be found is found in small ones.
MOST_BYTES = {"arguments": 500, "scenario": 400, "canary_scenario": 400, "event_bytes": 1000, "canary": 64}
USUAL_MOST_BYTES = 4000
MOST_MIB = 2048
# What is kept in the tree of one target.
MOST_KEPT_BYTES = 10_000
LEAST_GAIN = 4
MOST_SECONDS_FOR_ONE = 25


def known_targets():
    sources = sorted(HERE.glob("*.cpp"))
    return [source.stem for source in sources if "\nvoid try_input(" in source.read_text()]


def binary(name):
    return BUILD / "tests" / "fuzz" / name


def shown(path):
    return os.path.relpath(path, HERE.parent.parent)


def command_of(name, seconds, seed):
    """The target, its own new inputs, and those of the tree, which stay as they are."""
    new = BUILD / "corpus" / name
    old = HERE / "corpus" / name
    if name in CANARIES:
        shutil.rmtree(new, ignore_errors=True)
        seconds = max(seconds, MOST_CANARY_SECONDS)
        old = HERE / "corpus" / (CANARIES[name][1] or name)
    new.mkdir(parents=True, exist_ok=True)
    command = [
        str(binary(name)),
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-max_len={MOST_BYTES.get(name, USUAL_MOST_BYTES)}",
        f"-timeout={MOST_SECONDS_FOR_ONE}",
        f"-rss_limit_mb={MOST_MIB}",
        f"-artifact_prefix={BUILD}/found/{name}-",
        "-len_control=0",
        "-print_final_stats=1",
        "-reload=0",
    ]
    words = HERE / "words" / f"{name}.txt"
    if words.exists():
        command.append(f"-dict={words}")
    command.append(str(new))
    return [*command, str(old)] if old.exists() else command


def last_number(text, pattern):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def what_was_said(log):
    """The line that tells why it crashed, with what belongs to it."""
    lines = log.splitlines()
    for place, line in enumerate(lines):
        if line.startswith("fuzz: ") or "ERROR: " in line or "runtime error: " in line:
            return lines[place : place + 2]
    return lines[-2:]


def try_target(name, seconds, seed):
    """One line about it, lines of detail, and the status it asks for."""
    done = subprocess.run(command_of(name, seconds, seed), capture_output=True, text=True, errors="replace")
    log = done.stderr
    runs = last_number(log, r"(?m)^stat::number_of_executed_units: +(\d+)") or last_number(log, r"(?m)^#(\d+)\t")
    coverage = last_number(log, r" cov: (\d+)")
    crashed = done.returncode != 0
    head = f"{name:<16} {runs:>9} runs {coverage:>6} edges  "
    found = re.findall(r"Test unit written to (\S+)", log)
    if name in CANARIES:
        if crashed and CANARIES[name][0] in log:
            for path in found:
                Path(path).unlink(missing_ok=True)
            return head + "crashes, as it must", [], 0
        missed = "CRASHES OTHERWISE THAN IT MUST" if crashed else "DOES NOT CRASH, AND MUST"
        return head + missed, what_was_said(log), 1
    if crashed:
        details = what_was_said(log)
        details += [f"again: ANTIPHON_FUZZ_SHOW=1 {shown(binary(name))} {shown(path)}" for path in found]
        return head + "CRASHES", details, 1
    if runs == 0:
        return head + "incomplete: nothing was run", [], 3
    return head + "holds", [], 0


def reached_by(control):
    """What libFuzzer noted when it merged: each input, and the edges that it reaches."""
    lines = control.read_text().splitlines()
    files = [Path(line) for line in lines[2 : 2 + int(lines[0])]]
    edges = {file: set() for file in files}
    for line in lines[2 + len(files) :]:
        kind, number, *reached = line.split()
        if kind == "COV":
            edges[files[int(number)]] = set(reached)
    return edges


def best_of(edges, most_bytes):
    """Inputs that reach much for their size, until no other reaches much that is new, or there is no room."""
    room, reached, chosen = most_bytes, set(), []
    sizes = {file: file.stat().st_size for file in edges}
    while edges:
        gain = {file: len(its - reached) / (sizes[file] + 100) for file, its in edges.items() if sizes[file] <= room}
        best = max(gain, key=gain.get, default=None)
        if best is None or len(edges[best] - reached) < LEAST_GAIN:
            break
        chosen.append(best)
        room -= sizes[best]
        reached |= edges.pop(best)
    return chosen


def keep(names):
    """Makes the corpora in the tree anew, of what they have and what the runs came up with."""
    for name in names:
        if name in CANARIES:
            continue
        tree, merged, new = HERE / "corpus" / name, BUILD / "merged" / name, BUILD / "corpus" / name
        shutil.rmtree(merged, ignore_errors=True)
        for folder in (merged, tree):
            folder.mkdir(parents=True, exist_ok=True)
        control = BUILD / "merged" / f"{name}.control"
        control.unlink(missing_ok=True)
        most = MOST_BYTES.get(name, USUAL_MOST_BYTES)
        command = [binary(name), "-set_cover_merge=1", f"-max_len={most}", f"-merge_control_file={control}"]
        subprocess.run([*command, merged, tree, new], check=True, capture_output=True)
        kept = {file.name: file.read_bytes() for file in best_of(reached_by(control), MOST_KEPT_BYTES)}
        shutil.rmtree(tree)
        tree.mkdir()
        for number, content in enumerate(kept.values()):
            (tree / f"{number:03}").write_bytes(content)
        print(f"{name:<16} {len(kept):>4} inputs {sum(map(len, kept.values())):>6} bytes")


def read_arguments(known):
    parser = argparse.ArgumentParser(
        usage="run.sh [TARGET...] [options]", description=__doc__.split("\n")[0], epilog=f"targets: {', '.join(known)}"
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all")
    parser.add_argument("--seconds", type=int, default=5, help="how long each of them runs; default 5")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time; default: one a processor")
    parser.add_argument("--seed", type=int, default=1, help="where inputs are drawn from; 0: anywhere; default 1")
    parser.add_argument("--keep", action="store_true", help="then keep what is new in tests/fuzz/corpus")
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(known)
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if min(arguments.seconds, arguments.jobs) < 1 or arguments.seed < 0:
        parser.error("--seconds and --jobs are at least 1, --seed at least 0")
    return arguments


def main():
    known = known_targets()
    arguments = read_arguments(known)
    names = arguments.targets or known
    (BUILD / "found").mkdir(parents=True, exist_ok=True)
    status = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        tried = pool.map(lambda name: try_target(name, arguments.seconds, arguments.seed), names)
        for line, details, wants in tried:
            print(line)
            for detail in details:
                print(f"    {detail}")
            sys.stdout.flush()
            status = wants if wants == 1 or status == 0 else status
    if arguments.keep and status == 0:
        keep(names)
    return status


if __name__ == "__main__":
    sys.exit(main())
