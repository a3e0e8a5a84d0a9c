# SPDX-License-Identifier: MIT
"""A node on the internet, where strangers have limits: rates, bytes, impossible addresses.

The addresses are public ones in a network namespace of the test's own.
"""

import os
import time

import programs
import control
import items
import keys
from krpc import bdecode
from sender import Sender

OURS, FIRST, SECOND, LOOPBACK = "11.1.0.1", "11.2.0.1", "11.3.0.1", "127.0.0.1"
RATE = 50
FLOOD = 2000


class Scenario:
    def __init__(self, harness):
        self.h = harness
        config = os.path.join(harness.directory, "pnr.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write("[cloud Global_]\nlisten = %s:6881\nrole = server\nlab = no\n"
                       "queries-per-source = %d\nbootstrap = 11.9.0.1:6881\n" % (OURS, RATE))
        folder = os.path.join(harness.directory, "limits")
        self.daemon = harness.keep(programs.Daemon, folder, ["--config", config])
        self.client = control.Client(self.daemon.control)

    def counters(self):
        cloud = self.client.must("status").fields[b"clouds"][0]
        return {name.decode(): value for name, value in cloud[b"counters"].items()}

    def counters_after(self, datagrams):
        """Asks until the daemon has taken so many datagrams in."""
        while time.monotonic() < self.h.deadline:
            counters = self.counters()
            if counters["datagrams_in"] >= datagrams:
                return counters
        raise programs.Failure("datagrams are missing")

    def impossible_address(self):
        before = self.counters()
        spoofer = Sender((OURS, 6881), LOOPBACK)
        for _ in range(10):
            spoofer.send(spoofer.query(b"ping", {}))
        after = self.counters_after(before["datagrams_in"] + 10)
        self.h.check(after["drop_martian"] - before["drop_martian"] == 10, "drop_martian", after)

    def flood(self):
        """One source asks too much, another still gets its answers."""
        before = self.counters()
        flooder = Sender((OURS, 6881), FIRST)
        other = Sender((OURS, 6881), SECOND)
        for at in range(FLOOD):
            flooder.send(flooder.query(b"ping", {}))
            if at % 50 == 49:
                self.counters_after(before["datagrams_in"] + at + 1)
        after = self.counters_after(before["datagrams_in"] + FLOOD)
        dropped = after["drop_rate"] - before["drop_rate"]
        answered = after["query_ping"] - before["query_ping"]
        print("a flood of %d: %d answered, %d dropped" % (FLOOD, answered, dropped))
        self.h.check(dropped + answered == FLOOD, "all are counted", dropped, answered)
        self.h.check(dropped > 0, "some are dropped", dropped)
        other.ask(b"ping", {}, self.h.deadline)

    def no_amplifier(self):
        """An unproven source gets no large answer to a small question; a token proves it."""
        signer = items.Signer(self.h.directory)
        owner = Sender((OURS, 6881), SECOND)
        item = signer.item(1, b"v" * 900)
        target = keys.target(signer.key)
        token = owner.token(target, self.h.deadline)
        answer = owner.ask(b"put", {b"token": token, **item}, self.h.deadline)
        self.h.check(answer[b"y"] == b"r", "stored", answer)
        got = owner.ask(b"get", {b"target": target}, self.h.deadline)
        self.h.check(got[b"r"].get(b"v") == item[b"v"], "its owner is proven", got)
        before = self.counters()
        victim = Sender((OURS, 6881), "11.4.0.1")
        sent = received = 0
        for _ in range(30):
            query = victim.query(b"get", {b"target": target}, os.urandom(4))
            victim.send(query)
            sent += len(query)
        self.counters_after(before["datagrams_in"] + 30)
        victim.socket.setblocking(False)
        try:
            while True:
                data = victim.socket.recv(65536)
                received += len(data)
                bdecode(data)
        except BlockingIOError:
            pass
        after = self.counters()
        print("an unproven source sent %d bytes and was sent %d" % (sent, received))
        self.h.check(received <= 1.5 * sent + 4096, "bytes to the unproven", received, sent)
        less = after["trim_budget"] + after["drop_budget"]
        self.h.check(less > before["trim_budget"] + before["drop_budget"], "budgets", less)


def test(harness):
    scenario = Scenario(harness)
    for part in ("impossible_address", "flood", "no_amplifier"):
        getattr(scenario, part)()
        harness.step(part)
    scenario.client.close()
    scenario.daemon.stop()


programs.run(test, timeout_s=100, addresses=(OURS, FIRST, SECOND, "11.4.0.1"))
