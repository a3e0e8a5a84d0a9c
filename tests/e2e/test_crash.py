# SPDX-License-Identifier: MIT
"""pnrd is killed again and again while it publishes, republishes and withdraws.

The nodes that store its records are the test's own and remember each put. No acknowledged
publication is lost, no sequence number is used twice or goes back, whatever the clock says.
"""

import os
import random
import select
import subprocess
import time

import programs
import control
import fakes
import keys

KILLS = int(os.environ.get("PNR_E2E_KILLS", 120))
NAMES = 6
YEAR_S = 31536000
# RFC 8410: what stands before the 32 bytes of an Ed25519 key that is a public one.
SPKI = bytes.fromhex("302a300506032b6570032100")
# Where the wall clock stands, in seconds from the right time: most often right, or a year back.
CLOCKS = (0, 0, -YEAR_S, -YEAR_S, -86400, 3600)
WITHDRAWN = None
NEVER = 1 << 30
# What a kill can come after, and the most of it.
WHILE_ASKED = (("asked", 4), ("datagram", 60), ("put", 40), ("reading", 6), ("saving", 6),
               ("storing", 6), ("done", 6))
WHILE_RENEWING = (("ready", 1), ("datagram", 60), ("put", 30))


class Trigger:
    """Fires at the n-th of what it counts."""

    def __init__(self, kind, count):
        self.kind = kind
        self.left = count
        self.name = "%s %d" % (kind, count)

    def saw(self, kind, count=1):
        if kind == self.kind:
            self.left -= count

    def fired(self):
        return self.left <= 0


class Scenario:
    def __init__(self, harness, chance):
        self.h = harness
        self.chance = chance
        self.fakes = fakes.FakeNodes(5)
        self.folder = os.path.join(harness.directory, "crash")
        self.z32 = None
        self.daemon = None
        self.client = None
        self.trigger = None
        self.kept = {}  # by classifier: the port that is published, or WITHDRAWN
        self.pending = {}  # request id: (classifier, what it asked for)
        self.unsure = {}  # by classifier: what was asked for, and perhaps done, when it was killed
        self.kills = {}
        self.datagrams = 0  # of this run

    # ---- the daemon ----

    def start(self, clock_s):
        options = ["--listen", "127.0.0.1:0", "--wall-offset", str(clock_s)]
        for address in self.fakes.bootstrap():
            options += ["--bootstrap", address]
        self.datagrams = 0
        self.daemon = self.h.keep(programs.Daemon, self.folder, options)
        self.client = control.Client(self.daemon.control)

    def kill(self):
        """Kills, and hears what was said before: an answer on its way is an answer given."""
        self.daemon.kill()
        self.h.processes.remove(self.daemon)
        self.fakes.drain()
        try:
            while True:
                self.take_frames()
        except (EOFError, ConnectionResetError):
            pass
        self.client.close()
        for classifier, wanted in self.pending.values():
            self.unsure.setdefault(classifier, []).append(wanted)
        self.pending = {}
        if self.trigger.left != NEVER:
            self.kills[self.trigger.kind] = self.kills.get(self.trigger.kind, 0) + 1

    # ---- what happens while it runs ----

    def pump(self, until):
        """Serves the daemon until the condition holds or the trigger fires."""
        while not until() and not self.trigger.fired():
            left_s = self.h.deadline - time.monotonic()
            ready, _, _ = select.select([self.client, *self.fakes.nodes], [], [], max(0, left_s))
            if not ready:
                raise programs.Failure("nothing came in time for " + self.trigger.name)
            for source in ready:
                if self.trigger.fired():
                    return
                if source is self.client:
                    self.take_frames()
                else:
                    self.take_datagram(source)

    def take_datagram(self, node):
        puts = len(self.fakes.puts)
        if node.receive():
            self.datagrams += 1
            self.trigger.saw("datagram")
            self.trigger.saw("put", len(self.fakes.puts) - puts)

    def take_frames(self):
        for frame in self.client.frames():
            if frame[b"o"] == b"progress":
                self.trigger.saw(frame[b"r"][b"step"].decode())
            ended = self.client.take(frame)
            if ended is not None:
                self.finish(*ended)

    def finish(self, number, answer):
        classifier, wanted = self.pending.pop(number)
        self.h.check(answer.error == control.OK, "a request failed", answer.error, answer.text)
        self.kept[classifier] = wanted
        self.trigger.saw("done")

    # ---- asking ----

    def name(self, classifier):
        return "own." + classifier

    def ask_something(self):
        """A few requests at once, for names that have none under way."""
        for classifier in self.chance.sample(range(NAMES), self.chance.randint(1, 3)):
            self.ask("n%d" % classifier)

    def ask(self, classifier):
        if self.kept.get(classifier) is not None and self.chance.random() < 0.2:
            number = self.client.begin("unpublish", name=self.name(classifier))
            self.pending[number] = (classifier, WITHDRAWN)
        else:
            port = self.chance.randint(1, 65535)
            endpoint = {b"ip": bytes((192, 0, 2, 1)), b"port": port, b"proto": 6}
            number = self.client.begin(
                "publish", name=self.name(classifier), endpoints=[endpoint]
            )
            self.pending[number] = (classifier, port)
        self.trigger.saw("asked")

    # ---- checking ----

    def check_kept(self):
        """What the restarted daemon holds is what it acknowledged."""
        listed = {}
        for result in self.client.must("publications").results:
            classifier = result[b"name"].decode().split(".")[1]
            withdrawn = result[b"state"] == b"withdrawing"
            ports = [endpoint[b"port"] for endpoint in result[b"endpoints"]]
            listed[classifier] = WITHDRAWN if withdrawn else ports[0]
        for classifier in {*self.kept, *self.unsure, *listed}:
            seen = listed.get(classifier, WITHDRAWN)
            allowed = [self.kept.get(classifier, WITHDRAWN), *self.unsure.get(classifier, [])]
            self.h.check(seen in allowed, "%s holds" % classifier, seen, allowed)
            self.kept[classifier] = seen
        self.unsure = {}

    def check_numbers(self):
        """Each sequence number carries one record, and later runs use higher ones."""
        highest = {}  # (key, salt): (seq, epoch)
        records = {}
        for put in self.fakes.puts:
            name = put.key, put.salt
            same = records.setdefault((*name, put.seq), (put.value, put.signature))
            self.h.check(same == (put.value, put.signature), "a number used twice", put)
            seq, epoch = highest.get(name, (-1, -1))
            # A run may repeat its own puts, to one node after the other; a key's bare record is
            # renewed as it was found.
            again = put.seq == seq and (put.epoch == epoch or not put.salt)
            self.h.check(put.seq > seq or again, "a number that goes back", put, seq)
            highest[name] = max((seq, epoch), (put.seq, put.epoch))
        return len(records)

    def check_signatures(self):
        folder = self.h.directory
        public = os.path.join(folder, "public.der")
        checked = {put.signature: put for put in self.fakes.puts}
        for put in checked.values():
            text = b"3:seqi%de1:v%d:%s" % (put.seq, len(put.value), put.value)
            if put.salt:
                text = b"4:salt%d:%s" % (len(put.salt), put.salt) + text
            for path, data in (("public.der", SPKI + put.key), ("sig", put.signature),
                               ("text", text)):
                with open(os.path.join(folder, path), "wb") as file:
                    file.write(data)
            verdict = subprocess.run(
                ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", public,
                 "-rawin", "-in", os.path.join(folder, "text"),
                 "-sigfile", os.path.join(folder, "sig")], capture_output=True, check=False)
            self.h.check(verdict.returncode == 0, "a bad signature", put)
        return len(checked)

    def check_stored(self):
        """All that is kept is stored anew by the last run, and resolves from another machine."""
        self.pump(self.is_renewed)
        options = ["--listen", "127.0.0.1:0", "--bootstrap", self.fakes.bootstrap()[0]]
        other = self.h.keep(programs.Daemon, os.path.join(self.h.directory, "other"), options)
        first, self.client = self.client, control.Client(other.control)
        for classifier, port in sorted(self.kept.items()):
            number = self.client.begin("resolve", name="%s.%s" % (self.z32, classifier))
            self.pending[number] = (classifier, port)
            answer = self.client.open[number]
            self.finish = lambda number, answer: self.pending.pop(number)
            self.pump(lambda: not self.pending)
            seen = [end[b"port"] for result in answer.results[-1:] for end in result[b"endpoints"]]
            wanted = [] if port is WITHDRAWN else [port]
            self.h.check(seen == wanted, "%s resolves to" % classifier, seen, wanted)
        self.client.close()
        self.client = first
        other.stop()

    # ---- the parts ----

    def first_run(self):
        self.trigger = Trigger("none", NEVER)
        self.start(0)
        self.z32 = self.client.must("key_new", label="own").fields[b"z32"].decode()
        self.kill()

    def one_life(self, epoch):
        self.fakes.epoch = epoch
        if self.chance.random() < 0.5:
            self.fakes.forget()  # else what the network knows might hide what the disk forgot
        asks = epoch < 10 or self.chance.random() < 0.7
        kind, most = self.chance.choice(WHILE_ASKED if asks else WHILE_RENEWING)
        self.trigger = Trigger(kind, self.chance.randint(1, most))
        self.start(self.chance.choice(CLOCKS))
        self.client.must("key_show", label="own")
        self.check_kept()
        self.trigger.saw("ready")
        if asks:
            self.pump(self.is_known)
        while asks and not self.trigger.fired():
            self.ask_something()
            self.pump(lambda: not self.pending)
        self.pump(self.is_renewed)
        self.kill()

    def is_known(self):
        """Whether it has contacts: without one it waits a second before it publishes. It asks each
        node at once, so that a further question means that it has heard an answer."""
        return self.datagrams > len(self.fakes.nodes)

    def is_renewed(self):
        """Whether this run has stored all that it found on its disk."""
        salts = {put.salt.decode() for put in self.fakes.puts if put.epoch == self.fakes.epoch}
        return {name for name, port in self.kept.items() if port is not WITHDRAWN} <= salts

    def last_life(self):
        self.fakes.epoch = KILLS
        self.trigger = Trigger("none", NEVER)
        self.start(0)
        self.check_kept()
        self.check_stored()
        self.daemon.stop()


def test(harness):
    seed = os.environ.get("PNR_E2E_SEED") or os.urandom(8).hex()
    print("seed %s: PNR_E2E_SEED=%s replays these choices" % (seed, seed))
    scenario = Scenario(harness, random.Random(seed))
    scenario.first_run()
    for epoch in range(KILLS):
        scenario.one_life(epoch)
    harness.step("%d kills, at %s" % (KILLS, sorted(scenario.kills.items())))
    scenario.last_life()
    harness.step("%d names are as they were acknowledged" % len(scenario.kept))
    numbers = scenario.check_numbers()
    puts = len(scenario.fakes.puts)
    harness.step("%d puts carried %d sequence numbers, each once" % (puts, numbers))
    harness.step("%d signatures are good" % scenario.check_signatures())


programs.run(test, timeout_s=270)
