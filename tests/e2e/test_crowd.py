# SPDX-License-Identifier: MIT
"""64 threads of one program make 10,000 lookups by the namespace provider (crowd.c), while what they
look up is republished. What the program does follows a seed, which is printed."""

import itertools
import os
import random
import subprocess

import programs

THREADS = 64
LOOKUPS = 10000
NAMES = 12
NOBODYS = 3  # that nobody publishes


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 16, [])
        self.keys = [programs.pnr(self.net.control, "--node", "3", "--json", "key", "new",
                                  "key%d" % number).objects()[0]["z32"] for number in range(2)]
        self.names = ["%s.name%d" % (key, number) for key in self.keys
                      for number in range(NAMES // 3)]
        self.names += ["0.name%d" % number for number in range(NAMES // 3)]
        for name in self.names:
            self.publish(name, 1)

    def publish(self, name, port):
        programs.pnr(self.net.control, "--node", "3", "publish", name, "192.0.2.7:%d" % port)

    def crowd(self, seed):
        names = self.names + ["0.nobody%d" % number for number in range(NOBODYS)]
        command = [os.environ["PNR_CROWD"], str(seed), str(THREADS), str(LOOKUPS), *names]
        environment = {**os.environ, "PNR_CONTROL": self.net.control}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment, text=True) as child:
            for port in itertools.count(2):
                if child.poll() is not None:
                    break
                self.publish(self.names[port % NAMES], port)
            out, err = child.communicate()
        self.h.check(child.returncode == 0, "the crowd is content", child.returncode, err[-4000:])
        return out.strip()


def test(harness):
    seed = int(os.environ.get("PNR_E2E_SEED", random.randrange(1 << 30)))
    print("PNR_E2E_SEED=%d" % seed)
    scenario = Scenario(harness)
    harness.step("published")
    harness.step(scenario.crowd(seed))
    scenario.net.stop()


programs.run(test, timeout_s=400)
