#!/usr/bin/env python3
"""A server that was taken over: what it then tries is stopped by its sandbox, and succeeds without one."""

import sys

sys.dont_write_bytecode = True

import glob
import os
import re
import signal
import subprocess
import tempfile
import unittest

from serving import ECHO_SERVER, PATIENCE_S, Server, children_of

ATTACKER = os.path.join(os.path.dirname(os.environ["ANTIPHON_APPS_DIR"]), "tests", "libattacker_preload.so")

CALLS = ("open", "create", "exec", "socket", "unix", "connect", "ptrace", "kill", "ring", "mprotect", "mmap",
         "unshare", "thread", "prctl", "pidfd", "fastopen", "fastopen-new", "datagrams")
BY_RING = ("ring-open", "ring-socket", "ring-connect", "ring-shutdown", "ring-write")

WAYS = {"fork": ("fork",), "epoll": ("epoll",), "epoll with workers": ("epoll", "--workers", "2"), "uring": ("uring",),
        "uring with workers": ("uring", "--workers", "2")}


def report(*options):
    command = [ECHO_SERVER, *options, "--sandbox", "report"]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)


def why_no_sandbox():
    # (What is wrong with the other option is told only if the sandbox can be had.)
    command = [ECHO_SERVER, "--sandbox", "on", "--on-violation", "log"]
    refusal = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S).stderr
    return refusal if "--sandbox" in refusal else None


def attacked(attacks):
    return ("env", f"LD_PRELOAD={ATTACKER}", f"ATTACKS={','.join(attacks)}")


@unittest.skipIf(why_no_sandbox(), why_no_sandbox())
class TakenOver(unittest.TestCase):
    def attacks_on(self, way):
        return CALLS + ("peek",) + (BY_RING if way.startswith("uring") else ())

    def test_without_a_sandbox_every_attack_succeeds(self):
        for way, (interpreter, *options) in WAYS.items():
            attacks = self.attacks_on(way)
            with self.subTest(way), Server("--sandbox", "off", *options, interpreter=interpreter,
                                           under=attacked(attacks)) as server:
                self.assertEqual(server.echo(b"attack"), b"attack")
                told = dict(re.findall(r"^attack (\S+): (\S+)$", server.log(), re.MULTILINE))
                self.assertEqual(told, {attack: "succeeds" for attack in attacks})

    def test_an_event_loop_is_ended(self):
        for way in list(WAYS)[1:]:
            for attack in CALLS:
                with self.subTest(way, attack=attack):
                    self.check_loop(way, attack)

    def check_loop(self, way, attack):
        interpreter, *options = WAYS[way]
        with Server(*options, interpreter=interpreter, under=attacked([attack])) as server:
            with server.connect() as client:
                client.sendall(b"attack")
                self.assertEqual(server.process.wait(PATIENCE_S), -signal.SIGSYS)
                self.assertNotIn("attack", server.log())
            server.expected_status = -signal.SIGSYS

    def test_a_session_is_ended_and_the_others_are_served(self):
        for attack in CALLS:
            with self.subTest(attack), Server(under=attacked([attack])) as server:
                with server.connect() as client:
                    client.sendall(b"attack")
                    client.settimeout(PATIENCE_S)
                    self.assertEqual(client.recv(10), b"")
                server.await_no_children()
                server.stop()
                self.assertIn("1 sessions ended by a signal or a failure", server.log())
                self.assertNotIn("attack", server.log())

    def test_what_the_c_library_itself_tries_is_refused(self):
        for way, (interpreter, *options) in WAYS.items():
            with self.subTest(way), Server(*options, interpreter=interpreter, under=attacked(["peek"])) as server:
                self.assertEqual(server.echo(b"attack"), b"attack")
                self.assertIn("attack peek: EACCES", server.log())

    def test_the_ring_refuses(self):
        for way in ("uring", "uring with workers"):
            with self.subTest(way), Server(*WAYS[way][1:], interpreter="uring", under=attacked(BY_RING)) as server:
                self.assertEqual(server.echo(b"attack"), b"attack")
                told = dict(re.findall(r"^attack (\S+): (\S+)$", server.log(), re.MULTILINE))
                self.assertEqual(told, {attack: "EACCES" for attack in BY_RING})


def status_of(path):
    with open(path) as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


@unittest.skipIf(why_no_sandbox(), why_no_sandbox())
class Closed(unittest.TestCase):
    def check_closed(self, pid):
        for path in glob.glob(f"/proc/{pid}/task/*/status"):
            status = status_of(path)
            self.assertEqual((status["Seccomp"], status["NoNewPrivs"], int(status["CapEff"], 16),
                              int(status["CapPrm"], 16), int(status["CapBnd"], 16)), ("2", "1", 0, 0, 0), path)

    def test_every_thread_and_process_is(self):
        for way, (interpreter, *options) in WAYS.items():
            with self.subTest(way), Server(*options, "--monitor", interpreter=interpreter) as server:
                with server.connect() as client:
                    client.sendall(b"a")
                    self.assertEqual(client.recv(1), b"a")
                    self.check_closed(server.pid)
                    for child, _ in children_of(server.pid):
                        self.check_closed(child)
                    with open(f"/proc/{server.pid}/limits") as limits:
                        self.assertRegex(limits.read(), r"Max core file size +0 +0 ")

    def test_the_process_of_the_metrics_is(self):
        with Server("--metrics", "127.0.0.1:0", interpreter="epoll") as server:
            ((metrics, _),) = children_of(server.pid)
            threads = [status_of(path) for path in glob.glob(f"/proc/{metrics}/task/*/status")]
            self.assertGreater(len(threads), 1)
            # It binds its port itself.
            bind_service = "%016x" % (1 << 10 if os.geteuid() == 0 else 0)
            for status in threads:
                self.assertEqual((status["Seccomp"], status["NoNewPrivs"], status["CapEff"]), ("2", "1", bind_service))

    def test_off_is_off(self):
        with Server("--sandbox", "off") as server:
            status = status_of(f"/proc/{server.pid}/status")
            self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), ("0", "0"))

    def test_strace_follows_it(self):
        log = f"/tmp/sandbox_strace_{os.getpid()}"
        try:
            with Server(under=("strace", "-f", "-o", log)) as server:
                self.assertEqual(server.echo(b"a"), b"a")
                for child, _ in children_of(server.pid):
                    os.kill(child, signal.SIGTERM)
                server.process.wait(PATIENCE_S)
            with open(log) as lines:
                self.assertRegex(lines.read(), r'recvfrom\(\d+, "a"')
        finally:
            os.unlink(log)


def lacking(calls):
    """A kernel that does not have them."""
    return ("strace", "-D", "-f", "-e", f"trace={calls}", "-e", f"inject={calls}:error=ENOSYS", "-o", "/dev/null")


@unittest.skipIf(why_no_sandbox(), why_no_sandbox())
class Lacking(unittest.TestCase):
    """Kernels that lack a layer."""

    def check_served(self, calls, layer):
        with Server(under=lacking(calls)) as server:
            self.assertEqual(server.echo(b"a"), b"a")
            self.assertRegex(server.log(), rf"echo-server: sandbox: {layer}: .*; serving goes on with the rest\n")
            return status_of(f"/proc/{server.pid}/status")

    def test_without_landlock(self):
        status = self.check_served("landlock_create_ruleset", "Landlock")
        self.assertEqual((status["Seccomp"], status["CapEff"]), ("2", "0" * 16))

    def test_without_seccomp(self):
        status = self.check_served("seccomp", "seccomp")
        self.assertEqual((status["Seccomp"], status["CapEff"]), ("0", "0" * 16))

    def test_without_seccomp_it_cannot_be_asked_for(self):
        refused = subprocess.run([*lacking("seccomp"), ECHO_SERVER, "--sandbox", "on"], capture_output=True, text=True)
        self.assertEqual(refused.returncode, 2)
        self.assertRegex(refused.stderr, r"^echo-server: --sandbox: seccomp: .*Function not implemented.*\n$")

    def test_a_layer_that_fails_ends_the_start(self):
        for way, (interpreter, *options) in WAYS.items():
            # The last one is of the main thread.
            for call, name in (("landlock_restrict_self", "landlock_restrict_self"), ("prlimit64", "setrlimit")):
                with self.subTest(way, call=call):
                    failed = subprocess.run(
                        [*lacking(call), ECHO_SERVER, "--port", "0", "--interpreter", interpreter, *options],
                        capture_output=True, text=True, timeout=PATIENCE_S,
                    )
                    self.assertEqual((failed.returncode, failed.stdout), (2, ""))
                    self.assertIn(f"echo-server: {name}: Function not implemented", failed.stderr)

    def test_a_layer_that_fails_leaves_the_server_serving_that_is_followed(self):
        for way, (interpreter, *options) in WAYS.items():
            with Server(*options, interpreter=interpreter) as before:
                for call in ("landlock_restrict_self", "prlimit64"):
                    with self.subTest(way, call=call):
                        failed = subprocess.run(
                            [*lacking(call), ECHO_SERVER, "--interpreter", interpreter, *options, "--take-over",
                             str(before.pid)],
                            capture_output=True, text=True, timeout=PATIENCE_S,
                        )
                        self.assertEqual((failed.returncode, failed.stdout), (2, ""))
                        self.assertIn(": Function not implemented", failed.stderr)
                        self.assertEqual(before.echo(b"a"), b"a")
                        self.assertEqual(before.log(), "")


class Report(unittest.TestCase):
    def test_each_program_on_each_interpreter(self):
        for program in ("stream", "once", "seed"):
            for interpreter in ("fork", "epoll", "uring"):
                told = report("--program", program, "--interpreter", interpreter)
                self.assertEqual((told.returncode, told.stderr), (0, ""))
                self.assertTrue(told.stdout.startswith(f"program {program} on {interpreter}"), told.stdout)
                self.assertIn("this is exact", told.stdout)

    def test_names_what_the_options_take(self):
        def calls_of(text):
            return set(re.findall(r"^  (?:trace)? +(openat|rename|unlink|ftruncate) ", text, re.MULTILINE))

        with tempfile.TemporaryDirectory() as folder:
            trace = ("--trace", f"{folder}/t")
            for options, calls in (((), set()), (trace, {"openat", "ftruncate"}),
                                   (("--trace", "/dev/null"), {"ftruncate"}),
                                   ((*trace, "--trace-limit", "1M"), {"openat", "ftruncate", "rename", "unlink"})):
                with self.subTest(options):
                    told = report("--interpreter", "fork", *options).stdout
                    self.assertEqual(calls_of(told), calls)
                    self.assertEqual(f"write in {folder} " in told, "openat" in calls)

    def test_serves_nobody(self):
        self.assertNotIn("listening", report("--port", "0").stdout)

    def test_a_wrong_word_is_refused(self):
        wrong = subprocess.run([ECHO_SERVER, "--sandbox", "maybe"], capture_output=True, text=True)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("--sandbox: 'maybe' is none of on, off, report", wrong.stderr)


if __name__ == "__main__":
    unittest.main()
