#!/usr/bin/env python3
"""What README.md shows of the programs' output is what they print."""

import os
import pathlib
import subprocess
import unittest

APPS = pathlib.Path(os.environ["ANTIPHON_APPS_DIR"])
README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
PROMPT = "    $ build/release/apps/"


def sessions():
    """The commands that README.md runs, each with the lines that it shows of the output."""
    shown = None
    for line in README.read_text().splitlines():
        if line.startswith(PROMPT):
            shown = []
            yield line.removeprefix(PROMPT).split(), shown
        elif not line.startswith("    "):
            shown = None
        elif shown is not None:
            shown.append(line[4:])


class Readme(unittest.TestCase):
    def test_sessions(self):
        # What needs a server at work is tested with the server.
        def serves(command):
            return command[0] == "echo-server" and "report" not in command

        checked = [one for one in sessions() if "t.jsonl" not in one[0] and not serves(one[0])]
        self.assertEqual(len(checked), 6)
        for (program, *arguments), shown in checked:
            with self.subTest(program=program, arguments=arguments):
                result = subprocess.run([APPS / program, *arguments], capture_output=True, text=True, timeout=300)
                printed = [line.rstrip() for line in result.stdout.splitlines()]
                for line in shown:
                    if line.strip() != "\u2026":
                        self.assertIn(line.rstrip(), printed)


if __name__ == "__main__":
    unittest.main()
