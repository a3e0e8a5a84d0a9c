# SPDX-License-Identifier: MIT
"""The pnrd.exe and pnr.exe of a build."""

import json
import os
import shutil

import wine
import programs
import test_watch


def built(name):
    """A program of the build, as node/ makes it."""
    return os.path.join(os.path.dirname(os.environ["PNR_WINE_FOLDER"]), "bin", name + ".exe")


def unix_path(windows_path):
    """The same file as this machine names it."""
    drive, rest = windows_path.replace("\\", "/").split(":", 1)
    if drive.upper() == "Z":
        return rest
    return os.path.join(wine.environment()["WINEPREFIX"], "dosdevices", drive.lower() + ":") + rest


def data_folder():
    """%ProgramData%\\pnr, where the daemon has what it keeps and clients find it, if they were told nothing."""
    return os.path.join(wine.environment()["WINEPREFIX"], "drive_c", "ProgramData", "pnr")


def forget():
    """Removes what a daemon has kept there."""
    shutil.rmtree(data_folder(), ignore_errors=True)


class _Pnrd(wine.Program):
    """A pnrd.exe; what it logs is among its lines."""

    def __init__(self, name, options, directory):
        # The shell turns into what it runs.
        words = ["-c", 'exec "$@" 2>&1', "sh"] + wine.command("wine", built("pnrd"), *options)
        programs.Process.__init__(
            self, name, ["sh", *words], directory, wine.environment(), wine.keep_addresses
        )

    def await_line(self, part, deadline):
        line = ""
        while part not in line:
            line = self.read_line(deadline)
        return line

    def kill(self):
        self.child.kill()
        self.child.wait()


class Daemon(_Pnrd):
    """Returns once it is ready.

    folder: where it keeps its state and is found. None: where it is found by who was told nothing.
    """

    def __init__(self, folder, options, directory, deadline):
        places = []
        self.control = None
        if folder is not None:
            os.makedirs(folder, exist_ok=True)
            self.control = "tcp:" + wine.path(os.path.join(folder, "rendezvous"))
            places = ["--state", wine.path(os.path.join(folder, "state")), "--control", self.control]
        super().__init__("pnrd.exe", [*places, *options], directory)
        self.await_line(" ready version=", deadline)


class Testnet(_Pnrd):
    """A DHT of nodes in one pnrd.exe: programs.Testnet, with the rendezvous file in the place of the socket."""

    def __init__(self, nodes, options, directory, deadline):
        super().__init__("testnet.exe", ["--testnet", str(nodes), *options], directory)
        words = self.await_line("ready bootstrap=", deadline).split()
        fields = dict(word.split("=", 1) for word in words[1:])
        self.bootstrap = fields["bootstrap"]
        self.control = "tcp:" + unix_path(fields["control"].removeprefix("tcp:"))

    tell = programs.Testnet.tell

    def stop(self):
        self.end()


class Watcher(wine.Program):
    """A `pnr.exe watch`; its events are those of the Linux one."""

    def __init__(self, control, name, directory, deadline):
        super().__init__(built("pnr"), ["--control", control, "--json", "watch", name], {}, directory, deadline)

    next = test_watch.Watcher.next


def pnr(control, *arguments):
    """Runs pnr.exe and returns the JSON objects that it said."""
    where = [] if control is None else ["--control", control]
    said = wine.run(built("pnr"), *where, "--json", *arguments)
    return [json.loads(line) for line in said.split("\n") if line.startswith("{")]
