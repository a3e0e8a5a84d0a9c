# SPDX-License-Identifier: MIT
"""A daemon's life: ready, reloaded, stopped; its configuration; loopback TCP with its secrets."""

import hmac
import os
import signal
import socket
import stat

import programs
import control
from krpc import bdecode, bencode

ERROR, USAGE, REFUSED = 1, 2, 6


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 8, [])
        self.folder = os.path.join(harness.directory, "node")
        os.makedirs(self.folder)
        self.config = os.path.join(self.folder, "pnr.conf")
        self.rendezvous = os.path.join(self.folder, "rendezvous")
        self.daemon = None

    def write_config(self, *lines):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def start(self, *options):
        self.daemon = programs.start(self.h, self.net, "node", *options)

    # ---- the parts ----

    def stops_cleanly(self):
        """By SIGTERM and SIGINT, with clients connected, and leaves no socket behind."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self.start()
            client = control.Client(self.daemon.control)
            client.must("status")
            client.begin("resolve", name="0" * 40 + ".x", wait="all")
            self.daemon.child.send_signal(number)
            self.daemon.await_notice("STOPPING=1", self.h.deadline)
            control.last_words(client.socket)
            self.h.check(self.daemon.child.wait(timeout=30) == 0, "its exit code")
            self.daemon.notices.close()
            left = [name for name in os.listdir(self.folder) if "control.sock" in name]
            self.h.check(not left, "left behind", left)
            client.close()

    def reloads(self):
        """SIGHUP reads the configuration again; a bad one changes nothing."""
        self.write_config("[node]", "log-level = info")
        self.start("--config", self.config)
        self.write_config("[node]", "log-level = debug", "clients-max = 10", "keys-max = 7")
        self.hang_up()
        log = self.daemon.log()
        self.h.check('changed key="[node] log-level"' in log or "log-level" in log, "changed", log)
        self.h.check("before a restart" in log and "keys-max" in log, "needs a restart", log)
        self.write_config("[node]", "log-level = debug", "no-such-key = 1")
        self.hang_up()
        log = self.daemon.log()
        self.h.check("pnr.conf:3" in log and "no-such-key" in log, "what is wrong, and where", log)
        control.Client(self.daemon.control).must("status")
        self.daemon.stop()

    def hang_up(self):
        self.daemon.child.send_signal(signal.SIGHUP)
        self.daemon.await_notice("RELOADING=1", self.h.deadline)
        self.daemon.await_notice("READY=1", self.h.deadline)

    def keys_come_with_a_reload(self):
        """A key file that was put there by hand is there after SIGHUP, or told what is wrong."""
        self.start()
        client = control.Client(self.daemon.control)
        client.must("key_new", label="own")
        path = os.path.join(self.daemon.state, "keys", "own.pem")
        with open(path, "rb") as file:
            pem = file.read()
        client.must("key_new", label="other")
        os.unlink(os.path.join(self.daemon.state, "keys", "other.pem"))
        self.hang_up()
        self.h.until("a key that was removed is gone", lambda:
                     client.ask("key_show", label="other").error == control.NOT_FOUND,
                     every_s=0.01)
        os.chmod(path, 0o640)
        self.hang_up()
        self.h.until("the log says so", lambda: "own.pem" in self.daemon.log(), every_s=0.01)
        self.h.check(client.ask("key_show", label="own").error == control.OK, "it is still held")
        self.h.check(pem not in self.daemon.log().encode(), "not what is in it")
        os.chmod(path, 0o600)
        client.close()
        self.daemon.stop()

    def configuration(self):
        """What --dump-config prints is a configuration, and means the same."""
        first = programs.pnrd("--dump-config", "--state", "/var/lib/pnr").out
        path = os.path.join(self.folder, "dumped.conf")
        with open(path, "wb") as file:
            file.write(first)
        programs.pnrd("--check-config", "--config", path)
        second = programs.pnrd("--dump-config", "--config", path, "--state", "/var/lib/pnr").out
        self.h.check(first == second, "dumped twice")
        changed = first.decode().replace("clients-max = 256", "clients-max = 99")
        self.h.check(changed.encode() != first, "a key to change")
        with open(path, "w", encoding="utf-8") as file:
            file.write(changed)
        third = programs.pnrd("--dump-config", "--config", path, "--state", "/var/lib/pnr").out
        self.h.check(third.decode() == changed, "a changed one")
        rows = [("an unknown key", "[node]\nno-such-key = 1", ":2"),
                ("an unknown section", "[nodes]\nlog-level = info", ":"),
                ("a value that does not fit", "[node]\n\nlog-level = loud", ":3"),
                ("a key twice", "[node]\nlog-level = info\nlog-level = info", ":3"),
                ("a number out of range", "[node]\nclients-max = 0", ":2"),
                ("no line at all", "[node]\nnonsense", ":2")]
        for name, text, place in rows:
            self.write_config(text)
            done = programs.pnrd("--check-config", "--config", self.config, code=USAGE)
            self.h.check("pnr.conf" + place in done.err, name, done.err)
        programs.pnrd("--check-config", "--config", self.folder + "/none.conf", code=USAGE)
        programs.pnrd("--no-such-option", code=USAGE)

    # ---- loopback TCP ----

    def read_rendezvous(self, path):
        with open(path, encoding="ascii") as file:
            lines = file.read().splitlines()
        self.h.check(lines[0] == "pnr-rendezvous 1", "its first line", lines[0])
        return dict(line.split(" ", 1) for line in lines[1:])

    def shake(self, port, access, secret, spoil=False):
        """The handshake by hand; returns the daemon's last frame."""
        bare = socket.create_connection(("127.0.0.1", port), timeout=30)
        nonce = os.urandom(32)
        bare.sendall(control.frame_of(bencode({b"access": access.encode(), b"node": 0,
                                               b"nonce": nonce, b"version": 1})))
        challenge = self.read_frame(bare)
        if b"nonce" not in challenge:
            return challenge
        nonces = nonce + challenge[b"nonce"]
        theirs = hmac.digest(secret, b"pnr-control-1 server\0" + nonces, "sha256")
        self.h.check(spoil or challenge[b"proof"] == theirs, "the daemon's proof")
        ours = hmac.digest(secret, b"pnr-control-1 client\0" + nonces, "sha256")
        bare.sendall(control.frame_of(bencode({b"proof": ours})))
        answer = self.read_frame(bare)
        bare.close()
        return answer

    def read_frame(self, bare):
        length = int.from_bytes(bare.recv(4, socket.MSG_WAITALL), "big")
        return bdecode(bare.recv(length, socket.MSG_WAITALL))

    def tcp(self):
        address = "tcp:" + self.rendezvous
        self.start("--control", address)
        levels = ((self.rendezvous, "control", 0o600), (self.rendezvous + ".resolve", "resolve",
                                                        0o644))
        for path, access, mode in levels:
            seen = stat.S_IMODE(os.stat(path).st_mode)
            self.h.check(seen == mode, path + " has mode", oct(seen))
            fields = self.read_rendezvous(path)
            self.h.check(fields["access"] == access, "access", fields["access"])
            port, secret = int(fields["port"]), bytes.fromhex(fields["secret"])
            welcome = self.shake(port, access, secret)
            self.h.check(welcome.get(b"access") == access.encode(), "welcome", welcome)
            wrong = self.shake(port, access, os.urandom(32), spoil=True)
            self.h.check(wrong.get(b"code") == control.REFUSED, "a wrong secret", wrong)
        fields = self.read_rendezvous(self.rendezvous + ".resolve")
        port, secret = int(fields["port"]), bytes.fromhex(fields["secret"])
        more = self.shake(port, "control", secret, spoil=True)
        self.h.check(more.get(b"code") == control.REFUSED, "more than its secret allows", more)
        self.tcp_command_line(address)
        first = self.read_rendezvous(self.rendezvous)
        self.daemon.stop()
        left = [name for name in os.listdir(self.folder) if "rendezvous" in name]
        self.h.check(not left, "left behind", left)
        self.start("--control", address)
        second = self.read_rendezvous(self.rendezvous)
        self.h.check(first["secret"] != second["secret"], "a new secret at each start")
        self.daemon.stop()

    def tcp_command_line(self, address):
        programs.pnr(address, "key", "new", "by-tcp")
        programs.pnr(address, "status")
        programs.pnr(address + ".resolve", "status")
        programs.pnr(address + ".resolve", "key", "list", code=REFUSED)
        old = os.path.join(self.folder, "stale")
        with open(self.rendezvous, encoding="ascii") as file:
            text = file.read()
        secret = self.read_rendezvous(self.rendezvous)["secret"]
        rows = [("a wrong secret", text.replace(secret, "00" * 32), 0o600, REFUSED),
                ("a file that others may write", text, 0o602, REFUSED),
                ("a control secret that others may read", text, 0o644, REFUSED),
                ("no rendezvous file", "hello\n", 0o600, ERROR)]
        for name, data, mode, code in rows:
            with open(old, "w", encoding="ascii") as file:
                file.write(data)
            os.chmod(old, mode)
            done = programs.pnr("tcp:" + old, "status", code=code)
            print("  %s: %s" % (name, done.err.splitlines()[0]))


def test(harness):
    scenario = Scenario(harness)
    for part in ("stops_cleanly", "reloads", "keys_come_with_a_reload", "configuration", "tcp"):
        getattr(scenario, part)()
        harness.step(part)
    scenario.net.stop()


programs.run(test, timeout_s=200)
