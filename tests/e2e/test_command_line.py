# SPDX-License-Identifier: MIT
"""pnr from end to end: keys, names from one machine to another, exit codes, JSON, Ctrl-C."""

import base64
import hashlib
import os
import re
import signal
import socket
import stat
import subprocess

import programs
import control
import keys

FAR = "5"  # the node of the testnet that resolves what our daemon publishes
DONE, ERROR, USAGE, NOT_FOUND, TIMED_OUT, UNREACHABLE, REFUSED = range(7)
COMMENT = "K\u00fcche \u2615 caf\u00e9"


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 12, [])
        self.daemon = programs.start(harness, self.net, "node")
        self.pem = os.path.join(harness.directory, "own.pem")
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silent.bind(("127.0.0.1", 0))
        self.silent_address = "127.0.0.1:%d" % self.silent.getsockname()[1]
        self.own = None

    def pnr(self, *arguments, **options):
        """As a client of our daemon."""
        return programs.pnr(self.daemon.control, *arguments, **options)

    def far(self, *arguments, **options):
        """As a client of a node of the testnet."""
        return programs.pnr(self.net.control, "--node", FAR, *arguments, **options)

    def one(self, done, kind):
        """The one JSON object that was printed, of this type."""
        objects = done.objects()
        self.h.check(len(objects) == 1 and objects[0]["type"] == kind and
                     objects[0]["schema"] == 1, "one object of type " + kind, objects)
        return objects[0]

    def check_says(self, done, *words):
        for word in words:
            self.h.check(word in done.err, "stderr says %r" % word, done.err)

    # ---- keys ----

    def keys(self):
        self.own = self.one(self.pnr("--json", "key", "new", "own"), "key")
        public = keys.z32_decode(self.own["z32"])
        self.h.check(self.own["hex40"] == hashlib.sha1(public).hexdigest(), "hex40", self.own)
        mode = stat.S_IMODE(os.stat(self.own["path"]).st_mode)
        self.h.check(mode == 0o600, "the key file's mode", oct(mode))
        self.h.check(self.one(self.pnr("--json", "key", "show", "own"), "key") == self.own, "show")
        self.h.check(self.one(self.pnr("--json", "key", "list"), "key") == self.own, "list")
        self.check_says(self.pnr("key", "new", "own", code=REFUSED), "label")
        self.check_says(self.pnr("key", "show", "nobody", code=NOT_FOUND), "key")
        self.pnr("key", "new", "Not-Good", code=USAGE)
        self.pnr("key", "new", "0", code=USAGE)

    def export_import(self):
        self.pnr("key", "export", "own", self.pem)
        mode = stat.S_IMODE(os.stat(self.pem).st_mode)
        self.h.check(mode == 0o600, "the exported file's mode", oct(mode))
        self.check_says(self.pnr("key", "export", "own", self.pem, code=ERROR), self.pem)
        shown = subprocess.run(["openssl", "pkey", "-in", self.pem, "-noout", "-text"],
                               capture_output=True, text=True, check=True).stdout
        public = bytes.fromhex("".join(re.findall("[0-9a-f]{2}(?=:|\n)",
                                                  shown.split("pub:")[1])))
        self.h.check(keys.z32_encode(public) == self.own["z32"], "what openssl reads", shown)
        with open(self.pem, "rb") as file:
            pem = file.read()
        self.h.check(self.pnr("key", "export", "own").out == pem, "exported to a pipe")
        both = self.one(self.pnr("--json", "key", "export", "own"), "key_export")
        self.h.check(both["pem"].encode() == pem, "exported as JSON")
        # Another machine takes the key in, and has the same one.
        taken = self.one(self.far("--json", "key", "import", "taken", self.pem), "key")
        self.h.check(taken["z32"] == self.own["z32"], "imported", taken)
        again = self.far("key", "export", "taken").out
        self.h.check(again == pem, "exported again")
        made = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"],
                              capture_output=True, check=True).stdout
        self.far("key", "import", "made", "-", stdin=made)
        self.check_says(self.far("key", "import", "same", "-", stdin=made, code=REFUSED), "key")

    def bad_imports(self):
        make = lambda *words: subprocess.run(["openssl", "genpkey", *words], capture_output=True,
                                             check=True).stdout
        rows = [("text", b"hello"), ("nothing", b""), ("bytes", os.urandom(500)),
                ("another kind of key", make("-algorithm", "x25519")),
                ("an RSA key", make("-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:1024")),
                ("one with a password", make("-algorithm", "ed25519", "-aes256", "-pass",
                                             "pass:secret")),
                ("half a key", make("-algorithm", "ed25519")[:60]),
                ("far too long", b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 100000)]
        for name, data in rows:
            done = self.pnr("key", "import", "bad", "-", stdin=data, code=None)
            self.h.check(done.code in (ERROR, USAGE), name + " is refused", done.code, done.err)
            self.h.check(done.err.startswith("pnr: "), name + " is told", done.err)
        self.h.check(len(self.pnr("--json", "key", "list").objects()) == 1, "no key came of it")

    def wide_key_file(self):
        """A secret that others may read is not used: told when asked to reload, and at a start."""
        path = self.own["path"]
        os.chmod(path, 0o644)
        self.daemon.stop()
        done = programs.pnrd("--state", self.daemon.state, "--control", self.daemon.control,
                             *programs.joining(self.net), code=1)
        self.check_says(done, "own.pem", "0644", "remedy")
        os.chmod(path, 0o600)
        self.start_again()

    def start_again(self):
        self.daemon = programs.start(self.h, self.net, "node")

    # ---- names ----

    def from_here_to_there(self):
        payload = os.urandom(4096)
        path = os.path.join(self.h.directory, "payload")
        with open(path, "wb") as file:
            file.write(payload)
        published = self.one(self.pnr(
            "--json", "publish", "own.web", "--endpoint", "tcp:192.0.2.7:443", "--endpoint",
            "udp:[2001:db8::7]:51820", "--comment", COMMENT, "--payload", path, "--ttl", "20m"),
            "published")
        self.h.check(published["stored"] >= 8, "stored on", published)
        z32, hex40 = self.own["z32"], self.own["hex40"]
        spellings = [z32 + ".web", "pk:" + z32 + ".web", z32.upper() + ".web", hex40 + ".web",
                     hex40.upper() + ".web"]
        for name in spellings:
            result = self.far("--json", "resolve", name, "--wait", "all").objects()[-1]
            self.h.check(result["name"] == z32 + ".web" or result["name"] == hex40 + ".web",
                         "the canonical name", name, result["name"])
            seen = [(end["protocol"], end["address"], end["port"]) for end in result["endpoints"]]
            self.h.check(seen == [("tcp", "192.0.2.7", 443), ("udp", "2001:db8::7", 51820)],
                         "endpoints", seen)
            self.h.check(result["comment"] == COMMENT, "comment", result["comment"])
            self.h.check(base64.b64decode(result["payload_base64"]) == payload, "payload", name)
            self.h.check(result["ttl_s"] <= 1200, "ttl", result["ttl_s"])
        local = self.pnr("--json", "resolve", "own.web", "--wait", "cache").objects()[-1]
        self.h.check(local["source"] == "local", "resolved at home", local["source"])
        plain = self.far("-q", "resolve", z32 + ".web").out.decode().splitlines()
        self.h.check(plain == ["tcp:192.0.2.7:443", "udp:[2001:db8::7]:51820"], "plain", plain)

    def a_text_payload(self):
        self.pnr("publish", "own.text", "192.0.2.7:80", "--payload", "-", "--payload-type",
                 "string", stdin="Gr\u00fc\u00dfe".encode())
        result = self.far("--json", "resolve", self.own["z32"] + ".text").objects()[-1]
        self.h.check(result["payload_text"] == "Gr\u00fc\u00dfe", "text", result)

    def waits(self):
        name = self.own["z32"] + ".wait"
        self.pnr("publish", "own.wait", "192.0.2.7:443")
        self.far("resolve", name, "--wait", "cache", code=NOT_FOUND)
        for wait in ("first", "settled", "all"):
            result = self.far("--json", "resolve", name, "--wait", wait).objects()[-1]
            self.h.check(result["final"], wait + " ends", result)
        result = self.far("--json", "resolve", name, "--wait", "cache").objects()[-1]
        self.h.check(result["source"] == "cache", "from the cache", result["source"])
        self.h.check(result["nodes_asked"] == 0, "without the network", result["nodes_asked"])

    def listed_and_withdrawn(self):
        listed = {thing["name"]: thing for thing in self.pnr("--json", "publications").objects()}
        names = {self.own["z32"] + "." + classifier for classifier in ("web", "text", "wait")}
        self.h.check(set(listed) == names, "publications", sorted(listed))
        states = {thing["state"] for thing in listed.values()}
        self.h.check(states <= {"kept", "checking"}, "their states", states)
        done = self.one(self.pnr("--json", "unpublish", "own.web"), "unpublished")
        self.h.check(done["stored"] >= 8, "the withdrawal is stored", done)
        self.far("resolve", self.own["z32"] + ".web", "--wait", "all", code=NOT_FOUND)
        self.pnr("resolve", "own.web", "--wait", "all", code=NOT_FOUND)
        self.pnr("unpublish", "own.web", code=NOT_FOUND)
        self.pnr("publish", "own.web", "192.0.2.9:443")
        result = self.far("--json", "resolve", self.own["z32"] + ".web", "--wait", "all")
        seen = result.objects()[-1]["endpoints"][0]["address"]
        self.h.check(seen == "192.0.2.9", "published anew", seen)

    def bare_key(self):
        self.pnr("publish", "own", "192.0.2.8:22")
        for name in (self.own["z32"], "pk:" + self.own["z32"], self.own["hex40"]):
            result = self.far("--json", "resolve", name, "--wait", "all").objects()[-1]
            self.h.check(result["endpoints"][0]["address"] == "192.0.2.8", name, result)

    # ---- how it ends ----

    def exit_codes(self):
        nowhere = os.path.join(self.h.directory, "nowhere.sock")
        at_resolve = self.daemon.control + ".resolve"
        z32 = self.own["z32"]
        rows = [(DONE, self.daemon.control, ["status"]),
                (ERROR, self.daemon.control, ["publish", "own.x", "--endpoint", "tcp:1.2.3.4:1",
                                              "--payload", self.h.directory + "/not-there"]),
                (USAGE, self.daemon.control, ["frobnicate"]),
                (USAGE, self.daemon.control, ["publish", "own.x", "--endpoint", "nonsense"]),
                (USAGE, self.daemon.control, ["resolve"]),
                (USAGE, self.daemon.control, ["resolve", "own.x", "--wait", "for-ever"]),
                (NOT_FOUND, self.daemon.control, ["resolve", z32 + ".nobody-published-this"]),
                (NOT_FOUND, self.daemon.control, ["publish", "nokey.x", "1.2.3.4:1"]),
                (TIMED_OUT, self.daemon.control, ["ping", self.silent_address, "--timeout",
                                                  "100ms"]),
                (UNREACHABLE, nowhere, ["status"]),
                (UNREACHABLE, "tcp:" + nowhere, ["status"]),
                (REFUSED, at_resolve, ["publish", "own.x", "1.2.3.4:1"]),
                (REFUSED, at_resolve, ["key", "list"]),
                (REFUSED, at_resolve, ["publications"]),
                (DONE, at_resolve, ["status"]),
                (DONE, at_resolve, ["resolve", z32 + ".web"])]
        for code, address, arguments in rows:
            done = programs.pnr(address, *arguments, code=code)
            if code != DONE:
                self.h.check(done.err.startswith("pnr: "), "why", arguments, done.err)
                self.h.check(done.out == b"", "no data", arguments, done.out)
        too_large = self.pnr("publish", "own.x", "1.2.3.4:1", "--payload", "-", code=None,
                             stdin=bytes(4097))
        self.h.check(too_large.code in (ERROR, USAGE), "4,097 bytes", too_large.code)
        self.check_says(too_large, "4096")

    def json_is_valid(self):
        for arguments in (["status"], ["peers"], ["key", "list"], ["publications"],
                          ["ping", self.net.bootstrap]):
            for thing in self.pnr("--json", *arguments).objects():
                self.h.check(thing["schema"] == 1 and thing["type"], "json", arguments, thing)
        status = self.one(self.pnr("--json", "status"), "status")
        self.h.check(status["clouds"][0]["joined"] and status["keys"] == 1, "status", status)

    def interrupted(self):
        """Ctrl-C ends a request under way, and the shell sees which signal it was."""
        for number in (signal.SIGINT, signal.SIGTERM):
            command = [programs.program("pnr"), "--control", self.daemon.control, "ping",
                       self.silent_address, "--timeout", "60"]
            while select_now(self.silent):
                self.silent.recv(65536)
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
                self.silent.settimeout(30)
                self.silent.recv(65536)  # so it is under way
                child.send_signal(number)
                child.wait(timeout=30)
                self.h.check(child.returncode == -number, "ended by", child.returncode)
        client = control.Client(self.daemon.control)
        self.h.until("no request is left", lambda: client.must("status").fields[b"requests"] <= 1,
                     every_s=0.01)
        client.close()


def select_now(bare):
    return programs.select.select([bare], [], [], 0)[0]


def test(harness):
    scenario = Scenario(harness)
    for part in ("keys", "export_import", "bad_imports", "wide_key_file", "from_here_to_there",
                 "a_text_payload", "waits", "listed_and_withdrawn", "bare_key", "exit_codes",
                 "json_is_valid", "interrupted"):
        getattr(scenario, part)()
        harness.step(part)
    scenario.daemon.stop()
    scenario.net.stop()


programs.run(test, timeout_s=200)
