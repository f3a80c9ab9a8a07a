#!/usr/bin/env python3
"""Recorded runs of the real server are looked for in the simulator."""

import sys

sys.dont_write_bytecode = True

import itertools
import json
import os
import pathlib
import re
import subprocess
import unittest

from serving import Server, at_end, converse, on_each_interpreter
from trace_test import ECHO_VERIFY, InAFolder, verify

LOOK = ("--program", "stream", "--in-simulator")


def replayed(command):
    """What the command says that a report gives: "echo-verify …"."""
    name, *arguments = command.split()
    assert name == "echo-verify", command
    return subprocess.run([ECHO_VERIFY, *arguments], capture_output=True, text=True, timeout=300)


class SeveralWorkers(InAFolder, unittest.TestCase):
    def test_each_is_found(self):
        lines = self.record("epoll", "--workers", "2")
        status, output, errors = verify(self.path, *LOOK, "--format", "json")
        self.assertEqual((status, errors), (0, ""), output)
        workers = json.loads(output)["simulator"]
        self.assertEqual([worker["worker"] for worker in workers], [0, 1])
        self.assertEqual(sum(worker["events"] for worker in workers), len(lines) - 1)
        self.assertEqual(sum(worker["clients"] for worker in workers), 8)
        for worker in workers:
            self.assertEqual(replayed(worker["replay"]).returncode, 0)

    def test_what_parts_is_named_as_in_the_trace(self):
        lines = self.record("epoll", "--workers", "2")
        place = max(place for place, line in enumerate(lines) if '"do":"Close","socket":0' in line)
        event = json.loads(lines[place])
        del event["answer"]
        lines[place] = json.dumps({**event, "error": "EBADF"}, separators=(",", ":")) + "\n"
        self.write(lines)
        status, output, _ = verify(self.path, *LOOK)
        self.assertEqual(status, 1, output)
        name = f"process {event['process']}, event {event['event']}"
        self.assertIn(f"\n  {name}: Close 0 was answered with EBADF;", output)
        self.assertIn(f"\n  at {self.path}:{place + 1}\n", output)


class Readme(InAFolder, unittest.TestCase):
    def test_its_session_is_what_is_printed(self):
        """But for the numbers, which hang on who came."""
        self.record("epoll", "--workers", "2")
        status, output, _ = verify(self.path, *LOOK)
        self.assertEqual(status, 0, output)
        readme = pathlib.Path(__file__).resolve().parents[2] / "README.md"
        lines = readme.read_text().splitlines()
        start = next(place for place, line in enumerate(lines) if line.endswith("--in-simulator"))
        session = itertools.takewhile(lambda line: line.startswith("    "), lines[start + 1 :])
        shown = [line[4:] for line in session if line.strip() != "\u2026"]
        self.assertGreaterEqual(len(shown), 2)
        printed = re.sub(r"\d+", "N", output.replace("on epoll", "on uring")).splitlines()
        for line in shown:
            self.assertIn(re.sub(r"\d+", "N", line), printed)


class Found(InAFolder):
    def assert_found(self, status=0, look=LOOK):
        """The report on the run, which is found."""
        found, output, errors = verify(self.path, *look, "--format", "json")
        self.assertEqual((found, errors), (status, ""), output)
        simulator = json.loads(output)["simulator"][0]
        self.assertTrue(simulator["found"], output)
        return simulator

    def test_runs_under_load(self):
        lines = self.record(self.interpreter)
        simulator = self.assert_found()
        self.assertEqual((simulator["events"], simulator["clients"]), (len(lines) - 1, 8))
        self.assertTrue(simulator["stop"])
        again = replayed(simulator["replay"])
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("\nholds: program stream ", again.stdout)

    def test_hundreds_of_clients(self):
        self.record(self.interpreter, clients=300, data=b"x")
        simulator = self.assert_found()
        self.assertEqual(simulator["clients"], 300)
        self.assertEqual(simulator["no_replay"], "no token: it has too many clients")

    def test_sizes_are_enough(self):
        self.record(self.interpreter, "--trace-payload", "digest", data=os.urandom(100_000), clients=2)
        self.assert_found()

    def test_once(self):
        self.record(self.interpreter, "--once", data=b"x")
        self.assert_found(look=("--program", "once", "--in-simulator"))

    def test_clients_above_the_limit(self):
        with Server("--trace", self.path, "--max-connections", "1", interpreter=self.interpreter) as server:
            with server.connect() as first, server.connect() as second:
                self.assertEqual(converse(first, b"x" * 50_000, close_side=False), b"x" * 50_000)
                self.assertTrue(at_end(second))
        simulator = self.assert_found()
        self.assertEqual(simulator["clients"], 2)
        self.assertIn("made so it has another run", simulator["no_replay"])

    def test_what_is_there_of_a_run_that_is_cut(self):
        lines = self.record(self.interpreter, clients=2)
        for kept in len(lines) // 2, len(lines) - 1:
            self.write(lines[:kept])
            simulator = self.assert_found(status=3)
            self.assertEqual(simulator["events"] + simulator["left_out"], kept - 1)
            self.assertGreater(simulator["events"], kept // 2)


globals().update(on_each_interpreter(Found))
del Found


class Parted(InAFolder, unittest.TestCase):
    """One answer of a good trace is one that no network gives."""

    def change(self, what, change):
        """Changes the last line that holds the text, and answers its place."""
        lines = self.record("epoll", clients=2)
        place = max(place for place, line in enumerate(lines) if what in line)
        event = json.loads(lines[place])
        change(event)
        lines[place] = json.dumps(event, separators=(",", ":")) + "\n"
        self.write(lines)
        return place + 1, event

    def assert_parts(self, line, event, sentence):
        status, output, errors = verify(self.path, *LOOK)
        self.assertEqual((status, errors), (1, ""), output)
        name = f"process {event['process']}, event {event['event']}"
        self.assertIn(f"violated: simulator: the run is one of the simulated network\n  {name}: {sentence}\n", output)
        self.assertIn(f"\n  at {self.path}:{line}\n", output)
        self.assertIn("one of them is wrong: that is no fault of the program\n", output)
        status, output, _ = verify(self.path, *LOOK, "--format", "json")
        parting = json.loads(output)["simulator"][0]["parting"]
        self.assertEqual((parting["sentence"], parting["line"]), (sentence, line))

    def test_a_name_that_is_not_the_lowest(self):
        line, event = self.change('"do":"Accept","listener":0,"answer"', lambda event: event.update(answer=7))
        status, output, _ = verify(self.path, *LOOK)
        self.assertEqual(status, 1)
        self.assertIn("violated: conformance", output)
        self.assertNotIn("simulator", output)  # it is another program's run

    def test_an_open_socket_that_is_not_known(self):
        def fails(event):
            event.pop("answer")
            event["error"] = "EBADF"

        line, event = self.change('"do":"Close","socket":0', fails)
        answered = "Close 0 was answered with EBADF; in the simulated network it is answered with ok"
        self.assert_parts(line, event, answered)

    def test_what_is_missing_may_be_why(self):
        line, event = self.change('"do":"Close","socket":0', lambda event: event.update(error=event.pop("answer")))
        with open(self.path) as file:
            lines = file.readlines()
        lines[line - 1] = lines[line - 1].replace('"error":"ok"', '"error":"EBADF"')
        self.write([one for one in lines if '"end"' not in one or '"process":0,' in one])
        status, output, _ = verify(self.path, *LOOK)
        self.assertEqual(status, 3, output)
        self.assertIn("incomplete: simulator: ", output)
        self.assertIn("\n  that it parts from the simulator may come of what is missing\n", output)


class Refused(InAFolder, unittest.TestCase):
    def assert_refused(self, *arguments, why):
        status, output, errors = verify(*arguments)
        self.assertEqual((status, output, errors), (2, "", f"echo-verify: {why}\n"), errors)

    def test_what_it_does_not_go_with(self):
        self.assert_refused(self.path, "--in-simulator", why="--in-simulator: it needs --program (see --help)")
        self.assert_refused(
            self.path,
            "--in-simulator",
            "--input",
            "strace",
            why="--in-simulator: only --input antiphon has it (see --help)",
        )

    def test_too_long_a_run(self):
        lines = self.record("epoll", clients=0)
        begun = lines[:4]  # the header, and what it takes to listen
        self.assertIn('"do":"Listen"', begun[-1])
        again = '{"process":0,"event":%d,"do":"Accept","listener":0,"error":"EINTR"}\n'
        self.write(begun + [again % event for event in range(3, 20_001)])
        self.assert_refused(
            self.path,
            *LOOK,
            why=f"{self.path}: it has more than 20000 events: it is not looked for in the simulator",
        )


if __name__ == "__main__":
    unittest.main()
