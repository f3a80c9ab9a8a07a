#!/usr/bin/env python3
"""Memory that is scarce: one allocation in a few fails, wherever it is. The server lives, and so do those it serves."""

import sys

sys.dont_write_bytecode = True

import os
import re
import signal
import tempfile
import unittest

from serving import Server, converse, is_sanitized, on_each_interpreter

SCARCE = os.path.join(os.path.dirname(os.environ["ANTIPHON_APPS_DIR"]), "tests", "libscarce_preload.so")

# Primes, so that another place fails each time.
ONE_IN = (7, 11, 13, 29)
CLIENTS = 12

INCOMPLETE = 3


@unittest.skipIf(is_sanitized(), "the sanitizer has an allocator of its own")
class Scarce:
    def server(self, one_in, *options):
        return Server(*options, interpreter=self.interpreter,
                      environment={"LD_PRELOAD": SCARCE, "SCARCE_EVERY": str(one_in)})

    def visit(self, server):
        """How many of the clients were served; the others were turned away, and got nothing that they had not sent."""
        served = 0
        for number in range(CLIENTS):
            data = b"%d " % number * 2000
            with server.connect() as connection:
                try:
                    heard = converse(connection, data)
                except OSError:
                    continue
                self.assertTrue(data.startswith(heard))
                served += heard == data
        return served

    def check_failures(self, log):
        self.assertGreater(int(re.findall(r"scarce: (\d+) failed", log)[-1]), 0)
        self.assertNotIn("bad_alloc", log)

    def test_a_bare_server(self):
        for one_in in ONE_IN:
            with self.subTest(one_in=one_in):
                with self.server(one_in, "--max-per-address", "100") as server:
                    served = self.visit(server)
                    server.process.send_signal(signal.SIGUSR1)
                    served += self.visit(server)
                    self.assertGreater(served, 0)
                self.check_failures(server.final_log)

    def test_a_server_that_is_watched(self):
        """The trace may end and the monitor may see no more, which both say; serving goes on."""
        for one_in in ONE_IN:
            with self.subTest(one_in=one_in), tempfile.TemporaryDirectory() as folder:
                trace = os.path.join(folder, "trace.jsonl")
                with self.server(one_in, "--trace", trace, "--monitor", "--metrics", "127.0.0.1:0", "--log-format",
                                 "json") as server:
                    served = self.visit(server)
                    server.process.send_signal(signal.SIGHUP)
                    server.process.send_signal(signal.SIGUSR1)
                    served += self.visit(server)
                    self.assertGreater(served, 0)
                    server.expected_status = INCOMPLETE
                self.check_failures(server.final_log)


globals().update(on_each_interpreter(Scarce))

if __name__ == "__main__":
    unittest.main()
