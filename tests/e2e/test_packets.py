# SPDX-License-Identifier: MIT
"""What arrives by UDP: malformed, oversized, cut, replayed, spoofed, unproven and badly signed.

Each is answered as BEP 5 and 44 say, or not at all, and shows in a counter of its own, which
`pnr status` tells; what is stored stays.
"""

import os
import socket

import programs
import control
import items
import keys
from krpc import bdecode, bencode
from sender import Sender

SILENCE = None
# The counters that a row of a table may change; all others of these have to stay.
WATCHED = ("drop_", "reject_", "query_", "items_", "udp_truncated")


class Scenario:
    def __init__(self, harness):
        self.h = harness
        # Bootstrapped by way of a socket that never answers, so that nothing else is counted.
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silent.bind(("127.0.0.1", 0))
        config = os.path.join(harness.directory, "pnr.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write("[cloud Global_]\nlisten = 127.0.0.1:0\nrole = server\nitems-max = 40\n"
                       "bootstrap = 127.0.0.1:%d\n" % self.silent.getsockname()[1])
        folder = os.path.join(harness.directory, "packets")
        self.daemon = harness.keep(programs.Daemon, folder, ["--config", config])
        self.client = control.Client(self.daemon.control)
        self.sender = Sender(self.daemon.listens_at())
        self.signer = items.Signer(harness.directory)
        self.kept = []  # items that were stored: (target, arguments)

    # ---- looking ----

    def counters(self):
        """Those of the engine and the daemon, after all that this socket sent so far."""
        self.sender.ask(b"ping", {}, self.h.deadline)
        fields = self.client.must("status").fields
        counted = {**fields[b"clouds"][0][b"counters"], **fields[b"counters"]}
        seen = {name.decode(): value for name, value in counted.items()}
        seen["query_ping"] -= 1
        return seen

    def check_row(self, name, datagram, reply, *grown):
        """Sends a datagram; it has to be answered so, and these counters alone grow by 1."""
        before = self.counters()
        before["query_ping"] += 1  # that of looking before
        transaction = b"rows"
        self.sender.send(datagram)
        if reply is not SILENCE:
            answer = self.sender.hear(transaction, self.h.deadline)
            code = answer[b"e"][0] if answer[b"y"] == b"e" else b"r"
            self.h.check(code == reply, name + " is answered", answer)
        after = self.counters()
        changes = {counter: after[counter] - before[counter] for counter in after
                   if counter.startswith(WATCHED) and after[counter] != before[counter]}
        wanted = {counter: grown.count(counter) for counter in grown}
        self.h.check(changes == wanted, name + " counts", changes, wanted)

    def check_kept(self):
        for target, item in self.kept:
            answer = self.sender.ask(b"get", {b"target": target}, self.h.deadline)[b"r"]
            seen = {key: answer.get(key) for key in item if key != b"salt"}
            wanted = {key: item[key] for key in item if key != b"salt"}
            self.h.check(seen == wanted, "a stored item", target.hex(), seen)

    # ---- the parts ----

    def put(self, item, target=None, **changes):
        """A put with a good token, as a datagram whose answer is the row's."""
        target = target or keys.target(item[b"k"], item.get(b"salt", b""))
        token = self.sender.token(target, self.h.deadline)
        arguments = {b"token": token, **item}
        arguments.update({key.encode(): value for key, value in changes.items()})
        arguments = {key: value for key, value in arguments.items() if value is not None}
        return self.sender.query(b"put", arguments, b"rows")

    def store(self, item):
        target = keys.target(item[b"k"], item.get(b"salt", b""))
        datagram = self.put(item)
        self.sender.send(datagram)
        answer = self.sender.hear(b"rows", self.h.deadline)
        self.h.check(answer[b"y"] == b"r", "an item is stored", answer)
        self.kept = [kept for kept in self.kept if kept[0] != target] + [(target, item)]
        return datagram

    def malformed(self):
        whole = self.sender.query(b"ping", {}, b"rows")
        rows = [("nothing but a letter", b"x"), ("no dictionary", b"le"), ("an empty one", b"de"),
                ("a list without end", b"l" * 1400), ("dictionaries without end", b"d1:a" * 300),
                ("bytes behind the end", whole + b"x"), ("a length of many digits",
                 b"d1:t99999999999999999999:"), ("a negative length", b"d1:t-1:aee"),
                ("an integer with a leading zero", whole.replace(b"i1e", b"i01e")),
                ("a number above 64 bits", whole.replace(b"i1e", b"i99999999999999999999e")),
                ("a key twice", whole.replace(b"1:y1:q", b"1:y1:q1:y1:q")),
                ("no type", whole.replace(b"1:y1:q", b"")),
                ("another type", whole.replace(b"1:y1:q", b"1:y1:z")),
                ("random bytes", os.urandom(700))]
        for name, datagram in rows:
            self.check_row(name, datagram, SILENCE, "drop_malformed")
        self.check_row("a reply out of the blue",
                       bencode({b"t": b"abcd", b"y": b"r", b"r": {b"id": self.sender.id}}),
                       SILENCE, "drop_unknown_tid")
        self.check_row("an error out of the blue",
                       bencode({b"t": b"abcd", b"y": b"e", b"e": [201, b"no"]}),
                       SILENCE, "drop_unknown_tid")

    def cut(self):
        """A put is cut at each of its bytes."""
        whole = self.put(self.signer.item(1, b"cut"))
        before = self.counters()["drop_malformed"]
        for length in range(1, len(whole)):
            self.sender.send(whole[:length])
            if length % 64 == 0:
                self.counters()  # keeps the socket's buffer from running over
        grown = self.counters()["drop_malformed"] - before
        self.h.check(grown == len(whole) - 1, "drop_malformed after cut puts", grown, len(whole))

    def bad_queries(self):
        q = lambda method, **arguments: self.sender.query(
            method, {key.encode(): value for key, value in arguments.items()}, b"rows")
        target = os.urandom(20)
        no_id = bencode({b"t": b"rows", b"y": b"q", b"q": b"ping", b"a": {}})
        token = self.sender.token(target, self.h.deadline)
        rows = [
            ("no id", no_id, 203, "reject_protocol"),
            ("an id of 19 bytes", no_id.replace(b"1:ade", b"1:ad2:id19:" + b"i" * 19 + b"e"),
             203, "reject_protocol"),
            ("find_node without target", q(b"find_node"), 203, "query_find_node",
             "reject_protocol"),
            ("a target of 21 bytes", q(b"get", target=os.urandom(21)), 203, "reject_protocol"),
            ("get_peers without infohash", q(b"get_peers"), 203, "reject_protocol"),
            ("an unknown method", q(b"frobnicate"), 204, "query_unknown", "reject_method"),
            ("an unknown method that looks for something", q(b"frobnicate", target=target), b"r",
             "query_unknown"),
            ("announce without token", q(b"announce_peer", info_hash=target, port=1), 203,
             "reject_protocol"),
            ("announce with port 0", q(b"announce_peer", info_hash=target, port=0, token=token),
             203, "reject_protocol"),
            ("announce with port 65536",
             q(b"announce_peer", info_hash=target, port=65536, token=token), 203,
             "reject_protocol"),
            ("announce with another's token",
             q(b"announce_peer", info_hash=os.urandom(20), port=1, token=token), 203,
             "reject_token"),
        ]
        for name, datagram, reply, *grown in rows:
            self.check_row(name, datagram, reply, *grown)

    def bad_tokens(self):
        item = self.signer.item(1, b"token", b"token")
        target = keys.target(item[b"k"], item[b"salt"])
        other = Sender(self.daemon.listens_at(), "127.0.0.2")
        other_token = other.token(target, self.h.deadline)
        mine = self.sender.token(target, self.h.deadline)
        for name, token in (("none of ours", os.urandom(len(mine))), ("an empty one", b""),
                            ("one cut short", mine[:-1]), ("one too long", mine + b"x"),
                            ("that of another address", other_token),
                            ("that of another target",
                             self.sender.token(os.urandom(20), self.h.deadline))):
            self.check_row("a token: " + name, self.put(item, token=token), 203,
                           "reject_token")
        self.check_row("no token", self.put(item, token=None), 203, "reject_protocol")

    def bad_items(self):
        good = self.signer.item(10, b"first", b"bad")
        self.store(good)
        flipped = bytes([good[b"sig"][0] ^ 1]) + good[b"sig"][1:]
        newer = self.signer.item(11, b"second", b"bad")
        older = self.signer.item(9, b"older", b"bad")
        other = self.signer.item(10, b"other", b"bad")
        unsalted = self.signer.item(11, b"second")
        long_salt = self.signer.item(1, b"salt", b"s" * 65)
        huge = self.signer.item(1, b"v" * 1000, b"huge")
        rows = [
            ("a flipped bit of the signature", newer, {"sig": flipped}, 206, "reject_signature"),
            ("another's signature", newer, {"sig": good[b"sig"]}, 206, "reject_signature"),
            ("a value that was not signed", newer, {"v": b"else"}, 206, "reject_signature"),
            ("a seq that was not signed", newer, {"seq": 12}, 206, "reject_signature"),
            ("a salt that was not signed", unsalted, {"salt": b"bad"}, 206, "reject_signature"),
            ("a key of zeros", newer, {"k": bytes(32)}, 206, "reject_signature"),
            ("a signature of zeros", newer, {"sig": bytes(64)}, 206, "reject_signature"),
            ("an older seq", older, {}, 302, "reject_seq"),
            ("the same seq with another value", other, {}, 302, "reject_seq"),
            ("a cas that does not hold", newer, {"cas": 9}, 301, "reject_cas"),
            ("a negative seq", newer, {"seq": -1}, 203, "reject_protocol"),
            ("no seq", newer, {"seq": None}, 203, "reject_protocol"),
            ("no signature", newer, {"sig": None}, 203, "reject_protocol"),
            ("a key of 31 bytes", newer, {"k": bytes(31)}, 203, "reject_protocol"),
            ("a signature of 63 bytes", newer, {"sig": bytes(63)}, 203, "reject_protocol"),
            ("no value", newer, {"v": None}, 203, "reject_protocol"),
            ("a value of 1,004 bytes", huge, {}, 205, "reject_value_size"),
            ("a salt of 65 bytes", long_salt, {}, 207, "reject_salt_size"),
        ]
        for name, item, changes, reply, *grown in rows:
            target = keys.target(changes.get("k", item[b"k"]), changes.get("salt",
                                                                           item.get(b"salt", b"")))
            datagram = self.put(item, target, **changes)
            self.check_row(name, datagram, reply, *grown)
            self.check_kept()

    def replayed(self):
        """The same put again is a refresh; an old one does not undo a newer one."""
        first = self.store(self.signer.item(1, b"first", b"replay"))
        self.check_row("a put again", first, b"r", "query_put", "items_refreshed")
        self.store(self.signer.item(2, b"second", b"replay"))
        self.check_row("an older put again", first, 302, "reject_seq")
        spy = Sender(self.daemon.listens_at(), "127.0.0.2")
        spy.send(first)
        answer = spy.hear(b"rows", self.h.deadline)
        self.h.check(answer[b"e"][0] == 203, "a put replayed from elsewhere", answer)

    def spoofed(self):
        """Answers to a query of the daemon's: from elsewhere, the right one, and that again."""
        node = Sender(self.daemon.listens_at())
        spoofer = Sender(self.daemon.listens_at(), "127.0.0.3")
        address = "127.0.0.1:%d" % node.socket.getsockname()[1]
        before = self.counters()
        number = self.client.begin("ping", addr=address)
        query, _ = node.socket.recvfrom(65536)
        transaction = bdecode(query)[b"t"]
        reply = bencode({b"t": transaction, b"y": b"r", b"r": {b"id": node.id}})
        spoofer.send(reply)
        spoofer.ask(b"ping", {}, self.h.deadline)
        self.h.check(number in self.client.open, "a spoofed answer did not count")
        node.send(reply)
        answer = None
        while answer is None:
            for frame in self.client.frames():
                answer = self.client.take(frame) or answer
        self.h.check(answer[1].error == control.OK, "the right answer counts", answer[1].text)
        node.send(reply)
        node.ask(b"ping", {}, self.h.deadline)
        after = self.counters()
        for counter in ("drop_wrong_addr", "drop_unknown_tid"):
            grown = after[counter] - before[counter]
            self.h.check(grown == 1, counter + " grew by", grown)

    def oversized(self):
        """Far longer than any message of ours may be."""
        self.check_row("a query of 2,000 bytes", self.sender.query(b"ping", {b"x": b"x" * 1900},
                                                                  b"rows"), b"r", "query_ping")
        for length in (2100, 9000, 65507):
            padding = b"x" * (length - 100)
            datagram = self.sender.query(b"ping", {b"x": padding}, b"rows")
            self.check_row("a query of %d bytes" % len(datagram), datagram + b"x" *
                           (length - len(datagram)), SILENCE, "udp_truncated")

    def full_store(self):
        """Once it is full, new items are refused, and those that are there can be renewed."""
        late = self.put(self.signer.item(1, b"one too many", b"late"))
        while len(self.kept) < 40:
            self.store(self.signer.item(1, b"full", b"full-%d" % len(self.kept)))
        new = self.signer.item(1, b"one too many", b"too-many")
        target = keys.target(new[b"k"], new[b"salt"])
        token = self.sender.ask(b"get", {b"target": target}, self.h.deadline)[b"r"].get(b"token")
        self.h.check(token is None, "a full store gives no token for what it has not", token)
        self.check_row("a put into a full store", late, 202, "reject_full")
        self.check_kept()
        again = self.kept[-1][1]
        self.check_row("a renewal in a full store", self.put(again), b"r",
                       "query_put", "items_refreshed")
        self.store(self.signer.item(2, b"newer", b"full-39"))
        fields = self.client.must("status").fields[b"clouds"][0]
        self.h.check(fields[b"items"] == 40, "items", fields[b"items"])


def test(harness):
    scenario = Scenario(harness)
    for part in ("malformed", "cut", "bad_queries", "bad_tokens", "bad_items", "replayed",
                 "spoofed", "oversized", "full_store"):
        getattr(scenario, part)()
        scenario.check_kept()
        harness.step(part)
    scenario.client.close()
    scenario.daemon.stop()


programs.run(test, timeout_s=200)
