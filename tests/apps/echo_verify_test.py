#!/usr/bin/env python3
"""echo-verify, as its users call it."""

import sys

sys.dont_write_bytecode = True

import json
import os
import re
import subprocess
import tempfile
import time
import unittest

from serving import eventually

ECHO_VERIFY = os.path.join(os.environ["ANTIPHON_APPS_DIR"], "echo-verify")


def run(*arguments, **options):
    result = subprocess.run([ECHO_VERIFY, *arguments], capture_output=True, text=True, timeout=300, **options)
    return result.returncode, result.stdout, result.stderr


def processes_with(mark):
    """The processes that have this in their environment."""
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/environ", "rb") as environment:
                if mark.encode() in environment.read().split(b"\0"):
                    found.append(int(process))
        except OSError:
            pass  # it is gone, or not ours
    return found


class Explore(unittest.TestCase):
    def test_our_servers_hold_and_close(self):
        for program in "stream", "once":
            status, output, _ = run("explore", "--program", program)
            self.assertEqual(status, 0, output)
            self.assertRegex(output, rf"^holds: program {program} \([0-9a-f]+\), closed, [0-9]+ states\n")

    def test_conversations_of_any_length(self):
        status, output, _ = run("explore", "--messages", "any", "--clients", "1", "--format", "json")
        report = json.loads(output)
        self.assertEqual((status, report["verdict"], report["closed"]), (0, "holds", True))
        self.assertLess(report["program_steps"], report["transitions"])

    def test_every_reduction_gives_the_verdict(self):
        for reduction in "none", "por", "symmetry", "all":
            for strategy in "dfs", "bfs":
                status, output, _ = run("explore", "--messages", "1", "--reduce", reduction, "--strategy", strategy)
                self.assertEqual(status, 0, output)

    def test_the_original_is_refuted_and_replays(self):
        status, output, _ = run("explore", "--program", "seed", "--faults", "accept", "--format", "json")
        report = json.loads(output)
        self.assertEqual((status, report["verdict"]), (1, "violated"))
        self.assertGreater(len(report["findings"]), 3)
        for finding in report["findings"]:
            status, output, _ = run(*finding["replay"].split()[1:])
            self.assertEqual(status, 1)
            self.assertIn(f"violated: {finding['clause']}: ", output)

    def test_walks_are_no_proof(self):
        for strategy in "random", "pct":
            walk = ["explore", "--strategy", strategy, "--faults", "all", "--clients", "3", "--runs", "500"]
            status, output, _ = run(*walk)
            self.assertEqual(status, 3, output)
            self.assertRegex(output, r"^incomplete: program stream \([0-9a-f]+\), 500 walks, [0-9]+ states\n")
            self.assertIn("walks prove nothing", output)
            self.assertNotIn("a probability of", output)
            self.assertEqual(run(*walk)[1], output)
            output = run("explore", "--strategy", strategy, "--runs", "9")[1]
            self.assertEqual("a probability of" in output, strategy == "pct")
            status, output, _ = run(*walk, "--program", "seed", "--format", "json")
            report = json.loads(output)
            self.assertEqual((status, report["verdict"]), (1, "violated"))
            self.assertEqual(run(*report["findings"][0]["replay"].split()[1:])[0], 1)

    def test_what_does_not_fit_is_incomplete(self):
        status, output, _ = run("explore", "--reduce", "none", "--memory", "1")
        self.assertEqual(status, 3)
        self.assertTrue(output.startswith("incomplete: "), output)
        self.assertIn("the memory was full", output)


class Compare(unittest.TestCase):
    def test_every_program_equals_itself(self):
        for program in "stream", "once", "seed":
            status, output, errors = run("compare", program, program)
            self.assertEqual((status, errors), (0, ""), output)
            self.assertRegex(output, rf"^equivalent: {program} \([0-9a-f]+\) and {program} \([0-9a-f]+\)\n")
            self.assertIn("\n  2 clients, each 2 messages of 2 bytes; ", output)
            self.assertRegex(output, rf"\n  {program}: \d+ states, \d+ silent and \d+ visible transitions, ")
            self.assertRegex(output, r"\n  \d+ classes of weak bisimulation\n  each has the traces of the other\n")

    def test_what_differs_is_shown_and_replays(self):
        arguments = "compare", "stream", "once", "--clients", "1", "--size", "1"
        status, output, _ = run(*arguments)
        self.assertEqual(status, 1, output)
        self.assertIn("The shortest trace of stream that once does not have:\n", output)
        self.assertIn("     4  client 1 receives the server's end\n", output)
        self.assertIn("\ndiffer: stream ", output)
        self.assertEqual(run(*arguments)[1], output)
        report = json.loads(run(*arguments, "--format", "json")[1])
        self.assertEqual(report["verdict"], "differ")
        self.assertEqual([side["program"] for side in report["sides"]], ["stream", "once"])
        self.assertIn('client 1 receives "v"', report["only"][0]["trace"])
        self.assertEqual(report["only"][1]["trace"][-1], "client 1 receives the server's end")
        for only in report["only"]:
            self.assertIn(only["replay"], output)
            status, output_of_replay, _ = run(*only["replay"].split()[1:])
            self.assertEqual(status, 0, output_of_replay)

    def test_a_difference_that_one_side_has(self):
        arguments = "--messages", "0", "--faults", "accept", "--format", "json"
        report = json.loads(run("compare", "once", "seed", *arguments)[1])
        self.assertEqual(report["verdict"], "differ")
        self.assertIn("the server's first process ends: ", report["only"][1]["trace"][-1])
        status, output, _ = run(*report["only"][1]["replay"].split()[1:])
        self.assertEqual(status, 1)
        self.assertIn("violated: acceptor-lives: ", output)

    def test_what_does_not_fit_is_incomplete(self):
        status, output, _ = run("compare", "stream", "once", "--memory", "1")
        self.assertEqual(status, 3)
        self.assertTrue(output.startswith("incomplete: "), output)
        self.assertIn("\n  once: not explored\n", output)
        self.assertIn("the memory was full", output)


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

    def test_the_nearest_passing_schedule_keeps_the_clause(self):
        _, output, _ = run("properties", "--program", "seed", "--runs", "50", "--format", "json")
        partings = 0
        for finding in json.loads(output)["findings"]:
            nearest = finding["nearest_passing"]
            if "replay" not in nearest:
                continue
            partings += 1
            _, output, _ = run(*nearest["replay"].split()[1:])
            self.assertNotIn(f"violated: {finding['clause']}: ", output)
            row = next(line for line in output.splitlines() if line.split()[:1] == [str(nearest["event"] + 1)])
            self.assertTrue(row.endswith(nearest["there"].split(": ", 1)[1]), (row, nearest))
        self.assertGreater(partings, 0)

    def test_what_is_found_becomes_a_test(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "found_test.cpp")
            status, output, errors = run("properties", "--program", "seed", "--runs", "50", "--emit-test", file)
            self.assertEqual((status, errors), (1, ""))
            with open(file) as opened:
                source = opened.read()
            # The last line that begins so is the verdict, and the first has nothing before it.
            self.assertEqual(source.count("\nTEST("), output.count("\nviolated: "))
            token = output.split(" --replay ")[1].split()[0]
            one = os.path.join(folder, "one_test.cpp")
            status, output, _ = run("properties", "--program", "seed", "--replay", token, "--emit-test", one)
            with open(one) as opened:
                self.assertEqual(opened.read().count("\nTEST("), output.count("\nviolated: ") - 1)
            self.assertEqual(status, 1)

    def test_no_test_is_written_of_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "found_test.cpp")
            status, _, errors = run("properties", "--runs", "300", "--emit-test", file)
            self.assertEqual((status, os.path.exists(file)), (0, False))
            self.assertIn("nothing is violated", errors)

    def test_coverage(self):
        arguments = "properties", "--faults", "all", "--runs", "1000"
        _, output, _ = run(*arguments, "--coverage")
        shares = ", ".join(rf"\d+ of \d+ {what} \(\d+ %\)" for what in ("points", "branches", "errors"))
        self.assertRegex(output, rf"\n  covered: {shares}\n")
        self.assertIn("\n  never reached, by the numbers of echo-dump\n", output)
        self.assertIn("\n    #2 OpenSocket  :", output)
        self.assertNotIn("never reached", run(*arguments)[1])
        coverage = json.loads(run(*arguments, "--format", "json")[1])["coverage"]
        self.assertEqual(coverage["points"]["all"], len(coverage["nodes"]))
        self.assertEqual(coverage["points"]["reached"], sum(node["arrivals"] > 0 for node in coverage["nodes"]))
        branches = [branch for node in coverage["nodes"] for branch in node["branches"]]
        self.assertEqual(coverage["branches"]["reached"], sum(branch["passages"] > 0 for branch in branches))

    def test_too_few_runs_are_incomplete(self):
        status, output, _ = run("properties", "--faults", "all", "--runs", "1")
        self.assertEqual(status, 3, output)

    def test_progress_is_for_terminals(self):
        self.assertEqual(run("properties", "--runs", "500")[2], "")


LIMITS = "--progress-timeout", "2.007", "--max-per-address", "1"


class Limits(unittest.TestCase):
    """Programs that are made with limits."""

    def test_campaigns_judge_them_and_say_that_they_took_effect(self):
        status, output, _ = run("properties", "--faults", "all", "--runs", "1000", *LIMITS)
        self.assertEqual(status, 0, output)
        self.assertRegex(output, rf"^holds: program stream {re.escape(' '.join(LIMITS))} \([0-9a-f]+\), 1000 runs ")
        self.assertIn("\n  contracts: 22 of 22 clauses hold in every run\n", output)
        self.assertRegex(output, r"\n  sometimes an alarm ends a Send: in [1-9]\d* runs\n")
        self.assertRegex(output, r"\n  sometimes a client is refused for its address: in [1-9]\d* runs\n")
        found, planted = re.search(r"planted violations found, with all faults: (\d+) of (\d+)\n", output).groups()
        self.assertEqual(found, planted)
        output = run("properties", "--runs", "1000")[1]
        self.assertIn("21 of 22 clauses hold in every run; no limit is set for progress-limit\n", output)

    def test_a_limit_that_nobody_meets_is_told(self):
        status, output, _ = run("properties", "--runs", "500", "--max-per-address", "5")
        self.assertEqual(status, 3, output)
        self.assertIn("it never happened that a client is refused for its address", output)
        # The answer to one message has room in the buffer of a client that never reads.
        output = run("properties", "--program", "once", "--faults", "all", "--runs", "1000", *LIMITS)[1]
        self.assertIn("sometimes an alarm ends a Send: in 0 runs, since these cannot show it\n", output)

    def test_explorations_say_what_the_scope_has_of_them(self):
        status, output, _ = run("explore", "--messages", "1", *LIMITS)
        self.assertEqual(status, 0, output)
        self.assertIn("it never happens in this scope that an alarm ends a Send", output)
        self.assertIn("a client is refused for its address in some run", output)
        status, output, _ = run("explore", "--clients", "1", "--faults", "idle", "--format", "json", *LIMITS)
        self.assertEqual([limit["met"] for limit in json.loads(output)["limits"]], ["met", "never"])

    def test_a_token_needs_the_same_limits(self):
        """What two programs differ in has a token; its command has the limits that the program was made with."""
        status, output, _ = run("compare", "stream", "once", "--clients", "1", "--format", "json", *LIMITS)
        self.assertEqual(status, 1, output)
        replay = next(one for one in json.loads(output)["only"] if one)["replay"].split()[1:]
        self.assertEqual(replay[3:7], list(LIMITS))
        status, output, _ = run(*replay)
        self.assertEqual(status, 0, output)
        status, _, errors = run(*(word for word in replay if word not in LIMITS))
        self.assertEqual(status, 2, errors)

    def test_mutants_of_an_alarm_are_killed(self):
        _, output, _ = run("mutants", "--runs", "1", "--format", "json", *LIMITS)
        self.assertIn("Alarm", {one["instruction"] for one in json.loads(output)["mutants"]})

    def test_faults_are_lived_through_with_them(self):
        status, output, _ = run("faults", *LIMITS)
        self.assertEqual(status, 0, output)

    def test_they_take_effect_on_the_kernel(self):
        status, output, _ = run("properties", "--faults", "all", "--on", "epoll", "--runs", "60", *LIMITS)
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r"\n  sometimes an alarm ends a Send: in [1-9]\d* runs\n")
        self.assertRegex(output, r"\n  sometimes a client is refused for its address: in [1-9]\d* runs\n")

    def test_a_server_without_an_alarm_breaks_the_limit_that_its_trace_names(self):
        header = {"antiphon": "trace", "version": 2, "program": "stream", "interpreter": "epoll", "idle_ms": 60000,
                  "drain_ms": 5000, "max_connections": None, "at": {"host": "127.0.0.1", "port": 8888},
                  "bound": {"host": "127.0.0.1", "port": 8888}, "backlog": 4096, "at_most": 16384, "workers": 1,
                  "run": 1, "part": 0}
        until = {"wait_ms": 60000, "drain_ms": 5000}
        first = [{"do": "DiscardChildren", "answer": "ok"}, {"do": "OpenSocket", "at": header["at"], "answer": 0},
                 {"do": "Listen", "listener": 0, "backlog": 4096, "answer": header["bound"]},
                 {"do": "Accept", "listener": 0, "answer": 1},
                 {"do": "Fork", "at_most": None, "answer": {"parent": 9}, "child": 1},
                 {"do": "Close", "socket": 1, "answer": "ok"}, {"do": "Accept", "listener": 0, "pending": True}]
        session = [{"do": "Fork", "at_most": None, "answer": "child"}, {"do": "Close", "socket": 0, "answer": "ok"},
                   {"do": "Recv", "from": 1, "at_most": 16384, "until": until, "answer": {"text": "ab"}},
                   {"do": "Send", "to": 1, "bytes": {"text": "ab"}, "until": until, "answer": 2},
                   {"do": "Recv", "from": 1, "at_most": 16384, "until": until, "answer": {"text": ""}},
                   {"do": "Close", "socket": 1, "answer": "ok"}, {"end": "ok"}]
        events = [{"process": process, "event": number, **event} for process, of_it in enumerate([first, session])
                  for number, event in enumerate(of_it)]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "t.jsonl")
            for limit, expected in ({}, 0), ({"progress_ms": None}, 0), ({"progress_ms": 30000}, 1):
                with open(path, "w") as file:
                    file.writelines(json.dumps(line) + "\n" for line in [{**header, **limit}, *events])
                status, output, _ = run("trace", path)
                self.assertEqual(status, expected, output)
                self.assertEqual("violated: progress-limit: " in output, expected == 1)


class Mutants(unittest.TestCase):
    def test_what_nobody_can_tell_is_proved(self):
        status, output, errors = run("mutants", "--program", "stream", "--runs", "20")
        self.assertEqual((status, errors), (0, ""), output)
        self.assertRegex(output, r"\nholds: program stream .* mutants: \d+ killed, \d+ equivalent, 0 survived\n")
        self.assertIn("the canary (every message is sent twice) was killed", output)
        self.assertRegex(output, r"\nequivalent +- +bisimilar +\d+ +#\d+ Recv .*: asks for one byte less\n")
        self.assertRegex(output, r"\nkilled +\S+ +exhaustive +\d+ +#\d+ Listen line \d+: duplicate: ")

    def test_survivors_are_shown_and_are_no_success(self):
        status, output, errors = run("mutants", "--program", "seed", "--runs", "20")
        self.assertEqual((status, errors), (1, ""), output)
        self.assertIn("\nviolated: program seed ", output)
        self.assertRegex(output, r"\nsurvived: #\d+ Recv line \d+: off-by-one: asks for one byte less\n")
        self.assertRegex(output, r"\n\+.*at most 1023")

    def test_json(self):
        arguments = ["mutants", "--program", "seed", "--runs", "20", "--seed", "3", "--format", "json"]
        status, output, _ = run(*arguments)
        report = json.loads(output)
        self.assertEqual((status, report["verdict"], report["seed"]), (1, "violated", 3))
        self.assertEqual(report["killed"] + report["equivalent"] + len(report["survived"]), report["total"])
        self.assertEqual(len(report["mutants"]), report["total"])
        proved = [mutant["text"] for mutant in report["mutants"] if mutant.get("strategy") == "same tree"]
        self.assertEqual(proved, ["counts one byte more", "counts one byte less"])
        bisimilar = [mutant for mutant in report["mutants"] if mutant.get("strategy") == "bisimilar"]
        self.assertEqual({mutant["fate"] for mutant in bisimilar}, {"equivalent"})
        self.assertEqual(len(proved) + len(bisimilar), report["equivalent"])
        self.assertGreater(report["canary"]["found_in_run"], 0)
        for mutant in report["mutants"]:
            prefix = f"#{mutant['number']} {mutant['instruction']} line {mutant['line']}: {mutant['kind']}: "
            self.assertEqual(mutant["mutant"], prefix + mutant["text"])
            self.assertEqual(mutant["fate"] == "killed", "clause" in mutant)
            self.assertEqual(mutant["fate"] == "survived", mutant["mutant"] in report["survived"])
            self.assertEqual(mutant["fate"] == "survived", "difference" in mutant)
        self.assertEqual(run(*arguments)[1], output)


class Faults(unittest.TestCase):
    def page(self):
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        with open(os.path.join(root, "verify", "FAULTS.md")) as file:
            return file.read()

    def test_the_page_has_what_the_command_prints(self):
        for arguments in ((), ("--program", "once")):
            code, out, err = run("faults", *arguments)
            self.assertEqual((code, err), (0, ""))
            indented = "".join(f"    {line}".rstrip() + "\n" for line in out.splitlines())
            self.assertIn(indented, self.page(), "write it anew: echo-verify faults " + " ".join(arguments))

    def test_the_original_has_bad_cells(self):
        code, out, _ = run("faults", "--program", "seed")
        self.assertEqual(code, 1)
        self.assertIn("violated: Accept answers ECONNABORTED 1 times", out)
        token = re.search(r"--replay (\S+)", out).group(1)
        self.assertEqual(run("properties", "--program", "seed", "--replay", token)[0], 1)

    def test_json(self):
        code, out, _ = run("faults", "--format", "json")
        matrix = json.loads(out)
        self.assertEqual((code, matrix["verdict"], len(matrix["cells"])), (0, "holds", 300))
        self.assertEqual({cell["outcome"] for cell in matrix["cells"]}, {"served", "refused", "stopped"})

    def test_a_stage_that_there_is_not(self):
        code, out, err = run("faults", "--on", "windows")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("--on", err)


class OnTheKernel(unittest.TestCase):
    def test_our_servers_hold(self):
        for stage in "fork", "epoll":
            status, output, errors = run("properties", "--on", stage, "--faults", "all", "--runs", "15")
            self.assertEqual((status, errors), (0, ""), output)
            self.assertRegex(output, rf"^holds: program stream \(\w+\) on {stage}, 15 runs ")
            self.assertIn("\n  planted differences: found\n", output)

    def test_uring_holds_or_says_why_not(self):
        status, output, errors = run("properties", "--on", "uring", "--program", "once", "--runs", "15")
        if status == 2:
            self.assertRegex(errors, r"^echo-verify: --on: .+\n$")
        else:
            self.assertEqual((status, output.split(":")[0]), (0, "holds"))

    def test_a_token_of_the_simulator_is_replayed(self):
        _, output, _ = run("properties", "--program", "seed", "--runs", "50", "--format", "json")
        findings = json.loads(output)["findings"]
        self.assertGreater(len(findings), 5)
        for finding in findings:
            arguments = finding["replay"].split()[1:]
            report = self.performed(*arguments, "--on", "fork")
            self.assertNotIn("difference", report)
            self.assertEqual((report["verdict"], report["on"]), ("violated", "fork"))
            self.assertIn(finding["clause"], [one["clause"] for one in report["violations"]])

    def test_nothing_outlives_it(self):
        """Not even where it is killed: the server's processes are of a group of their own."""
        for stage in "fork", "epoll":
            mark = f"ANTIPHON_TEST={os.getpid()}-{stage}"
            environment = dict([mark.split("=")], **os.environ)
            command = [ECHO_VERIFY, "properties", "--on", stage, "--runs", "100000"]
            conductor = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
            try:
                eventually("the server is at work", lambda: len(processes_with(mark)) > 1)
            finally:
                conductor.kill()
                conductor.wait()
            eventually("nothing is left", lambda: not processes_with(mark))

    def performed(self, *arguments):
        """(The original has a port of its own, and another test may be using it.)"""
        for _ in range(60):
            status, output, errors = run(*arguments, "--format", "json")
            if "listens already" not in errors:
                self.assertEqual((status, errors), (1, ""))
                return json.loads(output)
            time.sleep(1)
        self.skipTest(errors)


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
            (["properties", "--replay", "x", "--on", "epoll"], "--replay", "garbled"),
            (["properties", "--on", "paper"], "--on", "paper"),
            (["properties", "--on", "epoll", "--coverage"], "--on", "--coverage"),
            (["explore", "--on", "epoll"], "--on"),
            (["properties", "--program", "seed", "--emit-test", "/dev/null"], "/dev/null", "there already"),
            (["properties", "--program", "seed", "--emit-test", "/no/such/test.cpp"], "No such file"),
            (["properties", "--program", "seed", "--emit-test", ""], "--emit-test"),
            (["trace", "x", "--emit-test", "y"], "--emit-test"),
            (["explore", "--clients", "9"], "--clients", "9"),
            (["explore", "--messages", "some"], "--messages", "some"),
            (["explore", "--messages", "any", "--capacity", "5"], "--messages", "3 bytes"),
            (["explore", "--strategy", "luck"], "--strategy", "luck"),
            (["explore", "--reduce", "half"], "--reduce", "half"),
            (["explore", "--faults", "everything"], "--faults", "everything"),
            (["explore", "--runs", "3"], "--runs", "random, pct or guided"),
            (["explore", "--strategy", "bfs", "--depth", "3"], "--depth", "random, pct or guided"),
            (["explore", "--strategy", "pct", "--depth", "11"], "--depth", "11"),
            (["explore", "--strategy", "random", "--reduce", "por"], "--reduce", "leave nothing out"),
            (["compare", "stream"], "B"),
            (["compare", "stream", "twice"], "B", "twice"),
            (["compare", "stream", "once", "seed"], "seed"),
            (["compare", "stream", "once", "--clients", "9"], "--clients", "9"),
            (["compare", "stream", "once", "--messages", "any", "--capacity", "5"], "--messages", "3 bytes"),
            (["compare", "stream", "once", "--program", "seed"], "--program"),
            (["compare", "stream", "once", "--reduce", "por"], "--reduce"),
            (["mutants", "--runs", "0"], "--runs", "0"),
            (["mutants", "--program", "echo"], "--program", "echo"),
            (["mutants", "--faults", "all"], "--faults"),
            (["properties", "--progress-timeout", "soon"], "--progress-timeout", "soon"),
            (["explore", "--max-per-address", "0"], "--max-per-address", "0"),
            (["faults", "--program", "seed", "--max-per-address", "2"], "--max-per-address", "seed"),
            (["compare", "stream", "seed", "--progress-timeout", "1"], "--progress-timeout", "seed"),
            (["probe", "127.0.0.1:1", "--progress-timeout", "1"], "--progress-timeout"),
            (["trace"], "FILE"),
            (["trace", "/no/such/file"], "/no/such/file", "No such file"),
            (["trace", "/"], "directory"),
            (["trace", "/dev/null"], "empty"),
            (["trace", "/dev/zero"], "/dev/zero:1:"),
            (["trace", "x", "--input", "json"], "--input", "json"),
            (["trace", "x", "--port", "80"], "--port", "strace and pcap"),
            (["trace", "x", "--input", "strace", "--port", "0"], "--port", "0"),
            (["trace", "x", "--input", "strace", "--program", "once"], "--program", "antiphon"),
            (["trace", "/dev/zero", "--input", "strace"], "/dev/zero:1:", "NUL"),
            (["trace", "/dev/null", "--input", "pcap"], "/dev/null: not a capture"),
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
