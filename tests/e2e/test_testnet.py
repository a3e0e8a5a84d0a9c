# SPDX-License-Identifier: MIT
"""Two hundred nodes: names resolve from everywhere, and still do when a third of the nodes is gone.

PNR_E2E_SEED replays a run's choices, PNR_E2E_NODES and PNR_E2E_NAMES change its size. tests/wine
plays the same with the testnet of another system.
"""

import os
import random

import programs
import control

NODES = int(os.environ.get("PNR_E2E_NODES", 200))
NAMES = int(os.environ.get("PNR_E2E_NAMES", 1000))
AT_ONCE = 32


def percent(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def show(what, values, unit=""):
    row = [percent(values, share) for share in (0.5, 0.9, 0.99)] + [max(values)]
    print("  %-10s median %6g  90%% %6g  99%% %6g  most %6g %s" % (what, *row, unit))


def report(title, jobs):
    good = [job.answer for job in jobs if job.answer.error == control.OK]
    sources = {}
    for answer in good:
        source = answer.results[-1][b"source"].decode()
        sources[source] = sources.get(source, 0) + 1
    print("%s: %d of %d resolve, from %s" % (title, len(good), len(jobs), sources))
    show("hops", [answer.fields[b"hops"] for answer in good])
    show("queries", [answer.fields[b"nodes_asked"] for answer in good])
    show("copies", [answer.fields[b"copies"] for answer in good])
    show("time", [round(answer.fields[b"elapsed_us"] / 1000, 1) for answer in good], "ms")
    for job in [job for job in jobs if job.answer.error != control.OK][:5]:
        print("  failed: node %d: %s %s" % (job.node, job.arguments["name"], job.answer.text))


class Scenario:
    def __init__(self, harness, chance, testnet):
        self.h = harness
        self.chance = chance
        self.net = harness.keep(testnet, NODES, [])
        self.crowd = control.Crowd(self.net.control)
        self.names = []  # (name, the node that published it, its endpoint)
        self.asked = {}  # of a name: who resolved it, and now has it in its cache

    def make_names(self):
        """A key for each node; a name has the key of the node that publishes it."""
        makers = [control.Job(node, "key_new", label="own") for node in range(NODES)]
        self.crowd.run(makers, self.h.deadline, AT_ONCE)
        for i in range(NAMES):
            job = makers[self.chance.randrange(NODES)]
            address = bytes((10, 0, i >> 8, i & 255))
            endpoint = {b"ip": address, b"port": 1000 + i, b"proto": 6}
            name = "%s.n%d" % (job.answer.fields[b"z32"].decode(), i)
            self.names.append((name, job.node, endpoint))
        self.h.step("%d keys" % NODES)

    def publish(self):
        jobs = [
            control.Job(node, "publish", name=name, endpoints=[endpoint])
            for name, node, endpoint in self.names
        ]
        self.crowd.run(jobs, self.h.deadline, AT_ONCE)
        bad = [job.answer.text for job in jobs if job.answer.error != control.OK]
        self.h.check(not bad, "names could not be published", len(bad), bad[:3])
        self.h.step("%d names published" % NAMES)
        show("stored on", [job.answer.fields[b"stored"] for job in jobs], "nodes")
        show("queries", [job.answer.fields[b"nodes_asked"] for job in jobs])
        show("time", [round(job.answer.fields[b"elapsed_us"] / 1000, 1) for job in jobs], "ms")

    def resolve(self, title, live):
        """Each name from a node that neither published nor resolved it; returns how many are
        right."""
        jobs = []
        for name, publisher, _ in self.names:
            used = self.asked.setdefault(name, {publisher})
            node = self.chance.choice([node for node in live if node not in used])
            used.add(node)
            jobs.append(control.Job(node, "resolve", name=name, timeout_ms=60000))
        self.crowd.run(jobs, self.h.deadline, AT_ONCE)
        report(title, jobs)
        right = 0
        for job, (_, _, endpoint) in zip(jobs, self.names, strict=True):
            if job.answer.error == control.OK:
                seen = job.answer.results[-1][b"endpoints"]
                self.h.check(seen == [endpoint], "resolved to something else", seen, endpoint)
                right += 1
        return right

    def lose_a_third(self):
        gone = self.chance.sample(range(NODES), NODES // 3)
        self.crowd.drop(gone)
        self.net.tell("stop", gone, self.h.deadline)
        self.h.step("%d nodes stopped at once" % len(gone))
        return [node for node in range(NODES) if node not in gone]


def test(harness, testnet=programs.Testnet):
    seed = os.environ.get("PNR_E2E_SEED") or os.urandom(8).hex()
    print("seed %s: PNR_E2E_SEED=%s replays these choices" % (seed, seed))
    scenario = Scenario(harness, random.Random(seed), testnet)
    harness.step("%d nodes run" % NODES)
    scenario.make_names()
    scenario.publish()
    right = scenario.resolve("all nodes up", range(NODES))
    harness.check(right == NAMES, "names that resolve", right)
    harness.step("all names resolve")
    right = scenario.resolve("a third stopped", scenario.lose_a_third())
    harness.check(right * 1000 >= NAMES * 999, "names that resolve", right)
    harness.step("they still do")
    scenario.crowd.close()
    scenario.net.stop()


if __name__ == "__main__":
    programs.run(test, timeout_s=int(os.environ.get("PNR_E2E_TIMEOUT_S", 540)))
