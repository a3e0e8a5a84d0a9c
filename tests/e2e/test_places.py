# SPDX-License-Identifier: MIT
"""Bad places for pnrd's state, sockets and ports: full, read-only, damaged, or somebody else's.

Each is told clearly, and what was published before is there again once the place is good.
"""

import os
import shutil
import subprocess

import programs
import control

ENDPOINT = {b"ip": bytes((192, 0, 2, 1)), b"port": 443, b"proto": 6}


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 8, [])
        self.folder = os.path.join(harness.directory, "node")
        self.state = os.path.join(self.folder, "state")
        self.socket = os.path.join(self.folder, "control.sock")
        self.names = set()
        self.daemon = None
        self.client = None
        self.start()
        self.client.must("key_new", label="own")

    def options(self):
        return programs.joining(self.net)

    def start(self):
        self.daemon = self.h.keep(programs.Daemon, self.folder, self.options())
        self.client = control.Client(self.socket)

    def stop(self):
        self.client.close()
        self.daemon.stop()

    def publish(self, classifier, **more):
        name = "own." + classifier
        answer = self.client.ask("publish", name=name, endpoints=[ENDPOINT], **more)
        if answer.error == control.OK:
            self.names.add(classifier)
        return answer

    def must_publish(self, classifier):
        answer = self.publish(classifier)
        self.h.check(answer.error == control.OK, "publish", classifier, answer.text)

    def check_names(self):
        """All that was acknowledged is published."""
        listed = {
            result[b"name"].decode().split(".")[1]
            for result in self.client.must("publications").results
        }
        self.h.check(self.names <= listed, "names that are gone", self.names - listed)

    def check_refuses(self, words, *options, state=None, control_path=None):
        """A pnrd that cannot start says why, in one line, and which place it is about."""
        state = state or self.state
        control_path = control_path or os.path.join(self.h.directory, "other.sock")
        done = programs.pnrd("--state", state, "--control", control_path, *options, code=1)
        lines = [line for line in done.err.splitlines() if " error " in line]
        self.h.check(len(lines) == 1, "one error is told", done.err)
        for word in words:
            self.h.check(word in lines[0], "the message says %r" % word, lines[0])
        print("  said: " + lines[0].split(" error ")[1])

    # ---- the parts ----

    def two_daemons(self):
        self.must_publish("two")
        self.check_refuses([self.state, "in use by"], *self.options())
        self.must_publish("three")
        self.check_names()

    def taken_port(self):
        host, port = self.daemon.listens_at()
        taken = "%s:%d" % (host, port)
        fresh = os.path.join(self.h.directory, "fresh")
        self.check_refuses([taken, "use"], "--listen", taken, state=fresh)
        self.check_names()

    def taken_control(self):
        fresh = os.path.join(self.h.directory, "fresh")
        self.check_refuses([self.socket, "another daemon answers"], *self.options(), state=fresh,
                           control_path=self.socket)
        self.check_names()
        path = os.path.join(self.h.directory, "a-file")
        with open(path, "w", encoding="ascii") as file:
            file.write("precious")
        self.check_refuses([path, "no socket"], *self.options(), state=fresh, control_path=path)
        with open(path, encoding="ascii") as file:
            self.h.check(file.read() == "precious", "a file is left alone")

    def socket_of_a_crash(self):
        """A socket and a state that a crash left behind are taken over without a word."""
        self.must_publish("crash")
        self.client.close()
        self.daemon.kill()
        self.h.check(os.path.exists(self.socket), "the socket of the crash")
        self.h.check(os.path.getsize(self.state + "/state.db-wal") > 0, "the journal of the crash")
        self.start()
        self.check_names()

    def torn_journal(self):
        """A power cut in the middle of a write leaves half of it; what came before stands."""
        self.client.close()
        self.daemon.kill()
        journal = os.path.join(self.state, "state.db-wal")
        with open(journal, "ab") as file:
            file.write(os.urandom(5000))
        self.start()
        self.check_names()

    def damaged_state(self):
        self.stop()
        path = os.path.join(self.state, "state.db")
        with open(path, "rb") as file:
            good = file.read()
        damaged = (("no database at all", os.urandom(len(good))),
                   ("cut in half", good[: len(good) // 2]),
                   ("a page overwritten", good[:4096] + os.urandom(len(good) - 4096)))
        for name, data in damaged:
            with open(path, "wb") as file:
                file.write(data)
            print("  " + name)
            self.check_refuses([path, "is damaged", "remedy"], *self.options())
            with open(path, "rb") as file:
                self.h.check(file.read() == data, "the evidence is left alone")
        with open(path, "wb") as file:
            file.write(good)
        self.start()
        self.check_names()

    def newer_state(self):
        """A state of a later version is not touched."""
        self.stop()
        path = os.path.join(self.state, "state.db")
        shutil.copy(path, path + ".good")
        with open(path, "r+b") as file:
            file.seek(60)  # SQLite's user_version
            file.write((999).to_bytes(4, "big"))
        self.check_refuses([path, "999"], *self.options())
        os.replace(path + ".good", path)
        self.start()
        self.check_names()

    def read_only(self):
        self.stop()
        programs.mount("--bind", self.state, self.state)
        programs.mount("-o", "remount,bind,ro", self.state)
        self.check_refuses([self.state, "Read-only"], *self.options())
        subprocess.run(["umount", self.state], check=True)
        self.start()
        self.check_names()

    def no_such_place(self):
        file = os.path.join(self.h.directory, "a-file")
        self.check_refuses([file], *self.options(), state=file + "/state")
        self.check_refuses(["/proc/pnr"], *self.options(), state="/proc/pnr/state")
        fresh = os.path.join(self.h.directory, "fresh")
        self.check_refuses([file], *self.options(), state=fresh, control_path=file + "/c.sock")

    def full_disk(self):
        """Publishing fails with a clear message while there is no room, and goes on after."""
        self.stop()
        small = os.path.join(self.h.directory, "small")
        os.makedirs(small)
        programs.mount("-t", "tmpfs", "-o", "size=768k", "tmpfs", small)
        shutil.copytree(self.state, small + "/state")
        self.folder, self.socket = small, small + "/control.sock"
        self.state = small + "/state"
        self.start()
        self.check_names()
        filler = open(small + "/filler", "wb", buffering=0)
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass
        failed = None
        for number in range(400):
            answer = self.publish("full%d" % number, payload=os.urandom(500))
            if answer.error != control.OK:
                failed = answer
                break
        self.h.check(failed is not None, "a full disk is noticed")
        print("  said: " + failed.text)
        self.h.check("cannot be written" in failed.text, "why", failed.text)
        self.h.check("state is not written" in self.daemon.log(), "the log", self.daemon.log())
        self.key_on_full_disk()
        self.check_names()
        counters = self.client.must("status").fields[b"counters"]
        self.h.check(counters[b"state_failed"] > 0, "rows that failed", counters)
        self.kill_and_start()
        os.truncate(small + "/filler", 0)
        filler.close()
        self.must_publish("room-again")
        self.kill_and_start()
        self.stop()

    def key_on_full_disk(self):
        before = set(os.listdir(self.state + "/keys"))
        answer = self.client.ask("key_new", label="late")
        if answer.error != control.OK:
            print("  said: " + answer.text)
            after = set(os.listdir(self.state + "/keys"))
            self.h.check(after == before, "half a key is left behind", after - before)
            self.h.check("late" not in [r[b"label"].decode() for r in
                                        self.client.must("key_list").results], "it is listed")

    def kill_and_start(self):
        self.client.close()
        self.daemon.kill()
        self.start()
        self.check_names()


def test(harness):
    scenario = Scenario(harness)
    for part in ("two_daemons", "taken_port", "taken_control", "socket_of_a_crash",
                 "torn_journal", "damaged_state", "newer_state", "no_such_place", "read_only",
                 "full_disk"):
        getattr(scenario, part)()
        harness.step(part)
    scenario.net.stop()


programs.run_with_mounts(test, timeout_s=200)
