# SPDX-License-Identifier: MIT
"""Winsock programs list the clouds and wait for what becomes of them (winsock_clouds.c), while the Linux pnrd's
configuration changes under it."""

import signal

import winsock
import programs

NODES = 8
GLOBAL = """[cloud Global_]
listen = 127.0.0.1:0
bootstrap = %s
"""
LAB = """[cloud lab]
scope = site
listen = 127.0.0.1:0
enabled = %s
"""
# PNRP_SCOPE and PNRP_CLOUD_STATE.
GLOBAL_SCOPE, SITE = 1, 2
SYNCHRONISING, ACTIVE, DISABLED = 1, 2, 4
NET_DOWN = 10050


class Scenario(winsock.Machine):
    def __init__(self, harness):
        super().__init__(harness, NODES, config=GLOBAL)
        harness.until("Global_ is joined", lambda: self.near("clouds")[0]["state"] == "active")
        # Both programs: all clouds, and those of a site.
        self.all = None
        self.sites = None

    def reload(self, lab):
        self.configure(GLOBAL + lab)
        self.daemon.child.send_signal(signal.SIGHUP)

    def start_both(self):
        self.all = self.start("winsock_clouds")
        self.sites = self.start("winsock_clouds", str(SITE))

    def until(self, program, word, name, scope, state):
        """Both pass through states on their way to the one."""
        while True:
            line = program.read_line(self.h.deadline)
            said = line.split(" ")
            self.h.check(said[:3] == [word, name, str(scope)], "it says", line, word, name)
            if said[3] == str(state):
                return
            word = "changed"

    # ---- the parts ----

    def listed(self):
        """Those that there are, and those that are wanted of them; then no more."""
        self.start_both()
        self.says(self.all, "cloud Global_ %d %d" % (GLOBAL_SCOPE, ACTIVE), "end")
        self.says(self.sites, "end")

    def comes_changes_and_goes(self):
        """Who waits in Next is told, where he wants to know."""
        self.reload(LAB % "yes")
        for program in (self.all, self.sites):
            self.until(program, "added", "lab", SITE, SYNCHRONISING)
        self.reload("")
        for program in (self.all, self.sites):
            self.until(program, "gone", "lab", SITE, SYNCHRONISING)
        # There, and no part is taken in it.
        self.reload(LAB % "no")
        for program in (self.all, self.sites):
            self.until(program, "added", "lab", SITE, DISABLED)

    def ended(self):
        """End has the blocked Next return."""
        for program in (self.all, self.sites):
            self.stop(program, "cancelled")

    def lost(self):
        """So has the end of the daemon."""
        self.start_both()
        lab = ("lab", SITE, DISABLED)
        for program, clouds in ((self.all, (("Global_", GLOBAL_SCOPE, ACTIVE), lab)), (self.sites, (lab,))):
            self.says(program, *("cloud %s %d %d" % cloud for cloud in clouds), "end")
        self.daemon.kill()
        for program in (self.all, self.sites):
            self.says(program, "error %d in Next" % NET_DOWN)
            self.h.check(program.child.wait(timeout=60) == 1, "it ends", program.name)


def test(harness):
    scenario = Scenario(harness)
    winsock.run_parts(scenario, (
        (scenario.listed,),
        (scenario.comes_changes_and_goes,),
        (scenario.ended,),
        (scenario.lost,),
    ))


if __name__ == "__main__":
    programs.run(test, 60)
