# SPDX-License-Identifier: MIT
"""Secret keys stay in their files: they show in no log, answer, error text, argument or state.

Every key is looked for as it is, as hex and as base64, at each of the three places that base64
can begin at.
"""

import base64
import os
import signal
import subprocess

import programs
import control
from forms import forms
from items import PKCS8
from krpc import bencode


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 8, ["--log", "debug"])
        self.config = os.path.join(harness.directory, "pnr.conf")
        with open(self.config, "w", encoding="ascii") as file:
            file.write("[node]\nlog-level = debug\n")
        self.daemon = None
        self.said = []  # (what was done, all that was printed)
        self.secrets = {}  # label: 32 bytes
        self.start()

    def start(self):
        self.daemon = programs.start(self.h, self.net, "node", "--config", self.config)

    def pnr(self, *arguments, code=0, stdin=b"", keep=True):
        done = programs.pnr(self.daemon.control, *arguments, code=code, stdin=stdin)
        if keep:
            self.said.append((" ".join(arguments), done.out + done.err.encode()))
        return done

    def learn(self, label, pem):
        """The 32 secret bytes of a key, from its PEM text."""
        der = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
        self.h.check(der.startswith(PKCS8) and len(der) == 48, "a key of openssl's form", label)
        self.secrets[label] = der[16:]

    # ---- the parts ----

    def use_keys(self):
        self.pnr("-v", "key", "new", "made")
        made = self.pnr("key", "export", "made", keep=False).out
        self.learn("made", made)
        taken = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"],
                               capture_output=True, check=True).stdout
        self.learn("taken", taken)
        self.pnr("-v", "--json", "key", "import", "taken", "-", stdin=taken)
        path = os.path.join(self.h.directory, "exported.pem")
        self.pnr("-v", "--json", "key", "export", "made", path)
        for label in ("made", "taken"):
            self.pnr("-v", "--json", "publish", label + ".x", "192.0.2.1:80")
            self.pnr("-v", "--json", "resolve", label + ".x")
        for arguments in (["key", "list"], ["key", "show", "made"], ["publications"], ["status"],
                          ["peers"]):
            self.pnr("-v", *arguments)
            self.pnr("-v", "--json", *arguments)

    def make_errors(self):
        """Wherever a key goes in and something is wrong with it."""
        taken = base64.b64encode(PKCS8 + self.secrets["taken"])
        head, tail = b"-----BEGIN PRIVATE KEY-----\n", b"\n-----END PRIVATE KEY-----\n"
        for pem in (head + taken + tail, head + taken, head + taken[:60] + tail,
                    head + b"!" + taken + tail, taken, self.secrets["taken"].hex().encode()):
            self.pnr("-v", "--json", "key", "import", "again", "-", stdin=pem, code=None)
            self.pnr("key", "import", "Bad-Label", "-", stdin=pem, code=None)
        self.pnr("key", "export", "made", os.path.join(self.h.directory, "exported.pem"), code=1)
        self.pnr("key", "export", "made", "/nowhere/made.pem", code=1)
        client = control.Client(self.daemon.control)
        for arguments in ({"label": "again", "pem": (head + taken + tail).decode()},
                          {"label": "Bad-Label", "pem": (head + taken + tail).decode()},
                          {"pem": taken.decode()}):
            answer = client.ask("key_import", **arguments)
            self.said.append(("key_import", bencode(answer.fields)))
        # A frame with a key in it that breaks the protocol half way.
        client.socket.sendall(control.frame_of(b"d1:ad3:pem%d:%se" % (len(taken), taken)))
        self.said.append(("a broken frame", repr(control.last_words(client.socket)).encode()))
        client.close()

    def bad_key_files(self):
        """At a start and at a reload, with secrets in files that are not as they should be."""
        folder = os.path.join(self.daemon.state, "keys")
        taken = base64.b64encode(PKCS8 + self.secrets["taken"]).decode()
        self.daemon.child.send_signal(signal.SIGHUP)
        self.daemon.await_notice("READY=1", self.h.deadline)
        self.daemon.stop()
        for name, text in (("raw.pem", self.secrets["taken"].hex()), ("cut.pem", taken),
                           ("UPPER.pem", taken)):
            path = os.path.join(folder, name)
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            os.chmod(path, 0o600)
            done = programs.pnrd("--config", self.config, "--state", self.daemon.state,
                                 "--control", self.daemon.control, "--listen", "127.0.0.1:0",
                                 code=1)
            self.h.check(name in done.err, "it says which file", done.err)
            self.said.append(("a start with " + name, done.out + done.err.encode()))
            os.unlink(path)
        self.start()

    def search(self):
        places = list(self.said)
        for process in self.h.processes:
            with open(process.log_path, "rb") as log:
                places.append(("the log of " + process.name, log.read()))
            places.append(("what %s said" % process.name, "\n".join(process.transcript).encode()))
        for folder, _, names in os.walk(self.daemon.state):
            for name in names if os.path.basename(folder) != "keys" else []:
                with open(os.path.join(folder, name), "rb") as file:
                    places.append((name, file.read()))
        with open("/proc/%d/cmdline" % self.daemon.child.pid, "rb") as file:
            places.append(("the command line", file.read()))
        names = [name for name, _ in places]
        for wanted in ("state.db", "state.db-wal", "the log of pnrd"):
            self.h.check(wanted in names, "searched", wanted, names)
        for label, seed in self.secrets.items():
            for form, text in forms(seed).items():
                for name, data in places:
                    self.h.check(text not in data, "a secret shows", label, form, name)
        sizes = sum(len(data) for _, data in places)
        print("%d places of %d bytes hold none of %d keys" %
              (len(places), sizes, len(self.secrets)))

    def search_can_find(self):
        """The forms are those in which keys really come: they are found in the key's own file."""
        with open(os.path.join(self.daemon.state, "keys", "made.pem"), "rb") as file:
            pem = file.read().replace(b"\n", b"")
        seen = [form for form, text in forms(self.secrets["made"]).items() if text in pem]
        self.h.check(len(seen) == 1 and seen[0].startswith("base64"), "found in its file", seen)


def test(harness):
    scenario = Scenario(harness)
    for part in ("use_keys", "make_errors", "bad_key_files", "search", "search_can_find"):
        getattr(scenario, part)()
        harness.step(part)
    scenario.daemon.stop()
    scenario.net.stop()


programs.run(test, timeout_s=200)
