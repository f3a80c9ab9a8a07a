#!/usr/bin/env python3
"""Runs echo-dump and checks what a caller sees: output, exit status, one line for each mistake."""

import json
import os
import re
import subprocess
import tempfile

ECHO_DUMP = os.path.join(os.environ["ANTIPHON_APPS_DIR"], "echo-dump")
ECHO_VERIFY = os.path.join(os.environ["ANTIPHON_APPS_DIR"], "echo-verify")


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
        (["--identity", "--coverage", "runs.json"], "--identity"),
        (["--coverage"], "--coverage"),
        (["--no-such"], "--no-such"),
        (["seed"], "seed"),
        (["line\nbreak"], "line break"),
    ]:
        status, output, errors = run(*arguments)
        assert (status, output) == (2, ""), (arguments, status, output)
        assert errors.count("\n") == 1 and word in errors and errors.startswith("echo-dump: "), (arguments, errors)


def verified(program):
    command = [ECHO_VERIFY, "properties", "--program", program, "--runs", "50", "--format", "json"]
    return subprocess.run(command, capture_output=True, text=True).stdout


def written(folder, content):
    file = os.path.join(folder, "runs.json")
    with open(file, "w") as opened:
        opened.write(content)
    return file


def check_coverage():
    with tempfile.TemporaryDirectory() as folder:
        for program in "stream", "once", "seed":
            report = verified(program)
            nodes = json.loads(report)["coverage"]["nodes"]
            arguments = "--program", program, "--coverage", written(folder, report)
            status, tree, errors = run(*arguments)
            assert (status, errors) == (0, ""), (status, errors)
            for number, node in enumerate(nodes, 1):
                mark = f"×{node['arrivals']}" if node["arrivals"] else "never reached"
                line = rf"^[│ ]*#{number} {node['instruction']}\b.*  :{node['line']}.*  {mark}$"
                assert re.search(line, tree, re.MULTILINE), (line, tree)
            branches = [branch for node in nodes if node["arrivals"] for branch in node["branches"]]
            assert tree.count("  (never taken)\n") == sum(branch["passages"] == 0 for branch in branches), tree
            assert re.sub(r"  (×\d+|never reached|\(never taken\))$", "", tree, flags=re.MULTILINE) == run(
                "--program", program)[1]
            status, dot, errors = run(*arguments, "--format", "dot")
            assert (status, errors) == (0, ""), (status, errors)
            branches = [branch for node in nodes for branch in node["branches"]]
            arrows = [line for line in dot.splitlines() if " -> " in line]
            assert sum("  ×" in line for line in arrows) == sum(branch["passages"] > 0 for branch in branches), dot
            frames = [line for line in dot.splitlines() if "shape=box" in line]
            assert sum("dashed" in line and "grey" in line for line in frames) == sum(
                node["arrivals"] == 0 for node in nodes), dot


def refused_coverage(file, *words, arguments=()):
    status, output, errors = run("--coverage", file, *arguments)
    assert (status, output) == (2, ""), (file, status, output)
    assert errors.count("\n") == 1 and errors.startswith("echo-dump: --coverage: "), errors
    for word in words:
        assert word in errors, (word, errors)


def changed(report, change):
    copy = json.loads(report)
    change(copy)
    return json.dumps(copy)


def check_bad_coverage():
    report = verified("stream")
    identity = json.loads(report)["identity"]
    with tempfile.TemporaryDirectory() as folder:
        refused_coverage(os.path.join(folder, "none.json"), "none.json", "No such file")
        refused_coverage(os.path.join(folder, "two\nlines"), "two lines")
        refused_coverage("", "No such file")
        refused_coverage(folder, folder, "directory")
        for content, word in [
            ("", "not JSON from byte 1 "),
            (report[:1000], "not JSON from byte 1001 "),
            (report + "}", "not JSON from byte "),
            ("\0", "not JSON"),
            ("1e999", "beyond all bounds"),
            ("[" * 100_000, "not JSON"),
            ("[" * 100_000 + "]" * 100_000, "no coverage"),
            ("{}", "no coverage"),
            ("null", "no coverage"),
            ("[1]", "no coverage"),
            ('{"coverage": []}', "no coverage"),
            ('{"coverage": {}}', "'program'"),
            (verified("seed"), "of program 'seed', not 'stream'"),
        ]:
            refused_coverage(written(folder, content), "runs.json': ", word)

        def refused(change, *words):
            refused_coverage(written(folder, changed(report, change)), *words)

        def first(copy):
            return copy["coverage"]["nodes"][0]

        count = len(json.loads(report)["coverage"]["nodes"])
        refused(lambda copy: copy.pop("coverage"), "no coverage")
        refused(lambda copy: copy.update(program=7), "'program'")
        refused(lambda copy: copy.update(program="a\nb"), "'a?b'", "'stream'")
        refused(lambda copy: copy.update(program="a" * 5000), "aaa...")
        refused(lambda copy: copy.pop("identity"), "'identity'")
        refused(lambda copy: copy.update(identity="0" * 32), "0" * 32, identity)
        refused(lambda copy: copy["coverage"].pop("nodes"), "coverage.nodes is no list")
        refused(lambda copy: copy["coverage"]["nodes"].pop(),
                f"coverage.nodes has {count - 1}, and the program {count}")
        refused(lambda copy: copy["coverage"]["nodes"].append({}), f"coverage.nodes has {count + 1}, ")
        refused(lambda copy: first(copy)["branches"].pop(), "coverage.nodes[0].branches has 1, and the program 2")
        refused(lambda copy: first(copy).update(branches={}), "coverage.nodes[0].branches is no list")
        refused(lambda copy: first(copy).update(branches=[1, 2]), "coverage.nodes[0].branches[0].passages is not a ")
        refused(lambda copy: copy["coverage"].update(nodes=[None] * count), "coverage.nodes[0].arrivals is not a ")
        for odd in (-1, 1.5, 1.0, 2**64, "1", None, True, [], {}):
            refused(lambda copy, odd=odd: first(copy).update(arrivals=odd), "coverage.nodes[0].arrivals is not a ")
            refused(lambda copy, odd=odd: first(copy)["branches"][1].update(passages=odd),
                    "coverage.nodes[0].branches[1].passages is not a ")
        file = written(folder, changed(report, lambda copy: first(copy).update(arrivals=2**64 - 1)))
        assert f"×{2**64 - 1}\n" in run("--coverage", file)[1]
        for notation in "mermaid", "json":
            refused_coverage(file, f"'{notation}'", arguments=["--format", notation])


def check_help():
    for flag in ("-h", "--help"):
        status, text, errors = run(flag)
        assert (status, errors) == (0, ""), (status, errors)
        for part in ("USAGE", "OPTIONS", "EXIT STATUS", "EXAMPLES", "--program", "--format", "--identity",
                     "--coverage"):
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
check_coverage()
check_bad_coverage()
check_help()
check_full_disk()
