#!/usr/bin/env python3
"""Limits that a real machine sets: processes, memory, the backlog. The server refuses or keeps waiting, and goes on."""

import sys

sys.dont_write_bytecode = True

import os
import resource
import shutil
import signal
import socket
import tempfile
import unittest

from serving import ECHO_SERVER, PATIENCE_S, Server, at_end, converse, eventually, is_sanitized, on_each_interpreter

# Of nobody else: the limit counts all processes of a user.
USER = 54_321


def vm_bytes(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def may_be_run_by_others(path):
    while path != "/":
        if not os.stat(path).st_mode & 0o001:
            return False
        path = os.path.dirname(path)
    return True


class Processes(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root becomes another user, and root has no limit of processes")
        if not shutil.which("setpriv") or not shutil.which("prlimit"):
            self.skipTest("there is no setpriv or prlimit here")
        if not may_be_run_by_others(ECHO_SERVER):
            self.skipTest("another user may not run the server where it stands")

    def test_no_process_left_to_serve_with(self):
        """RLIMIT_NPROC: who comes then is refused at once, and who comes later is served."""
        other_user = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "prlimit", "--nproc=3:3")
        with Server(under=other_user) as server:
            first, second = server.connect(), server.connect()
            with first, second:
                for client in (first, second):
                    self.assertEqual(converse(client, b"here", close_side=False), b"here")
                with server.connect() as third:
                    self.assertTrue(at_end(third))
                self.assertIn("Fork answered EAGAIN", server.log())
            server.await_no_children()
            self.assertEqual(server.echo(b"later"), b"later")


@unittest.skipIf(is_sanitized(), "a sanitizer needs memory of its own")
class Memory:
    def test_memory_that_ends(self):
        """RLIMIT_AS: whatever the server can have no memory for, it loses no byte of the others, and goes on."""
        with Server(interpreter=self.interpreter) as server:
            self.assertEqual(server.echo(b"before"), b"before")
            _, hard = resource.prlimit(server.pid, resource.RLIMIT_AS)
            resource.prlimit(server.pid, resource.RLIMIT_AS, (vm_bytes(server.pid) + (1 << 18), hard))
            clients = []
            try:
                for _ in range(300):
                    client = server.connect()
                    client.settimeout(PATIENCE_S)
                    client.sendall(b"x" * 20_000)
                    clients.append(client)
                self.assertIsNone(server.process.poll(), server.log())
            finally:
                resource.prlimit(server.pid, resource.RLIMIT_AS, (hard, hard))
            for client in clients:
                with client:
                    try:
                        client.shutdown(socket.SHUT_WR)
                        heard = b""
                        while more := client.recv(1 << 16):
                            heard += more
                    except (ConnectionResetError, BrokenPipeError, OSError):
                        continue
                    self.assertEqual(heard, (b"x" * 20_000)[: len(heard)])
            self.assertEqual(server.echo(b"after"), b"after")
            server.await_no_children()


class Backlog:
    def test_a_full_backlog(self):
        """While the server is halted its queue overflows. Whom the kernel keeps is served; whom it resets was never
        accepted."""
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace.jsonl")
            with Server("--backlog", "1", "--trace", trace, interpreter=self.interpreter) as server:
                clients = self.clients_of_a_halted(server)
                served = sum(self.is_served(client, word) for client, word in clients)
                self.assertEqual(server.echo(b"after"), b"after")
            with open(trace) as file:
                accepted = sum('"do":"Accept"' in line and '"answer"' in line for line in file)
            self.assertGreaterEqual(served, 1)
            self.assertEqual(accepted, served + 1)

    @staticmethod
    def clients_of_a_halted(server):
        os.kill(server.pid, signal.SIGSTOP)
        try:
            clients = []
            for number in range(6):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(server.address)
                clients.append((client, b"client %d" % number))
            return clients
        finally:
            os.kill(server.pid, signal.SIGCONT)

    def is_served(self, client, word):
        with client:
            eventually("it is connected", lambda: self.is_connected(client))
            try:
                heard = converse(client, word)
            except ConnectionResetError:
                return False
            self.assertEqual(heard, word)
            return True

    @staticmethod
    def is_connected(client):
        try:
            client.getpeername()
        except OSError:
            return False
        return True


globals().update(on_each_interpreter(Memory))
globals().update(on_each_interpreter(Backlog))

if __name__ == "__main__":
    unittest.main()
