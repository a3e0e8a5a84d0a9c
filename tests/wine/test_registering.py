# SPDX-License-Identifier: MIT
"""Winsock programs register names (winsock_register.c), and others look them up: what one process registers, another
finds, until it is withdrawn or its process ends. Registrations outlive the daemon.

    test_registering.py            the pnrd is Linux'
    test_registering.py windows    it is pnrd.exe
"""

import sys

import daemon
import winsock
import programs

NODES = 16
SERVICE_NOT_FOUND, INVALID_IDENTITY, DUPLICATE = 10108, 11503, 11508


class Scenario(winsock.Machine):
    def __init__(self, harness):
        super().__init__(harness, NODES, "windows" in sys.argv[1:])
        self.near("key", "new", "own")
        self.near("key", "new", "other")
        key = self.near("key", "show", "own")[0]["z32"]
        self.unsecured = "0.registered"
        self.secured = key + ".registered"
        self.names = (self.unsecured, self.secured)

    def registrar(self):
        """A process that has registered both names."""
        program = self.start("winsock_register")
        self.asked(program, "register %s 501" % self.unsecured, "ok")
        self.asked(program, "register %s 502 own" % self.secured, "ok")
        return program

    def resolvers(self):
        """A process for each name, which has found what is registered, and watches."""
        found = [self.start("winsock_multi", name) for name in self.names]
        for program, port in zip(found, (501, 502)):
            self.says(program, "result %d" % port, "end")
        return found

    def stop_all(self, found):
        for program in found:
            self.stop(program, "aborted")

    # ---- the parts ----

    def found_by_another(self):
        """Here, and by whoever else looks for it; registered again it is replaced; withdrawn it is gone."""
        registrar = self.registrar()
        found = self.resolvers()
        for name, port in zip(self.names, (501, 502)):
            result = [one for one in self.far("resolve", name) if one["type"] == "result"][0]
            address = {"address": "192.0.2.77", "port": port, "protocol": "tcp"}
            self.h.check(result["endpoints"] == [address] and result["comment"] == "by Winsock", name, result)
        self.asked(registrar, "register %s 503" % self.unsecured, "ok")
        self.says(found[0], "changed 503")
        self.asked(registrar, "register %s 504 own" % self.secured, "ok")
        self.says(found[1], "changed 504")
        for name, program, port in zip(self.names, found, (503, 504)):
            self.asked(registrar, "delete " + name, "ok")
            self.says(program, "gone %d" % port)
        self.stop_all(found)
        self.stop(registrar)

    def refused(self):
        """Who has not registered a name cannot withdraw it, and who has no right to it cannot register it."""
        registrar = self.registrar()
        other = self.start("winsock_register")
        for line, error in (
            ("delete " + self.unsecured, SERVICE_NOT_FOUND),
            ("delete " + self.secured, SERVICE_NOT_FOUND),
            ("register %s 505 own" % self.secured, DUPLICATE),
            ("register %s 505" % self.secured, INVALID_IDENTITY),
            ("register %s 505 other" % self.secured, INVALID_IDENTITY),
            ("register %s 505 nobody" % self.secured, INVALID_IDENTITY),
        ):
            self.asked(other, line, "error %d" % error)
        self.stop_all(self.resolvers())
        self.stop(other)
        self.stop(registrar)

    def ends_with_its_process(self, how):
        registrar = self.registrar()
        found = self.resolvers()
        if how == "killed":
            registrar.child.kill()
        else:
            self.stop(registrar)
        for program, port in zip(found, (501, 502)):
            self.says(program, "gone %d" % port)
        self.stop_all(found)

    def outlives_the_daemon(self):
        """The process knows nothing of it: the provider makes its registrations again."""
        registrar = self.registrar()
        self.daemon.kill()
        self.start_daemon()
        found = self.start("winsock_multi", self.unsecured)
        line = found.read_line(self.h.deadline)
        if line == "end":
            line = found.read_line(self.h.deadline)
        self.h.check(line in ("result 501", "added 501"), "it is there again", line)
        # The daemon keeps a secured name for half a minute, for whoever comes first.
        other = self.start("winsock_register")
        self.asked(other, "register %s 505 own" % self.secured, "error %d" % DUPLICATE)
        self.stop(other)
        self.stop(registrar)
        self.says_gone(found)
        self.stop(found, "aborted")

    def says_gone(self, found):
        line = found.read_line(self.h.deadline)
        if line == "end":
            line = found.read_line(self.h.deadline)
        self.h.check(line == "gone 501", "it says", line)


def test(harness):
    daemon.forget()
    scenario = Scenario(harness)
    parts = (
        (scenario.found_by_another,),
        (scenario.refused,),
        (scenario.ends_with_its_process, "ended"),
        (scenario.ends_with_its_process, "killed"),
        (scenario.outlives_the_daemon,),
    )
    try:
        winsock.run_parts(scenario, parts)
    finally:
        scenario.daemon.end()
        daemon.forget()


if __name__ == "__main__":
    programs.run(test, 120)
