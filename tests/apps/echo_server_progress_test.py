#!/usr/bin/env python3
"""The progress limit: a client that takes its answer bit by bit does not hold its session for longer."""

import sys

sys.dont_write_bytecode = True

import os
import socket
import subprocess
import tempfile
import time
import unittest

from serving import PATIENCE_S, Server, on_each_interpreter

ECHO_VERIFY = os.path.join(os.environ["ANTIPHON_APPS_DIR"], "echo-verify")


def take_bit_by_bit(client, between):
    """Sends as much as there is room for and reads a few bytes at a time, until the server has let go. What it got."""
    heard = b""
    end = time.monotonic() + PATIENCE_S
    client.setblocking(False)
    while time.monotonic() < end:
        between()
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


class Progress:
    def test_who_takes_its_answer_bit_by_bit_is_let_go(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace.jsonl")
            limits = ("--idle-timeout", "0", "--progress-timeout", "0.5")
            with Server(*limits, "--trace", trace, interpreter=self.interpreter) as server, socket.socket() as slow:
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                slow.connect(server.address)
                with server.connect() as other:
                    heard = take_bit_by_bit(slow, lambda: self.expect_service(other))
                self.assertGreater(len(heard), 0)
                self.assertEqual(heard, b"x" * len(heard))
                data = os.urandom(2_000_000)
                self.assertEqual(server.echo(data), data)
            self.expect_held(trace)

    def expect_service(self, client):
        client.sendall(b"word")
        heard = b""
        while len(heard) < 4:
            more = client.recv(4 - len(heard))
            self.assertTrue(more)
            heard += more
        self.assertEqual(heard, b"word")

    def expect_held(self, trace):
        done = subprocess.run([ECHO_VERIFY, "trace", trace, "--program", "stream", "--in-simulator"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("deadline 1,", done.stdout)


globals().update(on_each_interpreter(Progress))

if __name__ == "__main__":
    unittest.main()
