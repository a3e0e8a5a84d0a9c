# SPDX-License-Identifier: MIT
"""What each peer that stores items (BEP 44) has to do together with our nodes."""

import os
import time

import dnsmessage
import keys
import ours
from krpc import Witness, parse_peer, split_address

NODES = 6
CLASSIFIER = "chat"
_DAY_S = 86400


class Scenario:
    """The parts in order; each prints its line. Make one and call run()."""

    def __init__(self, harness, kind):
        self.h = harness
        self.kind = kind
        self.net = None
        self.peers = []

    def run(self):
        self.net = ours.start_testnet(self.h, NODES)
        self.h.step("our nodes run")
        for part in (
            self.bootstrap_from_us,
            self.we_resolve_what_it_stores,
            self.we_see_its_update,
            self.its_announcements_live_on_us,
            self.it_becomes_our_contact,
            self.it_reads_and_holds_what_we_publish,
            self.it_sees_our_update,
        ):
            part()
            self.h.step(part.__name__)
        self.net.check_ends_cleanly()

    def bootstrap_from_us(self):
        """The one we bootstrapped from may stay out of its table: libtorrent's routers do."""
        for _ in range(2):
            peer = self.h.start_peer(self.kind, bootstrap=[self.net.bootstrap])
            others = {other.address for other in self.peers}
            wanted = NODES - 1 + len(others)
            nodes = set(peer.ask("wait_nodes", at_least=wanted)["nodes"])
            self.h.check(len(nodes - others) >= NODES - 1, "its table", nodes)
            self.peers.append(peer)

    def store(self, seed, address, salt):
        """Has the first peer store a pkarr record; returns the name it then has."""
        name = keys.z32_encode(keys.public_key(seed))
        message = dnsmessage.encode([(name, dnsmessage.A, 300, address)])
        put = self.peers[0].ask(
            "put_mutable", seed=seed.hex(), salt=salt.encode().hex(), value=message.hex()
        )
        self.h.check(put["stored"] >= NODES, "stored on so few nodes", put)
        return name + "." + salt if salt else name

    def we_resolve_what_it_stores(self):
        for salt in ("", CLASSIFIER):
            name = self.store(os.urandom(32), "192.0.2.1", salt)
            for node, wait in ((0, "first"), (1, "settled"), (NODES - 1, "all")):
                self.net.check_resolves(node, name, "192.0.2.1", wait)

    def we_see_its_update(self):
        seed = os.urandom(32)
        name = self.store(seed, "192.0.2.1", CLASSIFIER)
        self.net.check_resolves(0, name, "192.0.2.1")
        self.store(seed, "192.0.2.2", CLASSIFIER)
        self.net.check_resolves(0, name, "192.0.2.2", "all")

    def its_announcements_live_on_us(self):
        info_hash = os.urandom(20)
        put = self.peers[0].ask("announce", info_hash=info_hash.hex())
        expected = "%s:%d" % (split_address(self.peers[0].address)[0], put["port"])
        got = self.peers[1].ask("get_peers", info_hash=info_hash.hex())
        self.h.check(expected in got["peers"], "the other peer saw", got)
        witness = Witness()
        answer = witness.ask(self.net.bootstrap, "get_peers", {b"info_hash": info_hash})
        witness.close()
        held = [parse_peer(value) for value in answer.get(b"values", [])]
        self.h.check(expected in held, "our node holds", held)

    def it_becomes_our_contact(self):
        addresses = [peer.address for peer in self.peers]
        self.h.until("the peers among our contacts", lambda: self.net.knows(0, addresses))

    def it_reads_and_holds_what_we_publish(self):
        key = self.net.new_key(0, "ours")
        for salt in ("", CLASSIFIER):
            name = "ours." + salt if salt else "ours"
            self.net.publish(0, name, "192.0.2.7")
            self.check_read(key, salt, "192.0.2.7")
            self.check_held(key, salt)

    def it_sees_our_update(self):
        key = self.net.new_key(0, "changing")
        name = "changing." + CLASSIFIER
        self.net.publish(0, name, "192.0.2.7")
        before = self.check_read(key, CLASSIFIER, "192.0.2.7")
        self.net.publish(0, name, "192.0.2.8")
        after = self.check_read(key, CLASSIFIER, "192.0.2.8")
        self.h.check(after > before, "the sequence numbers", before, after)

    def check_read(self, key, salt, address):
        """Reads our record with the second peer; returns its sequence number."""
        got = self.peers[1].ask("get_mutable", key=key.hex(), salt=salt.encode().hex())
        self.h.check(got["found"], "it does not find what we published")
        self.h.check(abs(got["seq"] / 1e6 - time.time()) < _DAY_S, "seq is no time in us", got)
        answers = dnsmessage.decode(bytes.fromhex(got["value"]))
        own_name = keys.z32_encode(key)
        addresses = [value for name, kind, _, value in answers if kind == dnsmessage.A]
        self.h.check(address in addresses, "the addresses in our record", answers)
        foreign = [name for name, _, _, _ in answers if not ("." + name).endswith("." + own_name)]
        self.h.check(not foreign, "names in our record that are not below its key", foreign)
        return got["seq"]

    def check_held(self, key, salt):
        """All our nodes and the peers together are fewer than a put's width: each has to
        hold it."""
        witness = Witness()
        target = keys.target(key, salt.encode())
        for peer in self.peers:
            anonymous = peer.name == "bittorrent_dht"
            item = witness.stored_item(peer.address, target, anonymous)
            self.h.check(b"v" in item and item[b"k"] == key, "%s holds" % peer.name, item)
        witness.close()
