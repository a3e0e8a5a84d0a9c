# SPDX-License-Identifier: MIT
"""pnrd.exe and pnr.exe in one DHT with Linux nodes: each publishes, resolves and watches the other's names, a killed
one has lost nothing, and a testnet is run and told to stop and start nodes."""

import json
import os

import daemon
import wine
import programs


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 8, [])
        self.linux = harness.keep(
            programs.Daemon, os.path.join(harness.directory, "linux"),
            ["--listen", "127.0.0.1:0", "--bootstrap", self.net.bootstrap])
        self.start()

    def start(self):
        self.windows = self.h.keep(
            daemon.Daemon, os.path.join(self.h.directory, "windows"),
            ["--listen", "127.0.0.1:0", "--bootstrap", self.net.bootstrap])

    def on_windows(self, *arguments):
        return daemon.pnr(self.windows.control, *arguments)

    def on_linux(self, *arguments):
        return programs.pnr(self.linux.control, "--json", *arguments).objects()

    def check_resolves(self, resolve, name, address):
        found = [one for one in resolve("resolve", name) if one["type"] == "result"]
        self.h.check(address in json.dumps(found), "it resolves", name, found)

    # ---- the parts ----

    def from_windows(self):
        self.on_windows("key", "new", "win")
        self.on_windows("publish", "win.web", "--endpoint", "tcp:192.0.2.1:443")
        self.name = self.on_windows("publications")[0]["name"]
        self.check_resolves(self.on_linux, self.name, "192.0.2.1")
        self.check_resolves(self.on_windows, self.name, "192.0.2.1")

    def from_linux(self):
        self.on_linux("key", "new", "lin")
        self.on_linux("publish", "lin.web", "--endpoint", "tcp:192.0.2.2:443")
        name = self.on_linux("publications")[0]["name"]
        self.check_resolves(self.on_windows, name, "192.0.2.2")
        self.on_linux("publish", "0.hello", "--endpoint", "udp:192.0.2.3:53")
        self.check_resolves(self.on_windows, "0.hello", "192.0.2.3")

    def is_killed(self):
        self.windows.kill()
        self.start()
        kept = self.on_windows("publications")
        self.h.check([one["name"] for one in kept] == [self.name], "its publication is kept", kept)
        self.on_windows("publish", "win.web", "--endpoint", "tcp:192.0.2.4:443")
        self.check_resolves(self.on_linux, self.name, "192.0.2.4")

    def runs_a_testnet(self):
        net = self.h.keep(wine.Program, daemon.built("pnrd"), ["--testnet", "8"], {})
        ready = net.read_line(self.h.deadline)
        self.h.check(ready.startswith("ready bootstrap=127.0.0.1:"), "the testnet is ready", ready)
        for verb, answer in (("stop 1 2", "stopped 2"), ("start 2", "started 1")):
            net.write_line(verb)
            said = net.read_line(self.h.deadline)
            self.h.check(said == answer, verb, said)


def test(harness):
    scenario = Scenario(harness)
    for part in (scenario.from_windows, scenario.from_linux, scenario.is_killed, scenario.runs_a_testnet):
        part()
        harness.step(part.__name__)


if __name__ == "__main__":
    programs.run(test, 120)
