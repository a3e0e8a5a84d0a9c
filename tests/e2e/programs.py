# SPDX-License-Identifier: MIT
"""The programs under test: pnrd, testnets of it, and pnr. Binaries are in PNR_BIN's folders.

Import this first: it finds what the interop tests share with these (processes, KRPC, keys).
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(HERE), "interop"))

from harness import Failure, Harness, Missing, Process, run  # noqa: E402 F401
from ours import program  # noqa: E402 F401


class Notices:
    """What a daemon tells a service manager (sd_notify): how a test knows that it is ready."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)

    def close(self):
        self.socket.close()
        os.unlink(self.path)

    def fileno(self):
        return self.socket.fileno()

    def next(self):
        return self.socket.recv(4096).decode()


class Daemon(Process):
    """A pnrd whose state, socket and rendezvous lie in a folder: FOLDER/state and so on.

    Returns once it is ready. Failure: it ended before.
    """

    def __init__(self, folder, options, directory, deadline, environment=None, prepare=None):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.state = os.path.join(folder, "state")
        self.control = os.path.join(folder, "control.sock")
        self.notices = Notices(os.path.join(folder, "notify"))
        command = [program("pnrd"), "--state", self.state, "--control", self.control, *options]
        environment = {"NOTIFY_SOCKET": self.notices.path, **(environment or {})}
        super().__init__("pnrd", command, directory, environment, prepare)
        try:
            self.await_notice("READY=1", deadline)
        except Failure:
            self.notices.close()
            raise

    def await_notice(self, word, deadline):
        """Waits until the daemon has told its service manager this. Failure: it ended first."""
        while True:
            ended, told = self._wait(deadline)
            if told and word in self.notices.next().split("\n"):
                return
            if ended and not told:
                raise Failure("pnrd ended with %d: %s" % (self.child.wait(), self.log()))

    def _wait(self, deadline):
        seen, _, _ = select.select(
            [self.notices, self.child.stdout], [], [], max(0, deadline - time.monotonic())
        )
        if not seen:
            raise Failure("pnrd did not say so in time")
        return self.child.stdout in seen, self.notices in seen

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def listens_at(self):
        """Where its first socket is bound, as ("127.0.0.1", port)."""
        for line in self.log().splitlines():
            if " listening addr=" in line:
                host, port = line.split("addr=")[1].split()[0].rsplit(":", 1)
                return host, int(port)
        raise Failure("it does not say where it listens")

    def kill(self):
        """As a crash: nothing is said, nothing is written any more."""
        self.child.kill()
        self.child.wait()
        self.notices.close()

    def stop(self, code=0, by=signal.SIGTERM):
        check_ends_cleanly(self, code, by)
        self.notices.close()


class Testnet(Process):
    """A DHT of nodes in one process. stop() and start() are answered when they are done."""

    def __init__(self, nodes, options, directory, deadline):
        super().__init__("testnet", [program("pnrd"), "--testnet", str(nodes), *options], directory)
        ready = self.read_line(deadline).split()
        if ready[:1] != ["ready"]:
            raise Failure("the testnet is not ready: " + " ".join(ready))
        fields = dict(word.split("=", 1) for word in ready[1:])
        self.bootstrap = fields["bootstrap"]
        self.control = fields["control"].removeprefix("unix:")

    def tell(self, verb, nodes, deadline):
        self.write_line(" ".join([verb, *map(str, nodes)]))
        answer = self.read_line(deadline)
        past = {"stop": "stopped", "start": "started"}[verb]
        if answer != "%s %d" % (past, len(nodes)):
            raise Failure("%s was answered by %s" % (verb, answer))

    def stop(self):
        check_ends_cleanly(self)


def joining(net):
    """The options of a daemon that joins this testnet, from a port of loopback."""
    return ["--listen", "127.0.0.1:0", "--bootstrap", net.bootstrap]


def start(harness, net, name, *options):
    """A daemon that joins this testnet, and has the folder of this name in the test's directory."""
    folder = os.path.join(harness.directory, name)
    return harness.keep(Daemon, folder, [*joining(net), *options])


def check_ends_cleanly(process, code=0, by=signal.SIGTERM):
    """Ends a process by a signal. Failure: it does not end, or not well (a leak, say)."""
    process.child.send_signal(by)
    try:
        ended = process.child.wait(timeout=30)
    except subprocess.TimeoutExpired:
        raise Failure("%s does not end when told to" % process.name) from None
    if ended != code:
        raise Failure("%s ended with code %d, not %d" % (process.name, ended, code))


class Done:
    """How a run of a program ended."""

    def __init__(self, finished):
        self.code = finished.returncode
        self.out = finished.stdout
        self.err = finished.stderr.decode("utf-8", "replace")

    def objects(self):
        """The JSON objects on stdout, one a line. Failure: that is not what stands there."""
        try:
            return [json.loads(line) for line in self.out.splitlines()]
        except ValueError:
            raise Failure("not JSON: %r" % self.out[:400]) from None


def pnr(control, *arguments, code=0, stdin=b"", timeout_s=60, environment=None):
    """Runs pnr as a client of the daemon at this address. Failure: another exit code than code."""
    command = [program("pnr"), *arguments]
    kept = {**os.environ, **(environment or {})}
    if control is not None:
        command[1:1] = ["--control", control]
    finished = subprocess.run(
        command, input=stdin, capture_output=True, timeout=timeout_s, env=kept, check=False
    )
    done = Done(finished)
    if code is not None and done.code != code:
        words = " ".join(arguments)
        raise Failure("pnr %s ended with %d, not %d: %s" % (words, done.code, code, done.err))
    return done


def pnrd(*options, code=0, timeout_s=60, environment=None):
    """Runs a pnrd that ends by itself. Failure: another exit code than code."""
    finished = subprocess.run(
        [program("pnrd"), *options], stdin=subprocess.DEVNULL, capture_output=True,
        timeout=timeout_s, env={**os.environ, **(environment or {})}, check=False
    )
    done = Done(finished)
    if done.code != code:
        raise Failure("pnrd %s ended with %d, not %d: %s" % (options, done.code, code, done.err))
    return done


def run_with_mounts(test, timeout_s):
    """Runs the test where it may mount what nobody else sees."""
    marker = "PNR_E2E_MOUNTS"
    ways = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])
    for way in () if os.environ.get(marker) else ways:
        if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            os.environ[marker] = "1"
            os.execvp(way[0], [*way, sys.executable, *sys.argv])
    run(test if os.environ.get(marker) else _no_mounts, timeout_s)


def _no_mounts(_):
    raise Missing("no mount namespace can be had")


def mount(*arguments):
    finished = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise Missing("cannot mount: " + finished.stderr)
