#!/usr/bin/env python3
"""What becomes of the real echo-server when its system calls fail: each call, each errno that its manual page gives,
once, 8 times and for as long as it lasts, by strace's injection, while three clients want to be served.

    fault_matrix.py [--interpreter NAME]... [--call NAME]... [--sample N]     N: only N of the errors of each call

Prints a table, and exits with 1 if a cell of it is bad: the server died without a word, hung, leaked a descriptor or a
process, sent a wrong byte, broke a contract, which its own monitor judges, or never made the call: -.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import collections
import functools
import os
import re
import signal
import socket
import subprocess
import tempfile
import textwrap
import threading
import time

from failing_calls import Attached, injection
from serving import (
    ECHO_SERVER,
    INTERPRETERS,
    PATIENCE_S,
    Server,
    children_of,
    eventually,
    read_so_far,
    traced_environment,
)

FORKS = "clone,clone3,fork,vfork"
CLIENTS = 3
FIRST, SECOND = b"hello", b"echo"

# How often in a row each process meets the failure, as strace says it, from which of its calls on.
LENGTHS = {"once": ":when={first}", "8 times": ":when={first}..{last}", "always": ":when={first}+"}

# What a call answers when it fails, by its manual page, on TCP sockets. EFAULT, EINVAL and the like cannot come of a
# right call; the server need not die of them all the same.
ERRORS = {
    "accept4": "EPERM EINTR EBADF EAGAIN ENOMEM EFAULT EINVAL ENFILE EMFILE ENOSR ENONET EPROTO ENOTSOCK ENOPROTOOPT "
    "EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP ENETDOWN ENETUNREACH ECONNABORTED ENOBUFS ETIMEDOUT EHOSTDOWN "
    "EHOSTUNREACH",
    "getpeername": "EBADF EFAULT EINVAL ENOBUFS ENOTCONN ENOTSOCK",
    "recvfrom": "EINTR EBADF EAGAIN ENOMEM EFAULT EINVAL EPIPE ENOTSOCK EOPNOTSUPP ENETDOWN ENETUNREACH ECONNRESET "
    "ENOBUFS ENOTCONN ETIMEDOUT ECONNREFUSED EHOSTUNREACH",
    "sendto": "EINTR EBADF EAGAIN ENOMEM EACCES EFAULT EINVAL EPIPE ENOTSOCK EDESTADDRREQ EMSGSIZE EOPNOTSUPP ENETDOWN "
    "ENETUNREACH ECONNRESET ENOBUFS EISCONN ENOTCONN ETIMEDOUT EHOSTUNREACH EALREADY",
    FORKS: "EAGAIN ENOMEM ENOSYS",
    "ppoll": "EINTR ENOMEM EFAULT EINVAL",
    "epoll_ctl": "ENOMEM ENOSPC EEXIST ENOENT EBADF EPERM EINVAL",
    "epoll_wait": "EINTR EBADF EFAULT EINVAL",
    "io_uring_enter": "EINTR EAGAIN EBUSY EBADF EBADFD EFAULT EINVAL ENXIO EOPNOTSUPP",
    "socket": "EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT",
    "setsockopt": "EBADF EFAULT EINVAL ENOPROTOOPT ENOTSOCK",
    "bind": "EACCES EADDRINUSE EBADF EINVAL ENOTSOCK EADDRNOTAVAIL EFAULT ENOMEM",
    "listen": "EADDRINUSE EBADF ENOTSOCK EOPNOTSUPP",
    "getsockname": "EBADF EFAULT EINVAL ENOBUFS ENOTSOCK",
    "epoll_create1": "EINVAL EMFILE ENFILE ENOMEM",
    "eventfd2": "EINVAL EMFILE ENFILE ENODEV ENOMEM",
    "signalfd4": "EBADF EINVAL EMFILE ENFILE ENODEV ENOMEM",
    "io_uring_setup": "EFAULT EINVAL EMFILE ENFILE ENOMEM EPERM",
    "io_uring_register": "EBADF EFAULT EINVAL ENOMEM ENXIO EOPNOTSUPP",
}

FINE = re.compile(r"(served on|refused \d of \d|stopped, said so)$")

# The two phases of a run, as the table names them.
BEFORE, WHILE = "before it listens", "while it serves"

# CALL#N: the first ones succeed, and the Nth is the first that fails. (Those of a ring come twice: to try whether there
# is io_uring, and in earnest.)
STARTING_ANY = ("socket", "setsockopt", "bind", "listen", "getsockname", "signalfd4", "epoll_create1", "epoll_ctl",
                "eventfd2", "eventfd2#2")  # fmt: skip
STARTING = {
    "fork": (*STARTING_ANY, "signalfd4#2"),
    "epoll": (*STARTING_ANY, "eventfd2#3", "epoll_create1#2", "epoll_ctl#2", "epoll_ctl#3", "epoll_ctl#4"),
    "uring": (*STARTING_ANY, "eventfd2#3", "io_uring_setup", "io_uring_setup#2", "io_uring_register",
              *(f"io_uring_register#{nth}" for nth in range(2, 8))),
}  # fmt: skip
SERVING = {
    "fork": ("accept4", "getpeername", "recvfrom", "sendto", FORKS, "ppoll"),
    "epoll": ("accept4", "getpeername", "recvfrom", "sendto", "epoll_ctl", "epoll_wait"),
    "uring": ("getpeername", "io_uring_enter"),
}

# How long clients may have to wait before a failure that goes on ends: longer where the server gives up after a while.
LASTS_S = collections.defaultdict(lambda: 0.3, {"recvfrom": 3, "sendto": 3, "ppoll": 3})


class Client(threading.Thread):
    """Sends two words and reads their echo to the end."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address = address
        self.outcome = "hung"
        self.start()

    def run(self):
        heard = b""
        try:
            with socket.create_connection(self.address, PATIENCE_S) as connection:
                connection.settimeout(PATIENCE_S)
                connection.sendall(FIRST)
                while len(heard) < len(FIRST):
                    more = connection.recv(100)
                    if not more:
                        break
                    heard += more
                connection.sendall(SECOND)
                connection.shutdown(socket.SHUT_WR)
                while more := connection.recv(100):
                    heard += more
        except (ConnectionError, OSError) as failure:
            if isinstance(failure, TimeoutError):
                return
        whole = FIRST + SECOND
        if heard == whole:
            self.outcome = "served"
        else:
            self.outcome = "refused" if whole.startswith(heard) else "lost"


def why_bad(server, descriptors, told_before):
    """What is wrong with the server after the failures have ended, or None."""
    if server.process.poll() is not None:
        return f"DIED ({server.process.returncode})"
    try:
        if server.echo(b"after") != b"after":
            return "LOST after it"
        server.await_no_sessions()
        eventually("all descriptors are back", lambda: server.descriptors() <= descriptors)
    except (AssertionError, OSError) as failure:
        return f"LEAKED or hung: {failure}"
    told = server.log()[told_before:]
    broken = re.search(r"monitor: ([a-z-]+): ", told)
    return f"BROKE {broken.group(1)}" if broken else None


class MonitoredServer(Server):
    """Of the fork interpreter the monitor is a child. It asks for its clients' addresses, and has room for all."""

    def __init__(self, interpreter):
        super().__init__("--drain-timeout", "0", "--monitor", "--max-per-address", "100", interpreter=interpreter)

    def await_no_sessions(self):
        monitor = 1 if self.interpreter == "fork" else 0
        eventually("all sessions are gone", lambda: len(children_of(self.pid)) <= monitor)

    def stopped_with_a_message(self):
        status = self.process.poll()
        return status in (1, 2, 3) and "echo-server: " in self.log()


def serve_through(server, call, error, when):
    """The outcome of one cell on a server that serves."""
    descriptors = server.descriptors()
    told_before = len(server.log())
    with Attached(server, call, error, when) as attached:
        clients = [Client(server.address) for _ in range(CLIENTS)]
        end = time.monotonic() + LASTS_S[call]
        while any(client.is_alive() for client in clients) and time.monotonic() < end:
            if server.process.poll() is not None:
                break
            time.sleep(0.01)
    if server.stopped_with_a_message():
        return "stopped, said so"
    for client in clients:
        client.join(10)
    if not attached.injected:
        return "-"
    bad = why_bad(server, descriptors, told_before)
    if bad:
        return bad
    outcomes = collections.Counter(client.outcome for client in clients)
    if outcomes["hung"] or outcomes["lost"]:
        return "HUNG" if outcomes["hung"] else "LOST"
    return f"refused {outcomes['refused']} of {CLIENTS}" if outcomes["refused"] else "served on"


def start_through(interpreter, call, error, when):
    """The outcome of one cell on a server that starts."""
    with tempfile.TemporaryFile() as log_file, tempfile.NamedTemporaryFile() as calls:
        command = ["strace", *injection(call, error, when), "-o", calls.name, ECHO_SERVER, "--port", "0"]
        command += ["--interpreter", interpreter, "--drain-timeout", "0"]
        command += [] if interpreter == "fork" else ["--workers", "1"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log_file, stdin=subprocess.DEVNULL, env=traced_environment()
        )
        try:
            line = process.stdout.readline().decode()
            if line.startswith("listening on "):
                host, _, port = line.split()[2].rpartition(":")
                client = Client((host, int(port)))
                client.join(10)
                for child in subprocess.run(
                    ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True
                ).stdout.split():
                    os.kill(int(child), signal.SIGTERM)
            status = process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        log = read_so_far(log_file)
        with open(calls.name, "rb") as traced:
            if b"INJECTED" not in traced.read():
                return "-"
    if line.startswith("listening on "):
        return "served on" if client.outcome == "served" and status == 0 else f"BAD {client.outcome}, {status}"
    lines = [line for line in log.splitlines() if line.startswith("echo-server: ")]
    return "stopped, said so" if status == 2 and len(lines) == 1 else f"DIED ({status}): {log}"


def cells_of(interpreter):
    """(phase, call, error) of each row of the whole matrix, in its order."""
    phases = ((BEFORE, STARTING[interpreter]), (WHILE, SERVING[interpreter]))
    return [
        (phase, name_of(call), error) for phase, calls in phases for call in calls for error in errors_of(call)
    ]


def name_of(call):
    return call.split(",")[0]


def errors_of(call):
    return ERRORS[call.partition("#")[0]].split()


# `outcomes`: of each of LENGTHS.
Row = collections.namedtuple("Row", "phase call error outcomes")


class Matrix:
    def __init__(self, interpreter):
        self.interpreter = interpreter
        self.rows = []  # Row

    def fill(self, calls, sample):
        for call in [call for call in STARTING[self.interpreter] if not calls or call.partition("#")[0] in calls]:
            start = functools.partial(start_through, self.interpreter, call.partition("#")[0])
            self.add(BEFORE, call, sample, start)
        serving = [call for call in SERVING[self.interpreter] if not calls or name_of(call) in calls]
        if not serving:
            return
        server = MonitoredServer(self.interpreter).__enter__()
        try:
            for call in serving:

                def outcome(error, when, call=call):
                    nonlocal server
                    if server.process.poll() is not None:
                        server.__exit__(True)
                        server = MonitoredServer(self.interpreter).__enter__()
                    return serve_through(server, call, error, when)

                self.add(WHILE, call, sample, outcome)
        finally:
            server.__exit__(True)

    def add(self, phase, call, sample, outcome):
        errors = errors_of(call)
        first = int(call.partition("#")[2] or 1)
        whens = [length.format(first=first, last=first + 7) for length in LENGTHS.values()]
        # A sample is taken out of the middle, where the errors are that end something at once.
        begin = (len(errors) - sample) // 2
        chosen = errors[begin : begin + sample] if 0 < sample < len(errors) else errors
        for error in chosen:
            outcomes = tuple(outcome(error, when) for when in whens)
            self.rows.append(Row(phase, name_of(call), error, outcomes))

    def bad(self):
        """A call that was not made is bad too: its failure has shown nothing."""
        return [row for row in self.rows if not all(FINE.match(outcome) for outcome in row.outcomes)]

    def text(self):
        """Errors of a call to which the same happens stand together."""
        groups = collections.OrderedDict()
        for row in self.rows:
            groups.setdefault((row.phase, row.call, row.outcomes), []).append(row.error)
        lines = []
        last = (None, None)
        for (phase, call, outcomes), errors in groups.items():
            if phase != last[0]:
                lines.append(self.line(phase, "answers", LENGTHS))
            first, *more = textwrap.wrap(" ".join(errors), 44)
            lines.append(self.line(call if (phase, call) != last else "", first, outcomes))
            lines += [self.line("", line, ("", "", "")) for line in more]
            last = (phase, call)
        return "\n".join(lines)

    @staticmethod
    def line(call, errors, outcomes):
        cells = "  ".join(f"{outcome:<16}" for outcome in outcomes)
        return f"  {call:<19}  {errors:<44}  {cells}".rstrip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interpreter", action="append", choices=INTERPRETERS)
    parser.add_argument("--call", action="append")
    parser.add_argument("--sample", type=int, default=0)
    arguments = parser.parse_args()
    bad = 0
    for interpreter in arguments.interpreter or INTERPRETERS:
        matrix = Matrix(interpreter)
        matrix.fill(arguments.call, arguments.sample)
        bad += len(matrix.bad())
        print(f"{'violated' if matrix.bad() else 'holds'}: echo-server on {interpreter}, {len(matrix.rows)} errors\n")
        print(matrix.text() + "\n", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
