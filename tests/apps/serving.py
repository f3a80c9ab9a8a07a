"""What the tests of echo-server share: a server that is started and ended, and clients."""

import hashlib
import os
import resource
import select
import signal
import socket
import subprocess
import tempfile
import time
import unittest

ECHO_SERVER = os.path.join(os.environ["ANTIPHON_APPS_DIR"], "echo-server")

INTERPRETERS = ("fork", "epoll", "uring")

# Nothing that works takes as long; what does not is given up.
PATIENCE_S = 60


def traced_environment():
    """For what runs under strace: there the search for leaks of AddressSanitizer cannot work."""
    return {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def passing(files):
    """A command that runs another one as a service manager does: with these files as its descriptors from 3 on."""
    moves = " ".join(f"{20 + place}<&{one.fileno()}" for place, one in enumerate(files))
    places = " ".join(f"{3 + place}<&{20 + place} {20 + place}<&-" for place, _ in enumerate(files))
    targets = range(3, 3 + len(files))
    ends = " ".join(f"{one.fileno()}<&-" for one in files if one.fileno() not in targets)
    names = ":".join(f"name{place}" for place, _ in enumerate(files))
    variables = f"LISTEN_PID=$$ LISTEN_FDS={len(files)} LISTEN_FDNAMES={names}"
    return ["bash", "-c", f'exec {moves}; exec {places} {ends}; {variables} exec "$@"', "bash"]


def on_each_interpreter(case, interpreters=INTERPRETERS):
    """Test cases like this one, for each interpreter one, by the names that a test module is to have them under."""
    return {
        f"{case.__name__}_{interpreter}": type(
            f"{case.__name__}_{interpreter}", (case, unittest.TestCase), {"interpreter": interpreter}
        )
        for interpreter in interpreters
    }


def eventually(what, predicate):
    """Waits until the predicate holds, and answers what it answered."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = predicate()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"it never came to this: {what}")


def allow_many_descriptors(case):
    """As many as there may be, in the test and in what it starts, until the test's end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    case.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))


def is_sanitized(path=ECHO_SERVER):
    """Built with AddressSanitizer or ThreadSanitizer: memory is another matter there."""
    with open(path, "rb") as file:
        content = file.read()
    return b"__asan_init" in content or b"__tsan_init" in content


def read_so_far(file):
    """What a file has that another process writes to. Its place there is shared with that process, and must stay."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")


def proportional_kib(pids):
    """Memory of these processes; what they share counts once. Who is gone has none."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += next((int(line.split()[1]) for line in file if line.startswith("Pss:")), 0)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def children_of(pid):
    """The (pid, state) of each child."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid:
            found.append((int(name), state))
    return found


class Server:
    """An echo-server at any free port, on one interpreter. It ends with the block, by SIGTERM unless the test ended it.

    An event loop is one worker, unless the options say otherwise.
    """

    def __init__(self, *options, interpreter="fork", expected=None, most_descriptors=None, under=(), environment=None,
                 passed=()):
        """`expected`: the interpreter that comes of it; `under`: a command that runs the server; `environment`: more
        variables; `passed`: what it has open as its descriptors from 3 on."""
        self.interpreter = expected or interpreter
        self.most_descriptors = most_descriptors
        self.under = under
        self.environment = environment or {}
        self.passed = passed
        if passed:
            self.under = (*passing(passed), *under)
        workers = () if interpreter == "fork" or "--workers" in options else ("--workers", "1")
        has_address = passed or any(word in options for word in ("seed", "--take-over", "--port"))
        port = () if has_address else ("--port", "0")
        self.options = [*port, "--interpreter", interpreter, *workers, *options]
        self.expected_status = 0
        self.is_asked = False

    def __enter__(self):
        self.log_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*self.under, ECHO_SERVER, *self.options],
            stdout=subprocess.PIPE,
            stderr=self.log_file,
            stdin=subprocess.DEVNULL,
            env={**(traced_environment() if self.under else os.environ), **self.environment},
            pass_fds=[one.fileno() for one in self.passed],
            preexec_fn=self.limit_descriptors_at_start if self.most_descriptors else None,
        )
        self.pid = self.process.pid
        try:
            ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
            self.first_line = self.process.stdout.readline().decode() if ready else ""
            assert self.first_line.startswith("listening on "), (self.first_line, self.log())
            assert self.first_line.endswith(f" (interpreter {self.interpreter})\n"), self.first_line
            host, _, port = self.first_line.split()[2].rpartition(":")
            self.address = (host.strip("[]"), int(port))
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, failed, *_):
        try:
            if failed is None:
                self.stop()
        finally:
            for child, _ in children_of(self.pid):
                os.kill(child, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.final_log = self.log()
            self.log_file.close()

    def ask_to_stop(self, by=signal.SIGTERM):
        self.is_asked = True
        self.process.send_signal(by)

    def stop(self, by=signal.SIGTERM):
        """Asks the server to stop, unless it was asked, and demands that it ends as expected."""
        if self.process.poll() is None and not self.is_asked:
            self.ask_to_stop(by)
        status = self.process.wait(PATIENCE_S)
        assert status == self.expected_status, (status, self.log())

    def log(self):
        return read_so_far(self.log_file)

    def await_log(self, text):
        eventually(f"the log says '{text}'", lambda: text in self.log())

    def await_no_children(self):
        """A zombie would stay for ever."""
        eventually("all children are gone", lambda: not children_of(self.pid))

    def connect(self, source=""):
        """`source`: the address that the client comes from; "": any."""
        return socket.create_connection(self.address, PATIENCE_S, (source, 0) if source else None)

    def echo(self, data):
        """What comes back for the data, to the end."""
        with self.connect() as connection:
            return converse(connection, data)

    def connect_narrowly(self):
        """A client with room for little: what it does not take back, the server holds soon."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(self.address)
        return client

    def serves(self):
        """Whether a client that comes now is served at once."""
        try:
            with socket.create_connection(self.address, 1) as client:
                return converse(client, b"here") == b"here"
        except OSError:
            return False

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_kib(self, pid=None):
        with open(f"/proc/{pid or self.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def state(self):
        with open(f"/proc/{self.pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]

    def switches(self):
        """How often the server was put to sleep."""
        with open(f"/proc/{self.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))

    def limit_descriptors_at_start(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.most_descriptors, hard))

    def limit_descriptors(self, count):
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (count, hard))


class PatientServer(Server):
    """Whoever has its address is waited for."""

    def __enter__(self):
        return eventually("its address is free", self.entered_unless_in_use)

    def entered_unless_in_use(self):
        try:
            return super().__enter__()
        except AssertionError:
            in_use = "EADDRINUSE" in self.log()
            self.process.stdout.close()
            self.log_file.close()
            if not in_use:
                raise
            return None


class SeedServer(PatientServer):
    """The original, whose address is fixed: 127.0.0.1:8888."""

    def __init__(self, *options, **how):
        super().__init__("--program", "seed", *options, **how)


def converse(connection, data, close_side=True):
    """Sends and receives at once, and answers what came back: to the end, or as much as was sent."""
    connection.setblocking(False)
    unsent = memoryview(data)
    heard = bytearray()
    if not unsent and close_side:
        connection.shutdown(socket.SHUT_WR)
    while close_side or len(heard) < len(data):
        readable, writable, _ = select.select([connection], [connection] if unsent else [], [], PATIENCE_S)
        assert readable or writable, f"the server is silent after {len(heard)} of {len(data)} bytes"
        if readable:
            more = connection.recv(1 << 20)
            if not more:
                break
            heard += more
        if writable:
            unsent = unsent[connection.send(unsent[: 1 << 20]) :]
            if not unsent and close_side:
                connection.shutdown(socket.SHUT_WR)
    connection.settimeout(PATIENCE_S)
    return bytes(heard)


def at_end(connection):
    """True if the server ended the connection, in whatever way, and sent nothing before."""
    connection.settimeout(PATIENCE_S)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def fingerprint(data):
    return hashlib.sha256(data).hexdigest()
