#!/usr/bin/env python3
"""Runs echo-dump and checks what a caller sees: output, exit status, one line for each mistake."""

import json
import os
import re
import subprocess

ECHO_DUMP = os.path.join(os.environ["ANTIPHON_APPS_DIR"], "echo-dump")


def run(*arguments):
    done = subprocess.run([ECHO_DUMP, *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def check_output():
    status, tree, errors = run()
    assert (status, errors) == (0, ""), (status, errors)
    assert tree.startswith("#1 DiscardChildren"), tree
    assert run("--program", "stream", "--format", "tree")[1] == tree
    for program in ("stream", "once", "seed"):
        for kind, start in (("tree", "#1 "), ("dot", "digraph "), ("mermaid", "flowchart "), ("json", "{")):
            status, text, errors = run("--program", program, "--format", kind)
            assert (status, errors) == (0, ""), (program, kind, status, errors)
            assert text.startswith(start) and text.endswith("\n"), (program, kind, text)
            assert run("--program", program, "--format", kind)[1] == text, (program, kind)
            if kind == "json":
                json.loads(text)


def check_identity():
    identities = [run("--program", program, "--identity")[1] for program in ("stream", "once", "seed")]
    for identity in identities:
        assert re.fullmatch("[0-9a-f]{32}\n", identity), identity
    assert len(set(identities)) == 3, identities


def check_mistakes():
    for arguments, word in [
        (["--format", "svg"], "--format"),
        (["--program", "echo"], "--program"),
        (["--program"], "--program"),
        (["--program", ""], "--program"),
        (["--identity", "--format", "dot"], "--identity"),
        (["--no-such"], "--no-such"),
        (["seed"], "seed"),
        (["line\nbreak"], "line break"),
    ]:
        status, output, errors = run(*arguments)
        assert (status, output) == (2, ""), (arguments, status, output)
        assert errors.count("\n") == 1 and word in errors and errors.startswith("echo-dump: "), (arguments, errors)


def check_help():
    for flag in ("-h", "--help"):
        status, text, errors = run(flag)
        assert (status, errors) == (0, ""), (status, errors)
        for part in ("USAGE", "OPTIONS", "EXIT STATUS", "EXAMPLES", "--program", "--format", "--identity"):
            assert part in text, part
    assert re.fullmatch(r"echo-dump \d+\.\d+\.\d+\n", run("--version")[1])


def check_full_disk():
    if not os.path.exists("/dev/full"):
        return
    with open("/dev/full", "w") as full:
        done = subprocess.run([ECHO_DUMP, "--program", "seed"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and "standard output" in done.stderr, done


check_output()
check_identity()
check_mistakes()
check_help()
check_full_disk()
