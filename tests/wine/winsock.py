# SPDX-License-Identifier: MIT
"""A machine on which Winsock asks pnr: a pnrd in a testnet, pnrnsp.dll in Winsock's catalog, put there by pnrnsp-setup,
and Winsock programs (winsock_*.c) that know nothing of either."""

import json
import os

import daemon
import wine
import programs

SETUP = "shim/pnrnsp-setup"
VIEW = wine.catalog_view()
SERVICE_NOT_FOUND = 10108


class Machine:
    def __init__(self, harness, nodes, windows=False, config=None):
        """nodes: of the testnet, besides the daemon's own. windows: the daemon is pnrd.exe, found where it is found on
        Windows; else Linux', and the programs' environment names it. config: the text of a file for the latter, where %s
        stands for the bootstrap."""
        self.h = harness
        self.net = harness.keep(programs.Testnet, nodes, [])
        self.windows = windows
        self.rendezvous = os.path.join(harness.directory, "rendezvous")
        self.config = None
        if config is not None:
            self.config = os.path.join(harness.directory, "pnr.conf")
            self.configure(config)
        self.start_daemon()

    def configure(self, text):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text % self.net.bootstrap)

    def start_daemon(self):
        """Starts the daemon: for the first time, or again with the state that it had."""
        where = ["--config", self.config] if self.config is not None else programs.joining(self.net)
        if self.windows:
            self.daemon = self.h.keep(daemon.Daemon, None, where)
            return
        folder = os.path.join(self.h.directory, "node")
        self.daemon = self.h.keep(programs.Daemon, folder, [*where, "--control", "tcp:" + self.rendezvous])

    def start(self, program, *arguments):
        variables = {} if self.windows else {"PNR_CONTROL": "tcp:" + wine.path(self.rendezvous)}
        return self.h.keep(wine.Program, wine.program("shim/" + program), arguments, variables)

    def says(self, program, *wanted):
        """The program's next lines are these."""
        for line in wanted:
            said = program.read_line(self.h.deadline)
            self.h.check(said == line, "it says", said, line)

    def asked(self, program, line, answer):
        """Told this line, the program says that one."""
        program.write_line(line)
        self.says(program, answer)

    def stop(self, program, last=None):
        """At the end of its input it ends, and says so before."""
        program.child.stdin.close()
        while last is not None:
            line = program.read_line(self.h.deadline)
            self.h.check(not line.startswith("error"), program.name, line)
            last = None if line == last else last
        self.h.check(program.child.wait(timeout=60) == 0, "it ends well", program.name)

    def near(self, *arguments):
        """As the user of the daemon behind the programs. Returns the JSON objects that pnr says."""
        if self.windows:
            return daemon.pnr(self.daemon.control, *arguments)
        return programs.pnr(self.daemon.control, "--json", *arguments).objects()

    def far(self, *arguments, code=0):
        """As the user of another node."""
        return programs.pnr(self.net.control, "--node", "3", "--json", *arguments, code=code).objects()

    # ---- the provider ----

    def owners(self, code):
        """Who has the providers of PNRP, as the setup tells; code: its exit code."""
        said = wine.run(wine.program(SETUP), "status", *VIEW, "--json", code=code)
        lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        return {line["namespace"]: line["owner"] for line in lines}

    def check_absent(self):
        owners = self.owners(code=3)
        self.h.check(owners == {"NS_PNRPNAME": "none", "NS_PNRPCLOUD": "none"}, "nobody's", owners)
        program = self.start("winsock_single", "0.name")
        self.says(program, "error %d in Begin" % SERVICE_NOT_FOUND)
        self.h.check(program.child.wait(timeout=60) == 1, "it ends", program.name)

    def install(self):
        library = os.path.join(os.environ["PNR_WINE_PROGRAMS"], "shim", "pnrnsp.dll")
        wine.run(wine.program(SETUP), "install", *VIEW, "--dll", wine.path(library))
        owners = self.owners(code=0)
        self.h.check(owners == {"NS_PNRPNAME": "pnr", "NS_PNRPCLOUD": "pnr"}, "ours", owners)

    def uninstall(self):
        wine.run(wine.program(SETUP), "uninstall", *VIEW)


def run_parts(machine, parts):
    """Runs each part, a function and what it takes, with the provider installed, which nobody asks before or after."""
    machine.check_absent()
    machine.install()
    try:
        for part, *arguments in parts:
            part(*arguments)
            machine.h.step(", ".join([part.__name__, *map(str, arguments)]))
    finally:
        machine.uninstall()
    machine.check_absent()
