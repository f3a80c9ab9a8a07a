#!/usr/bin/env python3
"""echo-verify, as its users call it."""

import json
import os
import subprocess
import tempfile
import unittest

ECHO_VERIFY = os.path.join(os.environ["ANTIPHON_APPS_DIR"], "echo-verify")


def run(*arguments, **options):
    result = subprocess.run([ECHO_VERIFY, *arguments], capture_output=True, text=True, timeout=300, **options)
    return result.returncode, result.stdout, result.stderr


class Properties(unittest.TestCase):
    def test_our_servers_hold(self):
        for program in "stream", "once":
            status, output, _ = run("properties", "--program", program, "--faults", "all", "--runs", "2000")
            self.assertEqual(status, 0, output)
            self.assertTrue(output.startswith(f"holds: program {program} "), output)

    def test_the_original_is_refuted_and_replays(self):
        status, output, _ = run("properties", "--program", "seed", "--runs", "50", "--format", "json")
        report = json.loads(output)
        self.assertEqual((status, report["verdict"]), (1, "violated"))
        for finding in report["findings"]:
            arguments = finding["replay"].split()[1:]
            replays = {run(*arguments) for _ in range(3)}
            self.assertEqual(len(replays), 1)
            status, output, _ = replays.pop()
            self.assertEqual(status, 1)
            self.assertIn(f"violated: {finding['clause']}: ", output)

    def test_too_few_runs_are_incomplete(self):
        status, output, _ = run("properties", "--faults", "all", "--runs", "1")
        self.assertEqual(status, 3, output)

    def test_progress_is_for_terminals(self):
        self.assertEqual(run("properties", "--runs", "500")[2], "")


class Usage(unittest.TestCase):
    def assert_refused(self, *arguments, words):
        status, output, errors = run(*arguments)
        self.assertEqual((status, output), (2, ""), (arguments, errors))
        self.assertTrue(errors.startswith("echo-verify: ") and errors.count("\n") == 1, errors)
        for word in words:
            self.assertIn(word, errors)

    def test_bad_input(self):
        for arguments, *words in [
            ([], "subcommand"),
            (["properties", "--runs", "0"], "--runs", "0"),
            (["properties", "--runs", "1" * 30], "--runs"),
            (["properties", "--seed", "-1"], "--seed"),
            (["properties", "--clients", "17"], "--clients", "17"),
            (["properties", "--faults", "none,all"], "--faults", "none"),
            (["properties", "--program", "echo"], "--program", "echo"),
            (["properties", "--format", "xml"], "--format", "xml"),
            (["properties", "--replay", "x"], "--replay", "garbled"),
            (["trace"], "FILE"),
            (["trace", "/no/such/file"], "/no/such/file", "No such file"),
            (["trace", "/"], "directory"),
            (["trace", "/dev/null"], "empty"),
            (["trace", "/dev/zero"], "/dev/zero:1:"),
        ]:
            with self.subTest(arguments=arguments):
                self.assert_refused(*arguments, words=words)

    def test_a_token_of_another_program(self):
        _, output, _ = run("properties", "--program", "seed", "--runs", "5", "--format", "json")
        token = json.loads(output)["findings"][0]["replay"].split()[-1]
        self.assert_refused("properties", "--program", "once", "--replay", token, words=["seed", "once"])

    def test_a_header_that_is_cut(self):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write('{"antiphon":"trace","ver')
            file.flush()
            self.assertEqual(run("trace", file.name)[0], 3)

    def test_a_verdict_that_cannot_be_written_is_none(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        for arguments in ["properties", "--runs", "300"], ["--help"]:
            with open("/dev/full", "w") as full:
                result = subprocess.run([ECHO_VERIFY, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=300)
            self.assertEqual(result.returncode, 2)
            self.assertIn(b"standard output", result.stderr)


if __name__ == "__main__":
    unittest.main()
