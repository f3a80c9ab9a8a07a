#!/usr/bin/env python3
"""Malformed input, whatever it is: one line on standard error that says what and where, nothing else, and status 2."""

import json
import os
import struct
import subprocess
import tempfile
import unittest

APPS = os.environ["ANTIPHON_APPS_DIR"]

NO_NUMBERS = ["", "x", "-1", "1.5", " 1", "1 ", "0x10", "1e3", "99999999999999999999", "+1"]


def flags():
    """Command lines of all three programs."""
    numbers = {
        "echo-server": ["--port", "--workers", "--spin", "--backlog", "--max-connections", "--max-per-address",
                        "--idle-timeout", "--progress-timeout"],
        "echo-verify properties": ["--runs", "--clients", "--seed"],
        "echo-verify explore": ["--size", "--capacity", "--messages", "--threads", "--memory"],
    }
    for program, options in numbers.items():
        for option in options:
            for value in NO_NUMBERS:
                if option.endswith("-timeout") and value in ("1.5",):
                    continue  # a time
                yield program.split() + [option, value], option
    for words in [
        ["echo-server", "--no-such-option"],
        ["echo-server", "word"],
        ["echo-server", "--interpreter", "paper"],
        ["echo-server", "--program", "echo"],
        ["echo-server", "--once", "--program", "once"],
        ["echo-server", "--host", ""],
        ["echo-server", "--host", "no-such-host.invalid"],
        ["echo-server", "--host", "256.0.0.1"],
        ["echo-server", "--trace"],
        ["echo-server", "--trace", "/no/such/folder/t"],
        ["echo-server", "--trace-limit", "1"],
        ["echo-server", "--trace-payload", "none"],
        ["echo-server", "--on-violation", "shrug"],
        ["echo-verify"],
        ["echo-verify", "believe"],
        ["echo-verify", "properties", "--faults", "all,short"],
        ["echo-verify", "properties", "--faults", ","],
        ["echo-verify", "properties", "--on", ""],
        ["echo-verify", "explore", "--strategy", ""],
        ["echo-verify", "compare", "stream"],
        ["echo-verify", "mutants", "--program", ""],
        ["echo-verify", "probe"],
        ["echo-verify", "probe", "127.0.0.1"],
        ["echo-verify", "probe", "127.0.0.1:70000"],
        ["echo-dump", "--format", "pdf"],
        ["echo-dump", "--program", "x"],
        ["echo-dump", "--coverage", "/no/such/file"],
    ]:
        yield words, ""


def found_token():
    command = [os.path.join(APPS, "echo-verify"), "properties", "--program", "seed", "--runs", "5", "--format", "json"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60).stdout)
    return report["findings"][0]["replay"].split()[-1]


def tokens():
    """One character wrong, missing or too much, all along a token."""
    token = found_token()
    for place in range(0, len(token), max(1, len(token) // 20)):
        other = "A" if token[place] != "A" else "B"
        yield token[:place] + other + token[place + 1 :]
        yield token[:place] + token[place + 1 :]
        yield token[:place] + other + token[place:]
    yield ""
    yield "-"
    yield "a3----"
    yield "a9" + token[2:]
    yield token + token
    yield token * 100


HEADER = {
    "antiphon": "trace",
    "version": 2,
    "program": "stream",
    "interpreter": "epoll",
    "idle_ms": 60000,
    "drain_ms": 5000,
    "max_connections": None,
    "at": {"host": "127.0.0.1", "port": 8888},
    "bound": {"host": "127.0.0.1", "port": 8888},
    "backlog": 4096,
    "at_most": 16384,
    "workers": 1,
    "run": 1,
    "part": 0,
    "max_per_address": 10,
    "progress_ms": None,
}
UNTIL = {"wait_ms": 60000, "drain_ms": 5000}
EVENTS = [
    {"process": 0, "event": 0, "do": "DiscardChildren", "answer": "ok"},
    {"process": 0, "event": 1, "do": "OpenSocket", "at": {"host": "127.0.0.1", "port": 8888}, "answer": 0},
    {"process": 0, "event": 2, "do": "Accept", "listener": 0, "answer": 1},
    {"process": 0, "event": 3, "do": "Fork", "at_most": None, "at_most_alike": 10, "client": 1,
     "answer": {"parent": 2}, "child": 1},
    {"process": 1, "event": 0, "do": "Fork", "at_most": None, "at_most_alike": 10, "client": 1, "answer": "child"},
    {"process": 1, "event": 1, "do": "Recv", "from": 1, "at_most": 16384, "until": UNTIL, "answer": {"text": "ab"}},
    {"process": 1, "event": 2, "do": "Send", "to": 1, "bytes": {"hex": "6162"}, "until": UNTIL, "answer": 2},
    {"process": 1, "event": 3, "end": "ok"},
]
WRONG_VALUES = ["x", -1, 1.5, [], {}, True, 10**30]
# Whatever a program or a kernel may say reads, if it is of the right kind.
MAY_BE_NEGATIVE = {"drain_ms", "at_most", "answer", "listener", "from", "to", "at_most_alike", "client"}
MAY_BE_MISSING = {"max_per_address", "progress_ms", "at_most_alike", "client"}
MAY_BE_ANY_TEXT = {"interpreter"}


def one_wrong(lines):
    """Each member of each line missing, and of a wrong kind."""
    for place, line in enumerate(lines):
        for key, value in line.items():
            if key not in MAY_BE_MISSING:
                yield place, {name: kept for name, kept in line.items() if name != key}
            for wrong in WRONG_VALUES:
                is_negative = wrong == -1 and key in MAY_BE_NEGATIVE and line is not HEADER
                reads = is_negative or (wrong == "x" and key in MAY_BE_ANY_TEXT)
                if not reads:
                    yield place, {**line, key: wrong}


def written(lines):
    return "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines).encode()


def traces():
    good = [HEADER, *EVENTS]
    for place, line in one_wrong(good):
        yield written([*good[:place], line, *good[place + 1 :]])
    for line in ["garbage", "{}", "[]", "", '{"process":0', '"text"', "{" * 10_000, "\0", "null"]:
        yield written([*good[:3], line + "\n", *good[3:]])
    yield written([*good, good[-1]])
    yield written([*good[:3], *good[4:]])
    yield b"\x7fELF" + b"\0" * 100
    yield b"\xff\xfe" + written(good)


def straces():
    good = ["1 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n", '1 read(3, "\\x61", 16) = 1\n']
    yield b""
    for line in [
        "1 read(3\n",
        '1 read(3, "\\x61, 16) = 1\n',
        "garbage\n",
        "1 <... read resumed>) = 1\n",
        "x socket() = 3\n",
        "1 read(3, \"\\x61\", 16) = \n",
        "\0\n",
    ]:
        yield written([*good, line, *good])


def captures():
    magic = 0xA1B2C3D4
    yield b""
    yield b"x"
    yield struct.pack("<IHHiIII", magic, 9, 9, 0, 0, 65535, 1)
    yield struct.pack("<IHHiIII", 0x12345678, 2, 4, 0, 0, 65535, 1)
    yield struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 65535, 9999)
    yield b"\x0a\x0d\x0d\x0a" + b"\xff" * 40


class Malformed(unittest.TestCase):
    def assert_refused(self, arguments):
        program, *rest = arguments
        with self.subTest(arguments=[word[:200] for word in arguments]):
            result = subprocess.run([os.path.join(APPS, program), *rest], capture_output=True, timeout=60)
            errors = result.stderr.decode(errors="replace")
            self.assertEqual((result.returncode, result.stdout), (2, b""), errors)
            self.assertTrue(errors.startswith(f"{program}: ") and errors.count("\n") == 1, errors)
            self.assertLess(len(errors), 1000)
            return errors
        return ""

    def refuse_files(self, contents, *options, least):
        count = 0
        for content in contents:
            count += 1
            with tempfile.NamedTemporaryFile() as file:
                file.write(content)
                file.flush()
                errors = self.assert_refused(["echo-verify", "trace", file.name, *options])
                if errors:
                    self.assertIn(file.name, errors, content[-300:])
        self.assertGreaterEqual(count, least)

    def test_flags(self):
        count = 0
        for arguments, option in flags():
            count += 1
            self.assertIn(option, self.assert_refused(arguments) or option)
        self.assertGreaterEqual(count, 150)

    def test_tokens(self):
        for token in tokens():
            self.assert_refused(["echo-verify", "properties", "--program", "seed", "--replay", token])

    def test_traces(self):
        self.refuse_files(traces(), least=300)

    def test_straces(self):
        self.refuse_files(straces(), "--input", "strace", least=7)

    def test_captures(self):
        self.refuse_files(captures(), "--input", "pcap", least=6)


if __name__ == "__main__":
    unittest.main()
