"""What the tests of foreign servers share: servers whose system calls strace records, and clients."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from serving import ECHO_SERVER, PATIENCE_S, children_of, converse, eventually, traced_environment

ECHO_VERIFY = os.path.join(os.environ["ANTIPHON_APPS_DIR"], "echo-verify")
HERE = os.path.dirname(os.path.abspath(__file__))

WHOLE_STRINGS = ("-xx", "-s", "1100000")


def need(program):
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if path is None:
        raise unittest.SkipTest(f"there is no {program} here")
    return path


def need_ptrace():
    traced = subprocess.run([need("strace"), "-f", "-o", "/dev/null", "true"], capture_output=True, text=True)
    if traced.returncode != 0:
        raise unittest.SkipTest(f"strace cannot trace here: {traced.stderr.strip()}")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def listens(port):
    with open("/proc/net/tcp") as table:
        return any(f":{port:04X} " in line and line.split()[3] == "0A" for line in table)


def verify(file, *options, how="strace"):
    """The exit status, the output and the complaint of echo-verify."""
    done = subprocess.run(
        [ECHO_VERIFY, "trace", file, "--input", how, *options], capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout, done.stderr


def command(kind, port):
    """How to start a server: its command, and whether it says which port it listens on."""
    if kind == "socat-cat":
        return [need("socat"), f"TCP-LISTEN:{port},fork,reuseaddr,bind=127.0.0.1", "EXEC:cat"], False
    if kind == "socat-pipe":
        return [need("socat"), f"TCP-LISTEN:{port},fork,reuseaddr,bind=127.0.0.1", "PIPE"], False
    if kind == "ncat":
        return [need("ncat"), "-l", "-k", "127.0.0.1", str(port), "-e", "/bin/cat"], False
    if kind.startswith("antiphon-"):
        return [ECHO_SERVER, "--port", str(port), "--interpreter", kind.removeprefix("antiphon-")], False
    return [sys.executable, os.path.join(HERE, "foreign_server.py"), *kind.split()], True


class Recording:
    """A server under strace, for as long as the block lasts; then `log` is what strace wrote."""

    def __init__(self, kind, *options, to_file=True):
        self.kind = kind
        self.options = options or WHOLE_STRINGS
        self.to_file = to_file

    def __enter__(self):
        need_ptrace()
        self.folder = tempfile.TemporaryDirectory()
        self.log = os.path.join(self.folder.name, "log")
        self.port = free_port()
        server, says_port = command(self.kind, self.port)
        output = ["-o", self.log] if self.to_file else []
        with open(self.log, "w") as errors:
            self.process = subprocess.Popen(
                ["strace", "-f", *self.options, *output, *server],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if self.to_file else errors,
                stdin=subprocess.DEVNULL,
                env=traced_environment(),
            )
        if says_port:
            self.port = int(self.process.stdout.readline())
        else:
            eventually("the server listens", lambda: listens(self.port))
        self.pid = children_of(self.process.pid)[0][0]
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGKILL)
        self.process.stdout.close()
        self.folder.cleanup()

    def stop(self, by=signal.SIGTERM):
        """Ends the server, and with it what it has left behind."""
        if self.process.poll() is not None:
            return
        for pid in [self.pid, *(pid for pid, _ in children_of(self.pid))]:
            # One that ends by itself meanwhile has ended.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, by)
        self.process.wait(PATIENCE_S)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)

    def count(self, text):
        """How often the log says so by now."""
        with open(self.log, errors="replace") as log:
            return log.read().count(text)

    def clients(self, sizes, number=3):
        """So many at once, each with messages of these sizes, and each is answered."""
        failures = []

        def one(seed):
            try:
                with self.connect() as connection:
                    for size in sizes:
                        data = random.Random(seed + size).randbytes(size)
                        if converse(connection, data, close_side=False) != data:
                            failures.append(f"client {seed}: not the echo of {size} bytes")
                    if converse(connection, b"") != b"":
                        failures.append(f"client {seed}: something came after the end")
            except (OSError, AssertionError) as failure:
                failures.append(f"client {seed}: {failure}")

        threads = [threading.Thread(target=one, args=(1000 * seed,)) for seed in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures, failures
