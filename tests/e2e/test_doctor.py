# SPDX-License-Identifier: MIT
"""`pnr doctor` finds what is wrong with this machine: its clock, and the modes of its keys."""

import os
import time

import programs

NODES = 8
LONG_AGO = 1600000000  # 2020: whatever is signed then has expired
FAILED = 1


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, NODES, [])

    def start(self, *options):
        self.daemon = programs.start(self.h, self.net, "one", *options)

    def finding(self, check, **options):
        done = programs.pnr(self.daemon.control, "--json", "doctor", **options)
        return [one for one in done.objects() if one.get("check") == check][0]

    def clock(self):
        self.start("--wall-offset", str(LONG_AGO - int(time.time())))
        found = self.finding("clock", code=FAILED)
        self.h.check(found["state"] == "fail" and "years behind" in found["text"] and
                     found["remedy"].startswith("set it"), found)
        self.daemon.stop()
        self.start()
        found = self.finding("clock", code=None)
        self.h.check(found["state"] != "fail", "it is right", found)

    def keys(self):
        made = programs.pnr(self.daemon.control, "--json", "key", "new", "own").objects()[0]
        self.h.check(self.finding("keys", code=None)["state"] == "ok", "a key for nobody else")
        os.chmod(made["path"], 0o644)
        found = self.finding("keys", code=FAILED)
        self.h.check(found["state"] == "fail" and "0644" in found["text"], found)
        self.h.check("chmod" not in found["text"], "the remedy stands for itself", found)
        self.h.check(found["remedy"].startswith("chmod 600 " + made["path"]), found)
        os.chmod(made["path"], 0o600)
        self.h.check(self.finding("keys", code=None)["state"] == "ok", "as it says")


def test(harness):
    scenario = Scenario(harness)
    scenario.clock()
    harness.step("a clock that is years behind")
    scenario.keys()
    harness.step("a key that others can read")
    scenario.daemon.stop()
    scenario.net.stop()


programs.run(test, timeout_s=200)
