# SPDX-License-Identifier: MIT
"""pnrd is recorded and replayed: whatever it is told, and however it ends, it says the same again.

A byte of a recorded reply that is another is found, and no secret key is in any recording.
"""

import base64
import json
import os
import signal
import stat
import struct
import subprocess

import programs
import control
from forms import forms
from items import PKCS8

HEAD_LINES = 2
HEAD = 13  # bytes: kind, length, CRC of the payload, CRC of these
RECEIVE = 8
KILLED = "; the recording was cut off"


def entries(data):
    """(number, offset, kind, payload) of each entry of a recording."""
    at = 0
    for _ in range(HEAD_LINES):
        at = data.index(b"\n", at) + 1
    number = 0
    while at + HEAD <= len(data):
        kind, size = struct.unpack(">BI", data[at : at + 5])
        number += 1
        yield number, at, kind, data[at + HEAD : at + HEAD + size]
        at += HEAD + size


def crc32c(data):
    """As docs/recording.md has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def seal(data, at):
    """Makes the CRCs of the entry at that place right."""
    size = struct.unpack_from(">I", data, at + 1)[0]
    struct.pack_into(">I", data, at + 5, crc32c(data[at + HEAD : at + HEAD + size]))
    struct.pack_into(">I", data, at + 9, crc32c(data[at : at + 9]))


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 12, [])
        self.daemon = None
        self.secrets = {}  # label: 32 bytes

    def path(self, name):
        return os.path.join(self.h.directory, name)

    def start(self, name):
        self.daemon = programs.start(self.h, self.net, "node", "--record", self.path(name))

    def pnr(self, *arguments, code=0, stdin=b""):
        return programs.pnr(self.daemon.control, *arguments, code=code, stdin=stdin)

    def replay(self, name, code=0, json_too=False):
        command = [os.environ["PNR_REPLAY"], self.path(name)]
        finished = subprocess.run(command + (["--json"] if json_too else []), text=True,
                                  capture_output=True, timeout=100, check=False)
        said = finished.stdout + finished.stderr
        self.h.check(finished.returncode == code, "replay", name, finished.returncode, said)
        self.h.check(said.count("\n") == 1, "one line", said)
        return said.rstrip("\n")

    def learn(self, label, pem):
        der = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
        self.h.check(der.startswith(PKCS8) and len(der) == 48, "a key of openssl's form", label)
        self.secrets[label] = der[16:]

    # ---- the parts ----

    def use(self):
        """Keys are made, taken over and given out; names are published, found and withdrawn."""
        self.start("first")
        self.h.check(stat.S_IMODE(os.stat(self.path("first")).st_mode) == 0o600, "mode 0600")
        self.pnr("key", "new", "made")
        self.learn("made", self.pnr("key", "export", "made").out)
        pem = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True,
                             check=True).stdout
        self.learn("taken", pem)
        self.pnr("key", "import", "taken", "-", stdin=pem)
        self.pnr("key", "import", "taken", "-", stdin=pem, code=None)
        for label in ("made", "taken"):
            self.pnr("publish", label + ".x", "192.0.2.1:80", "--comment", "hello")
            self.pnr("resolve", label + ".x", "--wait", "all")
        self.pnr("publish", "made", "[2001:db8::1]:443")
        self.pnr("resolve", "made.nobody", code=None)
        self.pnr("unpublish", "made.x")
        for word in ("publications", "status", "peers"):
            self.pnr("--json", word)
        self.pnr("key", "new", "short")
        os.unlink(os.path.join(self.daemon.state, "keys", "short.pem"))
        self.daemon.child.send_signal(signal.SIGHUP)
        self.daemon.await_notice("READY=1", self.h.deadline)
        self.pnr("key", "new", "long")  # waits its turn behind the reading
        self.h.check(b"short" not in self.pnr("key", "list").out, "the keys were read again")

    def misuse(self):
        """Keys where there should be none, in frames that are broken, or come in pieces."""
        taken = base64.b64encode(PKCS8 + self.secrets["taken"])
        pem = b"-----BEGIN PRIVATE KEY-----\n" + taken + b"\n-----END PRIVATE KEY-----\n"
        client = control.Client(self.daemon.control)
        for word, arguments in (("key_import", {"label": pem.decode(), "pem": taken.decode()}),
                                ("key_import", {"label": "again", "pme": pem.decode()}),
                                ("key_import", {"label": "Bad-Label", "pem": pem.decode()}),
                                ("key_imprt", {"label": "again", "pem": pem.decode()}),
                                ("key_new", {"label": "made", "pem": pem.decode()}),
                                ("status", {"pem": pem.decode()})):
            client.ask(word, **arguments)
        frame = control.frame_of(b"d1:ad3:pem%d:%se" % (len(taken), taken))
        client.socket.sendall(frame)
        control.last_words(client.socket)
        client.close()
        # In pieces, between which the node hears of other clients; the last one breaks off.
        for cut in (3, 30, len(frame)):
            whole = control.frame_of(b"d1:ad5:label5:taken3:pem%d:%se1:ii7e1:q10:key_importe" %
                                     (len(pem), pem))
            client = control.Client(self.daemon.control)
            client.socket.sendall(whole[:cut])
            self.pnr("key", "list")
            if cut != len(frame):
                client.socket.sendall(whole[cut:])
                client.socket.recv(100)
            client.close()

    def end_in_order(self):
        self.daemon.stop()
        said = self.replay("first")
        self.h.check("the same" in said and not said.endswith(KILLED), said)
        print(said)
        told = json.loads(self.replay("first", json_too=True))
        self.h.check(told["same"] and told["end"] == "closed" and told["outputs"] > 100, told)

    def end_by_kill(self):
        """What is on the disk after a kill is a recording too, with all that was restored in it."""
        self.start("second")
        self.pnr("publish", "made.y", "192.0.2.1:80")
        client = control.Client(self.daemon.control)
        client.socket.sendall(control.frame_of(b"d1:ad4:name6:made.ze1:ii7e1:q7:resolvee"))
        client.socket.recv(1)
        self.daemon.kill()
        self.h.processes.remove(self.daemon)
        client.close()
        said = self.replay("second")
        self.h.check("the same" in said and said.endswith(KILLED), said)
        print(said)

    def other_bytes(self):
        """One byte of a reply that a lookup went on with is another."""
        with open(self.path("first"), "rb") as file:
            data = bytearray(file.read())
        replies = [(number, at, at + HEAD + payload.index(b"5:nodes") + 12)
                   for number, at, kind, payload in entries(data)
                   if kind == RECEIVE and b"5:nodes" in payload]
        self.h.check(len(replies) > 3, "replies with nodes", len(replies))
        number, entry, at = replies[0]
        data[at] ^= 0x55
        seal(data, entry)
        with open(self.path("other"), "wb") as file:
            file.write(data)
        said = self.replay("other", code=1)
        told = json.loads(self.replay("other", code=1, json_too=True))
        self.h.check(not told["same"] and told["input_entry"] >= number, told, number)
        self.h.check("differs: after input %d (" % told["input_entry"] in said, said)
        print(said)

    def broken(self):
        with open(self.path("first"), "rb") as file:
            data = bytearray(file.read())
        number, at, _, _ = list(entries(data))[40]
        count = len(list(entries(data)))
        kind = bytearray(data)
        kind[at] = 200
        seal(kind, at)
        bit = bytearray(data)
        bit[at + HEAD] ^= 1
        for number, at, bytes_, why in (
                (number, at, kind, "a kind of entry that there is not"),
                (number, at, bit, "the entry is not what was written"),
                (count + 1, len(data), data + b"\0", "the file goes on behind its end"),
                (count + 1, len(data), data + data, "the file goes on behind its end")):
            with open(self.path("broken"), "wb") as file:
                file.write(bytes_)
            said = self.replay("broken", code=2)
            wanted = "simnet: %s: entry %d at byte %d: %s" % (self.path("broken"), number, at, why)
            self.h.check(said == wanted, said)

    def refusals(self):
        done = programs.pnrd("--record", self.path("first"), "--state", self.path("none"),
                             "--control", "unix:" + self.path("none.sock"), "--listen",
                             "127.0.0.1:0", code=1)
        self.h.check("File exists" in done.err, done.err)
        done = programs.pnrd("--testnet", "2", "--record", self.path("net"), code=2)
        self.h.check("not of a testnet" in done.err, done.err)

    def search(self):
        for name in ("first", "second"):
            with open(self.path(name), "rb") as file:
                data = file.read()
            self.h.check(b"key_import" in data or name != "first", "the requests are in it")
            for label, seed in self.secrets.items():
                for form, text in forms(seed).items():
                    self.h.check(text not in data, "a secret shows", label, form, name)
            self.h.check(b"BEGIN PRIVATE" not in data, "a PEM text shows", name)


def test(harness):
    scenario = Scenario(harness)
    for part in ("use", "misuse", "end_in_order", "end_by_kill", "other_bytes", "broken",
                 "refusals", "search"):
        getattr(scenario, part)()
        harness.step(part)
    scenario.net.stop()


programs.run(test, timeout_s=200)
