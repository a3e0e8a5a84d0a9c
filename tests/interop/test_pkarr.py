# SPDX-License-Identifier: MIT
"""pkarr's own records resolve with us, and ours with pkarr."""

import os
import time

import harness
import keys
import ours

NODES = 6
_DAY_S = 86400


def publish(h, peer, seed, address):
    """Has pkarr publish a record; returns the key's name."""
    records = [
        {"name": "@", "type": "A", "ttl": 300, "data": address},
        {"name": "_note", "type": "TXT", "ttl": 300, "data": "hello"},
    ]
    put = peer.ask("publish", seed=seed.hex(), records=records)
    h.check(put["asked"] > 0, "pkarr knew nobody to store with", put)
    return put["name"]


def we_resolve_what_pkarr_publishes(h, net, peer):
    seed = os.urandom(32)
    name = publish(h, peer, seed, "192.0.2.1")
    net.check_resolves(0, name, "192.0.2.1", "first")
    net.check_resolves(1, "pk:" + name, "192.0.2.1")
    net.check_resolves(NODES - 1, name.upper(), "192.0.2.1", "all")
    publish(h, peer, seed, "192.0.2.2")
    net.check_resolves(0, name, "192.0.2.2", "all")


def pkarr_decodes_what_we_publish(h, net, peer):
    name = keys.z32_encode(net.new_key(0, "ours"))
    for address in ("192.0.2.7", "192.0.2.8"):
        net.publish(0, "ours", address)
        check_decoded(h, peer, name, address)


def check_decoded(h, peer, name, address):
    """Has pkarr resolve our key and read our address at its apex."""
    got = peer.ask("resolve", name=name)
    h.check(got["found"], "pkarr finds nothing of ours")
    at_apex = [r["data"] for r in got["records"] if r["name"] == name and r["type"] == "A"]
    h.check(at_apex == [address], "the addresses that pkarr reads", got["records"])
    h.check(abs(got["seq"] / 1e6 - time.time()) < _DAY_S, "seq is no time in us", got)


def test(h):
    net = ours.start_testnet(h, NODES)
    h.step("our nodes run")
    peer = h.start_peer("pkarr", bootstrap=[net.bootstrap])
    for part in (we_resolve_what_pkarr_publishes, pkarr_decodes_what_we_publish):
        part(h, net, peer)
        h.step(part.__name__)
    net.check_ends_cleanly()


if __name__ == "__main__":
    harness.run(test)
