"""System calls of a running server that fail, by strace's injection."""

import os
import signal
import subprocess
import tempfile

from serving import PATIENCE_S, children_of, eventually, read_so_far


def injection(calls, error, when):
    return ["-f", "-qq", "-e", f"trace={calls}", "-e", "signal=SIGSTOP", "-e", f"inject={calls}:error={error}{when}"]


def send_signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def state_of(pid):
    """A letter, as in proc(5); X: it is gone. Of a thread: PID/task/TID."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def is_traced(pid):
    try:
        with open(f"/proc/{pid}/status") as file:
            return any(line.startswith("TracerPid:") and int(line.split()[1]) != 0 for line in file)
    except OSError:
        return False


def traced_threads_of(pid):
    """How many live. (The kernel's own of a ring are never traced.)"""
    try:
        threads = [f"{pid}/task/{thread}" for thread in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return 0
    return sum(is_traced(thread) and state_of(thread) not in "ZX" for thread in threads)


class Attached:
    """The calls fail as long as the block lasts."""

    def __init__(self, server, calls, error, when):
        self.server = server
        self.log_file = tempfile.TemporaryFile()
        command = ["strace", *injection(calls, error, when), "-p", str(server.pid)]
        command.remove("-qq")
        self.process = subprocess.Popen(command, stderr=self.log_file, stdin=subprocess.DEVNULL)
        eventually("strace has attached", lambda: "attached" in self.log() or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise RuntimeError(f"strace cannot attach here: {self.log().strip()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Were strace to let go of a process in the middle of a call that is to fail, that call would answer ENOSYS.
        halted = self.halt([self.server.pid])  # from now on no child comes
        halted += self.halt([pid for pid, _ in children_of(self.server.pid)], halted)
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        for pid in halted:
            send_signal(pid, signal.SIGCONT)
        self.injected = self.log().count("(INJECTED)")
        self.log_file.close()

    def halt(self, pids, halted_before=()):
        """Halts those that are traced, waits for it, and answers them."""
        pids = [pid for pid in pids if is_traced(pid)]
        for pid in pids:
            send_signal(pid, signal.SIGSTOP)
        family = [*halted_before, *pids]
        eventually("all are halted", lambda: self.halts() >= sum(traced_threads_of(pid) for pid in family))
        return pids

    def log(self):
        return read_so_far(self.log_file)

    def halts(self):
        return self.log().count("stopped by SIGSTOP")


def can_attach(server):
    try:
        with Attached(server, "accept4", "EINTR", ""):
            return True
    except (FileNotFoundError, RuntimeError):
        return False
