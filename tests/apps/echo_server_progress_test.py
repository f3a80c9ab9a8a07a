#!/usr/bin/env python3
"""The progress limit: a client that takes its answer bit by bit does not hold its session for longer."""

import sys

sys.dont_write_bytecode = True

import contextlib
import os
import socket
import subprocess
import tempfile
import time
import unittest

from serving import INTERPRETERS, PATIENCE_S, Server, converse, on_each_interpreter

ECHO_VERIFY = os.path.join(os.environ["ANTIPHON_APPS_DIR"], "echo-verify")


def take_bit_by_bit(client):
    """Sends as much as there is room for and reads a few bytes at a time, until the server has let go. What it got."""
    heard = b""
    end = time.monotonic() + PATIENCE_S
    client.setblocking(False)
    while time.monotonic() < end:
        time.sleep(0.005)
        try:
            client.send(b"x" * 16384)
        except BlockingIOError:
            pass
        except (ConnectionResetError, BrokenPipeError):
            return heard
        try:
            more = client.recv(64)
        except BlockingIOError:
            continue
        except ConnectionResetError:
            return heard
        if not more:
            return heard
        heard += more
    raise AssertionError("the server never let go of a client that takes its answer bit by bit")


def limited(seconds, *options, interpreter):
    return Server("--idle-timeout", "0", "--progress-timeout", str(seconds), *options, interpreter=interpreter)


class Progress:
    def test_who_takes_its_answer_bit_by_bit_is_let_go(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace.jsonl")
            server = limited(1, "--trace", trace, interpreter=self.interpreter)
            with server, socket.socket() as slow:
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                slow.connect(server.address)
                heard = take_bit_by_bit(slow)
            self.assertGreater(len(heard), 0)
            self.assertEqual(heard, b"x" * len(heard))
            self.expect_held(trace)

    def expect_held(self, trace):
        done = subprocess.run([ECHO_VERIFY, "trace", trace, "--program", "stream", "--in-simulator"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("deadline 1,", done.stdout)


globals().update(on_each_interpreter(Progress))

class Others(unittest.TestCase):
    LIMIT_S = 5

    def test_who_takes_its_answers_may_stay_longer_than_the_limit(self):
        """On all interpreters at once. The limit is so long that a loaded machine alone does not reach it."""
        with contextlib.ExitStack() as all_of_them:
            servers = [all_of_them.enter_context(limited(self.LIMIT_S, interpreter=name)) for name in INTERPRETERS]
            clients = [all_of_them.enter_context(server.connect()) for server in servers]
            end = time.monotonic() + self.LIMIT_S + 0.5
            while time.monotonic() < end:
                for client in clients:
                    self.assertEqual(converse(client, b"word", close_side=False), b"word")
                time.sleep(0.05)
            data = os.urandom(2_000_000)
            for client in clients:
                self.assertEqual(converse(client, data), data)


if __name__ == "__main__":
    unittest.main()
