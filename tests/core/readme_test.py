#!/usr/bin/env python3
"""The C++ example of README.md is the one that tests/core/readme_test.cpp compiles and runs."""

import pathlib
import sys

root = pathlib.Path(__file__).resolve().parents[2]
source = (root / "tests/core/readme_test.cpp").read_text()
example = source.split("// README begins\n")[1].split("// README ends\n")[0]
page = (root / "README.md").read_text()
if example not in page:
    for line in example.splitlines():
        if line not in page:
            sys.exit(f"README.md lacks this line of the example: {line}")
    sys.exit("README.md has the example's lines in another order")
print("README.md shows the example as it is tested")
