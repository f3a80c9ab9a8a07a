#!/usr/bin/env python3
"""Memory that is scarce: one allocation in a few fails, wherever it is. The server lives, and so do those it serves."""

import sys

sys.dont_write_bytecode = True

import contextlib
import os
import re
import resource
import signal
import socket
import tempfile
import time
import unittest

from serving import Server, allow_many_descriptors, children_of, converse, eventually, is_sanitized, on_each_interpreter

SCARCE = os.path.join(os.path.dirname(os.environ["ANTIPHON_APPS_DIR"]), "tests", "libscarce_preload.so")

# Primes, so that another place fails each time.
ONE_IN = (7, 11, 13, 29)
CLIENTS = 12
CROWD = 900

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


def limit_address_space(pid):
    """To what it has."""
    with open(f"/proc/{pid}/status") as file:
        size = next(int(line.split()[1]) for line in file if line.startswith("VmSize:")) * 1024
    resource.prlimit(pid, resource.RLIMIT_AS, (size, size))


def was_cut(client):
    return client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


@unittest.skipIf(is_sanitized(), "the sanitizer has an allocator of its own")
class Exhausted:
    """For a while no memory is left at all: until those who hold it leave."""

    def setUp(self):
        allow_many_descriptors(self)

    def test_the_server_outlives_it_and_serves_again(self):
        with Server("--drain-timeout", "1", interpreter=self.interpreter) as server:
            crowd = [server.connect_narrowly() for _ in range(CROWD)]
            self.assertEqual(server.echo(b"last"), b"last")
            limit_address_space(server.pid)
            server.process.send_signal(signal.SIGSTOP)
            self.push(crowd)
            crowd += [self.begin_connecting(server) for _ in range(CROWD // 10)]
            server.process.send_signal(signal.SIGCONT)

            def is_short():
                self.push(crowd)
                return "ENOMEM" in server.log() or any(was_cut(client) for client in crowd)

            eventually("memory is short", is_short)
            for client in crowd:
                client.close()
            eventually("it serves again", server.serves)
            self.assertIsNone(server.process.poll())

    @staticmethod
    def push(clients):
        for client in clients:
            client.setblocking(False)
            with contextlib.suppress(OSError):
                client.send(b"x" * 65536)

    @staticmethod
    def begin_connecting(server):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(server.address)
        return client



@unittest.skipIf(is_sanitized(), "the sanitizer has an allocator of its own")
class Monitor(unittest.TestCase):
    def test_a_monitor_without_memory_says_so_at_once(self):
        with Server("--monitor", "--drain-timeout", "1") as server:
            ((monitor, _),) = children_of(server.pid)
            limit_address_space(monitor)
            clients = []

            def one_more():
                self.assertLess(len(clients), CROWD)
                clients.append(server.connect())
                converse(clients[-1], b"x" * 1000, close_side=False)
                return "it does not see what follows: there is no memory to judge it" in server.log()

            eventually("the monitor is blind", one_more)
            self.assertEqual(server.echo(b"served"), b"served")
            for client in clients:
                client.close()
            server.expected_status = INCOMPLETE
        self.assertIn("incomplete: ", server.final_log)
        self.assertIn("connections: there was no memory to judge what followed", server.final_log)


globals().update(on_each_interpreter(Scarce))
# (With fork the sessions' memory is their own.)
globals().update(on_each_interpreter(Exhausted, ("epoll", "uring")))

if __name__ == "__main__":
    unittest.main()
