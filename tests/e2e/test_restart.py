# SPDX-License-Identifier: MIT
"""A node that stores others' records is restarted, and has them still.

Their publisher has gone for good, and nobody else holds them: who asks the node finds what its disk
has kept, be it ended in order or killed. What it has of a cloud goes with the cloud.
"""

import os
import signal
import sqlite3

import programs
import control
import keys

PORT = 4433
ENDPOINTS = [{b"ip": bytes((192, 0, 2, 1)), b"port": PORT, b"proto": 6}]
# How the node ends, what its configuration says, and whether it has the record afterwards.
ROWS = (("ended in order", programs.Daemon.stop, "snapshot = 24h", True),
        ("killed after a snapshot", programs.Daemon.kill, "snapshot = 1s", True),
        ("told to keep nothing", programs.Daemon.stop, "keep-items = no", False))


class Scenario:
    def __init__(self, harness, number):
        self.h = harness
        self.folder = os.path.join(harness.directory, str(number))
        self.storer = None

    def start(self, name, *options):
        folder = os.path.join(self.folder, name)
        return self.h.keep(programs.Daemon, folder, ["--listen", "127.0.0.1:0", *options])

    def start_storer(self, line):
        config = os.path.join(self.folder, "pnr.conf")
        os.makedirs(self.folder, exist_ok=True)
        with open(config, "w", encoding="utf-8") as file:
            file.write("[node]\n%s\n" % line)
        self.storer = self.start("storer", "--config", config)

    def bootstrap(self):
        return ["--bootstrap", "%s:%d" % self.storer.listens_at()]

    def end(self, daemon, how):
        how(daemon)
        self.h.processes.remove(daemon)

    def publish(self, written):
        """Publishes and goes; written: not before it is on the disk. Returns the name."""
        publisher = self.start("publisher", *self.bootstrap())
        client = control.Client(publisher.control)
        z32 = client.must("key_new", label="own").fields[b"z32"].decode()
        done = client.must("publish", name="own.web", endpoints=ENDPOINTS)
        self.h.check(done.fields[b"stored"] == 1, "stored by it alone", done.fields)
        client.close()
        if written:
            self.await_snapshot(keys.z32_decode(z32))
        self.end(publisher, programs.Daemon.kill)
        return z32 + ".web"

    def is_written(self, key):
        """Whether the node's state has something with this key in it."""
        for folder, _, names in os.walk(self.storer.state):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    if key in file.read():
                        return True
        return False

    def await_snapshot(self, key):
        self.h.until("the record is written", lambda: self.is_written(key), every_s=0.05)
        # What is durable after it is answered after it.
        client = control.Client(self.storer.control)
        client.must("key_new", label="mine")
        client.must("publish", name="mine.later", endpoints=ENDPOINTS)
        client.close()

    def check_found(self, daemon, name, found):
        client = control.Client(daemon.control)
        answer = client.ask("resolve", name=name, wait="all")
        ports = [end[b"port"] for result in answer.results for end in result[b"endpoints"]]
        wanted = [PORT] if found else []
        self.h.check(ports == wanted, "it resolves to", ports, wanted, answer.error, answer.text)
        client.close()

    def play(self, how, line, found):
        self.start_storer(line)
        name = self.publish(how is programs.Daemon.kill)
        self.end(self.storer, how)
        self.start_storer(line)
        other = self.start("other", *self.bootstrap())
        self.check_found(other, name, found)
        self.check_found(self.storer, name, found)
        self.end(other, programs.Daemon.stop)
        self.end(self.storer, programs.Daemon.stop)


LAB = "[cloud lab]\nlisten = 127.0.0.1:0\n"


class Removed(Scenario):
    """A cloud is switched off, and taken out of the configuration."""

    def write(self, text):
        self.config = os.path.join(self.folder, "pnr.conf")
        os.makedirs(self.folder, exist_ok=True)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def start_with(self, text):
        self.write(text)
        self.storer = self.start("storer", "--config", self.config)

    def bootstrap(self):
        line = next(line for line in self.storer.log().splitlines()
                    if " listening addr=" in line and " cloud=lab " in line)
        return ["--bootstrap", line.split("addr=")[1].split()[0]]

    def rows(self):
        """How many contacts, items and publications of the cloud the storer's disk has."""
        self.end(self.storer, programs.Daemon.stop)
        path = os.path.join(self.storer.state, "state.db")
        base = sqlite3.connect(path)
        kinds = [kind for kind, key in base.execute("SELECT kind, key FROM state")
                 if key.endswith(b"lab")]
        base.close()
        return tuple(kinds.count(kind) for kind in (3, 4, 1))

    def check_rows(self, when, is_kept):
        contacts, items, publications = self.rows()
        self.h.check((contacts > 0, items > 0) == (is_kept, is_kept), when, contacts, items)
        self.h.check(publications > 0, "publications stay", when, publications)

    def fill(self):
        other = self.start("publisher", *self.bootstrap())
        for daemon, cloud in ((other, ""), (self.storer, "lab")):
            client = control.Client(daemon.control)
            client.ask("key_new", label="own")
            client.must("publish", name="own.web", cloud=cloud, endpoints=ENDPOINTS)
            client.close()
        self.end(other, programs.Daemon.kill)

    def play(self):
        self.start_with(LAB)
        self.fill()
        self.check_rows("at its end", True)
        self.start_with(LAB + "enabled = no\n")
        self.check_rows("switched off", True)
        self.start_with("")
        self.check_rows("not there at the start", False)
        self.start_with(LAB)
        self.fill()
        self.check_rows("there again", True)
        self.start_with(LAB)
        self.write("")
        self.storer.child.send_signal(signal.SIGHUP)
        self.storer.await_notice("RELOADING=1", self.h.deadline)
        self.storer.await_notice("READY=1", self.h.deadline)
        self.check_rows("taken out while it runs", False)


def test(harness):
    for number, (name, how, line, found) in enumerate(ROWS):
        Scenario(harness, number).play(how, line, found)
        harness.step(name)
    Removed(harness, len(ROWS)).play()
    harness.step("a cloud is removed")


programs.run(test, timeout_s=200)
