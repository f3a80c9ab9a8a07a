#!/usr/bin/env python3
"""Injects failures into the system calls of a running echo-server, by strace: it goes on serving."""

import sys

sys.dont_write_bytecode = True

import re
import subprocess
import tempfile
import unittest

from serving import PATIENCE_S, Server, converse, eventually, on_each_interpreter, read_so_far

FORKS = "clone,clone3,fork,vfork"
CLIENTS = 6


class Injection:
    """Every second call of a set fails, in each process of its own, as long as the block lasts."""

    def __init__(self, server, calls, error):
        self.server = server
        self.command = [
            "strace", "-f", "-p", str(server.pid), "-e", f"trace={calls}",
            "-e", f"inject={calls}:error={error}:when=1+2",
        ]

    def __enter__(self):
        self.log_file = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(self.command, stderr=self.log_file, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise unittest.SkipTest("there is no strace here") from None
        eventually("strace has attached or given up", lambda: "attached" in self.log() or self.gave_up())
        if self.gave_up():
            raise unittest.SkipTest(f"strace cannot attach here: {self.log().strip()}")
        return self

    def __exit__(self, *_):
        # By this strace lets go of the server, which goes on.
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.log_file.close()

    def gave_up(self):
        return self.process.poll() is not None

    def log(self):
        return read_so_far(self.log_file)

    def injected(self):
        return len(re.findall(r"\(INJECTED\)", self.log()))


class Served:
    """Clients that are served although calls fail."""

    def check_all_served(self, calls, errors):
        for error in errors:
            with self.subTest(error), Server("--drain-timeout", "0", interpreter=self.interpreter) as server:
                with Injection(server, calls, error) as injection:
                    for number in range(CLIENTS):
                        data = b"client %d" % number
                        with server.connect() as client:
                            self.assertEqual(converse(client, data, close_side=False), data)
                            self.assertEqual(converse(client, data), data)
                    self.assertGreaterEqual(injection.injected(), CLIENTS // 2, injection.log())
                self.assertEqual(server.echo(b"after"), b"after")
                server.await_no_children()


class Calls(Served):
    """The interpreters that make a call for each instruction."""

    def test_accept(self):
        self.check_all_served("accept4", ["ECONNABORTED", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EAGAIN", "EINTR"])

    def test_recv(self):
        self.check_all_served("recvfrom", ["EINTR", "EAGAIN", "ENOBUFS", "ENOMEM"])

    def test_send(self):
        self.check_all_served("sendto", ["EINTR", "EAGAIN", "ENOBUFS", "ENOMEM"])

    def test_the_log_tells_of_accept(self):
        with Server(interpreter=self.interpreter) as server:
            with Injection(server, "accept4", "ENFILE"):
                for _ in range(CLIENTS):
                    self.assertEqual(server.echo(b"a"), b"a")
            server.stop()
            self.assertEqual(server.log().count("Accept answered ENFILE (Too many open files in system)"), 1)
            self.assertRegex(server.log(), r"Accept answered ENFILE \d+ times")


globals().update(on_each_interpreter(Calls, ("fork", "epoll")))


class Loops(Served, unittest.TestCase):
    """What event loops call."""

    def test_epoll(self):
        self.interpreter = "epoll"
        self.check_all_served("epoll_wait", ["EINTR", "ENOSYS"])
        self.check_all_served("epoll_ctl", ["ENOMEM", "ENOSPC"])

    def test_uring(self):
        self.interpreter = "uring"
        self.check_all_served("io_uring_enter", ["EINTR", "EAGAIN", "EBUSY", "ENOSYS"])


class Forks(unittest.TestCase):
    def test_fork(self):
        """A client whose fork failed is refused, and the next one is served."""
        for error in ("EAGAIN", "ENOMEM"):
            with self.subTest(error), Server("--drain-timeout", "0") as server:
                with Injection(server, FORKS, error) as injection:
                    outcomes = []
                    for number in range(CLIENTS):
                        data = b"client %d" % number
                        try:
                            outcomes.append(server.echo(data) == data)
                        except OSError:  # (a shutdown may find the connection gone: ENOTCONN)
                            outcomes.append(False)
                    self.assertEqual(outcomes, [False, True] * (CLIENTS // 2))
                    self.assertEqual(injection.injected(), CLIENTS // 2, injection.log())
                self.assertIn(f"Fork answered {error}", server.log())
                self.assertEqual(server.echo(b"after"), b"after")
                server.await_no_children()


if __name__ == "__main__":
    unittest.main()
