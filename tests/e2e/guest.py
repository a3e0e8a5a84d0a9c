# SPDX-License-Identifier: MIT
"""A Winsock program (guest.c) that does what a line tells it, and says in a line what came of it."""

import os

import programs

NO_MORE = "error 10110"


class Guest(programs.Process):
    """The program, whose provider asks the daemon at this address."""

    def __init__(self, address, directory, deadline):
        self.deadline = deadline
        super().__init__("guest", [os.environ["PNR_GUEST"]], directory, {"PNR_CONTROL": address})

    def does(self, line, *wanted):
        """Has it do this, and returns what it says. Failure: that is none of those that are wanted."""
        self.write_line(line)
        told = self.read_line(self.deadline)
        if wanted and told not in wanted:
            raise programs.Failure("the guest does %r: %r, not %r" % (line, told, wanted))
        return told

    def leave(self):
        """At the end of its input it ends. Failure: not well (a leak, say)."""
        self.child.stdin.close()
        code = self.child.wait(timeout=30)
        if code != 0:
            raise programs.Failure("the guest ends with code %d" % code)
