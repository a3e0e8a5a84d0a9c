# SPDX-License-Identifier: MIT
"""End to end: Winsock programs that know nothing of pnr, over ws2_32, pnrnsp.dll and a pnrd, while others publish,
change and withdraw what they look up. Microsoft's page on NSPIoctl describes the two as typical: winsock_single.c
polls, winsock_multi.c is notified.

    test_winsock.py            the pnrd is Linux', and the programs' environment names it
    test_winsock.py windows    it is pnrd.exe, found where it is found on Windows: in %ProgramData%
"""

import sys

import daemon
import winsock
import programs
import control

WINDOWS = "windows" in sys.argv[1:]
NODES = 24
ANYBODY = 20  # publishers


class Publishers:
    """Nodes of a testnet that publish one unsecured name. A publisher's port tells who it is and its version."""

    def __init__(self, scenario, name):
        self.s = scenario
        self.name = name
        self.versions = {}

    def run(self, question, nodes, **arguments):
        jobs = [control.Job(node, question, name=self.name, **self.s.arguments(arguments, self, node)) for node in nodes]
        self.s.crowd.run(jobs, self.s.h.deadline, 8)
        self.s.h.check(all(job.answer.error == control.OK for job in jobs), question,
                       [job.answer.text for job in jobs])

    def port(self, node):
        return 10000 + node * 100 + self.versions[node]

    def publish(self, *nodes):
        """Publishes, or publishes something else."""
        for node in nodes:
            self.versions[node] = self.versions.get(node, 0) + 1
        self.run("register", nodes, endpoints=True)

    def withdraw(self, *nodes):
        nodes = list(nodes)
        for node in nodes:
            del self.versions[node]
        self.run("unregister", nodes)

    def ports(self):
        return sorted(self.port(node) for node in self.versions)


class Scenario(winsock.Machine):
    def __init__(self, harness):
        super().__init__(harness, NODES, WINDOWS)
        self.crowd = control.Crowd(self.net.control)

    @staticmethod
    def arguments(arguments, publishers, node):
        if "endpoints" not in arguments:
            return {}
        return {"endpoints": [{b"ip": bytes((192, 0, 2, node)), b"port": publishers.port(node), b"proto": 6}]}

    # ---- the parts ----

    def single(self, count):
        """Polls: what it has is right again some time after each change."""
        publishers = Publishers(self, "0.single-%d" % count)
        publishers.publish(*range(count))
        program = self.start("winsock_single", publishers.name)
        self.await_set(program, publishers)
        publishers.publish(0)
        self.await_set(program, publishers)
        # Somebody new makes nothing invalid that it has.
        publishers.publish(count)
        publishers.publish(0)
        self.await_set(program, publishers)
        publishers.withdraw(*range(count))
        self.await_set(program, publishers)
        self.stop(program)
        publishers.withdraw(count)

    def await_set(self, program, publishers):
        wanted = " ".join(["set", *map(str, publishers.ports())])
        line = ""
        while line != wanted:
            line = program.read_line(self.h.deadline)
            self.h.check(line.startswith("set"), "it says", line)

    def multi(self, count):
        """Is notified: of each publisher's every change, once, as what it is."""
        publishers = Publishers(self, "0.multi-%d" % count)
        publishers.publish(*range(count))
        program = self.start("winsock_multi", publishers.name)
        seen = {}
        self.follow(program, seen, publishers, {"result", "end"})
        publishers.publish(0)
        self.follow(program, seen, publishers, {"changed", "end"})
        publishers.publish(count)
        self.follow(program, seen, publishers, {"added", "end"})
        # Every other one leaves, and the newest.
        publishers.withdraw(*range(0, count, 2), count)
        self.follow(program, seen, publishers, {"gone", "end"})
        self.stop(program, "aborted")
        publishers.withdraw(*publishers.versions)

    def secured(self):
        """Likewise of a name that belongs to a key."""
        self.far("key", "new", "own")
        self.far("publish", "own.winsock", "--endpoint", "tcp:192.0.2.1:1")
        name = self.far("publications")[0]["name"]
        program = self.start("winsock_multi", name)
        self.says(program, "result 1", "end")
        for port in (2, 3):
            self.far("publish", "own.winsock", "--endpoint", "tcp:192.0.2.1:%d" % port)
            self.says(program, "changed %d" % port)
        self.far("unpublish", "own.winsock")
        self.says(program, "gone 3")
        self.far("publish", "own.winsock", "--endpoint", "tcp:192.0.2.1:4")
        self.says(program, "added 4")
        self.stop(program, "aborted")

    def follow(self, program, seen, publishers, words):
        """Reads until what it was told is what there is. Each line has to fit what it knew."""
        while seen != publishers.versions:
            line = program.read_line(self.h.deadline)
            word, _, port = line.partition(" ")
            self.h.check(word in words, "it says", line, words)
            if word == "end":
                continue
            node, version = divmod(int(port) - 10000, 100)
            known = word in ("changed", "gone")
            self.h.check((node in seen) == known, "told as what it is", line, seen)
            if word == "gone":
                del seen[node]
            else:
                seen[node] = version


def test(harness):
    daemon.forget()
    scenario = Scenario(harness)
    parts = (
        (scenario.single, 1),
        (scenario.single, ANYBODY),
        (scenario.secured,),
        (scenario.multi, 1),
        (scenario.multi, ANYBODY),
    )
    try:
        winsock.run_parts(scenario, parts)
    finally:
        scenario.daemon.end()
        daemon.forget()


if __name__ == "__main__":
    programs.run(test, 200)
