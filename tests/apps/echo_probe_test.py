#!/usr/bin/env python3
"""echo-verify probe: our server holds on each interpreter, and what is wrong with others is found."""

import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

from serving import ECHO_SERVER, INTERPRETERS, PATIENCE_S, Server, eventually

ECHO_VERIFY = os.path.join(os.environ["ANTIPHON_APPS_DIR"], "echo-verify")

# Clients wait for a twentieth of it: long enough for servers in Python, and short where one is silent.
HURRIED = ("--timeout", "12", "--runs", "3")

# Where clients ask again for a connection, a second passes each time, and a loaded machine needs longer for the rest.
UNHURRIED = ("--timeout", "50", "--runs", "5")


def probe(target, *options):
    result = subprocess.run(
        [ECHO_VERIFY, "probe", target, *options], capture_output=True, text=True, timeout=PATIENCE_S
    )
    return result.returncode, result.stdout, result.stderr


class Report:
    """What the probe said as JSON."""

    def __init__(self, target, *options):
        self.status, output, self.errors = probe(target, *options, "--json")
        self.json = json.loads(output)
        self.verdict = self.json["verdict"]
        self.promises = {one["promise"]: one for one in self.json["promises"]}

    def named(self, verdict):
        return [name for name, one in self.promises.items() if one["verdict"] == verdict]

    def finding(self, promise):
        return self.promises[promise]["finding"]

    def transcript(self, promise):
        return self.finding(promise)["transcript"][1:]


@contextlib.contextmanager
def listening(serve, backlog=128):
    """`serve(listener)` in a thread. A failure of its sockets ends it; the port is free afterwards."""
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listener:

        def run():
            with contextlib.suppress(OSError):
                serve(listener)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield "127.0.0.1:%d" % listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE_S)


def is_open(port):
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def all_at_once(case, prefix):
    """The case's methods of that prefix, in threads: mostly they wait for what does not come."""
    names = [name for name in dir(case) if name.startswith(prefix)]
    with concurrent.futures.ThreadPoolExecutor(6) as threads:
        running = {name: threads.submit(getattr(case, name)) for name in names}
        for name, one in running.items():
            with case.subTest(name):
                one.result()


def each_in_a_thread(session, rest_s=0.0):
    """A server that gives each client a thread. A failure ends that one alone."""

    def serve(listener):
        while True:
            client, _ = listener.accept()

            def run(client=client):
                with client, contextlib.suppress(OSError):
                    session(client)

            threading.Thread(target=run, daemon=True).start()
            time.sleep(rest_s)

    return serve


def one_by_one(session):
    """A server of one thread. A failure ends it, listener and all."""

    def serve(listener):
        with listener:
            while True:
                client, _ = listener.accept()
                with client:
                    session(client)

    return serve


def echo(client):
    while data := client.recv(65536):
        client.sendall(data)


def resetting(client):
    """Closing resets."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class OurServers(unittest.TestCase):
    def hold(self, interpreter, *options):
        with Server(*options, interpreter=interpreter) as server:
            status, output, errors = probe("127.0.0.1:%d" % server.address[1], *options, "--runs", "5")
        self.assertEqual((status, errors), (0, ""), output)
        kind = "a server that echoes one message" if options else "an echo server"
        count = 10 if options else 14
        first = "holds: 127.0.0.1:%d as %s: %d of %d promises hold\n"
        self.assertTrue(output.startswith(first % (server.address[1], kind, count, count)), output)
        self.assertIn("remark: an idle client was not let go of", output)

    def test_all_promises_hold_on_each_interpreter(self):
        for options in (), ("--once",):
            for interpreter in INTERPRETERS:
                with self.subTest(interpreter=interpreter, options=options):
                    self.hold(interpreter, *options)

    def test_an_idle_limit(self):
        with Server("--idle-timeout", "1") as server:
            target = "127.0.0.1:%d" % server.address[1]
            report = Report(target, "--expect-idle-timeout", "1", "--runs", "0")
            self.assertEqual((report.status, report.promises["idle-limit"]["verdict"]), (0, "holds"), report.json)
            self.assertEqual(report.json["remarks"], [])

    def test_ipv6(self):
        with Server("--host", "::1") as server:
            status, output, _ = probe("[::1]:%d" % server.address[1], "--runs", "0")
            self.assertEqual(status, 0, output)
            self.assertIn("holds: [::1]:", output)


class OtherGoodServers(unittest.TestCase):
    def test_each_holds(self):
        all_at_once(self, "good_")

    def hold(self, target):
        status, output, _ = probe(target, "--runs", "5")
        self.assertEqual(status, 0, output)

    def good_threads(self):
        with listening(each_in_a_thread(echo)) as target:
            self.hold(target)

    def good_but_slow(self):
        def session(client):
            while data := client.recv(65536):
                time.sleep(0.02)
                client.sendall(data)

        with listening(each_in_a_thread(session)) as target:
            self.hold(target)

    def good_socat(self):
        """(Not with PIPE: there it blocks in a write to a pipe that it alone would empty, now and then.)"""
        if not shutil.which("socat"):
            raise unittest.SkipTest("there is no socat")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        listen = "TCP-LISTEN:%d,bind=127.0.0.1,fork,reuseaddr,backlog=256" % port
        command = ["socat", listen, "EXEC:cat"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as server:
            try:
                eventually("socat listens", lambda: is_open(port))
                self.hold("127.0.0.1:%d" % port)
            finally:
                os.killpg(server.pid, signal.SIGKILL)  # its children too


class TheOriginal(unittest.TestCase):
    def test_its_defects_are_found(self):
        with subprocess.Popen(
            [ECHO_SERVER, "--program", "seed", "--interpreter", "fork"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as server:
            try:
                if not server.stdout.readline():
                    self.skipTest("127.0.0.1:8888 is taken")
                report = Report("localhost:8888", *UNHURRIED)
                once = Report("localhost:8888", "--once", "--timeout", "10", "--runs", "5")
            finally:
                server.kill()
        self.assertEqual((report.status, report.verdict), (1, "violated"))
        for promise in "messages", "segments", "long", "burst", "conversations":
            self.assertIn(promise, report.named("violated"))
            self.assertGreater(report.finding(promise)["seen"], 0)
        # (With a backlog of 1, clients that come together may be dropped at any time.)
        for promise in "echo", "end", "lasting":
            self.assertIn(promise, report.named("holds"))
        self.assertIn("client 1: connect, send 1, pause 30 ms, send 1\n", report.finding("segments")["script"])
        self.assertIn("client 1: connect, send 1025", report.finding("long")["script"])
        self.assertEqual(len(report.json["remarks"]), 1)
        # Even as what it means to be it resets clients that send more than it reads.
        self.assertEqual(once.verdict, "violated")
        self.assertIn("long", once.named("violated"))


class PlantedDefects(unittest.TestCase):
    def judge(self, serve, *options, backlog=128, pace=HURRIED):
        with listening(serve, backlog) as target:
            report = Report(target, *pace, *options)
        self.assertEqual((report.status, report.verdict), (1, "violated"), report.json)
        return report

    def test_each_is_found(self):
        all_at_once(self, "planted_")

    def planted_silence(self):
        def session(client):
            while client.recv(65536):
                pass

        report = self.judge(each_in_a_thread(session))
        self.assertEqual(report.named("violated"), ["echo"])
        self.assertEqual(report.named("holds"), [])
        self.assertEqual(report.transcript("echo"), ['> "a"', '< silence         where "a" is owed'])
        self.assertEqual(report.promises["long"]["why"], "'echo' does not hold")

    def planted_nobody_accepts(self):
        report = self.judge(lambda listener: None)
        self.assertEqual(report.transcript("echo"), ['> "a"', '< silence         where "a" is owed'])

    def planted_a_flood(self):
        def session(client):
            while True:
                client.sendall(b"flood" * 10000)

        report = self.judge(each_in_a_thread(session))
        self.assertIn("sends what it never received", report.finding("echo")["what"])

    def planted_a_flood_takes_no_memory(self):
        def session(client):
            while True:
                client.sendall(b"flood" * 10000)

        with listening(each_in_a_thread(session)) as target:
            process = subprocess.Popen([ECHO_VERIFY, "probe", target, *HURRIED], stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 1)
            self.assertLess(usage.ru_maxrss, 300_000)

    def planted_bytes_are_altered(self):
        def session(client):
            while data := client.recv(65536):
                client.sendall(data.upper())

        with listening(each_in_a_thread(session)) as target:
            first, second = (re.sub(r":\d+| \d+$", "", probe(target, *HURRIED)[1], flags=re.M) for _ in range(2))
        self.assertEqual(first, second)
        self.assertIn('alters what it received at byte 0: sends "A" where "a" is owed', first)

    def planted_a_greeting(self):
        def session(client):
            client.sendall(b"hello\n")
            echo(client)

        report = self.judge(each_in_a_thread(session))
        self.assertIn('sends "hello\\n', report.finding("echo")["what"])

    def planted_one_message_and_no_more(self):
        def session(client):
            client.sendall(client.recv(1024))

        report = self.judge(each_in_a_thread(session))
        self.assertIn("client 1: connect, send 1, pause 30 ms, send 1\n", report.finding("segments")["script"])
        self.assertEqual(report.finding("long")["script"], "client 1: connect, send 1025\n")
        self.assertEqual(report.named("holds")[:2], ["echo", "end"])

    def planted_a_buffer_that_ends(self):
        def session(client):
            left = 16384
            while data := client.recv(65536):
                client.sendall(data[:left])
                left -= min(left, len(data))

        report = self.judge(each_in_a_thread(session))
        self.assertEqual(report.finding("long")["script"], "client 1: connect, send 16385\n")
        self.assertIn("is silent where", report.finding("long")["what"])

    def planted_connections_are_mixed_up(self):
        clients = []

        def session(client):
            clients.append(client)
            while data := client.recv(65536):
                clients[-1].sendall(data)

        report = self.judge(each_in_a_thread(session))
        self.assertEqual(report.named("holds")[:4], ["echo", "end", "messages", "long"])
        self.assertIn("together", report.named("violated"))
        self.assertIn("client 2", report.finding("together")["transcript"])

    def planted_no_end(self):
        def session(client):
            echo(client)
            time.sleep(PATIENCE_S)

        report = self.judge(each_in_a_thread(session))
        self.assertEqual(report.named("violated"), ["end"])
        self.assertEqual(report.transcript("end"), ["> end", "< silence         where the end is owed"])

    def planted_a_reset_in_place_of_the_end(self):
        def session(client):
            echo(client)
            resetting(client)

        report = self.judge(each_in_a_thread(session))
        # Where much is under way the reset takes some of it along.
        self.assertIn("end", report.named("violated"))
        self.assertIn("resets the connection (ECONNRESET) where the end is owed", report.finding("end")["what"])

    def planted_one_client_at_a_time(self):
        report = self.judge(one_by_one(echo))
        self.assertIn("idle", report.named("violated"))
        self.assertEqual(report.finding("idle")["script"].splitlines()[0], "client 1: connect")
        self.assertIn("messages", report.named("holds"))

    def planted_a_small_backlog(self):
        report = self.judge(each_in_a_thread(echo, rest_s=0.02), backlog=1, pace=UNHURRIED)
        self.assertIn("burst", report.named("violated"))
        self.assertEqual(report.finding("burst")["what"], "does not accept the connection in time")

    def planted_a_reset_that_ends_the_server(self):
        def session(client):
            # Whoever says nothing is let go of: only a failure ends the server.
            client.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                echo(client)

        report = self.judge(one_by_one(session))
        self.assertEqual(report.promises["reset"]["verdict"], "violated")
        self.assertEqual(report.finding("reset")["runs"], 0)
        self.assertEqual(report.promises["lasting"]["why"], "nobody is served any more")

    def planted_a_server_that_tires(self):
        def serve(listener):
            with listener:
                for _ in range(300):
                    client, _ = listener.accept()
                    threading.Thread(target=serve_one, args=(client,), daemon=True).start()

        def serve_one(client):
            with client, contextlib.suppress(OSError):
                echo(client)

        report = self.judge(serve)
        self.assertIn("nobody is served any more", [one.get("why") for one in report.promises.values()])

    def planted_one_message_is_reset(self):
        def session(client):
            client.sendall(client.recv(1024))

        report = self.judge(each_in_a_thread(session), "--once")
        self.assertIn("long", report.named("violated"))
        self.assertEqual(report.finding("long")["script"], "client 1: connect, send 1025\n")
        self.assertEqual(report.named("holds")[:2], ["echo", "end"])

    def planted_one_message_without_an_end(self):
        report = self.judge(each_in_a_thread(echo), "--once")
        self.assertEqual(report.transcript("end"), ['> "a"', '< "a"', "< silence         where the end is owed"])

    def planted_no_idle_limit(self):
        report = self.judge(each_in_a_thread(echo), "--expect-idle-timeout", "1")
        self.assertEqual(report.named("violated"), ["idle-limit"])
        self.assertEqual(report.finding("idle-limit")["what"], "does not let go of an idle client")

    def planted_too_short_an_idle_limit(self):
        def session(client):
            client.settimeout(0.5)
            echo(client)

        report = self.judge(each_in_a_thread(session), "--expect-idle-timeout", "3")
        self.assertEqual(report.named("violated"), ["idle-limit"])
        self.assertIn("client 1: connect, pause 1500 ms, send", report.finding("idle-limit")["script"])


class Usage(unittest.TestCase):
    def refused(self, *arguments):
        status, output, errors = probe(*arguments)
        self.assertEqual((status, output), (2, ""), errors)
        self.assertEqual(errors.count("\n"), 1, errors)
        return errors

    def test_nothing_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        errors = self.refused("127.0.0.1:%d" % port)
        self.assertEqual(errors, "echo-verify: nothing listens at 127.0.0.1:%d (ECONNREFUSED)\n" % port)

    def test_targets(self):
        for target, why in (
            ("127.0.0.1", "has no port"),
            ("127.0.0.1:0", "is not a whole number from 1 to 65535"),
            ("127.0.0.1:70000", "is not a whole number from 1 to 65535"),
            ("127.0.0.1:echo", "is not a whole number from 1 to 65535"),
            (":8888", "has no host"),
            ("::1:8888", "an IPv6 address stands in brackets"),
            ("no-such-host.invalid:8888", "does not resolve"),
            ("192.0.2.1:8888", "is not on this host: --allow-remote"),
        ):
            with self.subTest(target=target):
                self.assertIn(why, self.refused(target))

    def test_options(self):
        for options, why in (
            (("--timeout", "4"), "--timeout"),
            (("--runs", "-1"), "--runs"),
            (("--expect-idle-timeout", "0"), "--expect-idle-timeout"),
            (("--expect-idle-timeout", "21"), "--expect-idle-timeout: it is more than half of --timeout"),
            (("--format", "yaml"), "--format"),
        ):
            with self.subTest(options=options):
                self.assertIn(why, self.refused("127.0.0.1:8888", *options))


if __name__ == "__main__":
    unittest.main()
