#!/usr/bin/env python3
"""Reads the tree and reports what breaks the project's rules, one line each: `file:line: text`.

    tidy.py [ROOT]        check the tree at ROOT (the repository that holds this file)
    tidy.py --self-test   plant one violation of each rule in a scratch tree and demand that it is found

Exits 0 when there is nothing to report, 1 when there is, 2 on bad usage.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath

# ---- The layout ----

LAYERS = ["core", "interpreters", "verify", "apps", "tests"]

TOP_LEVEL = set(LAYERS) | {
    "CMakeLists.txt", "README.md", "CMakePresets.json", ".clang-format", ".clang-tidy", ".gitignore",
    ".ci", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
}

# The project folders that each folder may include.
MAY_INCLUDE = {
    "core": {"core"},
    "interpreters": {"core", "interpreters"},
    "verify": {"core", "interpreters", "verify"},
    "apps": {"core", "interpreters", "verify", "apps"},
    "tests": set(LAYERS),
}

# The libraries that each folder may include, by the first folder of their headers.
LIBRARIES = {
    "core": set(),
    "interpreters": {"fmt", "nlohmann", "range"},
    "verify": {"fmt", "nlohmann", "range", "rapidcheck", "rapidcheck.h"},
    "apps": {"fmt", "nlohmann", "range", "rapidcheck", "rapidcheck.h", "CLI", "prometheus"},
    "tests": {
        "fmt", "nlohmann", "range", "rapidcheck", "rapidcheck.h", "CLI", "prometheus", "gtest", "gmock",
        "asio.hpp", "event2", "uv.h",
    },
}

# The standard library without its windows on the operating system (cerrno, csignal, csetjmp).
STANDARD_HEADERS = set("""
    algorithm any array atomic barrier bit bitset cassert cctype cfenv cfloat charconv chrono cinttypes climits
    clocale cmath codecvt compare complex concepts condition_variable coroutine cstdarg cstddef cstdint cstdio
    cstdlib cstring ctime cuchar cwchar cwctype deque exception execution expected filesystem flat_map flat_set
    format forward_list fstream functional future generator initializer_list iomanip ios iosfwd iostream istream
    iterator latch limits list locale map mdspan memory memory_resource mutex new numbers numeric optional ostream
    print queue random ranges ratio regex scoped_allocator semaphore set shared_mutex source_location span
    spanstream sstream stack stacktrace stdexcept stdfloat stop_token streambuf string string_view strstream
    syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility
    valarray variant vector version
""".split())

# What a compiler brings to describe itself. A source, but no header, may ask it.
COMPILER_HEADERS = {"sanitizer/asan_interface.h"}

# ---- Kinds of files ----

HEADERS = {".hpp", ".h", ".hh", ".hxx", ".ipp", ".inl", ".tpp"}
SOURCES = {".cpp", ".cc", ".cxx", ".c"}
SCRIPTS = {".py", ".sh", ".cmake"}
DATA = {".jsonl"}
DATA_FOLDERS = {"data", "golden", "corpus"}

CODE_WIDTH = 120
PROSE_WIDTH = 140
FILE_LINES = 1500

# Written in halves, so that this file does not report itself.
MARKS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
INCLUDE = re.compile(r'^\s*#\s*include\b\s*(?:<([^>]*)>|"([^"]*)"|(.*))')


def is_code(path, text):
    return (
        path.suffix in HEADERS | SOURCES | SCRIPTS
        or path.name == "CMakeLists.txt"
        or text.startswith("#!")
    )


def is_data(path):
    return path.suffix in DATA or bool(DATA_FOLDERS & set(path.parts[:-1]))


# ---- The rules: each yields (line number, text) ----


def check_place(path):
    top = path.parts[0]
    if top not in TOP_LEVEL:
        yield 1, f"`{top}` has no place at the top level"


def check_text(path, text):
    width = PROSE_WIDTH if path.suffix == ".md" else CODE_WIDTH if is_code(path, text) else None
    lines = text.removesuffix("\n").split("\n")
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            yield number, "tab"
        if line != line.rstrip():
            yield number, "white space at the end of the line"
        # A row of a Markdown table cannot be broken.
        is_row = path.suffix == ".md" and line.startswith("|")
        if width and len(line) > width and not is_row:
            yield number, f"{len(line)} columns wide, more than {width}"
        mark = MARKS.search(line)
        if mark:
            yield number, f"left-over mark {mark.group(1)}"
    if text and not text.endswith("\n"):
        yield len(lines), "no newline at the end of the file"
    if text.endswith("\n\n"):
        yield len(lines), "empty line at the end of the file"
    if len(lines) >= FILE_LINES:
        yield len(lines), f"{len(lines)} lines, the limit is {FILE_LINES}"


def check_pragma_once(path, text):
    if path.suffix not in HEADERS:
        return
    bare = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.DOTALL)
    for number, line in enumerate(bare.split("\n"), 1):
        line = line.split("//")[0].strip()
        if line:
            if line != "#pragma once":
                yield number, "the first line that is not a comment must be `#pragma once`"
            return
    yield 1, "a header without `#pragma once`"


def check_includes(path, text):
    layer = path.parts[0]
    if path.suffix not in HEADERS | SOURCES or layer not in LAYERS:
        return
    for number, line in enumerate(text.split("\n"), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        angled, quoted, other = found.groups()
        if quoted is not None:
            finding = judge_quoted(layer, quoted)
        elif angled is not None:
            finding = judge_angled(layer, path.suffix in HEADERS, angled)
        else:
            finding = f"cannot tell what `{other.strip()}` includes"
        if finding:
            yield number, finding


def judge_quoted(layer, name):
    target = name.split("/")[0]
    if target not in LAYERS or "/" not in name:
        return f'"{name}" does not start at the root of the repository'
    if ".." in name.split("/"):
        return f'"{name}" is not a plain path from the root'
    if target not in MAY_INCLUDE[layer]:
        return f"{layer} must not include {target}"
    return None


def judge_angled(layer, in_header, name):
    if name in STANDARD_HEADERS or (name in COMPILER_HEADERS and not in_header):
        return None
    target = name.split("/")[0]
    if target in LAYERS:
        return f"<{name}> is ours: write it in quotes, from the root"
    known = set().union(*LIBRARIES.values())
    if target in known:
        if target not in LIBRARIES[layer]:
            return f"{layer} must not include <{name}>"
        if target == "range" and in_header and layer != "tests":
            return f"<{name}> belongs in .cpp files"
        return None
    if layer == "core":
        return f"core includes the standard library only, not <{name}>"
    if in_header and layer != "tests":
        return f"system calls stay in .cpp files: no <{name}> in a header"
    return None


# ---- The tree ----


def git(root, *arguments):
    """What git prints, or None where there is no git or no repository."""
    # In a hook, git's own variables point at the repository that runs the hook.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, env=environment
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def list_files(root):
    """The tracked and the new files of a repository, or all files where there is no repository."""
    top = git(root, "rev-parse", "--show-toplevel")
    if top and os.path.samefile(top.rstrip("\n"), root):
        listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        if listed:
            return sorted({name for name in listed.split("\0") if name and (root / name).is_file()})
    names = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in {".git", "__pycache__"}]
        if Path(folder) == root and "build" in folders:
            folders.remove("build")
        names += [(Path(folder) / name).relative_to(root).as_posix() for name in files if name != ".git"]
    return sorted(names)


def check_tree(root):
    """All findings as `file:line: text`, in the order of the files. An empty tree is a finding too."""
    findings = []
    names = list_files(root)
    if not names:
        return [f"{root}:1: no files to check"]
    for name in names:
        path = PurePosixPath(name)
        found = list(check_place(path))
        raw = (root / name).read_bytes()
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = None
            if path.suffix in HEADERS | SOURCES | SCRIPTS or path.suffix == ".md":
                found.append((1, "not UTF-8"))
        if text is not None and "\0" not in text and not is_data(path):
            for rule in (check_text, check_pragma_once, check_includes):
                found += rule(path, text)
        findings += [f"{name}:{number}: {text}" for number, text in sorted(found)]
    return findings


# ---- Self-test ----

HEADER = "#pragma once\n"

# Each is a file, its text, and the one finding that it must give: the line and a part of the text.
VIOLATIONS = [
    ("vendor/a.txt", "a\n", 1, "no place at the top level"),
    ("notes.md", "a\n", 1, "no place at the top level"),
    ("core/up.hpp", HEADER + '#include "interpreters/a.hpp"\n', 2, "core must not include interpreters"),
    ("core/test.cpp", '#include "tests/a.hpp"\n', 1, "core must not include tests"),
    ("interpreters/up.cpp", '#include "verify/a.hpp"\n', 1, "interpreters must not include verify"),
    ("verify/up.cpp", '#include "apps/a.hpp"\n', 1, "verify must not include apps"),
    ("apps/test.cpp", '#include "tests/a.hpp"\n', 1, "apps must not include tests"),
    ("core/local.cpp", '#include "local.hpp"\n', 1, "does not start at the root"),
    ("core/dots.cpp", '#include "core/../verify/a.hpp"\n', 1, "not a plain path"),
    ("core/angled.cpp", "#include <core/a.hpp>\n", 1, "write it in quotes"),
    ("core/macro.cpp", "#include HEADER\n", 1, "cannot tell"),
    ("core/unistd.cpp", "#include <unistd.h>\n", 1, "standard library only"),
    ("core/sys.cpp", "  #  include <sys/socket.h>\n", 1, "standard library only"),
    ("core/netinet.hpp", HEADER + "#include <netinet/in.h>\n", 2, "standard library only"),
    ("core/errno.cpp", "#include <errno.h>\n", 1, "standard library only"),
    ("core/cerrno.cpp", "#include <cerrno>\n", 1, "standard library only"),
    ("core/programs/csignal.cpp", "#include <csignal>\n", 1, "standard library only"),
    ("core/asan.hpp", HEADER + "#include <sanitizer/asan_interface.h>\n", 2, "standard library only"),
    ("core/fmt.cpp", "#include <fmt/format.h>\n", 1, "core must not include <fmt/format.h>"),
    ("core/ranges.cpp", "#include <range/v3/view/map.hpp>\n", 1, "core must not include <range"),
    ("interpreters/check.cpp", "#include <rapidcheck.h>\n", 1, "interpreters must not include <rapid"),
    ("verify/gtest.cpp", "#include <gtest/gtest.h>\n", 1, "verify must not include <gtest"),
    ("interpreters/poll.hpp", HEADER + "#include <poll.h>\n", 2, "stay in .cpp files"),
    ("interpreters/cerrno.hpp", HEADER + "#include <cerrno>\n", 2, "stay in .cpp files"),
    ("verify/sys.hpp", HEADER + "#include <sys/types.h>\n", 2, "stay in .cpp files"),
    ("verify/range.hpp", HEADER + "#include <range/v3/all.hpp>\n", 2, "belongs in .cpp files"),
    ("core/wide.cpp", "//" + "a" * (CODE_WIDTH - 1) + "\n", 1, "columns wide"),
    ("apps/wide.sh", "#" + "a" * CODE_WIDTH + "\n", 1, "columns wide"),
    (".ci/run", "#!/bin/sh\n#" + "a" * CODE_WIDTH + "\n", 2, "columns wide"),
    ("README.md", "a" * (PROSE_WIDTH + 1) + "\n", 1, "columns wide"),
    ("core/tab.cpp", "\tint a;\n", 1, "tab"),
    ("core/space.cpp", "int a; \n", 1, "white space"),
    ("core/return.cpp", "int a;\r\n", 1, "white space"),
    ("core/end.cpp", "int a;", 1, "no newline"),
    ("core/empty_end.cpp", "int a;\n\n", 2, "empty line at the end"),
    ("core/todo.cpp", "int a;\n// TO" + "DO: more\n", 2, "left-over mark"),
    ("core/fixme.cpp", "// FIX" + "ME\n", 1, "left-over mark"),
    ("core/README.md", "XX" + "X\n", 1, "left-over mark"),
    ("tests/run.sh", "# HA" + "CK\n", 1, "left-over mark"),
    ("core/late.hpp", "// A comment.\n/* And\n another. */\n#include <vector>\n#pragma once\n", 4, "#pragma once"),
    ("core/none.hpp", "// Nothing here.\n", 1, "without `#pragma once`"),
    ("core/latin.cpp", b"// caf\xe9\n", 1, "not UTF-8"),
    ("verify/long.cpp", "int a;\n" * FILE_LINES, FILE_LINES, "lines, the limit is"),
]

# What is at a limit, or looks like a violation and is none.
CLEAN = [
    ("core/good.hpp", "// What it is.\n/* And why. */\n\n#pragma once\n\n#include <vector>\n#include \"core/b.hpp\"\n"),
    ("core/wide.cpp", "//" + "a" * (CODE_WIDTH - 2) + "\n"),
    ("core/symbols.cpp", "//" + "\u2081" * (CODE_WIDTH - 2) + "\n"),
    ("core/asan.cpp", "#include <sanitizer/asan_interface.h>\n"),
    ("core/quoted.cpp", "// #include <unistd.h>\n"),
    ("core/long.cpp", "int a;\n" * (FILE_LINES - 1)),
    ("interpreters/fork.cpp", '#include <sys/socket.h>\n#include <range/v3/all.hpp>\n#include "core/good.hpp"\n'),
    ("interpreters/face.hpp", HEADER + "#include <fmt/format.h>\n#include <chrono>\n"),
    ("verify/property.hpp", HEADER + "#include <rapidcheck.h>\n"),
    ("apps/main.cpp", '#include <CLI/CLI.hpp>\n#include "verify/property.hpp"\n'),
    ("tests/helper.hpp", HEADER + "#include <unistd.h>\n#include <range/v3/all.hpp>\n#include <gtest/gtest.h>\n"),
    ("tests/name.py", 'name = "/tmp/a.' + "X" * 6 + '"\n'),
    ("tests/data/odd.txt", "\tdata \n"),
    ("tests/fuzz/corpus/trace/0a", "\tdata \n"),
    ("tests/trace.jsonl", "{" + " " * 200 + "}"),
    ("README.md", "a" * PROSE_WIDTH + "\n"),
    ("LICENSE", "MIT\n"),
    ("build/out.txt", "a\t"),
]


def write_tree(root, files):
    for name, text in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))


def self_test():
    """Each violation must be found where it is, alone, and nothing in the clean tree may be found."""
    failures = []

    def expect_one(findings, name, number, part, how):
        start = f"{name}:{number}: "
        if len(findings) != 1 or not findings[0].startswith(start) or part not in findings[0]:
            failures.append(f"{how}: expected `{start}...{part}...` alone, found {findings}")

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_tree(root, CLEAN)
        for finding in check_tree(root):
            failures.append(f"clean tree: unexpected {finding}")
    for name, text, number, part in VIOLATIONS:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_tree(root, [("LICENSE", "MIT\n"), (name, text)])
            expect_one(check_tree(root), name, number, part, "planted")

    # In a repository, a new file counts and an ignored one does not.
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_tree(root, [(".gitignore", "ignored.txt\n"), ("ignored.txt", "\t"), ("core/new.cpp", "\tint a;\n")])
        if git(root, "init", "-q") is not None:
            expect_one(check_tree(root), "core/new.cpp", 1, "tab", "in a repository")

    with tempfile.TemporaryDirectory() as folder:
        if not check_tree(Path(folder)):
            failures.append("an empty tree passes")
    return failures


def main(arguments):
    if arguments == ["--self-test"]:
        findings = self_test()
        summary = f"{len(VIOLATIONS)} planted violations"
    elif len(arguments) <= 1 and not (arguments and arguments[0].startswith("-")):
        root = Path(arguments[0] if arguments else Path(__file__).parent.parent.parent).resolve()
        if not root.is_dir():
            print(f"tidy.py: no such folder: {root}", file=sys.stderr)
            return 2
        findings = check_tree(root)
        summary = f"{len(list_files(root))} files"
    else:
        print("usage: tidy.py [ROOT | --self-test]", file=sys.stderr)
        return 2
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} findings ({summary})")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
