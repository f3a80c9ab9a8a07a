#!/usr/bin/env python3
"""How the programs are built: what readelf says of them. SECURITY.md tells what each of these is good for."""

import sys

sys.dont_write_bytecode = True

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from serving import is_sanitized

APPS = os.environ["ANTIPHON_APPS_DIR"]
PROGRAMS = ["echo-server", "echo-verify", "echo-dump"]


def readelf(path, option):
    command = ["readelf", "--wide", option, path]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def segments(path, kind):
    """The flags of the segments of a kind: `RW`, `R E`."""
    lines = re.findall(rf"^ +{kind} +(.*)$", readelf(path, "--segments"), re.MULTILINE)
    return [re.sub(r"0x[0-9a-f]+", "", line).strip() for line in lines]


def symbols(path):
    """What it takes from shared libraries, without versions."""
    return set(re.findall(r"UND (\w+)", readelf(path, "--dyn-syms")))


def is_position_independent(path):
    return re.search(r"FLAGS_1\).*\bPIE\b", readelf(path, "--dynamic"))


def is_bound_at_start(path):
    return re.search(r"FLAGS_1\).*\bNOW\b", readelf(path, "--dynamic"))


def is_read_only_after_start(path):
    return segments(path, "GNU_RELRO")


def has_no_code_on_its_stack(path):
    stacks = segments(path, "GNU_STACK")
    return stacks and all("E" not in flags for flags in stacks)


def guards_its_stack(path):
    return "__stack_chk_fail" in symbols(path)


def checks_the_sizes_of_buffers(path):
    """Calls of the C library that know how large their buffer is. (The sanitizers look at each access themselves.)"""
    return is_sanitized(path) or any(re.fullmatch(r"__\w+_chk", name) for name in symbols(path))


CHECKS = [
    is_position_independent,
    is_bound_at_start,
    is_read_only_after_start,
    has_no_code_on_its_stack,
    guards_its_stack,
    checks_the_sizes_of_buffers,
]

SOFT = """
#include <cstring>
int main(int count, char** values) {
  char copy[64];
  std::strncpy(copy, values[0], sizeof(copy) - 1);
  return copy[count];
}
"""
SOFTLY = "-O1 -no-pie -fno-stack-protector -U_FORTIFY_SOURCE -Wl,-z,norelro,-z,lazy,-z,execstack".split()


class Hardening(unittest.TestCase):
    def test_programs(self):
        for program in PROGRAMS:
            for check in CHECKS:
                with self.subTest(program=program, check=check.__name__):
                    self.assertTrue(check(os.path.join(APPS, program)))

    def test_each_check_finds_a_program_without(self):
        compiler = shutil.which("g++") or shutil.which("c++")
        with tempfile.TemporaryDirectory() as folder:
            soft = os.path.join(folder, "soft")
            subprocess.run([compiler, *SOFTLY, "-x", "c++", "-", "-o", soft], input=SOFT, text=True, check=True)
            for check in CHECKS:
                with self.subTest(check=check.__name__):
                    self.assertFalse(check(soft))


if __name__ == "__main__":
    unittest.main()
