#!/usr/bin/env python3
"""Records echo-server's traces and has it judged, under real clients on loopback."""

import sys

sys.dont_write_bytecode = True

import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
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
    is_sanitized,
    on_each_interpreter,
)

ECHO_VERIFY = os.path.join(os.path.dirname(ECHO_SERVER), "echo-verify")


def run(*arguments):
    done = subprocess.run([ECHO_SERVER, *arguments], capture_output=True, text=True, timeout=PATIENCE_S)
    return done.returncode, done.stdout, done.stderr


def talk(server, clients, messages, size, quiet=False):
    """So many clients at once, each with so many messages; each is answered before the next is sent."""

    def one(number):
        try:
            with server.connect() as client:
                for message in range(messages):
                    data = bytes([number % 251, message % 251]) * (size // 2)
                    heard = converse(client, data, close_side=message == messages - 1)
                    assert heard == data, (len(heard), len(data))
        except (OSError, AssertionError) as error:
            failures.append(error)

    failures = []
    threads = [threading.Thread(target=one, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert quiet or not failures, failures


class Recorded:
    """A server on some interpreter, and a place for its trace."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "t.jsonl")
        self.older = self.path + ".1"

    def server(self, *options, kind=Server, **limits):
        return kind(*options, interpreter=self.interpreter, **limits)

    def assert_verdict(self, status, *words, files=None, more=()):
        """What echo-verify says of the trace, or of these parts."""
        command = [ECHO_VERIFY, "trace", *(files or [self.path]), *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, status, done)
        for word in words:
            self.assertIn(word, done.stdout + done.stderr)

    def parts(self):
        return [path for path in (self.older, self.path) if os.path.exists(path)]

    def part_of(self, path):
        with open(path) as file:
            return json.loads(file.readline())["part"]


class Trace(Recorded):
    def test_every_process_is_whole(self):
        with self.server("--trace", self.path, "--idle-timeout", "0", "--progress-timeout", "30", "--drain-timeout",
                         "2.5") as server:
            data = os.urandom(100000)
            clients = [threading.Thread(target=server.echo, args=(data,)) for _ in range(20)]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
        with open(self.path) as file:
            header, *events = [json.loads(line) for line in file]
        self.assertIsInstance(header.pop("run"), int)
        self.assertEqual(
            header,
            {"antiphon": "trace", "version": 2, "program": "stream", "interpreter": self.interpreter,
             "idle_ms": None, "progress_ms": 30000, "drain_ms": 2500, "max_connections": None,
             "at": {"host": "127.0.0.1", "port": 0},
             "bound": {"host": "127.0.0.1", "port": server.address[1]},
             "backlog": 4096, "at_most": 16384, "workers": 1, "part": 0, "max_per_address": None},
        )
        processes = {}
        for event in events:
            of_process = processes.setdefault(event["process"], [])
            self.assertEqual(event["event"], len(of_process))
            of_process.append(event)
        self.assertEqual(sorted(processes), list(range(21)))
        for of_process in processes.values():
            self.assertEqual(of_process[-1].get("end"), "ok")
        received = [event for event in processes[1] if event.get("do") == "Recv"]
        heard = b"".join(bytes.fromhex(event["answer"].get("hex", "")) for event in received)
        self.assertEqual(heard, data)
        self.assert_verdict(0, "holds: ")

    def test_a_server_that_did_not_start_leaves_no_trace(self):
        with self.server() as server:
            port = str(server.address[1])
            self.assertEqual(run("--port", port, "--trace", self.path)[0], 2)
            self.assertFalse(os.path.exists(self.path))
            with open(self.path, "w") as file:
                file.write("precious")
            self.assertEqual(run("--port", port, "--trace", self.path)[0], 2)
            with open(self.path) as file:
                self.assertEqual(file.read(), "precious")

    def test_a_full_disk_does_not_end_the_server(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        with self.server("--trace", "/dev/full") as server:
            self.assertEqual(server.echo(b"a"), b"a")
            self.assertEqual(server.log().count("No space left on device"), 1)

    def test_a_pipe_is_no_place_for_a_trace(self):
        os.mkfifo(self.path)
        status, _, errors = run("--trace", self.path)
        self.assertEqual((status, errors.count("\n")), (2, 1), errors)
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            status, _, errors = run("--trace", self.path)
            self.assertEqual((status, errors.count("\n")), (2, 1), errors)
        finally:
            os.close(reader)

    def test_a_closed_standard_error_is_not_the_trace(self):
        command = f'exec "{ECHO_SERVER}" --port 0 --trace "{self.path}" 2>&-'
        process = subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE)
        try:
            self.assertIn(b"listening on", process.stdout.readline())
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
            process.stdout.close()
        with open(self.path) as file:
            self.assertTrue(all(line.startswith("{") for line in file))


class Workers(Recorded):
    """Event loops with several workers."""

    def test_all_are_in_one_trace(self):
        for workers in ("2", "5"):
            with self.server("--workers", workers, "--trace", self.path) as server:
                talk(server, clients=40, messages=20, size=1000)
            with open(self.path) as file:
                header, *events = [json.loads(line) for line in file]
            self.assertEqual(header["workers"], int(workers))
            firsts = {event["process"] for event in events if event.get("do") == "Listen"}
            self.assertEqual(firsts, set(range(int(workers))))
            self.assertEqual(sum(event.get("do") == "Accept" and "answer" in event for event in events), 40)
            self.assert_verdict(0, "holds: ", " 40 connections")
            self.assert_verdict(0, "conforms: program stream ", more=["--program", "stream"])

    def test_all_are_judged(self):
        with self.server("--workers", "3", "--monitor") as server:
            talk(server, clients=40, messages=20, size=1000)
        self.assertRegex(server.final_log, r"\nmonitor: holds: \d+ events, 40 connections\n$")

    def test_a_violation_says_which_worker_saw_it(self):
        with self.server("--workers", "2", "--monitor", kind=SeedServer) as server:
            server.expected_status = 1
            let_down(server)
        self.assertRegex(server.final_log, r"monitor: worker [01]: input-read: ")


class Limit(Recorded):
    def test_two_parts_are_judged_as_one(self):
        with self.server("--trace", self.path, "--trace-limit", "64K") as server:
            while not os.path.exists(self.older):
                server.echo(b"x" * 2000)
        self.assertEqual([self.part_of(path) for path in self.parts()], [0, 1])
        self.assert_verdict(0, "holds: ", files=self.parts())
        self.assert_verdict(3, "incomplete: ", "is missing", files=[self.older])
        self.assert_verdict(3, "incomplete: ", "part 0 is missing")
        self.assert_verdict(2, f"{self.older}:1: it is part 0, where part 2 is due", files=self.parts()[::-1])
        self.assert_verdict(2, f"{self.path}:1: it is part 1, where part 2 is due", files=[*self.parts(), self.path])

    def test_the_bound_holds_and_what_is_gone_is_missed(self):
        with self.server("--trace", self.path, "--trace-limit", "64K") as server:
            talk(server, clients=10, messages=30, size=3000)
        self.assertLessEqual(sum(map(os.path.getsize, self.parts())), 65536)
        older, newer = map(self.part_of, self.parts())
        self.assertEqual(newer, older + 1)
        self.assertGreater(older, 1)
        self.assert_verdict(3, "incomplete: ", f"parts 0 to {older - 1} are missing", files=self.parts())

    def test_parts_of_two_runs_are_refused(self):
        for path in (self.path, self.path + "x"):
            with self.server("--trace", path, "--trace-limit", "64K") as server:
                while not os.path.exists(path + ".1"):
                    server.echo(b"x" * 2000)
        self.assert_verdict(2, f"{self.path}x:1: it is not of the run that '{self.older}' is of",
                            files=[self.older, self.path + "x"])

    def test_an_older_part_of_an_earlier_run_goes(self):
        with open(self.older, "w") as file:
            file.write("old")
        with self.server("--trace", self.path, "--trace-limit", "64K"):
            self.assertEqual(self.parts(), [self.path])


class Killed(Recorded):
    """What is left of a trace when kill -9 comes at a random time."""

    def assert_readable(self, path):
        with open(path, "rb") as file:
            *whole, _ = file.read().split(b"\n")
        self.assertTrue(all(json.loads(line) for line in whole), path)

    def kill_at_random(self, *options, files):
        with self.server("--trace", self.path, *options) as server:
            server.expected_status = -signal.SIGKILL
            clients = threading.Thread(target=talk, args=(server, 20, 300, 3000, True))
            clients.start()
            time.sleep(random.uniform(0, 0.3))
            for pid in [server.pid, *(child for child, _ in children_of(server.pid))]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # A session that has ended meanwhile.
            clients.join()
        for path in self.parts():
            self.assert_readable(path)
        self.assert_verdict(3, "incomplete: ", files=files())

    def test_the_server(self):
        for _ in range(5):
            self.kill_at_random(files=lambda: [self.path])
            self.assert_verdict(3, "the end of process 0 is missing")

    def test_the_server_with_parts(self):
        for _ in range(5):
            self.kill_at_random("--trace-limit", "256K", files=self.parts)

    def test_several_workers(self):
        if self.interpreter != "fork":
            self.kill_at_random("--workers", "3", files=lambda: [self.path])

    def test_a_server_killed_while_it_begins_a_part(self):
        with self.server("--trace", self.path, "--trace-limit", "64K") as server:
            while not os.path.exists(self.older):
                server.echo(b"x" * 2000)
        with open(self.path) as file:
            header = file.readline()
        for size in (0, 1, len(header) - 1):
            with open(self.path, "w") as file:
                file.write(header[:size])
            self.assert_verdict(3, "incomplete: ", "cut off", files=self.parts())
        os.truncate(self.older, 0)
        self.assert_verdict(2, f"{self.older}:1: the file is empty", files=self.parts())


class KilledSession(Recorded, unittest.TestCase):
    interpreter = "fork"

    def test_the_others_are_whole(self):
        def talk_to_the_end(server):
            try:
                with server.connect() as client:
                    while converse(client, b"x" * 3000, close_side=False) == b"x" * 3000:
                        pass
            except OSError:
                pass

        for options in ((), ("--trace-limit", "1G")):
            with self.server("--trace", self.path, *options) as server:
                doomed = threading.Thread(target=talk_to_the_end, args=(server,))
                doomed.start()
                ((session, _),) = eventually("a session", lambda: children_of(server.pid))
                others = threading.Thread(target=talk, args=(server, 20, 50, 3000))
                others.start()
                time.sleep(random.uniform(0, 0.2))
                os.kill(session, signal.SIGKILL)
                for thread in (doomed, others):
                    thread.join()
                server.await_no_children()
            with open(self.path) as file:
                events = [json.loads(line) for line in file][1:]
            self.assertEqual(sum("end" in event for event in events), 21)
            self.assert_verdict(3, "incomplete: ", "the end of process 1 is missing")


# ---- The monitor ----


def let_down(server):
    """A client whose second message is not read."""
    with server.connect() as client:
        client.sendall(b"one")
        try:
            client.recv(100)
            client.sendall(b"two")
            at_end(client)
        except OSError:
            pass


class Monitor(Recorded):
    def test_our_servers_hold(self):
        for program in ("stream", "once"):
            with self.server("--program", program, "--monitor") as server:
                talk(server, clients=20, messages=1, size=5000)
            self.assertRegex(server.final_log, r"\nmonitor: holds: \d+ events, 20 connections\n$")
            self.assertEqual(server.final_log.count("monitor: "), 1)

    def test_it_sees_what_the_trace_has(self):
        with self.server("--monitor", "--trace", self.path) as server:
            talk(server, clients=20, messages=20, size=3000)
        with open(self.path) as file:
            events = len(file.readlines()) - 1
        self.assertIn(f"\nmonitor: holds: {events} events, 20 connections\n", server.final_log)
        self.assert_verdict(0, "holds: ")

    def test_the_original_is_refuted(self):
        with self.server("--monitor", kind=SeedServer) as server:
            server.expected_status = 1
            let_down(server)
            # With `fork` the last to let go may be either process.
            server.await_log("monitor: input-read: no client is let go of before its end was read: by the program: "
                             "process ")
            let_down(server)
        last = server.final_log.splitlines()[-1]
        self.assertRegex(last, r"^monitor: violated: \d+ events, 2 connections: .*input-read")
        self.assertEqual(server.final_log.count("monitor: input-read: "), 1)

    def test_a_violation_ends_the_server_if_asked_to(self):
        with self.server("--monitor", "--on-violation", "abort", "--trace", self.path, kind=SeedServer) as server:
            server.expected_status = 1
            with server.connect() as waiting:
                let_down(server)
                self.assertEqual(server.process.wait(PATIENCE_S), 1)
                self.assertTrue(at_end(waiting))
            self.assertEqual(children_of(server.pid), [])
        self.assertEqual(server.final_log.count("\n"), 1, server.final_log)
        self.assertRegex(server.final_log, r"^monitor: [a-z-]+: ")

    def test_what_was_cut_off_is_no_pass(self):
        """A server that did not start has no verdict."""
        with self.server() as server:
            workers = () if self.interpreter == "fork" else ("--workers", "1")
            status, _, errors = run("--port", str(server.address[1]), "--interpreter", self.interpreter, *workers,
                                    "--monitor")
            self.assertEqual((status, errors.count("\n")), (2, 1), errors)
            self.assertNotIn("monitor", errors)

    @unittest.skipIf(is_sanitized(), "a sanitizer needs memory of its own")
    def test_its_memory_does_not_grow(self):
        with self.server("--monitor") as server:
            judge = children_of(server.pid)[0][0] if self.interpreter == "fork" else server.pid

            def serve(count):
                for number in range(count):
                    data = b"%d" % number * 1000
                    self.assertEqual(server.echo(data), data)

            serve(800)
            resident = server.resident_kib(judge)
            serve(1200)
            self.assertLess(server.resident_kib(judge), resident + 1024)


class MonitorProcess(Recorded, unittest.TestCase):
    """With `fork` the monitor is a process."""

    interpreter = "fork"

    def monitor_of(self, server):
        ((pid, _),) = children_of(server.pid)
        return pid

    def test_it_holds_nothing_of_the_server(self):
        with self.server("--monitor", "--trace", self.path) as server:
            pid = self.monitor_of(server)
            # It may just be about to let go of what it was born with.
            eventually("it has three descriptors", lambda: sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"])
            links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in "012"]
            self.assertEqual(len([link for link in links if link.startswith("socket:")]), 1, links)

    def test_it_outlives_the_server_and_misses_its_end(self):
        with self.server("--monitor", "--max-connections", "1") as server:
            server.expected_status = -signal.SIGKILL
            with server.connect() as client:
                self.assertEqual(converse(client, b"a", close_side=False), b"a")
                # Once another was let in, and refused, all is told of the first one's birth.
                with server.connect() as another:
                    self.assertEqual(another.recv(1), b"")
                os.kill(server.pid, signal.SIGKILL)
                # The session goes on, and so does the monitor.
                self.assertEqual(converse(client, b"b"), b"b")
            server.await_log("monitor: incomplete: ")
        self.assertRegex(server.final_log, r"monitor: incomplete: \d+ events, 2 connections: "
                                           r"the end of process 0 is missing\n$")

    def test_a_session_that_is_killed_is_missed(self):
        with self.server("--monitor") as server:
            server.expected_status = 3
            monitor = self.monitor_of(server)
            with server.connect() as client:
                self.assertEqual(converse(client, b"a", close_side=False), b"a")
                for pid, _ in children_of(server.pid):
                    if pid != monitor:
                        os.kill(pid, signal.SIGKILL)
                self.assertTrue(at_end(client))
        self.assertIn("monitor: incomplete: ", server.final_log.splitlines()[-1])
        self.assertIn("the end of process 1 is missing", server.final_log.splitlines()[-1])

    def test_signals_to_the_whole_group_end_it_last(self):
        with self.server("--monitor") as server:
            monitor = self.monitor_of(server)
            for by in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(monitor, by)
            talk(server, clients=3, messages=3, size=100)
        self.assertRegex(server.final_log, r"\nmonitor: holds: \d+ events, 3 connections\n$")

    def test_without_it_the_server_goes_on_and_says_so_once(self):
        with self.server("--monitor") as server:
            server.expected_status = 3
            os.kill(self.monitor_of(server), signal.SIGKILL)
            talk(server, clients=10, messages=3, size=100)
        self.assertEqual(server.final_log.count("monitor: it does not see what follows: "), 1, server.final_log)
        self.assertTrue(server.final_log.endswith("monitor: incomplete: no verdict came from its process\n"))


for case in (Trace, Limit, Killed, Monitor):
    globals().update(on_each_interpreter(case))
globals().update(on_each_interpreter(Workers, ("epoll", "uring")))


if __name__ == "__main__":
    unittest.main()
