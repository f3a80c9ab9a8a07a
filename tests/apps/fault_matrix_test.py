#!/usr/bin/env python3
"""Some cells of the real server's fault matrix: one error of each call, and a server that must fail the matrix."""

import sys

sys.dont_write_bytecode = True

import os
import signal
import unittest
import unittest.mock

import fault_matrix
from serving import on_each_interpreter


def can_trace():
    try:
        with fault_matrix.MonitoredServer("epoll") as server:
            with fault_matrix.Attached(server, "accept4", "EINTR", ""):
                return True
    except (FileNotFoundError, RuntimeError):
        return False


@unittest.skipUnless(can_trace(), "strace does not run or attach here")
class FaultMatrix:
    def test_a_sample_has_no_bad_cell(self):
        matrix = fault_matrix.Matrix(self.interpreter)
        matrix.fill(None, sample=1)
        self.assertEqual(matrix.bad(), [], matrix.text())
        self.assertGreater(len(matrix.rows), 5)


globals().update(on_each_interpreter(FaultMatrix))


class Planted(unittest.TestCase):
    """What is bad is found."""

    def check(self, outcome):
        matrix = fault_matrix.Matrix("epoll")
        matrix.rows = [("accept4", "EINTR", ("served on", outcome, "served on"))]
        self.assertEqual(len(matrix.bad()), 1)

    def test_outcomes_that_are_bad(self):
        for outcome in ("HUNG", "LOST", "DIED (-11)", "BROKE echo", "LEAKED or hung: x", "BAD hung, 0"):
            self.check(outcome)

    def test_a_server_that_dies_without_a_word(self):
        with fault_matrix.MonitoredServer("epoll") as server:
            descriptors = server.descriptors()
            os.kill(server.pid, signal.SIGKILL)
            server.process.wait()
            self.assertIn("DIED", fault_matrix.why_bad(server, descriptors, 0))
            server.expected_status = -signal.SIGKILL

    @unittest.mock.patch("serving.PATIENCE_S", 1)
    def test_a_server_with_a_descriptor_too_many(self):
        with fault_matrix.MonitoredServer("epoll") as server:
            self.assertIn("LEAKED", fault_matrix.why_bad(server, server.descriptors() - 1, 0))


if __name__ == "__main__":
    unittest.main()
