#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The house's style, as far as a program can see it: style.py SOURCE_DIR

Layout by clang-format (where it is not installed that part is left out, and said so), the licence on the
first lines, files of at most 600 lines and functions of at most 70 outside tests/, no sleeping tests.
"""
import pathlib
import re
import shutil
import subprocess
import sys

FOLDERS = ["include", "dht", "node", "nsp", "simnet", "tests", "bench"]
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70


def sources(root, patterns):
    for folder in FOLDERS:
        for pattern in patterns:
            for path in sorted((root / folder).glob(f"**/{pattern}")):
                # What npm has installed for tests/interop is other people's.
                if "node_modules" not in path.parts:
                    yield path


def function_faults(path, lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        if line == "}" and start is not None:
            if number - start + 1 > FUNCTION_LINES_MAX:
                yield f"{path}:{start}: a function of {number - start + 1} lines"
            start = None


def file_faults(root, path):
    lines = path.read_text().splitlines()
    is_test = path.relative_to(root).parts[0] == "tests"
    if not any("SPDX-License-Identifier: MIT" in line for line in lines[:2]):
        yield f"{path}:1: no SPDX line"
    if path.suffix in (".c", ".h") and not is_test:
        if len(lines) > FILE_LINES_MAX:
            yield f"{path}: {len(lines)} lines"
        yield from function_faults(path, lines)
    if path.suffix == ".c" and is_test:
        for number, line in enumerate(lines, 1):
            if re.search(r"\b(sleep|usleep|nanosleep)\(", line):
                yield f"{path}:{number}: a test that sleeps"


def layout_faults(root):
    program = shutil.which("clang-format") or shutil.which("clang-format-14")
    if program is None:
        print("clang-format is not installed: layout was not looked at")
        return []
    paths = list(sources(root, ["*.[ch]"]))
    run = subprocess.run(
        [program, "--dry-run", "--ferror-limit=1", *paths], capture_output=True, text=True
    )
    return [line for line in run.stderr.splitlines() if "clang-format-violations" in line]


def main():
    root = pathlib.Path(sys.argv[1])
    faults = []
    for path in sources(root, ["*.[ch]", "*.py", "*.sh"]):
        faults += file_faults(root, path)
    faults += layout_faults(root)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
