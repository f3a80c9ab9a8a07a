#!/usr/bin/env python3
"""Clients that take more than their share, on each interpreter: what they cost is bounded, and others are served."""

import sys

sys.dont_write_bytecode = True

import fcntl
import os
import select
import socket
import struct
import tempfile
import termios
import time
import unittest

from serving import (
    allow_many_descriptors,
    PATIENCE_S,
    Server,
    at_end,
    children_of,
    converse,
    eventually,
    is_sanitized,
    on_each_interpreter,
    proportional_kib,
)

# apps/README.md, "What a client costs": of one that takes nothing back, and of an event loop's worker.
CLIENT_KIB = {"fork": 256, "epoll": 20, "uring": 20}
WORKER_KIB = {"fork": 0, "epoll": 4096, "uring": 9216}

# What --trace, --monitor and --metrics add together. Their processes are there before a client is.
WATCHED_CLIENT_KIB = {"fork": 256 + 128 + 16, "epoll": 2, "uring": 2}
WATCHED_WORKER_KIB = {"fork": 0, "epoll": 1024, "uring": 1024}


def family_kib(server):
    return proportional_kib([server.pid, *(pid for pid, _ in children_of(server.pid))])


def pushing(server):
    """A client that will not take back what it sends."""
    client = server.connect_narrowly()
    client.setblocking(False)
    return client


def push(clients):
    """As much as there is room for. How many found room."""
    _, writable, _ = select.select([], clients, [], 0.1)
    for client in writable:
        try:
            client.send(b"x" * (1 << 16))
        except BlockingIOError:
            pass
    return len(writable)


def push_until_nothing_moves(clients):
    moved_at = time.monotonic()
    while time.monotonic() - moved_at < 1:
        if push(clients):
            moved_at = time.monotonic()


def unsent_bytes(client):
    """What waits at its own end, since the server has taken nothing for a while (SIOCOUTQ of tcp(7))."""
    (count,) = struct.unpack("i", fcntl.ioctl(client, termios.TIOCOUTQ, b"\0" * 4))
    return count


TCP_REPAIR = 19  # linux/tcp.h


def vanish(client):
    """Ends it without a packet, as a machine does whose power or network fails. It takes CAP_NET_ADMIN; without it the
    client resets."""
    try:
        client.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except PermissionError:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


class Abuse:
    def setUp(self):
        allow_many_descriptors(self)

    def server(self, *options):
        return Server(*options, interpreter=self.interpreter)

    def grown_by(self, count, server):
        """KiB, with as many clients that each are owed a whole message, and the clients."""
        self.assertEqual(len(server.echo(b"x" * 100_000)), 100_000)
        before = family_kib(server)
        clients = [pushing(server) for _ in range(count)]

        def none_is_read_any_more():
            push_until_nothing_moves(clients)
            return all(unsent_bytes(client) > 0 for client in clients)

        eventually("the server holds what it can of each", none_is_read_any_more)
        return family_kib(server) - before, clients

    @unittest.skipIf(is_sanitized(), "a sanitizer needs memory of its own")
    def test_what_is_owed_to_clients_that_take_nothing_is_bounded(self):
        count = 100 if self.interpreter == "fork" else 300
        with self.server("--max-connections", str(count)) as server:
            grown, clients = self.grown_by(count, server)
            self.assertLess(grown, WORKER_KIB[self.interpreter] + CLIENT_KIB[self.interpreter] * count)
            with server.connect() as one_more:
                self.assertTrue(at_end(one_more))
            for client in clients:
                client.close()
            eventually("there is place again", server.serves)

    @unittest.skipIf(is_sanitized(), "a sanitizer needs memory of its own")
    def test_so_is_what_a_trace_a_monitor_and_metrics_add(self):
        count = 40
        with tempfile.TemporaryDirectory() as folder:
            watching = ("--trace", os.path.join(folder, "trace"), "--monitor", "--metrics", "127.0.0.1:0")
            with self.server(*watching) as server:
                grown, clients = self.grown_by(count, server)
                for client in clients:
                    client.close()
        per_client = CLIENT_KIB[self.interpreter] + WATCHED_CLIENT_KIB[self.interpreter]
        per_worker = WORKER_KIB[self.interpreter] + WATCHED_WORKER_KIB[self.interpreter]
        self.assertLess(grown, per_worker + per_client * count)

    def test_a_client_that_pushes_does_not_hold_up_the_others(self):
        """It has something to be done at any time, and the others have a hundred messages answered meanwhile."""
        with self.server() as server, socket.create_connection(server.address) as greedy:
            greedy.setblocking(False)
            taken = 0

            def push():
                nonlocal taken
                readable, writable, _ = select.select([greedy], [greedy], [], 0)
                if writable:
                    greedy.send(b"x" * (1 << 18))
                if readable:
                    taken += len(greedy.recv(1 << 20))

            clients = [server.connect() for _ in range(20)]
            for round_number in range(100):
                message = b"%d" % round_number
                for client in clients:
                    client.sendall(message)
                    push()
                for client in clients:
                    client.settimeout(PATIENCE_S)
                    self.assertEqual(client.recv(100), message)
            for client in clients:
                client.close()
            self.assertGreater(taken, 1 << 20)

    def test_a_flood_of_connections_is_refused_and_passes(self):
        """Ten thousand come and go, eight hundred at a time, where there is place for fifty."""
        with self.server("--max-connections", "50") as server, server.connect() as early:
            self.assertEqual(converse(early, b"early", close_side=False), b"early")
            descriptors = server.descriptors()
            for _ in range(13):
                crowd = []
                for _ in range(800):
                    client = socket.socket()
                    client.setblocking(False)
                    client.connect_ex(server.address)
                    crowd.append(client)
                self.assertEqual(converse(early, b"still here", close_side=False), b"still here")
                for client in crowd:
                    client.close()
            eventually("there is place again", server.serves)
            eventually("all descriptors are back", lambda: server.descriptors() <= descriptors)

    def test_a_crowd_that_is_silent_is_let_go(self):
        """Connections without a word, and those whose client is not there any more: the idle limit ends them, and not
        who speaks."""
        with self.server("--idle-timeout", "2", "--max-connections", "151") as server, server.connect() as speaker:
            self.assertEqual(converse(speaker, b"I am here", close_side=False), b"I am here")
            descriptors = server.descriptors()
            crowd = [server.connect() for _ in range(100)]
            vanished = [server.connect() for _ in range(50)]
            with server.connect() as late:
                self.assertTrue(at_end(late))
            for client in vanished:
                vanish(client)

            def crowd_has_ended():
                self.assertEqual(converse(speaker, b"I am here", close_side=False), b"I am here")
                return all(select.select([client], [], [], 0)[0] for client in crowd)

            eventually("the crowd is let go", crowd_has_ended)
            for client in crowd:
                with client:
                    self.assertTrue(at_end(client))
            eventually("there is place again", server.serves)
            eventually("all descriptors are back", lambda: server.descriptors() <= descriptors)
            if self.interpreter == "fork":
                eventually("all sessions but one are gone", lambda: len(children_of(server.pid)) == 1)


globals().update(on_each_interpreter(Abuse))

if __name__ == "__main__":
    unittest.main()
