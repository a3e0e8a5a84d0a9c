#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs into a prefix of its own, and uses what came there.

    install.py CMAKE BUILD EXAMPLE CC SANITIZERS

Nothing is written outside the prefix, the unit starts the pnrd that is in it, and once the whole is
moved elsewhere the program that opens client.h builds against it by pkg-config alone.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile


def run(*command, **environment):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, env={**os.environ, **environment})
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def one(prefix, pattern):
    found = glob.glob(os.path.join(prefix, pattern), recursive=True)
    if len(found) != 1:
        sys.exit(f"{pattern}: {len(found)} of it below the prefix")
    return found[0]


def install(cmake, build, prefix):
    """What cmake says it wrote is below prefix, all of it."""
    said = run(cmake, "--install", build, "--prefix", prefix, DESTDIR="")
    written = [line.split(": ", 1)[1] for line in said.splitlines()
               if line.startswith(("-- Installing: ", "-- Up-to-date: "))]
    if len(written) < 10:
        sys.exit(f"only {len(written)} files were installed")
    for path in written:
        if not path.startswith(prefix + "/"):
            sys.exit(f"{path} lies outside {prefix}")


def check_unit(prefix):
    with open(one(prefix, "**/pnrd.service"), encoding="utf-8") as file:
        starts = [line.strip() for line in file if line.startswith("ExecStart=")]
    if starts != [f"ExecStart={one(prefix, '**/bin/pnrd')}"]:
        sys.exit(f"pnrd.service: {starts} does not start the pnrd below {prefix}")


def build_example(prefix, example, compiler, sanitizers):
    folder = os.path.dirname(one(prefix, "**/libpnr.pc"))
    flags = run("pkg-config", "--cflags", "--libs", "libpnr", PKG_CONFIG_PATH=folder).split()
    library = one(prefix, "**/libpnr.so")
    sanitize = [f"-fsanitize={sanitizers}"] if sanitizers else []
    program = os.path.join(prefix, "example")
    run(compiler, *sanitize, "-Wall", "-Werror", "-o", program, example, *flags)
    static = [flag for flag in flags if flag.startswith("-I")]
    run(compiler, *sanitize, "-Wall", "-Werror", "-o", program + "-static", example, *static,
        one(prefix, "**/libpnr.a"))
    return program, library


def check_libraries(prefix, program, library):
    """Every library that is needed is found, and libpnr is the one below prefix."""
    path = {"LD_LIBRARY_PATH": os.path.dirname(library)}
    for name in (program, program + "-static", library, one(prefix, "**/bin/pnr"),
                 one(prefix, "**/bin/pnrd")):
        needs = run("ldd", name, **path)
        if "not found" in needs:
            sys.exit(f"{name} lacks a library:\n{needs}")
    if prefix not in run("ldd", program, **path):
        sys.exit(f"{program} uses another libpnr than that below {prefix}")


def main():
    cmake, build, example, compiler, sanitizers = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        first = os.path.join(folder, "first")
        moved = os.path.join(folder, "moved")
        install(cmake, build, first)
        check_unit(first)
        shutil.move(first, moved)
        program, library = build_example(moved, example, compiler, sanitizers)
        check_libraries(moved, program, library)
        for name in ("pnr", "pnrd"):
            run(one(moved, f"**/bin/{name}"), "--version")


if __name__ == "__main__":
    main()
