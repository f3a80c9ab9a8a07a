#!/usr/bin/env python3
"""Scrapes `echo-server --metrics` while it serves real clients, and after what can befall the two."""

import sys

sys.dont_write_bytecode = True

import http.client
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import unittest

from serving import (
    ECHO_SERVER,
    PATIENCE_S,
    SeedServer,
    Server,
    at_end,
    children_of,
    converse,
    eventually,
    on_each_interpreter,
)

SAMPLE = re.compile(r"([a-z_]+)(\{[^}]*\})? (\S+)")


def request(address, text):
    with socket.create_connection(address, PATIENCE_S) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while more := connection.recv(1 << 16):
            answer += more
        return answer


class Scraped:
    """A server that shows its metrics at any free port."""

    def metrics_address(self):
        found = re.search(r"^echo-server: metrics on (\S+):(\d+)$", self.log(), re.M)
        assert found, self.log()
        return found[1].strip("[]"), int(found[2])

    def metrics_text(self):
        connection = http.client.HTTPConnection(*self.metrics_address(), timeout=PATIENCE_S)
        try:
            connection.request("GET", "/metrics")
            response = connection.getresponse()
            assert response.status == 200, response.status
            assert response.getheader("Content-Type").startswith("text/plain"), response.getheaders()
            return response.read().decode()
        finally:
            connection.close()

    def metrics(self):
        """Each sample by its name and labels, as they stand."""
        samples = {}
        for line in self.metrics_text().splitlines():
            if line.startswith("#"):
                continue
            found = SAMPLE.fullmatch(line)
            assert found, line
            key = found[1] + (found[2] or "")
            assert key not in samples, line
            samples[key] = float(found[3])
        return samples

    def await_metric(self, key, value):
        return eventually(f"{key} is {value}", lambda: (now := self.metrics()).get(key) == value and now)

    def metrics_pid(self):
        """Of the children, the one that listens at the metrics' address: the first."""
        return min(pid for pid, _ in children_of(self.pid))


class ScrapedServer(Scraped, Server):
    pass


class ScrapedSeedServer(Scraped, SeedServer):
    pass


def answered(instruction, result="ok"):
    return f'antiphon_instructions_total{{instruction="{instruction}",result="{result}"}}'


def reset(connection):
    """Closes so that the peer meets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Totals:
    def server(self, *options, **how):
        return ScrapedServer("--metrics", "127.0.0.1:0", *options, interpreter=self.interpreter, **how)

    def check_totals(self, workers):
        sizes = [7, 1000, 20_000, 70_000] * 5
        with self.server(*(["--workers", str(workers)] if workers else [])) as server:
            clients = [
                threading.Thread(target=lambda size=size: server.echo(os.urandom(size))) for size in sizes
            ]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            seen = server.await_metric("antiphon_connections_ended_total", len(sizes))
            self.assertEqual(seen["antiphon_connections_accepted_total"], len(sizes))
            self.assertEqual(seen["antiphon_connections_open"], 0)
            self.assertEqual(seen["antiphon_connections_refused_total"], 0)
            self.assertEqual(seen["antiphon_received_bytes_total"], sum(sizes))
            self.assertEqual(seen["antiphon_sent_bytes_total"], sum(sizes))
            self.assertEqual(seen[answered("Accept")], len(sizes))
            self.assertEqual(seen[answered("Fork")], 2 * len(sizes), "each is answered to both processes")
            self.assertEqual(seen[answered("Listen")], workers or 1)
            self.assertEqual(seen["antiphon_connection_duration_seconds_count"], len(sizes))
            # Every Recv of bytes is paid at once, so that each has its latency.
            messages = seen[answered("Recv")] - len(sizes)
            self.assertGreaterEqual(messages, len(sizes))
            self.assertEqual(seen["antiphon_echo_latency_seconds_count"], messages)
            self.assertEqual(seen['antiphon_echo_latency_seconds_bucket{le="+Inf"}'], messages)
            self.assertGreater(seen["antiphon_echo_latency_seconds_sum"], 0)
            self.assertNotIn('antiphon_verdict{verdict="holds"}', seen)
            facts = f'program="stream",interpreter="{server.interpreter}",workers="{workers or 1}"'
            self.assertEqual(seen[f"antiphon_server_info{{{facts}}}"], 1)


class Counts(Totals):
    def test_totals_are_what_clients_did(self):
        self.check_totals(None)

    def test_open_connections(self):
        with self.server() as server:
            with server.connect() as one, server.connect() as other:
                for client in one, other:
                    self.assertEqual(converse(client, b"x", close_side=False), b"x")
                seen = server.await_metric("antiphon_connections_open", 2)
                self.assertEqual(seen["antiphon_connections_ended_total"], 0)
            server.await_metric("antiphon_connections_open", 0)

    def test_refused_connections(self):
        with self.server("--max-connections", "1") as server, server.connect() as first:
            self.assertEqual(converse(first, b"x", close_side=False), b"x")
            for _ in range(3):
                with server.connect() as refused:
                    self.assertTrue(at_end(refused))
            seen = server.await_metric("antiphon_connections_refused_total", 3)
            self.assertEqual(seen["antiphon_connections_accepted_total"], 4)
            self.assertEqual(seen["antiphon_connections_open"], 1)
            self.assertEqual(seen[answered("Fork", "EAGAIN")], 3)

    def test_a_reset_shows_its_errno(self):
        with self.server() as server:
            client = server.connect()
            self.assertEqual(converse(client, b"x", close_side=False), b"x")
            reset(client)
            server.await_metric(answered("Recv", "ECONNRESET"), 1)
            server.await_metric("antiphon_connections_ended_total", 1)

    def test_no_payload_is_shown(self):
        secret = b"a password in plain text"
        with self.server("--monitor") as server:
            self.assertEqual(server.echo(secret), secret)
            server.await_metric("antiphon_received_bytes_total", len(secret))
            self.assertNotIn("password", server.metrics_text())

    def test_the_verdict_holds(self):
        with self.server("--monitor") as server:
            server.echo(b"x" * 100_000)
            seen = server.await_metric("antiphon_connections_ended_total", 1)
            self.assertEqual(seen['antiphon_verdict{verdict="holds"}'], 1)
            self.assertEqual(seen['antiphon_verdict{verdict="violated"}'], 0)
            self.assertEqual(seen['antiphon_violations_total{clause="answered"}'], 0)

    def test_the_verdict_turns_to_violated(self):
        options = ("--metrics", "127.0.0.1:0", "--monitor")
        with ScrapedSeedServer(*options, interpreter=self.interpreter) as server:
            server.expected_status = 1
            self.assertEqual(server.metrics()['antiphon_verdict{verdict="holds"}'], 1)
            with server.connect() as client:
                client.sendall(b"one")
                self.assertEqual(client.recv(100), b"one")
            seen = server.await_metric('antiphon_violations_total{clause="input-read"}', 1)
            self.assertEqual(seen['antiphon_verdict{verdict="violated"}'], 1)
            self.assertEqual(seen['antiphon_verdict{verdict="holds"}'], 0)

    def test_serving_goes_on_without_it(self):
        with self.server() as server:
            helper = server.metrics_pid()
            os.kill(helper, signal.SIGKILL)
            eventually("it has ended", lambda: not is_alive(helper))
            for _ in range(3):
                self.assertEqual(server.echo(b"still here"), b"still here")
            line = "echo-server: the process of the metrics has ended; serving goes on"
            server.await_log(line)
            self.assertEqual(server.log().count("metrics has ended"), 1)

    def test_it_ends_with_the_server(self):
        for how in signal.SIGTERM, signal.SIGKILL:
            with self.server() as server:
                helper = server.metrics_pid()
                address = server.metrics_address()
                server.expected_status = -how if how == signal.SIGKILL else 0
                server.stop(how)
                eventually("it has ended", lambda: not is_alive(helper))
            # Its port is free at once.
            again = f"{address[0]}:{address[1]}"
            with ScrapedServer("--metrics", again, interpreter=self.interpreter) as server:
                self.assertEqual(server.metrics_address(), address)

    def test_it_outlives_the_signals_that_stop_a_server(self):
        with self.server() as server, server.connect() as client:
            self.assertEqual(converse(client, b"x", close_side=False), b"x")
            for stops in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
                os.kill(server.metrics_pid(), stops)
            server.process.send_signal(signal.SIGTERM)
            server.await_log("asked to stop")
            server.await_metric("antiphon_connections_open", 1)
            client.close()
            server.process.wait(PATIENCE_S)

    def test_it_holds_nothing_of_the_server(self):
        with self.server("--trace", "/dev/null") as server, server.connect() as client:
            converse(client, b"x", close_side=False)
            helper = server.metrics_pid()
            targets = [os.readlink(f"/proc/{helper}/fd/{name}") for name in os.listdir(f"/proc/{helper}/fd")]
            sockets = [target for target in targets if target.startswith("socket:")]
            self.assertEqual(len(sockets), 2, f"the way to the server, and where it listens: {targets}")
            # The log is standard output and error.
            self.assertEqual(len([one for one in targets if not one.startswith(("socket:", "anon_inode:"))]), 2)


class CountsOfWorkers(Totals):
    def test_totals_of_several_workers(self):
        self.check_totals(3)


class Fork(unittest.TestCase):
    """What can befall the processes of a server that forks."""

    def server(self, *options):
        return ScrapedServer("--metrics", "127.0.0.1:0", *options, interpreter="fork")

    def test_a_killed_session_leaves_no_open_connection(self):
        with self.server() as server, server.connect() as client:
            self.assertEqual(converse(client, b"x", close_side=False), b"x")
            server.await_metric("antiphon_connections_open", 1)
            os.kill(max(pid for pid, _ in children_of(server.pid)), signal.SIGKILL)
            self.assertTrue(at_end(client))
            # The acceptor tells what became of its children as it accepts.
            eventually("it is reaped", lambda: len(children_of(server.pid)) == 1)
            server.echo(b"next")
            seen = server.await_metric("antiphon_connections_open", 0)
            self.assertEqual(seen["antiphon_connections_ended_total"], 2)
            server.expected_status = 0

    def test_a_killed_monitor_leaves_no_verdict(self):
        with self.server("--monitor") as server:
            server.expected_status = 3
            helper, monitor = sorted(pid for pid, _ in children_of(server.pid))
            self.assertEqual(helper, server.metrics_pid())
            self.assertEqual(server.metrics()['antiphon_verdict{verdict="holds"}'], 1)
            os.kill(monitor, signal.SIGKILL)
            eventually("it has ended", lambda: not is_alive(monitor))
            server.echo(b"unseen")
            seen = server.await_metric('antiphon_verdict{verdict="incomplete"}', 1)
            self.assertEqual(seen['antiphon_verdict{verdict="holds"}'], 0)


class Endpoint(unittest.TestCase):
    def run_server(self, *options):
        done = subprocess.run(
            [ECHO_SERVER, "--port", "0", *options], capture_output=True, text=True, timeout=PATIENCE_S
        )
        return done.returncode, done.stdout, done.stderr

    def test_an_address_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            expected = (
                f"echo-server: --metrics: cannot serve metrics at 127.0.0.1:{port}: "
                "EADDRINUSE (Address already in use)\n"
            )
            self.assertEqual(self.run_server("--metrics", f"127.0.0.1:{port}"), (2, "", expected))

    def test_what_is_no_address(self):
        for address, why in (
            ("9464", "'9464' has no port"),
            ("127.0.0.1:70000", "70000"),
            (":9464", "has no host"),
            ("nowhere.invalid:9464", "does not resolve"),
            ("192.0.2.1:9464", "EADDRNOTAVAIL"),
            ("[::1]:9464", "IPv4 only"),
        ):
            status, out, err = self.run_server("--metrics", address)
            self.assertEqual((status, out), (2, ""), address)
            self.assertRegex(err, r"^echo-server: --metrics: [^\n]*\n$")
            self.assertIn(why, err)

    def test_a_host_by_name(self):
        with ScrapedServer("--metrics", "localhost:0", interpreter="epoll") as server:
            self.assertEqual(server.metrics_address()[0], "127.0.0.1")
            self.assertEqual(server.metrics()["antiphon_connections_open"], 0)

    def test_who_asks_badly_harms_nobody(self):
        with ScrapedServer("--metrics", "127.0.0.1:0", interpreter="epoll") as server:
            address = server.metrics_address()
            for text in (
                b"",
                b"\0" * 5000,
                b"GET /metrics\r\n\r\n",
                b"GET " + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
                b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                b"GET /../../etc/passwd HTTP/1.1\r\n\r\n",
            ):
                try:
                    self.assertNotIn(b"root:", request(address, text))
                except OSError:
                    pass
            slow = [socket.create_connection(address, PATIENCE_S) for _ in range(8)]
            self.assertEqual(server.echo(b"not slower"), b"not slower")
            seen = server.await_metric("antiphon_connections_ended_total", 1)
            self.assertEqual(seen["antiphon_received_bytes_total"], 10, "who is silent is given up")
            for one in slow:
                one.close()
            self.assertNotIn("serving goes on", server.log())
            with open(f"/proc/{server.metrics_pid()}/status") as file:
                threads = next(int(line.split()[1]) for line in file if line.startswith("Threads"))
            self.assertLessEqual(threads, 6, "four that answer, one that accepts, the first")


globals().update(on_each_interpreter(Counts))
globals().update(on_each_interpreter(CountsOfWorkers, ("epoll", "uring")))


if __name__ == "__main__":
    unittest.main()
