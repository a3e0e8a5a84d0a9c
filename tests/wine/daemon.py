# SPDX-License-Identifier: MIT
"""The pnrd.exe and pnr.exe of a build."""

import json
import os
import shutil

import wine
import programs


def built(name):
    """A program of the build, as node/ makes it."""
    return os.path.join(os.path.dirname(os.environ["PNR_WINE_FOLDER"]), "bin", name + ".exe")


def data_folder():
    """%ProgramData%\\pnr, where the daemon has what it keeps and clients find it, if they were told nothing."""
    return os.path.join(wine.environment()["WINEPREFIX"], "drive_c", "ProgramData", "pnr")


def forget():
    """Removes what a daemon has kept there."""
    shutil.rmtree(data_folder(), ignore_errors=True)


class Daemon(wine.Program):
    """A pnrd.exe. Returns once it is ready; what it logs is its lines.

    folder: where it keeps its state and is found. None: where it is found by who was told nothing.
    """

    def __init__(self, folder, options, directory, deadline):
        places = []
        self.control = None
        if folder is not None:
            os.makedirs(folder, exist_ok=True)
            self.control = "tcp:" + wine.path(os.path.join(folder, "rendezvous"))
            places = ["--state", wine.path(os.path.join(folder, "state")), "--control", self.control]
        # The shell turns into what it runs.
        words = ["-c", 'exec "$@" 2>&1', "sh"] + wine.command("wine", built("pnrd"), *places, *options)
        programs.Process.__init__(self, "pnrd.exe", ["sh", *words], directory, wine.environment())
        self.await_line(" ready version=", deadline)

    def await_line(self, part, deadline):
        line = ""
        while part not in line:
            line = self.read_line(deadline)
        return line

    def kill(self):
        self.child.kill()
        self.child.wait()


def pnr(control, *arguments):
    """Runs pnr.exe and returns the JSON objects that it said."""
    where = [] if control is None else ["--control", control]
    said = wine.run(built("pnr"), *where, "--json", *arguments)
    return [json.loads(line) for line in said.split("\n") if line.startswith("{")]
