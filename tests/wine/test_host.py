# SPDX-License-Identifier: MIT
"""pnrnsp.dll by itself, in a process that plays ws2_32's part (test_host.c), with a Linux pnrd."""

import os

import wine
import programs


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 8, [])
        self.rendezvous = os.path.join(harness.directory, "rendezvous")
        self.daemon = harness.keep(
            programs.Daemon, os.path.join(harness.directory, "node"),
            ["--listen", "127.0.0.1:0", "--bootstrap", self.net.bootstrap,
             "--control", "tcp:" + self.rendezvous])
        self.pnr("key", "new", "own")
        self.publish(1)
        self.name = self.pnr("publications")[0]["name"]

    def pnr(self, *arguments):
        return programs.pnr(self.daemon.control, "--json", *arguments).objects()

    def publish(self, port):
        self.pnr("publish", "own.host", "--endpoint", "tcp:192.0.2.1:%d" % port, "--comment", "h\u00e9llo")

    def host(self, *arguments, rendezvous=None):
        """Runs it, and does what it asks for. Failure: a check did not hold."""
        control = {"PNR_CONTROL": "tcp:" + wine.path(rendezvous or self.rendezvous)}
        host = self.h.keep(wine.Program, wine.program("test_host"), arguments, control)
        failed = False
        line = ""
        while not line.startswith("host: "):
            line = host.read_line(self.h.deadline)
            word, _, number = line.partition(" ")
            if word == "publish":
                self.publish(int(number))
                host.write_line("ok")
            elif word == "kill":
                self.daemon.kill()
                host.write_line("ok")
            failed = failed or word == "FAIL"
        self.h.check(not failed and host.child.wait(timeout=60) == 0, "all checks held", line)

    # ---- the parts ----

    def no_daemon(self):
        self.host("absent", rendezvous=self.rendezvous + ".none")

    def all_of_it(self):
        self.host(self.name)

    def lost(self):
        self.host(self.name, "lost")


def test(harness):
    scenario = Scenario(harness)
    for part in (scenario.no_daemon, scenario.all_of_it, scenario.lost):
        part()
        harness.step(part.__name__)


if __name__ == "__main__":
    programs.run(test, 150)
