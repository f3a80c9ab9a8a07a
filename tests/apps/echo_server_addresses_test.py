#!/usr/bin/env python3
"""echo-server --max-per-address, under clients at several addresses of this host."""

import sys

sys.dont_write_bytecode = True

import json
import os
import socket
import subprocess
import tempfile
import unittest

from serving import PATIENCE_S, Server, at_end, converse, eventually, on_each_interpreter

ECHO_VERIFY = os.path.join(os.environ["ANTIPHON_APPS_DIR"], "echo-verify")

ONE, OTHER = "127.0.0.1", "127.0.0.2"


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def is_served(client):
    """Whether the client is answered, and not let go of at once."""
    client.settimeout(PATIENCE_S)
    try:
        client.sendall(b"a")
        return client.recv(1) == b"a"
    except (ConnectionResetError, BrokenPipeError):
        return False


def is_served_in_the_end(server, source):
    """As `is_served`, by a client of its own, once places were given back."""

    def one_is():
        with server.connect(source) as client:
            return is_served(client)

    return eventually(f"a client at {source} is served", one_is)


class Addresses:
    def server(self, *options):
        return Server(*options, interpreter=self.interpreter)

    def verify(self, *arguments):
        done = subprocess.run([ECHO_VERIFY, "trace", *arguments], capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def test_an_address_that_is_full_and_one_that_is_not(self):
        with self.server("--max-per-address", "2") as server:
            first, second = server.connect(ONE), server.connect(ONE)
            self.assertTrue(is_served(first) and is_served(second))
            with server.connect(ONE) as third:
                self.assertTrue(at_end(third))
            with server.connect(OTHER) as other:
                self.assertTrue(is_served(other))
            self.assertEqual(converse(first, b"b"), b"b")
            first.close()
            self.assertTrue(is_served_in_the_end(server, ONE))
            self.assertTrue(is_served(second))
            second.close()

    def test_both_limits_hold(self):
        with self.server("--max-per-address", "2", "--max-connections", "3") as server:
            clients = [server.connect(source) for source in (ONE, ONE, ONE, OTHER, OTHER)]
            self.assertEqual([is_served(client) for client in clients], [True, True, False, True, False])
            for client in clients:
                client.close()

    def test_who_resets_gives_the_place_back(self):
        with self.server("--max-per-address", "1") as server:
            for _ in range(20):
                with server.connect(ONE) as client:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.assertTrue(is_served_in_the_end(server, ONE))

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_ipv4_and_ipv6_are_two(self):
        with self.server("--host", "::", "--max-per-address", "1") as server:
            port = server.address[1]
            with socket.create_connection((ONE, port)) as mapped, socket.create_connection(("::1", port)) as own:
                self.assertTrue(is_served(mapped) and is_served(own))
                with socket.create_connection((ONE, port)) as second:
                    self.assertTrue(at_end(second))
                with socket.create_connection((ONE, port), source_address=(OTHER, 0)) as elsewhere:
                    self.assertTrue(is_served(elsewhere))

    def test_its_trace_says_so_and_holds(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "t.jsonl")
            with self.server("--max-per-address", "1", "--trace", path, "--monitor") as server:
                with server.connect(ONE) as first, server.connect(ONE) as second, server.connect(OTHER) as other:
                    self.assertEqual([is_served(client) for client in (first, second, other)], [True, False, True])
            self.assertIn("monitor: holds", server.final_log)
            with open(path) as file:
                header, *lines = [json.loads(line) for line in file]
            self.assertEqual(header["max_per_address"], 1)
            forks = [line for line in lines if line.get("do") == "Fork" and line["process"] == 0]
            self.assertEqual([(fork["at_most_alike"], fork["client"]) for fork in forks], [(1, 1)] * 3)
            self.assertEqual([fork.get("error") for fork in forks], [None, "EAGAIN", None])
            self.assertIn("refused 1", self.verify(path, "--program", "stream"))
            # Who shares an address it does not say: who was refused there was refused by a fault.
            look = self.verify(path, "--program", "stream", "--in-simulator", "--format", "json")
            self.assertEqual(json.loads(look)["simulator"][0]["faults"], 1)
            # Without the promise of a place for all at an address it is none of that server.
            with open(path, "w") as file:
                file.write("".join(json.dumps(line) + "\n" for line in [{**header, "max_per_address": 2}, *lines]))
            done = subprocess.run([ECHO_VERIFY, "trace", path], capture_output=True, text=True, timeout=PATIENCE_S)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("input-read", done.stdout)

    def test_without_a_limit_nobody_is_counted(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "t.jsonl")
            with self.server("--trace", path) as server:
                self.assertEqual(server.echo(b"a"), b"a")
            with open(path) as file:
                text = file.read()
            self.assertIn('"do":"Fork","at_most":null,"answer"', text)
            self.assertNotIn("per_address", text)


globals().update(on_each_interpreter(Addresses))
del Addresses


class Workers:
    def test_workers_share_the_limit(self):
        with Server("--workers", "2", "--max-per-address", "5", interpreter=self.interpreter) as server:
            clients = {source: [server.connect(source) for _ in range(20)] for source in (ONE, OTHER)}
            for source, all_there in clients.items():
                self.assertEqual(sum(is_served(client) for client in all_there), 5, source)
                for client in all_there:
                    client.close()
            self.assertTrue(is_served_in_the_end(server, ONE))


globals().update(on_each_interpreter(Workers, ("epoll", "uring")))
del Workers


if __name__ == "__main__":
    unittest.main()
