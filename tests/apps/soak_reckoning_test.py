#!/usr/bin/env python3
"""What a soak run decides by numbers: each disagreement of both sides is found, and memory that grows."""

import sys

sys.dont_write_bytecode = True

import pathlib
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "soak"))

import reckoning
from clients import Fate

# When these came and went, in seconds; the server was away from 100 to 101.
EARLY, LATE = (10, 11), (97, 98)
STOPS = [(100, 101)]


def clients(*more):
    """One that was served, one that reset after it had heard a part; and more, as (when, fate)."""
    made = reckoning.Clients()
    for (begin, end), fate in (
        (EARLY, Fate("fast", "made", sent=100, received=100, outcome="whole")),
        (EARLY, Fate("resetting", "made", sent=50, received=10, outcome="reset")),
        *more,
    ):  # fmt: skip
        made.note(fate, begin, end)
    return made


SILENT = Fate("resetting", "made", sent=7, outcome="reset")
CUT = Fate("slow", "made", sent=7, received=3, outcome="cut")


class Counts(unittest.TestCase):
    def problems(self, made, received=130, sent=120, connections=2, drained=0, drops=0):
        counted = {"bytes_received": received, "bytes_sent": sent, "connections": connections, "drained": drained}
        return reckoning.disagreements(made, counted, STOPS, drops)

    def agree(self, made, **counted):
        self.assertEqual(self.problems(made, **counted), [])

    def part(self, problem, made, **counted):
        self.assertEqual([found.split(",")[0] for found in self.problems(made, **counted)], [problem])

    def test_bytes_that_the_servers_received(self):
        self.agree(clients(), received=150, sent=110)
        self.agree(clients(), received=110, sent=110)
        self.part("bytes that the servers received: 151", clients(), received=151)
        (first, *_) = self.problems(clients(), received=109, sent=110)
        self.assertEqual(first, "bytes that the servers received: 109, and the clients' counts allow 110 to 150")

    def test_bytes_that_the_servers_sent(self):
        self.agree(clients(), received=130, sent=130)
        self.part("bytes that the servers sent: 131", clients(), received=130, sent=131)
        self.part("bytes that the servers sent: 109", clients(), received=130, sent=109)

    def test_connections_that_the_servers_accepted(self):
        self.part("connections that the servers accepted: 1", clients(), connections=1)
        self.part("connections that the servers accepted: 3", clients(), connections=3)

    def test_who_was_refused_was_not_accepted(self):
        refused = (LATE, Fate("fast", "none", outcome="unserved"))
        self.agree(clients(refused), connections=2)
        self.part("connections that the servers accepted: 3", clients(refused), connections=3)

    def test_who_does_not_know_whether_it_connected_may_have_been_accepted(self):
        doubtful = (EARLY, Fate("fast", "doubtful", outcome="unserved"))
        self.agree(clients(doubtful), connections=2)
        self.agree(clients(doubtful), connections=3)
        self.part("connections that the servers accepted: 4", clients(doubtful), connections=4)

    def test_who_heard_nothing_may_have_left_unaccepted_only_around_a_stop(self):
        for when in LATE, (99, 102), (100, 100), (90, 95):
            self.agree(clients((when, SILENT)), connections=2)
            self.agree(clients((when, SILENT)), connections=3)
        for when in EARLY, (90, 94), (102, 103):
            self.agree(clients((when, SILENT)), connections=3)
            self.part("connections that the servers accepted: 2", clients((when, SILENT)), connections=2)

    def test_or_where_the_backlog_was_full(self):
        made = clients((EARLY, SILENT), (EARLY, SILENT))
        self.agree(made, connections=3, drops=1)
        self.part("connections that the servers accepted: 2", made, connections=2, drops=1)
        self.part("connections that the servers accepted: 1", made, connections=1, drops=100)

    def test_clients_that_were_cut_without_a_drain(self):
        self.agree(clients((LATE, CUT)), connections=3, drained=1)
        self.part("1 clients were cut", clients((LATE, CUT)), connections=3, drained=0)


class Memory(unittest.TestCase):
    def test_the_first_quarter_after_a_third_is_compared_with_the_last(self):
        self.assertEqual(reckoning.quarters([9, 9, 1, 2, 3, 4]), (1, 4))
        self.assertEqual(reckoning.quarters([50] * 4 + [1, 3, 9, 9, 9, 9, 5, 7]), (2, 6))
        self.assertIsNone(reckoning.quarters([1, 2, 3]))

    def test_growth_above_noise(self):
        self.assertFalse(reckoning.has_grown(10_000, 10_000 * 1.1 + 2048))
        self.assertTrue(reckoning.has_grown(10_000, 10_000 * 1.1 + 2049))


if __name__ == "__main__":
    unittest.main()
