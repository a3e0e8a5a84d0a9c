# SPDX-License-Identifier: MIT
"""libpnr on Windows, static and as a DLL, with a Linux pnrd on loopback TCP: node/control's transport_windows.c."""

import os
import socket

import wine
import programs

UNREACHABLE, NOT_FOUND, REFUSED = 5, 3, 6


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 8, [])
        self.rendezvous = os.path.join(harness.directory, "rendezvous")
        self.daemon = programs.start(harness, self.net, "node", "--control", "tcp:" + self.rendezvous)
        self.pnr("key", "new", "own")
        self.name = self.publish("192.0.2.1")

    def pnr(self, *arguments):
        return programs.pnr(self.daemon.control, "--json", *arguments).objects()

    def publish(self, address):
        self.pnr("publish", "own.wine", "--endpoint", "tcp:%s:443" % address)
        return self.pnr("publications")[0]["name"]

    def client(self, verb, *arguments, rendezvous=None, code=0, program="client"):
        address = "tcp:" + wine.path(rendezvous or self.rendezvous)
        said = wine.run(wine.program(program), verb, address, *arguments, code=code)
        return said.strip().split("\n")

    def check_says(self, lines, *wanted):
        self.h.check(lines == list(wanted), "it says", lines, wanted)

    # ---- the parts ----

    def greets(self):
        for program in ("client", "client_dll"):
            for place, access in ((self.rendezvous, "control"), (self.rendezvous + ".resolve", "resolve")):
                lines = self.client("status", rendezvous=place, program=program)
                self.h.check(lines[0].split()[2] == access, "access", lines)

    def resolves(self):
        self.check_says(self.client("resolve", self.name), "result %s 192.0.2.1:443" % self.name, "done")
        absent = self.client("resolve", "0" * 40 + ".absent", code=NOT_FOUND)
        self.h.check(absent[0].startswith("error %d" % NOT_FOUND), "an absent name", absent)
        self.check_says(self.client("many", self.name), "many 100 100")

    def watches(self):
        address = "tcp:" + wine.path(self.rendezvous)
        watcher = self.h.keep(wine.Program, wine.program("client"), ["watch", address, self.name], {})
        self.await_line(watcher, "added %s 192.0.2.1:443" % self.name)
        self.publish("192.0.2.2")
        self.await_line(watcher, "changed %s 192.0.2.2:443" % self.name)
        self.pnr("unpublish", "own.wine")
        self.await_line(watcher, "gone %s" % self.name)
        watcher.child.stdin.close()
        self.h.check(watcher.child.wait(timeout=30) == 0, "it ends with its input")

    def await_line(self, watcher, wanted):
        """The next line that is not of progress begins so."""
        line = "progress"
        while line == "progress":
            line = watcher.read_line(self.h.deadline)
        self.h.check(line.startswith(wanted), "it says", line, wanted)

    def nobody_there(self):
        """No file; a file that a crash left; one whose secret is another; no rendezvous file at all."""
        self.client("status", rendezvous=self.rendezvous + ".none", code=UNREACHABLE)
        with open(self.rendezvous, encoding="ascii") as file:
            text = file.read()
        with socket.socket() as taken:
            # A port that is bound and not listened on refuses.
            taken.bind(("127.0.0.1", 0))
            stale = self.copy("stale", text, "port", str(taken.getsockname()[1]))
            self.client("status", rendezvous=stale, code=UNREACHABLE)
        self.client("status", rendezvous=self.copy("other", text, "secret", "ab" * 32), code=REFUSED)

    def copy(self, name, text, word, value):
        path = os.path.join(self.h.directory, name)
        lines = [word + " " + value if line.startswith(word + " ") else line for line in text.splitlines()]
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        return path

    def dies(self):
        """Its connection ends while it watches."""
        address = "tcp:" + wine.path(self.rendezvous)
        self.name = self.publish("192.0.2.3")
        watcher = self.h.keep(wine.Program, wine.program("client"), ["watch", address, self.name], {})
        self.await_line(watcher, "added %s 192.0.2.3:443" % self.name)
        self.daemon.kill()
        self.await_line(watcher, "error %d" % UNREACHABLE)


def test(harness):
    scenario = Scenario(harness)
    for part in (scenario.greets, scenario.resolves, scenario.watches, scenario.nobody_there, scenario.dies):
        part()
        harness.step(part.__name__)


if __name__ == "__main__":
    programs.run(test, 120)
