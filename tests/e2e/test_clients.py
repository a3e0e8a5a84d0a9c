# SPDX-License-Identifier: MIT
"""Clients that break the protocol, do not read, do not go on, or come in crowds.

Each is answered and hung up on as docs/control.md says; it costs bounded memory and nobody else's
time: a well-behaved client is served all the while.
"""

import os
import socket
import struct
import time

import programs
import control
from krpc import bencode

HELLO = control.frame_of(b"d4:nodei0e7:versioni1ee")
CLIENTS_MAX = 256
REQUESTS_MAX = 256
CLIENT_BYTES_MAX = 1 << 20
MUTE_CLIENTS = 20


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silent.bind(("127.0.0.1", 0))
        self.silent_address = "127.0.0.1:%d" % self.silent.getsockname()[1]
        folder = os.path.join(harness.directory, "node")
        options = ["--listen", "127.0.0.1:0", "--bootstrap", self.silent_address]
        self.daemon = harness.keep(programs.Daemon, folder, options)
        self.path = self.daemon.control
        self.good = control.Client(self.path)
        print("at the start: %d KiB of memory" % self.memory_kib())

    def counters(self):
        fields = self.good.must("status").fields
        return {name.decode(): value for name, value in fields[b"counters"].items()}

    def memory_kib(self):
        with open("/proc/%d/status" % self.daemon.child.pid, encoding="ascii") as status:
            lines = dict(line.split(":", 1) for line in status)
        return int(lines["VmRSS"].split()[0])

    def is_sanitized(self):
        with open("/proc/%d/maps" % self.daemon.child.pid, encoding="utf-8") as maps:
            return "lib" + "asan" in maps.read()

    # ---- the parts ----

    def broken_handshakes(self):
        rows = [("random bytes", os.urandom(300)), ("text", b"GET / HTTP/1.1\r\n\r\n" * 4),
                ("a length of 0", bytes(4)), ("a length of 4 GiB", b"\xff" * 4),
                ("a hello that is too long", struct.pack(">I", 513) + bytes(513)),
                ("a list", control.frame_of(b"le")), ("nothing in it", control.frame_of(b"de")),
                ("no version", control.frame_of(b"d4:nodei0ee")),
                ("a version of 0", control.frame_of(b"d4:nodei0e7:versioni0ee")),
                ("a node that is not there", control.frame_of(b"d4:nodei7e7:versioni1ee")),
                ("a negative node", control.frame_of(b"d4:nodei-1e7:versioni1ee"))]
        for name, data in rows:
            bare = control.connect(self.path)
            bare.sendall(data)
            frames = control.last_words(bare)
            self.h.check(len(frames) == 1 and frames[0][b"code"] in
                         (control.PROTOCOL, control.NOT_FOUND, control.USAGE, control.REFUSED),
                         name + " is answered", frames)
            bare.close()
            self.good.must("status")

    def broken_frames(self):
        request = bencode({b"a": {b"addr": self.silent_address.encode(), b"timeout_ms": 60000},
                           b"i": 1, b"q": b"ping"})
        rows = [("a length of 0", bytes(4)), ("a length of 4 GiB", b"\xff" * 4),
                ("a length above the bound", struct.pack(">I", 65536) + bytes(100)),
                ("random bytes", b"\x00\x00\x01\x00" + os.urandom(256)),
                ("no dictionary", control.frame_of(b"i1e")),
                ("bytes behind it", control.frame_of(b"d1:ii1e1:q6:statuse" + b"x")),
                ("no id", control.frame_of(b"d1:q6:statuse")),
                ("an id of 0", control.frame_of(b"d1:ii0e1:q6:statuse")),
                ("a negative id", control.frame_of(b"d1:ii-5e1:q6:statuse")),
                ("an id of 2^31", control.frame_of(b"d1:ii2147483648e1:q6:statuse")),
                ("an id in use", control.frame_of(request) * 2),
                ("a hello again", HELLO)]
        for name, data in rows:
            before = self.counters()["sessions_broken"]
            bare = control.connect(self.path)
            bare.sendall(HELLO + data)
            frames = control.last_words(bare)
            told = [f for f in frames if f.get(b"i") == 0 and f[b"o"] == b"error"]
            self.h.check(len(told) == 1, name + " is told", frames)
            self.h.check(told[0][b"r"][b"code"] == control.PROTOCOL, name, told)
            grown = self.counters()["sessions_broken"] - before
            self.h.check(grown == 1, name + " is counted", grown)
            bare.close()

    def bad_requests(self):
        """What makes no sense fails by itself; the connection goes on."""
        rows = [("frobnicate", {}), ("resolve", {}), ("resolve", {"name": 5}),
                ("resolve", {"name": ""}), ("resolve", {"name": "0"}),
                ("resolve", {"name": "x" * 3000}), ("resolve", {"name": "no.\xff\xfe"}),
                ("resolve", {"name": "0.x", "wait": "maybe"}),
                ("resolve", {"name": "0.x", "timeout_ms": 0}),
                ("publish", {"name": "own"}), ("key_new", {"label": "NOT GOOD"}),
                ("key_new", {"label": "../../etc/passwd"}), ("key_import", {"label": "a"}),
                ("key_import", {"label": "a", "pem": "-----BEGIN nonsense"}),
                ("ping", {"addr": "nowhere"}), ("cancel", {})]
        for question, arguments in rows:
            answer = self.good.ask(question, **arguments)
            self.h.check(answer.error != control.OK, question, arguments)
            self.h.check(answer.text, "a reason is given", question, arguments)
        self.h.check(self.good.ask("cancel", id=12345).error == control.OK, "cancel of nothing")

    def refused_at_resolve(self):
        client = control.Client(self.path + ".resolve")
        self.h.check(client.welcome[b"access"] == b"resolve", "the level", client.welcome)
        rows = [("publish", {"name": "own.x", "endpoints": []}), ("unpublish", {"name": "own.x"}),
                ("key_new", {"label": "x"}), ("key_list", {}), ("key_show", {"label": "x"}),
                ("key_export", {"label": "x"}), ("key_import", {"label": "x", "pem": "x"}),
                ("publications", {}), ("ping", {"addr": "127.0.0.1:1"})]
        for question, arguments in rows:
            answer = client.ask(question, **arguments)
            self.h.check(answer.error == control.REFUSED, question + " is refused", answer.error)
        client.must("status")
        client.must("peers")
        client.close()

    def hold(self, client, count):
        """Requests that stay under way: pings to somebody who never answers."""
        return [client.begin("ping", addr=self.silent_address, timeout_ms=600000)
                for _ in range(count)]

    def too_many_requests(self):
        client = control.Client(self.path)
        self.hold(client, REQUESTS_MAX)
        answer = client.ask("ping", addr=self.silent_address, timeout_ms=600000)
        self.h.check(answer.error == control.FULL, "one request too many", answer.error)
        held = sorted(client.open)
        client.begin("cancel", id=held[0])
        ended = {}
        while len(ended) < 2:
            for frame in client.frames():
                number, answer = client.take(frame) or (None, None)
                if number is not None:
                    ended[number] = answer
        self.h.check(ended[held[0]].error == control.CANCELLED, "it is cancelled")
        before = self.counters()["requests_cancelled"]
        client.close()
        # The daemon sees the end of a connection at the latest when it has served a new one.
        seen = self.h.until("the requests of one who went are cancelled", lambda:
                            self.counters()["requests_cancelled"] - before, every_s=0.01)
        self.h.check(seen == REQUESTS_MAX - 1, "cancelled with their client", seen)

    def half_handshakes(self):
        """They have five seconds, and hinder nobody meanwhile."""
        halves = [control.connect(self.path) for _ in range(100)]
        for at, half in enumerate(halves):
            half.sendall(HELLO[: at % len(HELLO)])
        for _ in range(100):
            self.good.must("status")
        for half in halves:
            frames = control.last_words(half)
            self.h.check(len(frames) == 1 and frames[0][b"code"] == control.TIMED_OUT,
                         "a half handshake ends", frames)
            half.close()

    def crowd(self):
        """Three hundred at once: those above the bound are told so, and control has room left."""
        path = self.path + ".resolve"
        before = self.counters()["clients_refused"]
        crowd = [control.connect(path) for _ in range(300)]
        welcome = refused = 0
        for bare in crowd:
            try:
                bare.sendall(HELLO)
            except BrokenPipeError:
                pass  # it is refused already, and was told why
        for bare in crowd:
            data = bare.recv(65536)
            if b"6:access" in data:
                welcome += 1
            elif b"4:codei%de" % control.FULL in data:
                refused += 1
        print("300 clients at once: %d served, %d refused" % (welcome, refused))
        counted = self.counters()["clients_refused"] - before
        self.h.check(counted == refused, "clients_refused", counted, refused)
        bound = CLIENTS_MAX - CLIENTS_MAX // 8
        self.h.check((welcome, refused) == (bound, 300 - bound), "served, refused",
                     welcome, refused)
        owner = control.Client(self.path)
        owner.must("status")
        owner.close()
        for bare in crowd:
            bare.close()
        self.h.until("all of them are gone", lambda: self.good.must("status").fields[b"sessions"]
                     == 1, every_s=0.01)

    def mute_clients(self):
        """They ask without end and read nothing."""
        before = self.memory_kib()
        mute = []
        question = control.frame_of(b"d1:ii1e1:q6:statuse")
        for _ in range(MUTE_CLIENTS):
            bare = control.connect(self.path)
            bare.sendall(HELLO)
            bare.settimeout(0)
            mute.append(bare)
        rounds = 0
        full = set()
        while len(full) < MUTE_CLIENTS and time.monotonic() < self.h.deadline:
            for bare in mute:
                try:
                    bare.send(question * 50)
                except BlockingIOError:
                    full.add(bare)
                except (BrokenPipeError, ConnectionResetError):
                    full.add(bare)
            self.good.must("status")
            rounds += 1
        grown = self.memory_kib() - before
        print("%d clients that do not read: %d KiB more memory, status answered %d times" %
              (MUTE_CLIENTS, grown, rounds))
        self.h.check(len(full) == MUTE_CLIENTS, "all are held up", len(full))
        if not self.is_sanitized():
            bound = MUTE_CLIENTS * CLIENT_BYTES_MAX // 1024 + 8192
            self.h.check(grown <= bound, "KiB of memory", grown, bound)
        for bare in mute:
            bare.close()
        self.good.must("status")


def test(harness):
    scenario = Scenario(harness)
    for part in ("broken_handshakes", "broken_frames", "bad_requests", "refused_at_resolve",
                 "too_many_requests", "half_handshakes", "crowd", "mute_clients"):
        getattr(scenario, part)()
        harness.step(part)
    print("at the end: %d KiB of memory" % scenario.memory_kib())
    scenario.good.close()
    scenario.daemon.stop()


programs.run(test, timeout_s=200)
