# SPDX-License-Identifier: MIT
"""Unsecured names with the real programs: several publishers of one name, by two daemons and a
testnet, by command line and by connections that register; those that die are found no more."""

import functools
import os
import signal

import programs
import control

NAME = "0.Drucker-\u5370\u5237\u6a5f"
NODES = 12
FAR = "7"  # a node of the testnet that resolves
NOT_FOUND = 3


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, NODES, [])
        self.daemons = [None, None]
        self.start(0, "one")
        self.start(1, "two")
        self.crowd = control.Crowd(self.net.control)

    def start(self, number, name):
        self.daemons[number] = programs.start(self.h, self.net, name)

    def far(self, *arguments, **options):
        return programs.pnr(self.net.control, "--node", FAR, *arguments, **options)

    def ports(self, *arguments, who=None):
        """The ports that a resolve prints, in its order; each result is an object of its own."""
        done = (who or self.far)("--json", "resolve", NAME, *arguments)
        objects = [one for one in done.objects() if one["type"] == "result"]
        self.h.check(all(one["authority"] == "0" and "seq" not in one for one in objects),
                     "nobody's, without a sequence number", objects)
        publishers = {one["publisher"] for one in objects}
        self.h.check(len(publishers) == len(objects), "each publisher once", objects)
        return [one["endpoints"][0]["port"] for one in objects]

    def check_ports(self, wanted, *arguments, who=None):
        got = self.ports(*arguments, who=who)
        self.h.check(sorted(got) == sorted(wanted), "the publishers", got, wanted)

    def pnr(self, number, *arguments, **options):
        return programs.pnr(self.daemons[number].control, *arguments, **options)

    def publish(self):
        payload = os.path.join(self.h.directory, "payload")
        with open(payload, "wb") as file:
            file.write(bytes(range(256)) * 16)
        self.far("resolve", NAME, code=NOT_FOUND)
        self.pnr(0, "publish", NAME, "--endpoint", "tcp:192.0.2.1:1", "--comment", "Flur",
                 "--payload", payload)
        self.pnr(1, "publish", NAME, "--endpoint", "tcp:192.0.2.2:2")
        self.check_ports([1, 2])
        first = [one for one in self.far("--json", "resolve", NAME).objects()
                 if one["endpoints"][0]["port"] == 1][0]
        self.h.check(first["comment"] == "Flur" and first["source"] == "dht" and
                     first["rtt_ms"] >= 0 and len(first["payload_base64"]) == 5464, "all of it",
                     first)
        done = self.far("-q", "resolve", NAME, "--max", "1")
        self.h.check(len(done.out.splitlines()) == 1, "one line", done.out)

    def register(self):
        jobs = [
            control.Job(node, "register", name=NAME,
                        endpoints=[{b"ip": bytes((192, 0, 2, 9)), b"port": 10 + node, b"proto": 6}])
            for node in range(5)
        ]
        self.crowd.run(jobs, self.h.deadline, 5)
        self.h.check(all(job.answer.error == control.OK for job in jobs), "registered",
                     [job.answer.text for job in jobs])
        self.check_ports([1, 2, 10, 11, 12, 13, 14])
        here = functools.partial(self.pnr, 0)
        self.check_ports([2, 10, 11, 12, 13, 14], "--criteria", "remote", who=here)
        near = self.ports("--criteria", "nearest", who=here)
        self.h.check(near[0] == 1, "nobody is nearer than this daemon", near)
        near = self.ports("--criteria", "nearest", "--hint", "192.0.2.2", "--max", "2")
        self.h.check(near == [2, 1], "the nearest by their addresses", near)

    def lose(self):
        self.crowd.drop([0, 1])  # their connections are closed: what they registered is gone
        self.check_ports([1, 2, 12, 13, 14])
        self.daemons[1].kill()
        self.check_ports([1, 12, 13, 14])
        self.pnr(0, "unpublish", NAME)
        self.check_ports([12, 13, 14])
        self.pnr(0, "unpublish", NAME, code=NOT_FOUND)

    def end(self):
        """Ended in order, a daemon tells who watches before it goes; its name comes back with it."""
        self.pnr(0, "publish", NAME, "--endpoint", "tcp:192.0.2.1:1")
        watcher = control.Client(self.net.control, node=int(FAR))
        watched = watcher.begin("watch", name=NAME)
        answer = watcher.open[watched]
        while not answer.progress:
            self.take(watcher)
        self.h.check(len(answer.results) == 4, "all that there is", answer.results)
        self.daemons[0].child.send_signal(signal.SIGTERM)  # it goes on for a moment
        while len(answer.results) == 4:
            self.take(watcher)
        self.h.check(answer.results[4][b"event"] == b"gone", "told", answer.results[4])
        self.daemons[0].stop()
        self.h.check("tells those who watch" in self.daemons[0].log(), self.daemons[0].log())
        self.check_ports([12, 13, 14])
        self.start(0, "one")
        while len(answer.results) == 5:
            self.take(watcher)
        self.h.check(answer.results[5][b"event"] == b"added", "told", answer.results[5])
        watcher.close()
        self.check_ports([1, 12, 13, 14])

    def take(self, client):
        """Waits for more, and books it."""
        for frame in client.frames():
            client.take(frame)


def test(harness):
    scenario = Scenario(harness)
    harness.step("two daemons and a testnet")
    scenario.publish()
    harness.step("published")
    scenario.register()
    harness.step("registered")
    scenario.lose()
    harness.step("gone")
    scenario.end()
    harness.step("ended in order")
    scenario.crowd.close()
    scenario.daemons[0].stop()
    scenario.net.stop()


programs.run(test, timeout_s=200)
