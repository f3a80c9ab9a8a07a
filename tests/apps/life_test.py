#!/usr/bin/env python3
"""What a service manager and an operator see of echo-server: notices, passed sockets, users, signals."""

import sys

sys.dont_write_bytecode = True

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
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
    passing,
)


class OnInterpreter:
    """What holds on whatever interpreter."""

    def server(self, *options, **how):
        return Server(*options, interpreter=self.interpreter, **how)

    def each_number_of_workers(self):
        return [()] if self.interpreter == "fork" else [("--workers", "1"), ("--workers", "2")]


class Manager:
    """The socket of a service manager."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(os.path.join(self.folder.name, "notify"))
        self.socket.settimeout(PATIENCE_S)
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.folder.cleanup()

    def variables(self, **more):
        return {"NOTIFY_SOCKET": self.socket.getsockname(), **more}

    def next_notice(self):
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())


class Notices(OnInterpreter):
    def test_ready_reloading_stopping(self):
        for workers in self.each_number_of_workers():
            with Manager() as manager, tempfile.TemporaryDirectory() as folder:
                trace = os.path.join(folder, "t.jsonl")
                with self.server("--trace", trace, *workers, environment=manager.variables()) as server:
                    ready = manager.next_notice()
                    self.assertEqual((ready["READY"], ready["MAINPID"]), ("1", str(server.pid)))
                    self.assertIn(f"listening on 127.0.0.1:{server.address[1]}", ready["STATUS"])
                    with server.connect() as client:
                        self.assertEqual(converse(client, b"a", close_side=False), b"a")
                        server.process.send_signal(signal.SIGHUP)
                        reloading = manager.next_notice()
                        self.assertEqual(reloading["RELOADING"], "1")
                        self.assertGreater(int(reloading["MONOTONIC_USEC"]), 0)
                        self.assertEqual(manager.next_notice(), {"READY": "1"})
                        server.ask_to_stop()
                        self.assertEqual(
                            manager.next_notice(), {"STOPPING": "1", "STATUS": "draining 1 connections"}
                        )

    def test_watchdog(self):
        for workers in self.each_number_of_workers():
            with Manager() as manager:
                watched = manager.variables(WATCHDOG_USEC="100000")
                with self.server(*workers, environment=watched) as server:
                    self.assertIn("READY", manager.next_notice())
                    for _ in range(2):
                        self.assertEqual(manager.next_notice(), {"WATCHDOG": "1"})
                    self.assertEqual(server.echo(b"a"), b"a")

    def test_a_session_has_no_way_to_the_manager(self):
        with Manager() as manager, self.server(environment=manager.variables()) as server, server.connect() as client:
            self.assertEqual(converse(client, b"a", close_side=False), b"a")
            for child, _ in children_of(server.pid):
                links = [os.readlink(f"/proc/{child}/fd/{name}") for name in os.listdir(f"/proc/{child}/fd")]
                self.assertEqual(len([link for link in links if link.startswith("socket:")]), 1, links)


class PassedSockets(OnInterpreter):
    def test_it_serves_on_the_socket_that_is_passed(self):
        for workers in self.each_number_of_workers():
            with socket.create_server(("127.0.0.1", 0)) as listener:
                with self.server(*workers, passed=[listener]) as server:
                    self.assertEqual(server.address, listener.getsockname())
                    for number in range(20):
                        data = b"client %d" % number
                        self.assertEqual(server.echo(data), data)
                # Who comes between two servers waits.
                with socket.create_connection(listener.getsockname(), PATIENCE_S) as early:
                    early.sendall(b"early")
                    with self.server(*workers, passed=[listener]) as server:
                        self.assertEqual(converse(early, b""), b"early")

    def test_a_listener_ends_with_its_server(self):
        with socket.create_server(("127.0.0.1", 0)) as listener, self.server(passed=[listener]) as server:
            with server.connect() as client:
                self.assertEqual(converse(client, b"a", close_side=False), b"a")
                listener.close()
                server.ask_to_stop()
                server.await_log("asked to stop")
                eventually("nobody listens", lambda: self.is_refused(server))
                self.assertEqual(converse(client, b"b"), b"b")

    @staticmethod
    def is_refused(server):
        try:
            server.connect().close()
        except ConnectionRefusedError:
            return True
        return False


class Users(OnInterpreter):
    @unittest.skipUnless(os.geteuid() == 0, "it takes root to become somebody else")
    def test_a_privileged_port_and_no_privileges(self):
        for workers in self.each_number_of_workers():
            options = ("--port", str(free_privileged_port()), "--user", "nobody", "--monitor",
                       "--metrics", "127.0.0.1:0", *workers)
            with self.server(*options) as server, server.connect() as client:
                self.assertLess(server.address[1], 1024)
                self.assertEqual(converse(client, b"a", close_side=False), b"a")
                self.assert_nobody(server.pid)
                for child, _ in children_of(server.pid):
                    self.assert_nobody(child)
            self.assertIn("monitor: holds: ", server.final_log)

    def assert_nobody(self, pid):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status") as file:
                status = dict(line.split(":", 1) for line in file.read().splitlines())
            self.assertEqual(set(status["Uid"].split()), {"65534"})
            self.assertEqual(set(status["Gid"].split()), {"65534"})
            self.assertEqual(status["Groups"].split(), ["65534"])
            for kind in ("CapPrm", "CapEff"):
                self.assertEqual(int(status[kind], 16), 0, kind)


def free_privileged_port():
    for port in range(1023, 1, -1):
        try:
            socket.create_server(("127.0.0.1", port)).close()
            return port
        except OSError:
            continue
    raise unittest.SkipTest("no privileged port is free")


def part_of(path):
    with open(path) as file:
        return json.loads(file.readline())["part"]


class Stops(OnInterpreter):
    def test_who_was_cut_is_counted(self):
        for workers in self.each_number_of_workers():
            with self.server("--drain-timeout", "0.05", *workers) as server:
                clients = [server.connect() for _ in range(3)]
                for client in clients:
                    self.assertEqual(converse(client, b"a", close_side=False), b"a")
                server.stop()
                for client in clients:
                    self.assertTrue(at_end(client))
                    client.close()
            self.assertIn("3 connections were cut at the end of the drain\n", server.final_log)

    def test_a_second_signal_stops_at_once(self):
        for workers in self.each_number_of_workers():
            with self.server("--drain-timeout", "1000", *workers) as server:
                server.expected_status = 1
                clients = [server.connect() for _ in range(3)]
                for client in clients:
                    self.assertEqual(converse(client, b"a", close_side=False), b"a")
                server.ask_to_stop()
                server.await_log("asked to stop; 3 connections may go on for 1000 s")
                self.assertEqual(converse(clients[0], b"b", close_side=False), b"b")
                server.ask_to_stop(signal.SIGINT)
                server.stop()
                self.assertEqual(children_of(server.pid), [])
                for client in clients:
                    self.assertTrue(at_end(client))
                    client.close()
            self.assertIn("asked again, and stopped at once; 3 connections were cut\n", server.final_log)
            self.assertNotIn("echo-server: stopped\n", server.final_log)


class ReopenedTrace(OnInterpreter):
    """What logrotate does: it moves the file and sends SIGHUP."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "t.jsonl")
        self.parts = []

    def rotate(self, server):
        self.parts.append(f"{self.path}-{len(self.parts)}")
        os.rename(self.path, self.parts[-1])
        server.process.send_signal(signal.SIGHUP)
        eventually("there is a new trace", lambda: os.path.exists(self.path) and os.path.getsize(self.path) > 0)

    def test_the_parts_are_one_trace(self):
        for workers in self.each_number_of_workers():
            self.parts = []
            with self.server("--trace", self.path, *workers) as server:
                held = [server.connect() for _ in range(4)]
                for round_ in range(3):
                    for client in held:
                        self.assertEqual(converse(client, b"a" * 1000, close_side=False), b"a" * 1000)
                    self.assertEqual(server.echo(b"b%d" % round_), b"b%d" % round_)
                    if round_ < 2:
                        self.rotate(server)
                for client in held:
                    self.assertEqual(converse(client, b"end"), b"end")
                    client.close()
                server.await_no_children()
            files = [*self.parts, self.path]
            self.assertEqual([part_of(path) for path in files], [0, 1, 2])
            done = subprocess.run(
                [os.path.join(os.path.dirname(ECHO_SERVER), "echo-verify"), "trace", *files, "--program", "stream"],
                capture_output=True, text=True, timeout=PATIENCE_S,
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("7 connections", done.stdout)

    def test_a_file_in_use_stays(self):
        with self.server("--trace", self.path) as server:
            server.process.send_signal(signal.SIGHUP)
            self.assertEqual(server.echo(b"a"), b"a")
            os.rename(self.path, self.path + "-0")
            with open(self.path, "w") as file:
                file.write("precious\n")
            server.process.send_signal(signal.SIGHUP)
            server.await_log(f"the trace does not go on in '{self.path}', but where it was: it is there already")
            self.assertEqual(server.echo(b"b"), b"b")
        with open(self.path) as file:
            self.assertEqual(file.read(), "precious\n")
        with open(self.path + "-0") as file:
            lines = file.read().splitlines()
        self.assertEqual(sum('"end"' in line for line in lines), 3, lines)

    def test_there_may_be_no_trace(self):
        with self.server() as server:
            server.process.send_signal(signal.SIGHUP)
            server.await_log("SIGHUP: there is no trace to reopen")
            self.assertEqual(server.echo(b"a"), b"a")


class State(OnInterpreter):
    def test_sigusr1_tells_it(self):
        for workers in self.each_number_of_workers():
            with self.server("--log-format", "json", *workers) as server:
                for _ in range(3):
                    self.assertEqual(server.echo(b"a"), b"a")
                server.await_no_children()
                with server.connect() as client:
                    self.assertEqual(converse(client, b"b", close_side=False), b"b")
                    server.process.send_signal(signal.SIGUSR1)
                    lines = eventually("the state is told", lambda: self.state_of(server, workers))
            self.assertEqual(lines[0]["fields"]["connections"], 1)
            self.assertEqual(lines[0]["fields"]["accepted"], 4)
            self.assertGreaterEqual(lines[0]["fields"]["uptime_s"], 0)
            address = f"127.0.0.1:{server.address[1]}"
            self.assertEqual([line["fields"]["listens_on"] for line in lines[1:]], [address] * (len(lines) - 1))
            self.assertEqual([line["fields"]["worker"] for line in lines[1:]], list(range(len(lines) - 1)))
            for count in ("connections", "accepted"):
                self.assertEqual(sum(line["fields"][count] for line in lines[1:]), lines[0]["fields"][count])

    def state_of(self, server, workers):
        lines = [json.loads(line) for line in server.log().splitlines()]
        told = [line for line in lines if line["event"] in ("state", "worker_state")]
        return told if len(told) == 1 + int(("0", "1", *workers)[-1]) else None


class Upgrades(OnInterpreter):
    def test_no_client_notices(self):
        """Clients connect, echo and close without pause while servers follow each other."""
        for workers in self.each_number_of_workers():
            clients = Clients()
            servers = [self.server("--drain-timeout", "60", *workers)]
            with servers[0], clients.at(servers[0].address):
                for _ in range(3):
                    before = servers[-1]
                    clients.await_more(40)
                    servers.append(self.server("--drain-timeout", "60", *workers, "--take-over", str(before.pid)))
                    servers[-1].__enter__()
                    self.assertEqual(servers[-1].address, before.address)
                    self.assertEqual(before.process.wait(PATIENCE_S), 0, before.log())
                clients.await_more(40)
                clients.stop()
                for server in servers[1:]:
                    server.__exit__(None)
            self.assertEqual(clients.failures, [])
            with self.assertRaises(ConnectionRefusedError):
                servers[-1].connect()

    def test_a_connection_outlives_the_upgrade(self):
        with self.server("--drain-timeout", "60") as before, before.connect() as client:
            self.assertEqual(converse(client, b"a", close_side=False), b"a")
            with self.server("--take-over", str(before.pid)) as after:
                self.assertEqual(after.echo(b"new"), b"new")
                self.assertEqual(converse(client, b"b"), b"b")
                self.assertEqual(before.process.wait(PATIENCE_S), 0)
                # Who asked the old server to stop has ended too.
                after.await_no_children()

    @unittest.skipUnless(os.geteuid() == 0, "it takes root to become somebody else")
    def test_a_server_that_becomes_another_user_follows_one_that_did_not(self):
        with self.server() as before, self.server("--user", "nobody", "--take-over", str(before.pid)) as after:
            self.assertEqual(before.process.wait(PATIENCE_S), 0)
            self.assertEqual(after.echo(b"a"), b"a")
            self.assertEqual(after.log(), "")

    def test_who_waits_to_be_accepted_is_served(self):
        """The old server stands still while clients come: they wait in its queue, and in its ring."""
        with self.server("--drain-timeout", "60") as before:
            clients = []
            for _ in range(3):
                os.kill(before.pid, signal.SIGSTOP)
                clients += [before.connect() for _ in range(10)]
            with self.server("--take-over", str(before.pid)) as after:
                os.kill(before.pid, signal.SIGCONT)
                for number, client in enumerate(clients):
                    data = b"client %d" % number
                    self.assertEqual(converse(client, data), data)
                    client.close()
                self.assertEqual(after.echo(b"a"), b"a")


class Ring(unittest.TestCase):
    def test_whom_the_ring_accepted_before_the_stop_is_served(self):
        """Clients and the stop meet a server that stands still: its ring has them all in one wake-up."""
        with Server("--drain-timeout", "60", interpreter="uring") as server:
            self.assertEqual(server.echo(b"a"), b"a")
            eventually("the server sleeps", lambda: server.state() == "S")
            os.kill(server.pid, signal.SIGSTOP)
            eventually("the server stands still", lambda: server.state() == "T")
            clients = [server.connect() for _ in range(20)]
            server.ask_to_stop()
            os.kill(server.pid, signal.SIGCONT)
            for number, client in enumerate(clients):
                data = b"client %d" % number
                self.assertEqual(converse(client, data), data)
                client.close()


class Clients:
    """Threads that converse one conversation after the other, and what went wrong in it."""

    def __init__(self):
        self.failures = []
        self.served = 0
        self.over = threading.Event()

    @contextlib.contextmanager
    def at(self, address):
        self.threads = [threading.Thread(target=self.converse, args=(address,)) for _ in range(4)]
        for thread in self.threads:
            thread.start()
        try:
            yield
        finally:
            self.stop()

    def converse(self, address):
        while not self.over.is_set():
            try:
                with socket.create_connection(address, PATIENCE_S) as client:
                    if converse(client, b"hello") != b"hello":
                        self.failures.append("an answer is not whole")
                self.served += 1
            except OSError as failure:
                self.failures.append(repr(failure))

    def await_more(self, count):
        end = self.served + count
        eventually("clients are served", lambda: self.served >= end or self.failures)

    def stop(self):
        """The conversations that are under way come to their ends."""
        self.over.set()
        for thread in self.threads:
            thread.join()


for case in (Notices, PassedSockets, Users, Stops, ReopenedTrace, State, Upgrades):
    globals().update(on_each_interpreter(case))


class AcrossInterpreters(unittest.TestCase):
    def test_an_upgrade_may_change_the_interpreter_and_add_workers(self):
        clients = Clients()
        with Server(interpreter="fork") as first, clients.at(first.address):
            before = first
            for interpreter, workers in (("uring", "1"), ("epoll", "1"), ("uring", "2"), ("epoll", "2")):
                clients.await_more(20)
                after = Server("--workers", workers, "--take-over", str(before.pid), interpreter=interpreter)
                after.__enter__()
                self.assertEqual(before.process.wait(PATIENCE_S), 0, before.log())
                if before is not first:
                    before.__exit__(None)
                before = after
            clients.await_more(20)
            clients.stop()
            after.__exit__(None)
        self.assertEqual(clients.failures, [])


class Logs(unittest.TestCase):
    def test_json(self):
        with Server("--log-format", "json", "--max-connections", "1", interpreter="epoll") as server:
            with server.connect() as client, server.connect() as refused:
                self.assertEqual(converse(client, b"payload", close_side=False), b"payload")
                self.assertTrue(at_end(refused))
            server.await_log("EAGAIN")
        lines = [json.loads(line) for line in server.final_log.splitlines()]
        for line in lines:
            self.assertEqual(list(line), ["time", "level", "event", "origin", "message", "fields"])
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(
            {key: lines[0][key] for key in ("level", "event", "fields")},
            {"level": "warning", "event": "failure",
             "fields": {"instruction": "Fork", "errno": "EAGAIN", "count": 1}},
        )
        self.assertEqual(lines[-1]["event"], "stopped")
        self.assertEqual([line["event"] for line in lines if line["event"] != "failure"][0], "stopping")

    def test_no_payload(self):
        for log_format in ("text", "json"):
            with SeedServer("--monitor", "--log-format", log_format) as server:
                server.expected_status = 1
                with server.connect() as client:
                    client.sendall(b"secret")
                    self.assertEqual(client.recv(100), b"secret")
                    client.sendall(b"secret")
                    at_end(client)
                server.await_log("by the program")
            self.assertNotIn("secret", server.final_log)


class Usage(unittest.TestCase):
    def assert_refused(self, command, *words, **options):
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, **options)
        self.assertEqual((done.returncode, done.stdout), (2, ""), (command, done.stderr))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def assert_not_passed(self, files, *words, options=()):
        self.assert_refused([*passing(files), ECHO_SERVER, *options], *words,
                            pass_fds=[one.fileno() for one in files])

    def test_what_is_passed_and_is_no_listener(self):
        with socket.socket() as idle, socket.create_server(("127.0.0.1", 0)) as listener, \
             socket.socket(socket.AF_UNIX) as local, tempfile.TemporaryFile() as file, \
             socket.create_server(("127.0.0.1", 0)) as other, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            for bad, why in ((idle, "no listening stream socket"), (file, "it is no socket"),
                             (datagrams, "no listening stream socket")):
                self.assert_not_passed([listener, bad], "LISTEN_FDS", "descriptor 4 ('name1')", why)
            with tempfile.TemporaryDirectory() as folder:
                local.bind(os.path.join(folder, "socket"))
                local.listen()
                self.assert_not_passed([local], "descriptor 3 ('name0')", "does not listen at an address of IP")
            self.assert_not_passed([listener, other], "listeners at 2 addresses")
            address = "%s:%d" % other.getsockname()
            self.assert_not_passed([listener], "no listener", address, options=["--port", address.split(":")[1]])
            for options in (["--program", "seed"], ["--take-over", "1"]):
                self.assert_not_passed([listener], options=options)

    def test_variables_that_make_no_sense(self):
        for variables, words in (("LISTEN_FDS=x", "'x' is no number of descriptors"),
                                 ("LISTEN_FDS=-1", "'-1' is no number of descriptors"),
                                 ("LISTEN_FDS=99999999", "is no number of descriptors"),
                                 ("LISTEN_FDS=200", "it is not open"),
                                 ("LISTEN_FDS=1 LISTEN_PID=abc", "LISTEN_PID: 'abc' is no process"),
                                 ("NOTIFY_SOCKET=/no WATCHDOG_USEC=abc", "WATCHDOG_USEC: 'abc' is no time"),
                                 ("NOTIFY_SOCKET=/no WATCHDOG_PID=-5", "WATCHDOG_PID: '-5' is no process")):
            self.assert_refused(["sh", "-c", f'LISTEN_PID=$$ {variables} exec "{ECHO_SERVER}"'], words)
        # Meant for another process.
        with Server(environment={"LISTEN_FDS": "1", "LISTEN_PID": "1"}) as server:
            self.assertEqual(server.echo(b"a"), b"a")

    def test_listeners_without_workers(self):
        with Server("--workers", "2", interpreter="epoll") as server:
            pid = str(server.pid)
            for options in (["--interpreter", "fork"], ["--workers", "1", "--interpreter", "epoll"]):
                self.assert_refused([ECHO_SERVER, "--take-over", pid, *options], "2 listeners")
            self.assert_refused([ECHO_SERVER, "--take-over", pid, "--port", "9"], "no listener", "127.0.0.1:9")
            self.assertEqual(server.echo(b"a"), b"a")

    def test_a_process_of_a_server_is_none_to_follow(self):
        with Server("--metrics", "127.0.0.1:0") as server:
            ((helper, _),) = children_of(server.pid)
            self.assert_refused([ECHO_SERVER, "--take-over", str(helper)], f"is one of the server {server.pid}")

    def test_nobody_to_follow(self):
        with subprocess.Popen(["sleep", "60"]) as other:
            try:
                self.assert_refused([ECHO_SERVER, "--take-over", str(other.pid)], "listens nowhere")
            finally:
                other.kill()
        self.assert_refused([ECHO_SERVER, "--take-over", str(other.pid)], "No such process")
        self.assert_refused([ECHO_SERVER, "--take-over", "0"], "--take-over", "'0'")

    def test_users(self):
        self.assert_refused([ECHO_SERVER, "--user", "no-such"], "--user", "no user 'no-such'")
        self.assert_refused([ECHO_SERVER, "--user", "root"], "--user", "'root' may do everything")
        self.assert_refused([ECHO_SERVER, "--user", "nobody:no-such"], "--user", "no group 'no-such'")
        self.assert_refused([ECHO_SERVER, "--log-format", "xml"], "--log-format", "'xml'")

    @unittest.skipUnless(os.geteuid() == 0, "it takes root to be somebody else")
    def test_a_user_that_it_may_not_become(self):
        def give_up_rights():
            os.setgid(65534)
            os.setuid(65534)

        command = [ECHO_SERVER, "--port", "0", "--user", "daemon"]
        try:
            self.assert_refused(command, "cannot become 'daemon'", preexec_fn=give_up_rights)
        except (PermissionError, subprocess.SubprocessError) as error:
            self.skipTest(f"nobody cannot run the server: {error}")


@unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
class Units(unittest.TestCase):
    """The unit files, with this build's server in them, as systemd reads them."""

    def analyze(self, change=lambda text: text):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name in ("echo-server.service", "echo-server.socket"):
                with open(os.path.join(os.path.dirname(ECHO_SERVER), "systemd", name)) as file:
                    text = re.sub("ExecStart=.*", f"ExecStart={ECHO_SERVER}", file.read())
                paths.append(os.path.join(folder, name))
                with open(paths[-1], "w") as file:
                    file.write(change(text))
            verified = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True)
            # The threshold is ten times the exposure that is called safe.
            secure = subprocess.run(
                ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", paths[0]],
                capture_output=True, text=True,
            )
            return verified.returncode == 0 and not verified.stderr, secure.returncode == 0

    def test_systemd_has_no_objection(self):
        self.assertEqual(self.analyze(), (True, True))

    def test_it_would_object(self):
        self.assertEqual(self.analyze(lambda text: text.replace("Type=notify", "Type=nonsense"))[0], False)
        self.assertEqual(self.analyze(lambda text: re.sub("DynamicUser=(.|\n)*?UMask.*", "User=root", text))[1], False)


class NotTold(unittest.TestCase):
    def test_a_manager_that_is_not_there(self):
        for name in ("/nonexistent/notify", "relative", "/" + "x" * 200):
            with Server(environment={"NOTIFY_SOCKET": name}) as server:
                self.assertEqual(server.echo(b"a"), b"a")
            self.assertIn("NOTIFY_SOCKET: cannot tell '", server.final_log)


if __name__ == "__main__":
    unittest.main()
