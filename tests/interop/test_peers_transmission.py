# SPDX-License-Identifier: MIT
"""Nodes without BEP 44 between nodes with it, without us: a libtorrent node that knows nobody but
a transmission-daemon stores an item on a bittorrent-dht node, and another one finds it."""

import os

import harness

STORER = "10.77.0.1:7001"
DAEMONS = ["10.77.0.%d:7001" % host for host in (2, 3, 4, 5)]
WRITER = "10.77.0.6:7001"
READER = "10.77.0.7:7001"


def test(h):
    storer = h.start_peer("bittorrent_dht", listen=STORER)
    daemons = []
    for address in DAEMONS:
        daemons.append(h.start_peer("transmission", listen=address, bootstrap=[STORER]))
    for daemon in daemons:
        daemon.ask("wait_nodes", wanted=[STORER])
    h.step("the daemons know the one node that stores")

    writer = h.start_peer("libtorrent", listen=WRITER, bootstrap=DAEMONS[:1])
    reader = h.start_peer("libtorrent", listen=READER, bootstrap=DAEMONS[1:2])
    for peer in (writer, reader):
        peer.ask("wait_nodes", at_least=1)
    h.step("the daemons led to it")

    value = os.urandom(40).hex()
    put = writer.ask("put_mutable", seed=os.urandom(32).hex(), value=value, timeout_s=60)
    h.check(put["stored"] > 0, "stored nowhere", put)
    h.step("libtorrent stored")
    got = reader.ask("get_mutable", key=put["key"], timeout_s=60)
    h.check(got["found"] and got["value"] == value, "libtorrent read", got)
    h.step("libtorrent found")
    storer.ask("quit")


if __name__ == "__main__":
    hosts = [address.split(":")[0] for address in [STORER, *DAEMONS, WRITER, READER]]
    harness.run(test, addresses=hosts)
