#!/usr/bin/env python3
"""The soak run: a short one holds, the original server does not, and what goes wrong beside the clients is found."""

import sys

sys.dont_write_bytecode = True

import argparse
import asyncio
import collections
import contextlib
import io
import pathlib
import subprocess
import unittest
import unittest.mock

SOAK = pathlib.Path(__file__).resolve().parent.parent / "soak"
sys.path.append(str(SOAK))

import soak
from clients import Fate
from failing_calls import can_attach
from serving import Server, is_sanitized


def start(*options):
    return subprocess.Popen(
        [sys.executable, str(SOAK / "soak.py"), *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def ended(process):
    output, _ = process.communicate(timeout=240)
    return process.returncode, output


class Whole(unittest.TestCase):
    def test_a_short_run_holds_and_the_canary_does_not(self):
        """The canary is the original server: clients are cut, and its runs break the contracts."""
        with Server(interpreter="epoll") as server:
            faults = () if can_attach(server) else ("--no-faults",)
        short = start("--minutes", "0.03", "--connections", "20", "--resets", "10", *faults)
        canary = start("--program", "seed", "--minutes", "0.01", "--connections", "2", "--no-faults", "--no-restarts")
        try:
            status, output = ended(short)
            self.assertEqual(status, 0, output)
            self.assertTrue(output.startswith("holds: "), output)
            self.assertIn("restarts 3", output)
            status, output = ended(canary)
            self.assertEqual(status, 1, output)
            self.assertTrue(output.startswith("violated: "), output)
            self.assertRegex(output, r"problem: [1-9]\d* clients are lost")
            self.assertRegex(output, r"problem: run 0: its trace \S+ is violated")
        finally:
            for process in short, canary:
                process.terminate()
                process.wait()
                process.stdout.close()

    def test_bad_usage(self):
        for options in ("--minutes", "0"), ("--connections", "99999"), ("--interpreter", "none"):
            with self.subTest(options=options):
                process = start(*options)
                self.assertEqual(ended(process)[0], 2)
                process.stdout.close()


def one(**changes):
    """A soak that has not begun, of one client."""
    options = {"interpreter": "epoll", "minutes": 1, "connections": 1, "resets": 0, "seed": 1, "pace": 1,
               "no_faults": False, "no_restarts": False, "program": "stream", **changes}  # fmt: skip
    return soak.Soak(argparse.Namespace(**options), "")


TALLY = collections.Counter(bytes_received=5, bytes_sent=5, connections=1, events=9)


def whole(**changes):
    """A soak in which all went well."""
    made = one(**changes)
    made.clients.note(Fate("fast", "made", sent=5, received=5, outcome="whole"), 0, 1)
    made.done.update(dict.fromkeys(soak.HAPPENINGS, 1))
    made.memory.append("flat")
    made.bounds = (1, 1, 1)
    return made


class Planted(unittest.TestCase):
    def report(self, made, total=TALLY):
        with contextlib.redirect_stdout(io.StringIO()) as output:
            return made.report(total), output.getvalue()

    def test_without_anything_planted_it_holds(self):
        status, output = self.report(whole())
        self.assertEqual((status, output.splitlines()[0].split(":")[0]), (0, "holds"))

    def test_what_was_asked_for_and_did_not_take_place_is_incomplete(self):
        for what in soak.HAPPENINGS:
            with self.subTest(what=what):
                made = whole()
                del made.done[what]
                status, output = self.report(made)
                self.assertEqual(status, 3)
                self.assertIn(f"incomplete: {what}: none", output)

    def test_what_was_not_asked_for_need_not_take_place(self):
        made = whole(no_faults=True, no_restarts=True)
        made.done.clear()
        self.assertEqual(self.report(made)[0], 0)

    def test_nobody_was_served(self):
        made = whole()
        made.clients.outcomes.clear()
        self.assertEqual(self.report(made)[0], 3)
        self.assertEqual(self.report(whole(), collections.Counter())[0], 3)

    @unittest.skipIf(is_sanitized(), "a sanitizer needs memory of its own")
    def test_memory_that_was_not_compared(self):
        made = whole()
        made.memory.clear()
        self.assertEqual(self.report(made)[0], 3)

    def test_a_problem_is_more_than_a_gap(self):
        made = whole()
        made.problems.append("planted")
        made.done.clear()
        self.assertEqual(self.report(made)[0], 1)

    def test_clients_that_are_lost(self):
        for outcome, restarted, lost in (
            ("whole", False, 0), ("reset", False, 0), ("cut", True, 0), ("unserved", True, 0),
            ("cut", False, 1), ("unserved", False, 1), ("wrong", True, 1), ("hung", True, 1),
        ):  # fmt: skip
            with self.subTest(outcome=outcome, restarted=restarted):
                made = whole()
                made.look_for_loss(Fate("fast", "made", outcome=outcome), restarted)
                self.assertEqual((made.lost, self.report(made)[0]), (lost, lost))

    @unittest.skipIf(is_sanitized(), "a sanitizer needs memory of its own")
    def test_memory_that_grows_in_any_of_the_processes(self):
        flat, steep = [100_000] * 30, [100_000 + 1000 * second for second in range(30)]
        for first, family, found in ((flat, flat, 0), (steep, flat, 1), (flat, steep, 1)):
            made = one()
            made.server = unittest.mock.Mock(samples=list(zip(first, family)))
            made.check_memory()
            self.assertEqual((len(made.problems), len(made.memory)), (found, 2))

    @unittest.mock.patch("soak.LEAVES_WITHIN_S", 0)
    def test_descriptors_and_processes_that_are_left(self):
        for interpreter, descriptors, children, found in (
            ("epoll", 9, [], 0), ("epoll", 10, [], 1), ("epoll", 9, [7], 1), ("fork", 9, [7], 0),
            ("fork", 9, [7, 8], 1),
        ):  # fmt: skip
            made = one(interpreter=interpreter)
            made.server = unittest.mock.Mock(descriptors=9)
            made.server.count_descriptors.return_value = descriptors
            made.server.children.return_value = children
            asyncio.run(made.check_leaks())
            self.assertEqual(len(made.problems), found)

    def test_a_trace_that_does_not_hold(self):
        for verdict, problems, gaps in (("holds", 0, 0), ("violated", 1, 0), ("incomplete", 0, 1)):
            made = whole()
            tally = {**TALLY, "connections_by_excuse": {"drain": 0}}
            made.runs = [unittest.mock.Mock(trace="t")]
            made.runs[0].judged.return_value = {"verdict": verdict, "tally": tally}
            made.runs[0].log.return_value = ""
            made.reconcile()
            self.assertEqual((len(made.problems), len(made.gaps)), (problems, gaps))

    def test_calls_that_do_not_fail_are_not_counted(self):
        made = one()
        with Server(interpreter="epoll") as server:
            if not can_attach(server):
                self.skipTest("strace does not run or attach here")
            made.server = server
            self.assertEqual(made.injected("accept4", "EINTR"), 0)  # nobody comes


if __name__ == "__main__":
    unittest.main()
