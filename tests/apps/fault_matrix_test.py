#!/usr/bin/env python3
"""Some cells of the real server's fault matrix: one error of each call, and a server that must fail the matrix."""

import sys

sys.dont_write_bytecode = True

import collections
import os
import pathlib
import re
import signal
import textwrap
import unittest
import unittest.mock

import fault_matrix
from failing_calls import can_attach
from serving import INTERPRETERS, is_sanitized, on_each_interpreter


def can_trace():
    with fault_matrix.MonitoredServer("epoll") as server:
        return can_attach(server)


# The sandbox restricts a ring and enables it; a server with sanitizers has no sandbox, and makes two calls fewer.
NOT_MADE = {"io_uring_register#6", "io_uring_register#7"} if is_sanitized() else set()


@unittest.skipUnless(can_trace(), "strace does not run or attach here")
class FaultMatrix:
    def test_a_sample_has_no_bad_cell(self):
        matrix = fault_matrix.Matrix(self.interpreter)
        matrix.fill(None, sample=1)
        self.assertEqual([row for row in matrix.bad() if row.call not in NOT_MADE], [], matrix.text())
        calls = {(phase, call) for phase, call, _ in fault_matrix.cells_of(self.interpreter)}
        self.assertEqual({(row.phase, row.call) for row in matrix.rows}, calls)


globals().update(on_each_interpreter(FaultMatrix))


class Planted(unittest.TestCase):
    """What is bad is found."""

    def check(self, outcome):
        matrix = fault_matrix.Matrix("epoll")
        matrix.rows = [fault_matrix.Row(fault_matrix.WHILE, "accept4", "EINTR", ("served on", outcome, "served on"))]
        self.assertEqual(len(matrix.bad()), 1)

    def test_outcomes_that_are_bad(self):
        for outcome in ("HUNG", "LOST", "DIED (-11)", "BROKE echo", "LEAKED or hung: x", "BAD hung, 0", "-"):
            self.check(outcome)

    def test_a_server_that_dies_without_a_word(self):
        with fault_matrix.MonitoredServer("epoll") as server:
            descriptors = server.descriptors()
            os.kill(server.pid, signal.SIGKILL)
            server.process.wait()
            self.assertIn("DIED", fault_matrix.why_bad(server, descriptors, 0))
            server.expected_status = -signal.SIGKILL

    def test_a_call_that_is_never_made(self):
        with fault_matrix.MonitoredServer("epoll") as server:
            if not can_attach(server):
                self.skipTest("strace does not run or attach here")
            self.assertEqual(fault_matrix.serve_through(server, "ppoll", "EINTR", ""), "-")
        self.assertEqual(fault_matrix.start_through("epoll", "io_uring_setup", "EINVAL", ""), "-")

    @unittest.mock.patch("serving.PATIENCE_S", 1)
    def test_a_server_with_a_descriptor_too_many(self):
        with fault_matrix.MonitoredServer("epoll") as server:
            self.assertIn("LEAKED", fault_matrix.why_bad(server, server.descriptors() - 1, 0))


class Table:
    """A matrix read back from its text, of one interpreter: its rows, and how many its first line says."""

    def __init__(self, page, interpreter):
        title = re.search(rf"holds: echo-server on {interpreter}, (\d+) errors\n\n(.*?)(\n\n|$)", page, re.S)
        self.count = int(title[1])
        self.rows = []
        phase = call = outcomes = None
        for line in textwrap.dedent(title[2]).splitlines():
            name, errors, cells = line[:19].strip(), line[21:65].split(), re.split(r"  +", line[65:].strip())
            if errors == ["answers"]:
                phase = name
                continue
            call = name or call
            outcomes = tuple(cells) if cells != [""] else outcomes
            self.rows += [fault_matrix.Row(phase, call, error, outcomes) for error in errors]

    def stale(self, interpreter):
        """What the page lacks, has beside, or says wrongly."""
        matrix = fault_matrix.Matrix(interpreter)
        matrix.rows = self.rows
        found = [(row.phase, row.call, row.error) for row in self.rows]
        there, expected = collections.Counter(found), collections.Counter(fault_matrix.cells_of(interpreter))
        counts = [] if self.count == len(found) else [f"it says {self.count} errors, and has {len(found)}"]
        return [*counts, *matrix.bad(), *(there - expected), *(expected - there)]


class Page(unittest.TestCase):
    """apps/FAULTS.md is the whole matrix."""

    def setUp(self):
        self.page = (pathlib.Path(__file__).resolve().parents[2] / "apps" / "FAULTS.md").read_text()

    def test_it_has_each_error_of_each_call(self):
        for interpreter in INTERPRETERS:
            with self.subTest(interpreter=interpreter):
                self.assertEqual(Table(self.page, interpreter).stale(interpreter), [])

    def test_the_text_of_a_matrix_is_read_back(self):
        matrix = fault_matrix.Matrix("epoll")
        matrix.rows = [
            fault_matrix.Row(*cell, ("served on", "refused 3 of 3", "stopped, said so"))
            for cell in fault_matrix.cells_of("epoll")
        ]
        text = f"holds: echo-server on epoll, {len(matrix.rows)} errors\n\n{matrix.text()}\n"
        self.assertEqual(Table(text, "epoll").rows, matrix.rows)

    def test_a_page_that_is_stale(self):
        for old, new in (
            ("epoll, ", "epoll, 1"),  # the count
            ("EHOSTDOWN", "EHOSTUP"),  # an error
            ("epoll_wait ", "epoll_pwait"),  # a call
            ("before it listens", "while it serves  "),  # a phase
            ("EPROTONOSUPPORT", "EPROTO         "),  # an error that is missing, and one twice
            ("stopped, said so", "-               "),  # an outcome
        ):
            with self.subTest(old=old):
                self.assertIn(old, self.page)
                self.assertNotEqual(Table(self.page.replace(old, new), "epoll").stale("epoll"), [])


if __name__ == "__main__":
    unittest.main()
