"""The server of a soak run: one start of echo-server, with its trace and its monitor."""

import json
import os
import random
import signal
import subprocess
import time

from serving import proportional_kib

APPS = os.environ["ANTIPHON_APPS_DIR"]
STARTS_WITHIN_S = 30
DRAIN_S = 5

# To look at a process takes the kernel a millisecond. Of more sessions these stand for all.
MOST_SESSIONS_SEEN = 300


class NotStarted(RuntimeError):
    pass


class Server:
    """One run of echo-server, with its trace and its monitor."""

    def __init__(self, options, folder, port, number):
        self.trace = os.path.join(folder, f"run{number}.jsonl")
        self.log_path = os.path.join(folder, f"run{number}.log")
        self.samples = []  # (KiB of the first process, KiB of all), now and then
        workers = [] if options.interpreter == "fork" else ["--workers", str(options.workers)]
        drain = ["--drain-timeout", f"{DRAIN_S * options.pace:.1f}"]
        program = ["--program", "seed"] if options.program == "seed" else ["--port", str(port), *drain]
        self.command = [
            os.path.join(APPS, "echo-server"), *program, *workers, "--interpreter", options.interpreter, "--monitor",
            "--trace", self.trace, "--trace-payload", "digest",
        ]  # fmt: skip
        line = self.first_line()
        end = time.monotonic() + STARTS_WITHIN_S
        while not line and "EADDRINUSE" in self.log() and time.monotonic() < end:
            time.sleep(0.5)  # others have servers at the same port
            line = self.first_line()
        if not line.startswith("listening on "):
            raise NotStarted(f"the server did not start: {self.log().strip()}")
        host, _, its_port = line.split()[2].rpartition(":")
        self.address = (host, int(its_port))
        self.pid = self.process.pid
        self.descriptors = self.count_descriptors()

    def first_line(self):
        with open(self.log_path, "w") as log_file:
            self.process = subprocess.Popen(
                self.command, stdout=subprocess.PIPE, stderr=log_file, stdin=subprocess.DEVNULL, text=True
            )
        return self.process.stdout.readline()

    def log(self):
        with open(self.log_path) as file:
            return file.read()

    def count_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def children(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as file:
            return [int(child) for child in file.read().split()]

    def look_at_memory(self):
        """Of the first process alone too: what it leaks is little beside thousands of sessions."""
        with open(f"/proc/{self.pid}/status") as file:
            first = next((int(line.split()[1]) for line in file if line.startswith("VmRSS")), 0)
        children = self.children()
        monitor, sessions = children[:1], children[1:]
        seen = random.sample(sessions, min(len(sessions), MOST_SESSIONS_SEEN))
        share = len(sessions) / len(seen) if seen else 0
        self.samples.append((first, proportional_kib([self.pid, *monitor]) + share * proportional_kib(seen)))

    def stop(self):
        """Asks it to end. Answers what is wrong with how it did, or None, and whether its verdict is incomplete."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(DRAIN_S + 60)
        self.process.stdout.close()
        if status in (0, 3):
            return None, status == 3
        return f"ended with status {status}: {self.log().strip()[-500:]}", False

    def judged(self):
        """What echo-verify says of the trace."""
        done = subprocess.run(
            [os.path.join(APPS, "echo-verify"), "trace", self.trace, "--program", "stream", "--format", "json"],
            capture_output=True, text=True,
        )  # fmt: skip
        return json.loads(done.stdout)
