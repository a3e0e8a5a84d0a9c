# SPDX-License-Identifier: MIT
"""pnrnsp.dll by itself, in a process that plays ws2_32's part (test_host.c), with a Linux pnrd."""

import os
import signal
import socket
import threading

import wine
import programs

NO_MORE = 10110
NOT_READY = 10091
# What a daemon does with who connects to it: what it says, whether it hangs up then, and what Next says of it.
BAD = (
    ("hangs", b"", False, NO_MORE),
    ("hangs up", b"", True, NOT_READY),
    ("talks nonsense", b"\0\0\0\3xyz", False, NOT_READY),
    ("promises 4 GiB", b"\xff\xff\xff\xffd", False, NOT_READY),
    ("hangs up within a frame", b"\0\0\0\xc8d1:", True, NOT_READY),
)


def be_bad(server, says, hangs_up):
    """Until nobody connects any more."""
    taken = []
    while True:
        try:
            connection, _ = server.accept()
            connection.sendall(says)
        except OSError:
            break
        taken.append(connection)
        if hangs_up:
            connection.close()
    for connection in taken:
        connection.close()


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 8, [])
        self.rendezvous = os.path.join(harness.directory, "rendezvous")
        self.daemon = programs.start(harness, self.net, "node", "--control", "tcp:" + self.rendezvous)
        self.pnr("key", "new", "own")
        self.publish(1)
        self.name = self.pnr("publications")[0]["name"]

    def pnr(self, *arguments):
        return programs.pnr(self.daemon.control, "--json", *arguments).objects()

    def publish(self, port):
        self.pnr("publish", "own.host", "--endpoint", "tcp:192.0.2.1:%d" % port, "--comment", "h\u00e9llo")

    def host(self, *arguments, rendezvous=None):
        """Runs it, and does what it asks for. Failure: a check did not hold."""
        control = {"PNR_CONTROL": "tcp:" + wine.path(rendezvous or self.rendezvous)}
        host = self.h.keep(wine.Program, wine.program("shim/test_host"), arguments, control)
        failed = False
        line = ""
        while not line.startswith("host: "):
            line = host.read_line(self.h.deadline)
            word, _, number = line.partition(" ")
            if word == "publish":
                self.publish(int(number))
                host.write_line("ok")
            elif word == "kill":
                self.daemon.kill()
                host.write_line("ok")
            elif word in ("stop", "go"):
                self.daemon.child.send_signal(signal.SIGSTOP if word == "stop" else signal.SIGCONT)
                host.write_line("ok")
            failed = failed or word == "FAIL"
        self.h.check(not failed and host.child.wait(timeout=60) == 0, "all checks held", line)

    # ---- the parts ----

    def no_daemon(self):
        self.host("absent", rendezvous=self.rendezvous + ".none")

    def bad_daemons(self):
        path = self.rendezvous + ".bad"
        for what, says, hangs_up, code in BAD:
            server = socket.create_server(("127.0.0.1", 0))
            with open(path, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write("pnr-rendezvous 1\nport %d\naccess control\nsecret %064d\n" % (server.getsockname()[1], 7))
            thread = threading.Thread(target=be_bad, args=(server, says, hangs_up))
            thread.start()
            self.host("bad", str(code), rendezvous=path)
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            server.close()
            self.h.step("it " + what)

    def hung(self):
        self.host("hung", self.name)

    def all_of_it(self):
        self.host(self.name)

    def lost(self):
        self.host(self.name, "lost")


def test(harness):
    scenario = Scenario(harness)
    for part in (scenario.no_daemon, scenario.bad_daemons, scenario.hung, scenario.all_of_it, scenario.lost):
        part()
        harness.step(part.__name__)


if __name__ == "__main__":
    programs.run(test, 150)
