# SPDX-License-Identifier: MIT
"""What the interop tests share: processes that talk lines, checks, and a clean end.

A test is a function that takes a Harness; run() gives it one, ends every process it started, and
exits with ctest's code. A check that fails prints what was said to and by each process. A peer that
is not installed fails the test, unless PNR_ALLOW_SKIP is set: then the test prints SKIP and exits
with 77. All processes end with the test, even where the test is killed.
"""

import ctypes
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
_PEERS = os.path.join(HERE, "peers")
# libtorrent's binding is Debian's, so the interpreter is Debian's as well.
_PYTHON = "/usr/bin/python3"
_NODE = "node"
_SKIPPED = 77
_NO_NAMESPACE = 125
_IN_NAMESPACE = "PNR_INTEROP_NETNS"
_TRANSCRIPT_LINES = 40
_counter = itertools.count()
_COMMANDS = {
    "libtorrent": [_PYTHON, os.path.join(_PEERS, "libtorrent_peer.py")],
    "transmission": [_PYTHON, os.path.join(_PEERS, "transmission_peer.py")],
    "bittorrent_dht": [_NODE, os.path.join(_PEERS, "bittorrent_dht_peer.js")],
    "pkarr": [_NODE, os.path.join(_PEERS, "pkarr_peer.js")],
}


class Failure(Exception):
    """A check did not hold."""


class Missing(Exception):
    """A peer, a package or a binary that the test needs is not there."""


_libc = ctypes.CDLL(None)


def _in_child(prepare=None):
    """A killed parent cannot end its children, so the kernel does."""
    pr_set_pdeathsig = 1
    _libc.prctl(pr_set_pdeathsig, signal.SIGKILL)
    if prepare is not None:
        prepare()


class Process:
    """A process that speaks lines. Its standard error goes to a file, shown on a failure."""

    def __init__(self, name, command, directory, environment=None, prepare=None):
        """environment: further variables. prepare: called in the child before the program."""
        self.name = name
        self.log_path = os.path.join(directory, "log-%d" % next(_counter))
        self.began = time.monotonic()
        self.transcript = []
        self.note("$ " + " ".join(command))
        self.buffer = b""
        with open(self.log_path, "wb") as log:
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # What a process leaves behind goes with the test's own directory.
                env={**os.environ, "TMPDIR": directory, **(environment or {})},
                preexec_fn=lambda: _in_child(prepare),
            )

    def note(self, line):
        self.transcript.append("%7.3f %s" % (time.monotonic() - self.began, line))

    def write_line(self, line):
        self.note("> " + line)
        try:
            self.child.stdin.write(line.encode() + b"\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            raise Failure("%s is gone" % self.name) from None

    def read_line(self, deadline):
        """Blocks until a whole line has come. Failure: the deadline passed, or the end came."""
        while b"\n" not in self.buffer:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([self.child.stdout], [], [], left_s)[0]:
                raise Failure("%s said nothing in time" % self.name)
            data = os.read(self.child.stdout.fileno(), 65536)
            if not data:
                raise Failure("%s ended with code %s" % (self.name, self.child.wait()))
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        self.note("< " + line.decode("utf-8", "replace"))
        return line.decode("utf-8", "replace")

    def end(self):
        """Asks by the end of its input, and kills what has not understood."""
        if self.child.poll() is None:
            self.child.stdin.close()
            self.child.terminate()
            try:
                self.child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()

    def print_history(self, out):
        print("--- %s" % self.name, file=out)
        with open(self.log_path, errors="replace") as log:
            said = ["! " + line.rstrip("\n") for line in log]
        for lines in (self.transcript, said):
            for line in lines[-_TRANSCRIPT_LINES:]:
                print("    " + line[:1000], file=out)


class Peer(Process):
    """Another implementation's node, behind one of the programs in peers/."""

    def __init__(self, name, command, directory, deadline):
        super().__init__(name, command, directory)
        ready = json.loads(self.read_line(deadline))
        self.address = ready["address"]
        self.version = ready["version"]

    def ask(self, command, timeout_s=30, **fields):
        """Has the peer do something and returns its answer. Failure: it could not."""
        self.write_line(json.dumps({"do": command, "timeout_s": timeout_s, **fields}))
        # The peer keeps the time; what is added is for its way here.
        answer = json.loads(self.read_line(time.monotonic() + timeout_s + 5))
        if not answer["ok"]:
            raise Failure("%s could not %s: %s" % (self.name, command, answer["error"]))
        return answer


class Harness:
    def __init__(self, timeout_s):
        self.began = time.monotonic()
        self.deadline = self.began + timeout_s
        self.directory = tempfile.mkdtemp(prefix="pnr-interop-")
        self.processes = []

    def start_peer(self, kind, listen="127.0.0.1:0", bootstrap=(), contacts=()):
        """Starts one of peers/ and waits until it is ready. contacts: transmission's alone."""
        need(kind)
        command = [*_COMMANDS[kind], "--listen", listen]
        for address in bootstrap:
            command += ["--bootstrap", address]
        for address in contacts:
            command += ["--contact", address]
        return self.keep(Peer, kind, command)

    def start_peers(self, kind, count, bootstrap):
        """As many peers of one kind on loopback, all by way of the same bootstrap."""
        return [self.start_peer(kind, bootstrap=bootstrap) for _ in range(count)]

    def check(self, holds, what, *seen):
        """Fails the test, naming what did not hold and what was seen in its place."""
        if not holds:
            raise Failure(": ".join([what, *(repr(thing) for thing in seen)]))

    def step(self, name):
        """Says that a part of the test has passed."""
        print("ok %s (at %.1f s)" % (name, time.monotonic() - self.began), flush=True)

    def until(self, what, attempt, every_s=0.5):
        """Asks again until attempt() returns something true, and returns that.

        For the tables of other nodes alone, which tell nobody when they change.
        """
        while True:
            seen = attempt()
            if seen:
                return seen
            if time.monotonic() + every_s > self.deadline:
                raise Failure("never came: " + what)
            time.sleep(every_s)

    def close(self):
        for process in reversed(self.processes):
            process.end()
        shutil.rmtree(self.directory, ignore_errors=True)

    def print_history(self, out):
        for process in self.processes:
            process.print_history(out)

    def keep(self, kind, *arguments):
        """Makes a process and sees to its end, even where its start-up fails half way."""
        process = kind.__new__(kind)
        self.processes.append(process)
        try:
            process.__init__(*arguments, self.directory, self.deadline)
        except BaseException:
            if not hasattr(process, "child"):
                self.processes.remove(process)
            raise
        return process


def need(kind):
    """Missing: the peer of this kind cannot run here."""
    if kind in ("bittorrent_dht", "pkarr"):
        if shutil.which(_NODE) is None:
            raise Missing("node is not installed")
        package = kind.replace("_", "-")
        if not os.path.isdir(os.path.join(HERE, "node_modules", package)):
            raise Missing("npm's %s is not installed: scripts/npm-install" % package)
    elif kind == "transmission":
        if shutil.which("transmission-daemon") is None:
            raise Missing("transmission-daemon is not installed")
    elif subprocess.run([_PYTHON, "-c", "import libtorrent"], capture_output=True).returncode != 0:
        raise Missing("python3-libtorrent is not installed")


def enter_namespace(addresses):
    """Starts the running script anew, in a network namespace with these addresses. Returns in
    there. Missing: the system lets us have none."""
    if os.environ.get(_IN_NAMESPACE):
        return
    script = [os.path.join(HERE, "netns.sh"), *addresses, "--", sys.executable, *sys.argv]
    code = subprocess.run(script, env={**os.environ, _IN_NAMESPACE: "1"}, preexec_fn=_in_child)
    if code.returncode == _NO_NAMESPACE:
        raise Missing("no network namespace can be had")
    sys.exit(code.returncode)


def run(test, timeout_s=100, addresses=()):
    """Runs test(harness) and exits with ctest's code.

    addresses: run it in a network namespace that has these.
    """
    try:
        if addresses:
            enter_namespace(addresses)
        _run_in(Harness(timeout_s), test)
    except Missing as missing:
        if os.environ.get("PNR_ALLOW_SKIP"):
            print("SKIP: %s" % missing)
            sys.exit(_SKIPPED)
        print("FAIL: %s (PNR_ALLOW_SKIP=1 would skip)" % missing)
        sys.exit(1)
    except (Failure, TimeoutError) as failure:
        print("FAIL: %s" % failure)
        sys.exit(1)
    sys.exit(0)


def _run_in(harness, test):
    try:
        test(harness)
    except Missing:
        raise  # there is nothing to show: the test did not take place
    except BaseException:
        harness.print_history(sys.stdout)
        raise
    finally:
        harness.close()
