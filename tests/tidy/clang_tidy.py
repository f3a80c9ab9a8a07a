#!/usr/bin/env python3
"""Runs clang-tidy 19 on the sources of a build, and prints what it finds.

    clang_tidy.py BUILD [FILE...]    all sources that BUILD compiles, or only these

A source that was clean is not read again until it, a header of it, its compile command, `.clang-tidy` or clang-tidy
itself changes. What was clean is remembered in `$XDG_CACHE_HOME/antiphon/clang-tidy` (`~/.cache` when unset), for 30
days after its last use.

BUILD must be built by Ninja with clang and up to date: the headers of a source are those of its last compilation.
Exits 0 when there is nothing to report, 1 when there is, 2 on bad usage.
"""

import hashlib
import json
import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLANG_TIDY = "clang-tidy-19"
KEPT_DAYS = 30


def memory():
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "antiphon" / "clang-tidy"


@cache
def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def dependencies(build):
    """The files that each object of the build was made from, by the object's path in the build."""
    asked = ["ninja", "-C", str(build), "-t", "deps"]
    output = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    found = {}
    for block in output.split("\n\n"):
        head, *lines = block.strip().splitlines() or [""]
        if not lines or "(VALID)" not in head:
            continue
        found[head.split(":")[0]] = [os.path.normpath(build / line.strip()) for line in lines]
    return found


def key(entry, files, common):
    """Names a source with all that its findings depend on. A clone elsewhere has the same names."""
    text = [common, entry["command"].replace(str(ROOT), "")]
    text += sorted(f"{file.removeprefix(str(ROOT))} {digest(file)}" for file in files)
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


def tidy(build, source):
    ran = subprocess.run(
        [CLANG_TIDY, "--quiet", "-p", str(build), source], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return ran.returncode == 0, ran.stdout


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    build = Path(arguments[0]).resolve()
    if not (build / "compile_commands.json").is_file():
        print(f"clang_tidy.py: no compile_commands.json in {build}", file=sys.stderr)
        return 2
    wanted = {os.path.abspath(file) for file in arguments[1:]}

    version = subprocess.run([CLANG_TIDY, "--version"], check=True, capture_output=True, text=True).stdout
    common = version + digest(ROOT / ".clang-tidy")
    made_from = dependencies(build)

    # What the build generates is not ours to judge.
    work = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
        ours = source.startswith(f"{ROOT}/") and not source.startswith(f"{ROOT}/build/")
        if ours and (not wanted or source in wanted):
            words = shlex.split(entry["command"])
            files = made_from.get(words[words.index("-o") + 1])
            work[source] = key(entry, files, common) if files and all(map(os.path.isfile, files)) else None
    unknown = wanted - set(work)
    if unknown or not work:
        print(f"clang_tidy.py: not compiled in {build}: {' '.join(sorted(unknown)) or 'anything'}", file=sys.stderr)
        return 2

    remembered = memory()
    remembered.mkdir(parents=True, exist_ok=True)
    for stamp in remembered.iterdir():
        if stamp.stat().st_mtime < time.time() - KEPT_DAYS * 86400:
            stamp.unlink(missing_ok=True)

    todo = []
    for source, name in sorted(work.items()):
        if name and (remembered / name).exists():
            (remembered / name).touch()
        else:
            todo.append((source, name))

    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (source, name), (clean, output) in zip(todo, pool.map(lambda job: tidy(build, job[0]), todo)):
            if clean and name:
                (remembered / name).touch()
            elif not clean:
                failed += 1
                print(output, flush=True)
    unchanged = len(work) - len(todo)
    print(f"clang-tidy: {len(work)} sources, {unchanged} unchanged since they were clean, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
