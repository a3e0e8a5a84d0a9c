# SPDX-License-Identifier: MIT
"""A cloud's section is taken out of the configuration: what is published in it is listed, and can
be unpublished all the same, for good."""

import os
import signal

import programs

GLOBAL = """[cloud Global_]
listen = 127.0.0.1:0
bootstrap = %s
"""
RED = """[cloud red]
listen = 127.0.0.1:0
bootstrap = %s
"""
NODES = 8
NOT_FOUND = 3
NAMES = ("own.web", "own", "0.red-printer")


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, NODES, [])
        self.red = harness.keep(programs.Testnet, NODES, [])
        self.config = os.path.join(harness.directory, "pnr.conf")
        self.folder = os.path.join(harness.directory, "one")
        self.write(with_red=True)
        self.daemon = self.start()

    def start(self):
        return self.h.keep(programs.Daemon, self.folder, ["--config", self.config])

    def write(self, with_red):
        text = GLOBAL % self.net.bootstrap + (RED % self.red.bootstrap if with_red else "")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def reload(self):
        self.daemon.child.send_signal(signal.SIGHUP)
        self.daemon.await_notice("READY=1", self.h.deadline)

    def pnr(self, *arguments, **options):
        return programs.pnr(self.daemon.control, *arguments, **options)

    def clouds(self):
        """The cloud of each name that is published, as `pnr publications` tells it."""
        listed = [one for one in self.pnr("--json", "publications").objects()
                  if one["type"] == "publication"]
        return sorted(one["cloud"] for one in listed)

    def publish(self):
        self.pnr("key", "new", "own")
        for name in NAMES:
            self.pnr("--cloud", "red", "publish", name, "--endpoint", "tcp:192.0.2.1:1")
        self.pnr("publish", "own.web", "--endpoint", "tcp:192.0.2.2:2")
        self.h.check(self.clouds() == ["Global_", "red", "red", "red"], self.clouds())

    def take_out(self):
        self.write(with_red=False)
        self.reload()
        told = self.pnr("--cloud", "red", "resolve", "own.web", code=NOT_FOUND).err
        self.h.check("the cloud red is not there" in told and "pnr clouds" in told, told)
        self.h.check(self.clouds() == ["Global_", "red", "red", "red"], self.clouds())
        told = self.pnr("unpublish", "--cloud", "red", NAMES[0]).err
        self.h.check(self.clouds() == ["Global_", "red", "red"], self.clouds())
        self.pnr("--cloud", "red", "unpublish", NAMES[0], code=NOT_FOUND)
        done = self.pnr("--json", "--cloud", "red", "unpublish", NAMES[1]).objects()
        self.h.check(done[0]["stored"] == 0 and "renew_s" not in done[0], done)
        self.pnr("--cloud", "red", "unpublish", NAMES[2])
        self.h.check(self.clouds() == ["Global_"], self.clouds())
        self.pnr("resolve", "own.web")

    def come_back(self):
        """What was let go of does not come back with its cloud, nor with a crash."""
        self.daemon.kill()
        self.daemon = self.start()
        self.write(with_red=True)
        self.reload()
        self.h.check(self.clouds() == ["Global_"], self.clouds())


def test(harness):
    scenario = Scenario(harness)
    scenario.publish()
    harness.step("published")
    scenario.take_out()
    harness.step("unpublished without their cloud")
    scenario.come_back()
    harness.step("they stay away")
    scenario.daemon.stop()
    scenario.red.stop()
    scenario.net.stop()


programs.run(test, timeout_s=200)
