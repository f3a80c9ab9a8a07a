#!/usr/bin/env python3
"""kill -9 of a session, of the whole server, of half of the clients: lost is what was in flight there, and no more."""

import sys

sys.dont_write_bytecode = True

import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

from serving import PatientServer, Server, at_end, children_of, converse, eventually, on_each_interpreter

CLIENTS = 8

# Clients in a process of their own: connect to HOST PORT, send a word each, wait for its echo, say so, and hold on.
CROWD = """
import socket, sys, time
address = (sys.argv[1], int(sys.argv[2]))
crowd = [socket.create_connection(address, 60) for _ in range(int(sys.argv[3]))]
for one in crowd:
    one.sendall(b"word")
    assert one.recv(4, socket.MSG_WAITALL) == b"word"
    one.sendall(b"x" * 5000)  # and never reads its echo
print("ready", flush=True)
time.sleep(600)
"""


class Killed:
    metrics = "127.0.0.1:0"

    def greeted(self, server):
        """Clients that are served, and go on."""
        clients = [server.connect() for _ in range(CLIENTS)]
        for client in clients:
            self.assertEqual(converse(client, b"hello", close_side=False), b"hello")
        return clients

    def finish(self, clients):
        for client in clients:
            with client:
                self.assertEqual(converse(client, b"the rest"), b"the rest")

    def test_the_server_is_killed_and_the_next_one_starts_at_once(self):
        """At the same port, though connections of the last one are still there."""
        with Server(interpreter=self.interpreter) as server:
            clients = self.greeted(server)
            server.process.kill()
            server.process.wait()
            server.expected_status = -signal.SIGKILL
            port = str(server.address[1])
            with self.successor_at(port) as successor:
                self.assertEqual(successor.address, server.address)
                self.assertEqual(successor.echo(b"again"), b"again")
                if self.interpreter == "fork":
                    self.finish(clients)  # sessions do not die of their parent's death
                else:
                    for client in clients:
                        with client:
                            self.assertTrue(at_end(client))

    def test_so_does_the_process_of_its_metrics(self):
        """The next one starts before the last one's is gone, at the same port."""
        for _ in range(5):
            with Server("--metrics", self.metrics, interpreter=self.interpreter) as server:
                found = re.search(r"metrics on (\S+)", server.log())
                self.metrics = found[1]
                server.process.kill()
                server.process.wait()
                server.expected_status = -signal.SIGKILL

    def successor_at(self, port):
        """The kernel closes what a killed process has open before its parent hears of it, but for a ring, which it
        takes down in a worker of its own, later (io_ring_exit_work): until then the listener that an Accept of the
        ring waits at is there. The server asks for its address for a while; under load that may be too short."""
        kind = PatientServer if self.interpreter == "uring" else Server
        return kind("--port", port, interpreter=self.interpreter)

    def test_half_of_the_clients_are_killed(self):
        with Server(interpreter=self.interpreter) as server:
            descriptors = server.descriptors()
            clients = self.greeted(server)
            host, port = server.address
            crowd = subprocess.Popen(
                [sys.executable, "-c", CROWD, host, str(port), str(CLIENTS)], stdout=subprocess.PIPE
            )
            self.assertEqual(crowd.stdout.readline(), b"ready\n")
            crowd.kill()
            crowd.wait()
            crowd.stdout.close()
            self.finish(clients)
            server.await_no_children()
            eventually("all descriptors are back", lambda: server.descriptors() == descriptors)
            self.assertEqual(server.echo(b"after"), b"after")


globals().update(on_each_interpreter(Killed))


class Metrics(unittest.TestCase):
    def test_a_port_that_is_held_for_a_moment_is_waited_for(self):
        """As the process of the metrics of a server that was killed holds it."""
        with socket.create_server(("127.0.0.1", 0)) as holder:
            server = Server("--metrics", f"127.0.0.1:{holder.getsockname()[1]}")

            def release():
                eventually("the process of the metrics", lambda: hasattr(server, "pid") and children_of(server.pid))
                time.sleep(0.1)  # it has tried by then
                holder.close()

            releasing = threading.Thread(target=release)
            releasing.start()
            with server:
                self.assertEqual(server.echo(b"hello"), b"hello")
            releasing.join()


class Session(unittest.TestCase):
    def test_a_session_is_killed(self):
        """Its client meets the end of the connection; the others, and those who come, are served."""
        with Server("--drain-timeout", "0") as server:
            first = server.connect()
            self.assertEqual(converse(first, b"hello", close_side=False), b"hello")
            ((session, _),) = children_of(server.pid)
            second = server.connect()
            self.assertEqual(converse(second, b"hello", close_side=False), b"hello")
            os.kill(session, signal.SIGKILL)
            with first:
                self.assertTrue(at_end(first))
            with second:
                self.assertEqual(converse(second, b"the rest"), b"the rest")
            self.assertEqual(server.echo(b"after"), b"after")
            server.await_no_children()
            server.stop()
            self.assertIn("1 sessions ended by a signal", server.log())


if __name__ == "__main__":
    unittest.main()
