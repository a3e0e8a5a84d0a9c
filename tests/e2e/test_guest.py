# SPDX-License-Identifier: MIT
"""The namespace provider in a program (guest.c) that knows Winsock's entries alone.

One daemon publishes, another serves the program; what the one does, the other's guest is told.
"""

import os
import signal
import time

import programs
from guest import Guest, NO_MORE

CANCELLED = "ended 10111"
WOULD_BLOCK = "poll 10035"
NET_DOWN = 10050
NOT_READY = "error 10091"
PENDING = "armed 997"


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 16, [])
        self.home = programs.start(harness, self.net, "home")
        self.away = programs.start(harness, self.net, "away")
        self.guest = harness.keep(Guest, self.away.control)
        self.does = self.guest.does
        made = programs.pnr(self.home.control, "--json", "key", "new", "own").objects()[0]
        self.name = made["z32"] + ".web"

    def publish(self, port):
        programs.pnr(self.home.control, "publish", "own.web", "192.0.2.7:%d" % port)

    # ---- the parts ----

    def resolve(self):
        self.publish(1000)
        self.does("begin %s 5" % self.name, "begun")
        self.does("next", "result 1000")
        self.does("next", NO_MORE)
        self.does("next", NO_MORE)
        # The handle is open, and nothing is left of the lookup.
        self.await_status(requests=0)

    def poll(self):
        self.does("poll", WOULD_BLOCK)
        self.await_status(requests=1)
        self.publish(2000)
        self.does("changed", "poll 0")
        self.does("poll", "poll 0")
        self.does("next", "result 2000 changed")
        self.does("poll", WOULD_BLOCK)
        self.does("next", NO_MORE)

    def notify(self):
        self.does("arm", PENDING)
        self.publish(3000)
        self.does("await", "fired 0")
        self.does("next", "result 3000 changed")
        self.does("arm", PENDING)
        programs.pnr(self.home.control, "unpublish", "own.web")
        self.does("await", "fired 0")
        self.does("next", "result 3000 deleted")
        self.does("arm", PENDING)
        self.publish(4000)
        self.does("await", "fired 0")
        self.does("next", "result 4000 added")
        self.does("next", NO_MORE)
        self.await_status(requests=1)
        self.does("end", "ended 0")
        self.does("end", "ended 6")
        self.await_status(requests=0)

    def stream(self):
        """Each of two publishers is a result of its own."""
        programs.pnr(self.home.control, "publish", "0.both", "192.0.2.1:1")
        programs.pnr(self.net.control, "--node", "3", "publish", "0.both", "192.0.2.2:2")
        self.does("begin 0.both 9", "begun")
        ports = {self.does("next", "result 1", "result 2") for _ in range(2)}
        self.h.check(len(ports) == 2, "each once", ports)
        self.does("next", NO_MORE)
        self.does("end", "ended 0")
        self.does("begin 0.both 1", "begun")
        self.does("next", "result 1", "result 2")
        self.does("next", NO_MORE)
        self.does("end", "ended 0")

    def cached(self):
        """What the daemon knows is told though nobody answers any more, unless the program does not want that."""
        self.does("begin %s 1" % self.name, "begun")
        self.does("next", "result 4000")
        self.does("end", "ended 0")
        for process in (self.net, self.home):
            process.child.send_signal(signal.SIGSTOP)
        self.does("begin %s 1" % self.name, "begun")
        self.does("next", "result 4000")
        self.does("next", NO_MORE)
        self.does("end", "ended 0")
        self.does("begin %s 5 1" % self.name, "begun")
        self.does("next", "result 4000")
        self.does("next", NO_MORE)
        self.does("end", "ended 0")
        for process in (self.net, self.home):
            process.child.send_signal(signal.SIGCONT)

    def renew(self):
        """Behind what is cached comes what is different; and who asks for it has nothing of the cache."""
        self.publish(5000)
        self.does("begin %s 1" % self.name, "begun")
        self.does("next", "result 4000")
        self.does("end", "ended 0")
        self.does("begin %s 5" % self.name, "begun")
        self.does("next", "result 4000")
        self.does("next", "result 5000 changed")
        self.does("next", NO_MORE)
        self.does("end", "ended 0")
        self.publish(4000)
        self.does("flush 1", "flush 1")
        self.does("begin %s 1" % self.name, "begun")
        self.does("next", "result 4000")
        self.does("end", "ended 0")
        self.does("flush 0", "flush 0")

    def status(self):
        return programs.pnr(self.away.control, "--json", "status").objects()[0]

    def await_status(self, requests, lookups=None):
        """What the guest's daemon has under way, that for its status not counted. lookups None: or not."""
        while True:
            status = self.status()
            operations = sum(cloud["ops"] for cloud in status["clouds"])
            if status["requests"] - 1 == requests and lookups in (None, operations > 0):
                return status["counters"]["requests_cancelled"]
            self.h.check(time.monotonic() < self.h.deadline, "under way", status)

    def cancel(self):
        """A lookup that finds no end, for nobody answers, has one in the network as well."""
        before = self.await_status(0, False)
        self.net.child.send_signal(signal.SIGSTOP)
        self.does("begin 0.nobody 1", "begun")
        self.does("wait", "waiting")
        self.await_status(1, True)
        self.does("end", CANCELLED)
        cancelled = self.await_status(0, False) - before
        self.h.check(cancelled == 1, "the daemon has cancelled one request", cancelled)
        self.net.child.send_signal(signal.SIGCONT)

    def hang(self):
        """A daemon that takes everything and says nothing costs no more than the search's time."""
        self.away.child.send_signal(signal.SIGSTOP)
        self.does("begin 0.both 1 1", "begun")
        self.does("poll", WOULD_BLOCK)
        self.does("next", NO_MORE)
        self.does("next", NO_MORE)
        self.does("end", "ended 0")
        self.away.child.send_signal(signal.SIGCONT)
        self.does("begin 0.both 1", "begun")
        self.does("next", "result 1", "result 2")
        self.does("end", "ended 0")

    def lose(self):
        """The daemon is killed, and its socket stays; then that is gone too."""
        self.does("begin %s 1" % self.name, "begun")
        self.does("next", "result 4000")
        self.does("next", NO_MORE)
        self.does("poll", WOULD_BLOCK)
        self.does("arm", PENDING)
        self.away.kill()
        self.does("await", "fired %d" % NET_DOWN)
        self.does("poll", "poll %d" % NET_DOWN)
        self.does("arm", "armed %d" % NET_DOWN)
        self.does("end", "ended 0")
        self.does("begin 0.both 1", "begun")
        self.does("next", NOT_READY)
        self.does("end", "ended 0")
        for path in (self.away.control, self.away.control + ".resolve"):
            os.unlink(path)
        self.does("begin 0.both 1", NOT_READY)

    def leave(self):
        self.does("cleanup", "clean 0")
        self.does("begin 0.both 1", NOT_READY)
        self.guest.leave()


def test(harness):
    scenario = Scenario(harness)
    for part in ("resolve", "poll", "notify", "stream", "cached", "renew", "cancel", "hang", "lose", "leave"):
        getattr(scenario, part)()
        harness.step(part)
    scenario.home.stop()
    scenario.net.stop()


programs.run(test, timeout_s=200)
