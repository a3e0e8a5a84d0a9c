# SPDX-License-Identifier: MIT
"""What one machine publishes is seen by another that watches, as it happens.

One daemon publishes, another watches for two clients: `pnr watch`, and a program with libpnr's
descriptor in a poll loop of its own (watcher.c). A node of the testnet is the name's second publisher.
"""

import json
import os

import programs
import control

UNREACHABLE = 5


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 16, [])
        self.home = programs.start(harness, self.net, "home")
        self.away = programs.start(harness, self.net, "away")
        self.name = None
        self.watchers = []

    # ---- the publishers ----

    def make_keys(self):
        """The same key at home and in the testnet."""
        made = programs.pnr(self.home.control, "--json", "key", "new", "own").objects()[0]
        pem = programs.pnr(self.home.control, "key", "export", "own").out
        programs.pnr(self.net.control, "--node", "3", "key", "import", "own", "-", stdin=pem)
        self.name = made["z32"] + ".web"

    def publish(self, port):
        programs.pnr(self.home.control, "publish", "own.web", "192.0.2.7:%d" % port)

    def publish_second(self, port):
        programs.pnr(self.net.control, "--node", "3", "publish", "own.web", "192.0.2.9:%d" % port)

    # ---- those who watch ----

    def watch(self):
        pnr = [programs.program("pnr"), "--control", self.away.control, "--json", "watch", self.name]
        own = [os.environ["PNR_WATCHER"], self.away.control, self.name]
        for command in (pnr, own):
            self.watchers.append(self.h.keep(Watcher, command))

    def sees(self, *events):
        """Both are told these next, in this order."""
        for watcher in self.watchers:
            told = [watcher.next(self.h.deadline) for _ in events]
            self.h.check(told == list(events), "%s is told" % watcher.name, told)

    # ---- the parts ----

    def first_picture(self):
        self.make_keys()
        self.publish(1000)
        self.watch()
        self.sees("added 1000", "watching")

    def republished(self):
        self.publish(2000)
        self.sees("changed 2000")
        self.publish(2000)  # the same again is no news: what comes next is the one below
        self.publish(3000)
        self.sees("changed 3000")

    def second_publisher(self):
        self.publish_second(4000)
        self.sees("added 4000")
        self.publish_second(5000)
        self.sees("changed 5000")
        programs.pnr(self.net.control, "--node", "3", "unpublish", "own.web")
        self.sees("gone")

    def withdrawn(self):
        programs.pnr(self.home.control, "unpublish", "own.web")
        self.sees("gone")
        self.publish(6000)
        self.sees("added 6000")

    def own_loop(self):
        """The program's other descriptor is served all the while."""
        own = self.watchers[1]
        own.write_line("ping")
        self.h.check(own.next(self.h.deadline) == "pong", "its own loop goes on")

    def unsecured(self):
        """A program that registers a name is heard of; each of two is a publisher."""
        command = [programs.program("pnr"), "--control", self.away.control, "--json", "watch",
                   "0.e2e"]
        watcher = self.h.keep(Watcher, command)
        self.h.check(watcher.next(self.h.deadline) == "watching", "nobody publishes it")
        clients = []
        for path, node, port in ((self.home.control, 0, 7000), (self.net.control, 3, 8000)):
            clients.append(control.Client(path, node))
            clients[-1].must("register", name="0.e2e",
                             endpoints=[{b"ip": bytes(4), b"port": port, b"proto": 6}])
            told = watcher.next(self.h.deadline)
            self.h.check(told == "added %d" % port, "it is told", told)
        for client in clients:
            client.close()
        watcher.end()

    def daemon_goes(self):
        """A daemon that ends, ends its watches, in order or not."""
        self.away.stop()
        own = self.watchers[1].next(self.h.deadline)
        self.h.check(own in ("error 5", "error 7"), "the program is told so", own)
        code = self.watchers[0].child.wait(timeout=30)
        self.h.check(code in (1, UNREACHABLE), "pnr watch ends", code)


class Watcher(programs.Process):
    def __init__(self, command, directory, deadline):
        del deadline
        super().__init__(os.path.basename(command[0]), command, directory)

    def next(self, deadline):
        """The next event: "added PORT", "changed PORT", "gone", "watching" or what is no JSON."""
        line = self.read_line(deadline)
        if not line.startswith("{"):
            return line
        told = json.loads(line)
        if told["type"] != "change":
            return told["type"]
        ports = [str(endpoint["port"]) for endpoint in told.get("endpoints", [])]
        return " ".join([told["event"], *ports])


def test(harness):
    scenario = Scenario(harness)
    parts = ("first_picture", "republished", "second_publisher", "withdrawn", "own_loop",
             "unsecured", "daemon_goes")
    for part in parts:
        getattr(scenario, part)()
        harness.step(part)
    scenario.home.stop()
    scenario.net.stop()


if __name__ == "__main__":
    programs.run(test, timeout_s=200)
