#!/usr/bin/env python3
"""Traces of the real server, judged by echo-verify, and what is wrong with them pointed at."""

import json
import os
import subprocess
import tempfile
import threading
import unittest

from serving import Server, on_each_interpreter

ECHO_VERIFY = os.path.join(os.environ["ANTIPHON_APPS_DIR"], "echo-verify")


def verify(*arguments):
    result = subprocess.run([ECHO_VERIFY, "trace", *arguments], capture_output=True, text=True, timeout=300)
    return result.returncode, result.stdout, result.stderr


class InAFolder:
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "t.jsonl")

    def write(self, lines):
        with open(self.path, "w") as file:
            file.write("".join(lines))

    def record(self, interpreter, *options, clients=8, data=b"hello\n" * 20_000):
        """The lines of a run in which some clients talk at the same time."""
        with Server("--trace", self.path, *options, interpreter=interpreter) as server:
            threads = [threading.Thread(target=server.echo, args=(data,)) for _ in range(clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        with open(self.path) as file:
            return file.readlines()


class Conformance(InAFolder):
    def test_runs_under_load_conform(self):
        self.record(self.interpreter)
        status, output, _ = verify(self.path, "--program", "stream")
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r"^holds: program stream on ")
        self.assertRegex(output, r"\n  conforms: program stream issues these \d+ instructions")

    def test_digests_decide_as_content_does(self):
        lines = self.record(self.interpreter, "--trace-payload", "digest", data=os.urandom(300_000))
        self.assertLess(sum(map(len, lines)), 1_500_000)
        self.assertNotIn('"hex"', "".join(lines))
        status, output, _ = verify(self.path, "--program", "stream")
        self.assertEqual(status, 0, output)
        place = next(place for place, line in enumerate(lines) if '"do":"Send"' in line)
        crc = lines[place].index('"digest":"') + len('"digest":"')
        crc = lines[place].index(":", crc) + 1
        lines[place] = lines[place][:crc] + ("1" if lines[place][crc] == "0" else "0") + lines[place][crc + 1 :]
        self.write(lines)
        status, output, _ = verify(self.path)
        self.assertEqual(status, 1)
        self.assertIn("violated: echo: ", output)
        self.assertIn(f"  at {self.path}:{place + 1}\n", output)

    def test_another_program_does_something_else(self):
        self.record(self.interpreter)
        status, output, _ = verify(self.path, "--program", "once", "--format", "json")
        report = json.loads(output)
        self.assertEqual((status, report["verdict"], report["conformance"]["conforms"]), (1, "violated", False))
        self.assertEqual(report["conformance"]["parting"]["program"]["do"], "ShutdownSend")

    def test_once_conforms_to_itself(self):
        self.record(self.interpreter, "--once", data=b"x")
        self.assertEqual(verify(self.path, "--program", "once")[0], 0)


globals().update(on_each_interpreter(Conformance))
del Conformance


class Edited(InAFolder, unittest.TestCase):
    """One line of a good trace is changed: it is found where it is."""

    def setUp(self):
        super().setUp()
        self.lines = self.record("epoll", "--workers", "1", clients=2)

    def nth(self, what, count):
        """The place of the count-th line that holds the text."""
        return [place for place, line in enumerate(self.lines) if what in line][count]

    def change(self, place, before, after):
        self.assertIn(before, self.lines[place])
        self.lines[place] = self.lines[place].replace(before, after, 1)
        self.write(self.lines)

    def test_an_instruction_that_is_not_the_programs(self):
        place = self.nth('"do":"Recv"', 3)
        self.change(place, '"wait_ms":60000', '"wait_ms":59999')
        self.assertEqual(verify(self.path)[0], 0)
        status, output, _ = verify(self.path, "--program", "stream")
        self.assertEqual(status, 1)
        self.assertIn("violated: conformance", output)
        self.assertIn(f"  at {self.path}:{place + 1}\n", output)

    def test_a_byte_that_was_never_received(self):
        place = self.nth('"do":"Send"', 1)
        self.change(place, "hello", "jello")
        for arguments in [], ["--program", "stream"]:
            status, output, _ = verify(self.path, *arguments)
            self.assertEqual(status, 1)
            self.assertIn("violated: echo: ", output)
            self.assertIn(f"  at {self.path}:{place + 1}\n", output)

    def test_a_kernel_that_sends_more_than_it_was_given(self):
        place = self.nth('"do":"Send"', 0)
        line = json.loads(self.lines[place])
        line["answer"] += 1
        self.lines[place] = json.dumps(line) + "\n"
        self.write(self.lines)
        status, output, _ = verify(self.path)
        self.assertEqual(status, 1)
        self.assertIn("by the interpreter or the kernel: ", output)
        self.assertIn(f"  at {self.path}:{place + 1}\n", output)

    def test_a_line_that_is_left_out(self):
        place = self.nth('"do":"Recv"', 2)
        del self.lines[place]
        self.write(self.lines)
        status, output, errors = verify(self.path)
        self.assertEqual((status, output, errors.count("\n")), (2, "", 1))
        self.assertRegex(errors, rf"{self.path}:\d+: process \d+: event \d+ where event \d+ was due")

    def test_garbage_in_the_middle(self):
        for garbage in "garbage\n", "\0\0\0\n", '{"process":0}\n', "\n":
            self.write(self.lines[:7] + [garbage] + self.lines[7:])
            status, output, errors = verify(self.path, "--program", "stream")
            self.assertEqual((status, output, errors.count("\n")), (2, "", 1), errors)
            self.assertIn(f"{self.path}:8: ", errors)

    def test_a_half_written_last_line(self):
        self.write(self.lines[:-1] + [self.lines[-1][:10]])
        for arguments in [], ["--program", "stream"]:
            status, output, _ = verify(self.path, *arguments)
            self.assertEqual(status, 3, output)
            self.assertIn("\n  the record is cut off\n", output)

    def test_a_process_without_its_end(self):
        self.write(self.lines[:-1])
        for arguments in [], ["--program", "stream"]:
            status, output, _ = verify(self.path, *arguments)
            self.assertEqual(status, 3, output)
            self.assertRegex(output, r"\n  the end of process \d+ is missing\n")


if __name__ == "__main__":
    unittest.main()
