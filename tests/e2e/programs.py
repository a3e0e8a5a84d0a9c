# SPDX-License-Identifier: MIT
"""The programs under test: pnrd, testnets of it, and pnr. Binaries are in PNR_BIN's folders.

Import this first: it finds what the interop tests share with these (processes, KRPC, keys).
"""

import json
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(HERE), "interop"))

from harness import Failure, Harness, Missing, Process, run  # noqa: E402 F401
from ours import program  # noqa: E402 F401


class Daemon(Process):
    """A pnrd in a folder of its own: DIR/state, DIR/control.sock, its log in log_path."""

    def __init__(self, folder, options, directory, deadline, environment=None, preexec=None):
        self.folder = folder
        self.state = os.path.join(folder, "state")
        self.control = os.path.join(folder, "control.sock")
        os.makedirs(folder, exist_ok=True)
        command = [program("pnrd"), "--state", self.state, "--control", self.control, *options]
        super().__init__("pnrd", command, directory)


class Testnet(Process):
    """A DHT of nodes in one process. stop() and start() are answered when they are done."""

    def __init__(self, nodes, options, directory, deadline):
        super().__init__("testnet", [program("pnrd"), "--testnet", str(nodes), *options], directory)
        ready = self.read_line(deadline).split()
        if ready[:1] != ["ready"]:
            raise Failure("the testnet is not ready: " + " ".join(ready))
        fields = dict(word.split("=", 1) for word in ready[1:])
        self.bootstrap = fields["bootstrap"]
        self.control = fields["control"].removeprefix("unix:")

    def tell(self, verb, nodes, deadline):
        self.write_line(" ".join([verb, *map(str, nodes)]))
        answer = self.read_line(deadline)
        past = {"stop": "stopped", "start": "started"}[verb]
        if answer != "%s %d" % (past, len(nodes)):
            raise Failure("%s was answered by %s" % (verb, answer))

    def check_ends_cleanly(self):
        check_ends_cleanly(self)


def check_ends_cleanly(process, code=0, by=signal.SIGTERM):
    """Ends a process by a signal. Failure: it does not end, or not well (a leak, say)."""
    process.child.send_signal(by)
    try:
        ended = process.child.wait(timeout=30)
    except subprocess.TimeoutExpired:
        raise Failure("%s does not end when told to" % process.name) from None
    if ended != code:
        raise Failure("%s ended with code %d, not %d" % (process.name, ended, code))
