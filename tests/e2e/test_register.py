# SPDX-License-Identifier: MIT
"""Winsock programs (guest.c) that register names: found by another, and gone with their program.

One daemon serves who registers, another who resolves. The first is killed and started again, and the
names are there again; a cloud that its configuration gains is told to who waits for it.
"""

import os
import signal
import time

import programs
from guest import Guest, NO_MORE

NOT_FOUND = "set 10108"
INVALID_IDENTITY = "set 11503"
DEFAULT, NON_CURRENT_PROCESS, ANY = 0, 3, 5  # PNRP's criteria
CONFIG = """[cloud Global_]
listen = 127.0.0.1:0
bootstrap = %s
"""
LAB = """[cloud lab]
scope = site
listen = 127.0.0.1:0
"""


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 16, [])
        self.config = os.path.join(harness.directory, "pnr.conf")
        self.write_config()
        self.home = self.start_home()
        self.away = programs.start(harness, self.net, "away")
        self.host = harness.keep(Guest, self.home.control)
        self.asker = harness.keep(Guest, self.away.control)
        made = programs.pnr(self.home.control, "--json", "key", "new", "own").objects()[0]
        programs.pnr(self.home.control, "key", "new", "other")
        self.secured = made["z32"] + ".web"
        for guest in (self.host, self.asker):
            guest.does("flush 1", "flush 1")  # what a name was does not count

    def write_config(self, more=""):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG % self.net.bootstrap + more)

    def start_home(self):
        folder = os.path.join(self.h.directory, "home")
        return self.h.keep(programs.Daemon, folder, ["--config", self.config])

    def find(self, name, guest=None):
        """What a lookup finds, of the asker where nobody is named: a port, or nothing."""
        guest = guest or self.asker
        guest.does("begin %s 1" % name, "begun")
        told = guest.does("next")
        guest.does("end", "ended 0")
        self.h.check(told == NO_MORE or told.startswith("result "), name, told)
        return None if told == NO_MORE else int(told.split()[1])

    def await_port(self, name, port):
        """As it was withdrawn or made again by somebody who was not asked to wait for it."""
        while self.find(name) != port:
            self.h.check(time.monotonic() < self.h.deadline, name, "is not at", port)

    # ---- the parts ----

    def register(self):
        self.host.does("register 0.here 81", "set 0")
        self.host.does("register %s 82 own" % self.secured, "set 0")
        self.h.check(self.find("0.here") == 81, "an unsecured name")
        self.h.check(self.find(self.secured) == 82, "a secured name")

    def find_others(self):
        """By PNRP's default a program does not find what it has registered itself."""
        for name, port in (("0.here", 81), (self.secured, 82)):
            for guest, criteria, wanted in (
                (self.host, ANY, port),
                (self.host, DEFAULT, None),
                (self.host, NON_CURRENT_PROCESS, None),
                (self.asker, DEFAULT, port),
            ):
                guest.does("criteria %d" % criteria, "criteria %d" % criteria)
                self.h.check(self.find(name, guest) == wanted, name, criteria, wanted)
                guest.does("criteria %d" % ANY, "criteria %d" % ANY)

    def refuse(self):
        self.host.does("register %s 83" % self.secured, INVALID_IDENTITY)
        self.host.does("register %s 83 other" % self.secured, INVALID_IDENTITY)
        self.host.does("register %s 83 nobody" % self.secured, INVALID_IDENTITY)
        self.asker.does("withdraw 0.here", NOT_FOUND)
        self.h.check(self.find(self.secured) == 82, "as it was")

    def replace_and_withdraw(self):
        self.host.does("register 0.here 91", "set 0")
        self.host.does("register %s 92 own" % self.secured, "set 0")
        self.await_port("0.here", 91)
        self.await_port(self.secured, 92)
        for name in ("0.here", self.secured):
            self.host.does("withdraw " + name, "set 0")
            self.host.does("withdraw " + name, NOT_FOUND)
            self.await_port(name, None)

    def restart(self):
        """The daemon is killed; the program is asked nothing, and its names are there again."""
        self.register()
        self.home.kill()
        self.h.processes.remove(self.home)
        self.home = self.start_home()
        self.await_registered(2)
        self.await_port("0.here", 81)
        self.await_port(self.secured, 82)

    def await_registered(self, count):
        while True:
            listed = programs.pnr(self.home.control, "--json", "publications").objects()
            if sum(bool(one.get("session")) for one in listed) == count:
                return
            self.h.check(time.monotonic() < self.h.deadline, "registered", listed)

    def kill(self):
        """The program is killed, and takes its names along."""
        self.host.child.send_signal(signal.SIGKILL)
        self.host.child.wait()
        self.h.processes.remove(self.host)
        self.await_port("0.here", None)
        self.await_port(self.secured, None)

    def clouds(self):
        """A cloud comes while Next waits for it."""
        guest = self.host = self.h.keep(Guest, self.home.control)
        guest.does("clouds", "begun")
        guest.does("next", "cloud Global_ 2")
        guest.does("next", NO_MORE)
        guest.write_line("next")
        self.write_config(LAB)
        self.home.child.send_signal(signal.SIGHUP)
        told = guest.read_line(self.h.deadline)
        while told.startswith("cloud Global_ "):
            told = guest.does("next")
        self.h.check(told.startswith("cloud lab ") and told.endswith(" added"), told)
        self.write_config()
        guest.write_line("next")
        self.home.child.send_signal(signal.SIGHUP)
        told = guest.read_line(self.h.deadline)
        while not told.endswith(" deleted"):
            self.h.check(told.startswith("cloud "), told)
            told = guest.does("next")
        self.h.check(told.startswith("cloud lab "), told)
        guest.does("end", "ended 0")

    def leave(self):
        """What was registered goes with the last NSPCleanup, while the program goes on."""
        self.host.does("register 0.last 81", "set 0")
        self.await_port("0.last", 81)
        self.host.does("cleanup", "clean 0")
        self.await_port("0.last", None)
        for guest in (self.host, self.asker):
            guest.leave()


def test(harness):
    scenario = Scenario(harness)
    for part in ("register", "find_others", "refuse", "replace_and_withdraw", "restart", "kill", "clouds", "leave"):
        getattr(scenario, part)()
        harness.step(part)
    scenario.home.stop()
    scenario.away.stop()
    scenario.net.stop()


programs.run(test, timeout_s=240)
