# SPDX-License-Identifier: MIT
"""pnrd.exe and pnr.exe in one DHT with Linux nodes: each publishes, resolves and watches the other's names, those of
nobody too; one record is told alike by both; who is killed has lost nothing; and a testnet does as its input says."""

import os

import daemon
import programs
import test_watch
import wine

CHANGES = ("endpoints", "seq", "publisher", "machine", "mark", "ttl_s")


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 8, [])
        self.linux = programs.start(harness, self.net, "linux")
        self.start(self.net)

    def start(self, net):
        self.windows = self.h.keep(daemon.Daemon, os.path.join(self.h.directory, "windows"),
                                   programs.joining(net))

    # ---- either side ----

    def on_windows(self, *arguments):
        return daemon.pnr(self.windows.control, *arguments)

    def on_linux(self, *arguments):
        return programs.pnr(self.linux.control, "--json", *arguments).objects()

    def watch_on_windows(self, name):
        return self.h.keep(daemon.Watcher, self.windows.control, name)

    def watch_on_linux(self, name):
        command = [programs.program("pnr"), "--control", self.linux.control, "--json", "watch", name]
        return self.h.keep(test_watch.Watcher, command)

    def results(self, resolve, name):
        return [one for one in resolve("resolve", name) if one["type"] == "result"]

    def check_ports(self, resolve, name, *wanted):
        """Resolves a name to these ports, of as many publishers. Returns the results."""
        found = self.results(resolve, name)
        ports = sorted(end["port"] for one in found for end in one["endpoints"])
        self.h.check(ports == sorted(wanted), "it resolves", name, found)
        return found

    def check_told(self, watcher, *events):
        for event in events:
            told = watcher.next(self.h.deadline)
            self.h.check(told == event, "%s is told" % watcher.name, told, event)

    def publish(self, side, label, port):
        side("publish", label + ".web", "--endpoint", "tcp:192.0.2.1:%d" % port)

    def make_name(self, side, label):
        side("key", "new", label)
        self.publish(side, label, 1)
        return side("publications")[0]["name"]

    # ---- the parts ----

    def secured(self):
        """Each side's name is resolved by both, and the record is the same."""
        self.of_windows = self.make_name(self.on_windows, "win")
        self.of_linux = self.make_name(self.on_linux, "lin")
        for name in (self.of_windows, self.of_linux):
            told = [self.check_ports(side, name, 1)[0] for side in (self.on_linux, self.on_windows)]
            kept = [[one[field] for field in CHANGES] for one in told]
            self.h.check(kept[0] == kept[1], "both tell the same record", *kept)

    def watched(self):
        for publisher, label, name, watch in (
                (self.on_linux, "lin", self.of_linux, self.watch_on_windows),
                (self.on_windows, "win", self.of_windows, self.watch_on_linux)):
            watcher = watch(name)
            self.check_told(watcher, "added 1", "watching")
            self.publish(publisher, label, 2)
            self.check_told(watcher, "changed 2")
            publisher("unpublish", label + ".web")
            self.check_told(watcher, "gone")
            self.publish(publisher, label, 3)
            self.check_told(watcher, "added 3")
            watcher.end()

    def unsecured(self):
        """A name of nobody's, which either side publishes: both find both, and hear of both."""
        name = "0.Drucker-\u5370\u5237\u6a5f"
        watchers = [self.watch_on_windows(name), self.watch_on_linux(name)]
        for watcher in watchers:
            self.check_told(watcher, "watching")
        self.on_linux("publish", name, "--endpoint", "udp:192.0.2.2:53")
        for watcher in watchers:
            self.check_told(watcher, "added 53")
        self.on_windows("publish", name, "--endpoint", "udp:192.0.2.3:54")
        for watcher in watchers:
            self.check_told(watcher, "added 54")
            watcher.end()
        for side in (self.on_linux, self.on_windows):
            self.check_ports(side, name, 53, 54)
        self.on_windows("unpublish", name)
        self.check_ports(self.on_linux, name, 53)
        self.on_linux("unpublish", name)

    def killed(self):
        """A crash: keys, publications and sequence numbers are as they were."""
        before = self.check_ports(self.on_linux, self.of_windows, 3)[0]
        self.windows.kill()
        self.start(self.net)
        kept = self.on_windows("publications")
        self.h.check([one["name"] for one in kept] == [self.of_windows], "its publication is kept", kept)
        self.h.check(kept[0]["seq"] >= before["seq"], "its number does not go back", kept, before)
        self.publish(self.on_windows, "win", 4)
        after = self.check_ports(self.on_linux, self.of_windows, 4)[0]
        self.h.check(after["seq"] > before["seq"], "its number goes on", after, before)

    def renewed(self):
        """After a crash it comes up in a DHT that has none of its records, and publishes what it had, unasked."""
        self.windows.kill()
        other = self.h.keep(programs.Testnet, 8, [])
        self.start(other)
        self.linux = other

        def there():
            done = programs.pnr(other.control, "--json", "resolve", self.of_windows, code=None)
            return done.code == 0 and [one for one in done.objects() if one["type"] == "result"]

        found = self.h.until("it is published again", there)
        self.h.check(found[0]["endpoints"][0]["port"] == 4, "as it was", found)

    def open_folder(self):
        """A folder that others may change is no place for a file that clients believe."""
        folder = os.path.join(self.h.directory, "open")
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        said = wine.run(daemon.built("pnrd"), "--state", wine.path(os.path.join(self.h.directory, "other")),
                        "--control", "tcp:" + wine.path(os.path.join(folder, "rendezvous")), code=1)
        self.h.check("others may change it" in said, "it is refused", said)

    def told_by_input(self):
        net = self.h.keep(daemon.Testnet, 8, [])
        net.tell("stop", [1, 2], self.h.deadline)
        net.tell("start", [2], self.h.deadline)


def test(harness):
    scenario = Scenario(harness)
    for part in ("secured", "watched", "unsecured", "killed", "renewed", "open_folder", "told_by_input"):
        getattr(scenario, part)()
        harness.step(part)


if __name__ == "__main__":
    programs.run(test, 200)
