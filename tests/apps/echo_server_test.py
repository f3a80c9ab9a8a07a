#!/usr/bin/env python3
"""Runs echo-server under real clients on loopback."""

import sys

sys.dont_write_bytecode = True

import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from serving import (
    ECHO_SERVER,
    PATIENCE_S,
    Server,
    at_end,
    children_of,
    converse,
    eventually,
    fingerprint,
    on_each_interpreter,
    traced_environment,
)


def run(*arguments, **options):
    done = subprocess.run(
        [ECHO_SERVER, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, **options
    )
    return done.returncode, done.stdout, done.stderr


class OnInterpreter:
    """What holds on whatever interpreter."""

    def server(self, *options, **limits):
        return Server(*options, interpreter=self.interpreter, **limits)


class Echo(OnInterpreter):
    def test_hello(self):
        with self.server() as server:
            self.assertRegex(server.first_line, r"^listening on 127\.0\.0\.1:\d+ \(interpreter \w+\)\n$")
            self.assertEqual(server.echo(b"hello\n"), b"hello\n")
            self.assertEqual(server.echo(b""), b"")

    def test_a_message_in_parts(self):
        with self.server() as server, server.connect() as client:
            for part in (b"one", b"two", b"x" * 5000):
                self.assertEqual(converse(client, part, close_side=False), part)

    def test_64_mib(self):
        data = os.urandom(64 << 20)
        with self.server() as server:
            self.assertEqual(fingerprint(server.echo(data)), fingerprint(data))

    def test_200_clients_at_once(self):
        data = [os.urandom(1 << 20) for _ in range(200)]
        heard = [b""] * len(data)
        with self.server() as server:

            def serve(number):
                heard[number] = server.echo(data[number])

            clients = [threading.Thread(target=serve, args=(number,)) for number in range(len(data))]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            self.assertTrue(heard == data)
            server.await_no_children()

    def test_ipv6(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        with self.server("--host", "::1") as server:
            self.assertIn("listening on [::1]:", server.first_line)
            self.assertEqual(server.echo(b"six"), b"six")

    def test_a_host_by_name(self):
        with self.server("--host", "localhost") as server:
            self.assertEqual(server.echo(b"name"), b"name")

    def test_once(self):
        for option in (["--once"], ["--program", "once"]):
            with self.server(*option) as server, server.connect() as client:
                client.sendall(b"first")
                self.assertEqual(client.recv(100), b"first")
                # What comes after the answer resets nothing.
                client.sendall(b"second")
                self.assertEqual(client.recv(100), b"")

    def test_a_client_that_resets_harms_nobody(self):
        with self.server() as server:
            for _ in range(20):
                with server.connect() as client:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    client.sendall(b"x" * 100000)
            self.assertEqual(server.echo(b"still"), b"still")

    def test_max_connections(self):
        with self.server("--max-connections", "1") as server:
            with server.connect() as first:
                self.assertEqual(converse(first, b"a", close_side=False), b"a")
                with server.connect() as second:
                    self.assertTrue(at_end(second))
                self.assertEqual(converse(first, b"b"), b"b")
            server.await_no_children()
            self.assertEqual(server.echo(b"c"), b"c")

    def test_an_idle_client_is_let_go(self):
        with self.server("--idle-timeout", "0.1") as server, server.connect() as client:
            self.assertTrue(at_end(client))
        with self.server("--idle-timeout", "0") as server, server.connect() as client:
            self.assertEqual(converse(client, b"a"), b"a")


class Resources(OnInterpreter):
    def test_2000_connections_leave_nothing(self):
        with self.server() as server:

            def serve(count):
                for number in range(count):
                    data = b"%d" % number
                    self.assertEqual(server.echo(data), data)
                server.await_no_children()

            # By then every slot that is received into was in use once.
            serve(800)
            descriptors, resident = server.descriptors(), server.resident_kib()
            serve(1200)
            self.assertEqual(server.descriptors(), descriptors)
            self.assertLess(server.resident_kib(), resident + 1024)


class Stop(OnInterpreter):
    def test_a_drain_serves_who_is_there(self):
        for by in (signal.SIGTERM, signal.SIGINT):
            with self.server("--drain-timeout", "60") as server:
                with server.connect() as client:
                    self.assertEqual(converse(client, b"before", close_side=False), b"before")
                    server.process.send_signal(by)
                    server.await_log("asked to stop; 1 connections may go on for 60 s")
                    data = os.urandom(1 << 20)
                    self.assertEqual(converse(client, data), data)
                    with self.assertRaises(ConnectionRefusedError):
                        server.connect()
                self.assertEqual(server.process.wait(PATIENCE_S), 0, server.log())
                self.assertTrue(server.log().endswith("echo-server: stopped\n"), server.log())

    def test_a_drain_has_an_end(self):
        for timeout in ("0", "0.2"):
            with self.server("--drain-timeout", timeout, "--idle-timeout", "0") as server, server.connect() as client:
                self.assertEqual(converse(client, b"a", close_side=False), b"a")
                server.stop()
                self.assertTrue(at_end(client))
                self.assertEqual(children_of(server.pid), [])


class Processes(unittest.TestCase):
    """The interpreter `fork`: a process for each connection."""

    def test_no_descriptor_left_to_accept_with(self):
        with Server() as server:
            self.assertEqual(server.echo(b"a"), b"a")
            server.limit_descriptors(server.descriptors())
            with server.connect() as client:
                server.await_log("Accept answered EMFILE")
                server.limit_descriptors(1024)
                self.assertEqual(converse(client, b"b"), b"b")
            self.assertEqual(server.echo(b"c"), b"c")

    def test_a_session_holds_its_own_connection_only(self):
        with Server() as server, server.connect() as client:
            self.assertEqual(converse(client, b"a", close_side=False), b"a")
            ((child, _),) = children_of(server.pid)
            links = [os.readlink(f"/proc/{child}/fd/{name}") for name in os.listdir(f"/proc/{child}/fd")]
            self.assertEqual(len([link for link in links if link.startswith("socket:")]), 1, links)

    def test_signals_to_the_whole_group(self):
        with Server("--drain-timeout", "0.2") as server, server.connect() as client:
            self.assertEqual(converse(client, b"a", close_side=False), b"a")
            for child, _ in children_of(server.pid):
                os.kill(child, signal.SIGINT)
            server.stop(signal.SIGINT)
            self.assertTrue(at_end(client))

    def test_a_signal_to_one_session(self):
        with Server("--drain-timeout", "0") as server:
            with server.connect() as one:
                self.assertEqual(converse(one, b"a", close_side=False), b"a")
                ((child, _),) = children_of(server.pid)
                with server.connect() as other:
                    self.assertEqual(converse(other, b"b", close_side=False), b"b")
                    os.kill(child, signal.SIGTERM)
                    self.assertTrue(at_end(one))
                    self.assertEqual(converse(other, b"c"), b"c")


class Loops(OnInterpreter):
    """The event loops: one process for all connections."""

    def test_no_descriptor_left_to_accept_with(self):
        """Who finds no descriptor waits, and is served when another client has gone; nobody loses a byte."""
        with self.server(most_descriptors=16) as server:
            clients = [server.connect() for _ in range(24)]
            try:
                server.await_log("Accept answered EMFILE")
                for number, client in enumerate(clients):
                    data = b"client %d" % number
                    self.assertEqual(converse(client, data), data)
                    client.close()
            finally:
                for client in clients:
                    client.close()
            self.assertEqual(server.echo(b"after"), b"after")

    def test_a_client_that_never_reads_harms_nobody(self):
        with self.server() as server:
            deaf = [server.connect() for _ in range(20)]
            try:
                for client in deaf:
                    client.setblocking(False)
                    try:
                        while True:
                            client.send(b"x" * 65536)
                    except BlockingIOError:
                        pass
                data = os.urandom(1 << 20)
                self.assertEqual(fingerprint(server.echo(data)), fingerprint(data))
            finally:
                for client in deaf:
                    client.close()

    def test_an_idle_server_sleeps(self):
        with self.server() as server, server.connect() as client:
            self.assertEqual(converse(client, b"a", close_side=False), b"a")
            before = server.switches()
            self.assertEqual(converse(client, b"b", close_side=False), b"b")
            eventually("the server sleeps", lambda: server.state() == "S")
            # It does not wake by itself: each waking would be another switch.
            asleep = server.switches()
            self.assertGreater(asleep, before)
            time.sleep(0.3)
            self.assertLessEqual(server.switches() - asleep, 2)

    def test_several_workers_serve_at_one_address(self):
        with self.server("--workers", "3") as server:
            clients = [server.connect() for _ in range(60)]
            for number, client in enumerate(clients):
                data = b"client %d" % number
                self.assertEqual(converse(client, data), data)
                client.close()

    def test_workers_share_the_limit_of_connections(self):
        with self.server("--workers", "2", "--max-connections", "5") as server:
            clients = [server.connect() for _ in range(20)]
            served = 0
            for client in clients:
                client.sendall(b"a")
                client.settimeout(PATIENCE_S)
                try:
                    served += client.recv(1) == b"a"
                except ConnectionResetError:
                    pass
            self.assertEqual(served, 5)
            for client in clients:
                client.close()

    def test_workers_drain_too(self):
        with self.server("--workers", "2", "--drain-timeout", "60") as server:
            clients = [server.connect() for _ in range(8)]
            for client in clients:
                self.assertEqual(converse(client, b"before", close_side=False), b"before")
            server.process.send_signal(signal.SIGTERM)
            server.await_log("asked to stop; 8 connections may go on for 60 s")
            for client in clients:
                self.assertEqual(converse(client, b"after"), b"after")
                client.close()
            self.assertEqual(server.process.wait(PATIENCE_S), 0, server.log())

    def test_a_port_in_use_by_workers(self):
        with self.server("--workers", "2") as server:
            port = str(server.address[1])
            status, _, errors = run("--interpreter", self.interpreter, "--workers", "2", "--port", port)
            self.assertEqual((status, errors.count("\n")), (2, 1), errors)
            self.assertIn("EADDRINUSE", errors)


for case in (Echo, Resources, Stop):
    globals().update(on_each_interpreter(case))
globals().update(on_each_interpreter(Loops, ("epoll", "uring")))


class Surroundings(unittest.TestCase):
    def test_a_log_that_nobody_reads_holds_nobody_up(self):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 65536)
        except BlockingIOError:
            pass
        os.set_blocking(writing, True)
        process = subprocess.Popen(
            [ECHO_SERVER, "--port", "0", "--max-connections", "1"], stdout=subprocess.PIPE, stderr=writing
        )
        try:
            port = int(process.stdout.readline().rpartition(b":")[2].split()[0])
            with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as held:
                held.sendall(b"a")
                self.assertEqual(held.recv(1), b"a")
                with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as refused:
                    self.assertEqual(refused.recv(1), b"")
                held.sendall(b"b")
                self.assertEqual(held.recv(1), b"b")
            process.terminate()
            self.assertEqual(process.wait(PATIENCE_S), 0)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            os.close(reading)
            os.close(writing)

    def test_a_child_that_it_did_not_fork_is_not_counted(self):
        command = f'sleep 0.2 & exec "{ECHO_SERVER}" --port 0 --max-connections 1'
        process = subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            port = int(process.stdout.readline().rpartition(b":")[2].split()[0])
            with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as held:
                held.sendall(b"a")
                self.assertEqual(held.recv(1), b"a")
                eventually("the sleep has ended", lambda: len(children_of(process.pid)) == 1)
                with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as refused:
                    self.assertEqual(refused.recv(1), b"")
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
            process.stdout.close()


class Usage(unittest.TestCase):
    def assert_refused(self, *arguments, words, **options):
        status, output, errors = run(*arguments, **options)
        self.assertEqual((status, output), (2, ""), (arguments, errors))
        self.assertTrue(errors.startswith("echo-server: ") and errors.endswith("\n"), errors)
        self.assertEqual(errors.count("\n"), 1, errors)
        for word in words:
            self.assertIn(word, errors)

    def test_bad_input(self):
        for arguments, *words in [
            (["--no-such"], "--no-such"),
            (["file"], "file"),
            (["--port"], "--port"),
            (["--port", "65536"], "--port", "65536"),
            (["--port", "-1"], "--port", "-1"),
            (["--port", "eighty"], "--port", "eighty"),
            (["--port", "0x50"], "--port", "0x50"),
            (["--port", "1" * 40], "--port"),
            (["--backlog", "2147483648"], "--backlog", "2147483648"),
            (["--max-connections", "0"], "--max-connections"),
            (["--max-connections", "9" * 30], "--max-connections"),
            (["--max-per-address", "0"], "--max-per-address", "0"),
            (["--max-per-address", "two"], "--max-per-address", "two"),
            (["--max-per-address", "9" * 30], "--max-per-address"),
            (["--program", "seed", "--max-per-address", "1"], "--max-per-address", "seed"),
            (["--idle-timeout", "-1"], "--idle-timeout"),
            (["--idle-timeout", "nan"], "--idle-timeout"),
            (["--progress-timeout", "-1"], "--progress-timeout"),
            (["--progress-timeout", "soon"], "--progress-timeout", "soon"),
            (["--program", "seed", "--progress-timeout", "1"], "--progress-timeout", "seed"),
            (["--drain-timeout", "1e999"], "--drain-timeout"),
            (["--drain-timeout", "9" * 30], "--drain-timeout"),
            (["--host", ""], "--host"),
            (["--host", "no such host"], "--host", "no such host"),
            (["--host", "192.0.2.1", "--port", "0"], "192.0.2.1:0", "EADDRNOTAVAIL"),
            (["--interpreter", "fork", "--workers", "2"], "--workers", "fork"),
            (["--interpreter", "fork", "--spin", "0"], "--spin", "fork"),
            (["--interpreter", "epoll", "--workers", "0"], "--workers", "0"),
            (["--interpreter", "epoll", "--spin", "-1"], "--spin", "-1"),
            (["--interpreter", "epoll", "--spin", "1000001"], "--spin", "1000001"),
            (["--trace-limit", "1M"], "--trace-limit", "--trace"),
            (["--trace", "t.jsonl", "--trace-limit", "65535"], "--trace-limit", "65535"),
            (["--trace", "t.jsonl", "--trace-limit", "63K"], "--trace-limit", "63K"),
            (["--trace", "t.jsonl", "--trace-limit", "1T"], "--trace-limit", "1T"),
            (["--trace", "t.jsonl", "--trace-limit", "-1M"], "--trace-limit", "-1M"),
            (["--trace", "t.jsonl", "--trace-limit", "1MM"], "--trace-limit", "1MM"),
            (["--trace", "t.jsonl", "--trace-limit", "K"], "--trace-limit", "K"),
            (["--trace", "t.jsonl", "--trace-limit", "18446744073709551615G"], "--trace-limit"),
            (["--trace", "/dev/null", "--trace-limit", "1M"], "/dev/null", "not a regular file"),
            (["--on-violation", "log"], "--on-violation", "--monitor"),
            (["--monitor", "--on-violation", "sing"], "--on-violation", "sing"),
            (["--monitor=no"], "monitor"),
            (["--interpreter", "magic"], "--interpreter", "magic"),
            (["--program", "chat"], "--program", "chat"),
            (["--program", "seed", "--port", "0"], "--port", "seed"),
            (["--program", "stream", "--once"], "--once"),
            (["--once=no"], "once"),
            (["--trace", "/nonexistent/t.jsonl"], "/nonexistent/t.jsonl", "No such file or directory"),
            (["--trace", "/"], "/", "Is a directory"),
            (["line\nbreak"], "line break"),
        ]:
            with self.subTest(arguments):
                self.assert_refused(*arguments, words=words)

    def test_a_port_in_use(self):
        with Server() as server:
            port = str(server.address[1])
            self.assert_refused("--port", port, words=[f"127.0.0.1:{port}", "EADDRINUSE"])

    def test_a_privileged_port(self):
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as file:
            if int(file.read()) <= 1:
                self.skipTest("no port is privileged here")
        nobody = 65534

        def give_up_rights():
            if os.geteuid() == 0:
                os.setgid(nobody)
                os.setuid(nobody)

        try:
            self.assert_refused("--port", "1", words=["127.0.0.1:1", "EACCES"], preexec_fn=give_up_rights)
        except (PermissionError, subprocess.SubprocessError) as error:
            self.skipTest(f"nobody cannot run the server: {error}")

    def test_auto_is_uring_where_the_kernel_has_it(self):
        for error, expected, words in [
            ("", "uring", ""),
            ("ENOSYS", "epoll", "it has no io_uring"),
            ("EPERM", "epoll", "io_uring is forbidden"),
        ]:
            with self.subTest(error):
                command = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=io_uring_setup"]
                command += ["-e", f"inject=io_uring_setup:error={error}"] if error else []
                with Server(interpreter="auto", expected=expected, under=command) as server:
                    self.assertEqual(server.echo(b"a"), b"a")
                if error:
                    done = subprocess.run(
                        [*command, ECHO_SERVER, "--interpreter", "uring"],
                        capture_output=True, text=True, timeout=PATIENCE_S, env=traced_environment(),
                    )
                    self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
                    self.assertIn("echo-server: --interpreter: this kernel does not run 'uring': " + words, done.stderr)

    def test_help_and_version(self):
        status, version, errors = run("--version")
        self.assertEqual((status, errors), (0, ""))
        self.assertRegex(version, r"^echo-server \d+\.\d+\.\d+\n$")
        for flag in ("-h", "--help"):
            status, text, errors = run(flag)
            self.assertEqual((status, errors), (0, ""))
            for part in ("USAGE", "OPTIONS", "SIGNALS", "EXIT STATUS", "EXAMPLES", "--host", "--port", "--interpreter",
                         "--workers", "--spin", "--program", "--once", "--backlog", "--max-connections",
                         "--max-per-address", "--idle-timeout", "--progress-timeout", "--drain-timeout", "--trace",
                         "--trace-limit",
                         "--monitor", "--on-violation", "--log-format", "--user", "--take-over", "SIGHUP", "SIGUSR1",
                         "LISTEN_FDS", "NOTIFY_SOCKET", "--version"):
                self.assertIn(part, text)

    def test_a_reader_that_goes_away(self):
        """Nobody reads the server's output any more: it serves all the same."""
        reading, writing = os.pipe()
        with open(writing, "wb") as errors:
            process = subprocess.Popen(
                [ECHO_SERVER, "--port", "0"], stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL
            )
        try:
            port = int(process.stdout.readline().split()[2].rpartition(b":")[2])
            os.close(reading)
            process.stdout.close()
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE_S), 0)
            self.assertGreater(port, 0)
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    unittest.main()
