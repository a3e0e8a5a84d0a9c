# SPDX-License-Identifier: MIT
"""The peers against each other, without us: what fails here is a peer's or the harness's fault."""

import hashlib
import os

import dnsmessage
import harness
import keys
from krpc import Witness, bencode

SALT = b"salt"


def start_mixed_network(h):
    """Four nodes of bittorrent-dht and four of libtorrent that all know each other."""
    first = h.start_peer("bittorrent_dht")
    npm = [first] + h.start_peers("bittorrent_dht", 3, [first.address])
    lib = h.start_peers("libtorrent", 4, [first.address])
    for peer in lib:
        for other in npm + lib:
            if other is not peer:
                peer.ask("add_node", address=other.address)
    for peer in npm + lib:
        peer.ask("wait_nodes", at_least=4)
    return npm, lib


def check_item(h, reader, key, salt, value):
    got = reader.ask("get_mutable", key=key, salt=salt.hex())
    h.check(got["found"], "%s found no item" % reader.name)
    h.check(bytes.fromhex(got["value"]) == value, "%s read another value" % reader.name, got)
    return got["seq"]


def items_cross(h, npm, lib):
    for writer, reader in ((npm[1], lib[1]), (lib[2], npm[2])):
        value = os.urandom(40)
        for salt in (b"", SALT):
            put = writer.ask(
                "put_mutable", seed=os.urandom(32).hex(), salt=salt.hex(), value=value.hex()
            )
            h.check(put["stored"] > 0, "%s stored nowhere" % writer.name, put)
            seq = check_item(h, reader, put["key"], salt, value)
            h.check(seq == put["seq"], "another seq was read", seq, put["seq"])
            check_held(h, npm + lib, bytes.fromhex(put["key"]), salt, value)
        missing = reader.ask("get_mutable", key=put["key"], salt=b"none".hex())
        h.check(not missing["found"], "%s found what nobody stored" % reader.name, missing)


def check_held(h, nodes, key, salt, value):
    """Both implementations have to be among the nodes that hold the item."""
    witness = Witness()
    holders = set()
    for node in nodes:
        anonymous = node.name == "bittorrent_dht"
        item = witness.stored_item(node.address, keys.target(key, salt), anonymous)
        if item.get(b"v") == value:
            holders.add(node.name)
    witness.close()
    h.check(holders == {"bittorrent_dht", "libtorrent"}, "held by", holders)


def immutable_items_cross(h, npm, lib):
    for writer, reader in ((npm[1], lib[1]), (lib[2], npm[2])):
        value = os.urandom(40)
        put = writer.ask("put_immutable", value=value.hex())
        h.check(put["target"] == hashlib.sha1(bencode(value)).hexdigest(), "target", put)
        got = reader.ask("get_immutable", target=put["target"])
        h.check(got["found"] and bytes.fromhex(got["value"]) == value, "value", got)


def announced_peers_cross(h, npm, lib):
    for announcer, seeker in ((npm[1], lib[1]), (lib[2], npm[2])):
        info_hash = os.urandom(20).hex()
        put = announcer.ask("announce", info_hash=info_hash)
        h.check(put["stored"] > 0, "%s announced to nobody" % announcer.name, put)
        got = seeker.ask("get_peers", info_hash=info_hash)
        h.check("127.0.0.1:%d" % put["port"] in got["peers"], "%s saw" % seeker.name, got)


def pkarr_records_cross(h, npm, lib):
    publisher = h.start_peer("pkarr", bootstrap=[lib[0].address])
    resolver = h.start_peer("pkarr", bootstrap=[npm[0].address])
    records = [
        {"name": "@", "type": "A", "ttl": 300, "data": "192.0.2.7"},
        {"name": "_note", "type": "TXT", "ttl": 300, "data": "hello"},
    ]
    put = publisher.ask("publish", seed=os.urandom(32).hex(), records=records)
    h.check(put["name"] == keys.z32_encode(bytes.fromhex(put["key"])), "name", put)

    got = resolver.ask("resolve", name=put["name"])
    h.check(got["found"] and got["seq"] == put["seq"], "pkarr resolved", got)
    seen = {(record["type"], str(record["data"])) for record in got["records"]}
    h.check(("A", "192.0.2.7") in seen, "pkarr decoded", got)

    raw = lib[3].ask("get_mutable", key=put["key"])
    h.check(raw["found"], "libtorrent found no pkarr record")
    answers = dnsmessage.decode(bytes.fromhex(raw["value"]))
    h.check((put["name"], dnsmessage.A, 300, "192.0.2.7") in answers, "in the record", answers)


def pkarr_reads_a_message_of_ours(h, npm, lib):
    """What dnsmessage.py writes is what the other tests have libtorrent store."""
    seed = os.urandom(32)
    name = keys.z32_encode(keys.public_key(seed))
    message = dnsmessage.encode(
        [(name, dnsmessage.A, 300, "192.0.2.9"), (name, dnsmessage.TXT, 300, "hello")]
    )
    lib[1].ask("put_mutable", seed=seed.hex(), value=message.hex())
    resolver = h.start_peer("pkarr", bootstrap=[npm[0].address])
    got = resolver.ask("resolve", name=name)
    h.check(got["found"], "pkarr found nothing")
    seen = [(r["name"], r["type"], r["data"]) for r in got["records"]]
    h.check(seen == [(name, "A", "192.0.2.9"), (name, "TXT", ["hello"])], "decoded", seen)


def test(h):
    npm, lib = start_mixed_network(h)
    h.step("a network of both")
    for part in (
        items_cross,
        immutable_items_cross,
        announced_peers_cross,
        pkarr_records_cross,
        pkarr_reads_a_message_of_ours,
    ):
        part(h, npm, lib)
        h.step(part.__name__)


if __name__ == "__main__":
    harness.run(test)
