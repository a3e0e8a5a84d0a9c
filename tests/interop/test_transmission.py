# SPDX-License-Identifier: MIT
"""Our lookups pass through nodes without BEP 44: two networks of ours that know each other
only by way of the transmission-daemons between them."""

import harness
import keys
import ours

NODES = 3
WEST = "10.77.0.1"
EAST = "10.77.0.2"
DAEMONS = ["10.77.0.%d:7001" % host for host in (3, 4, 5)]


def daemons_know_both(h, west, east):
    ends = [west.bootstrap, east.bootstrap]
    daemons = [h.start_peer("transmission", listen=it, contacts=ends) for it in DAEMONS]
    for daemon in daemons:
        daemon.ask("wait_nodes", wanted=ends, timeout_s=60)


def we_take_them_for_contacts(h, west, east):
    for net in (west, east):
        h.until("the daemons among our contacts", lambda net=net: net.knows(0, DAEMONS))


def lookups_pass_through(h, west, east):
    """Both ways, so that neither the put nor the get was lucky."""
    for from_net, to_net, label in ((west, east, "west"), (east, west, "east")):
        name = keys.z32_encode(from_net.new_key(0, label))
        from_net.publish(0, label + ".chat", "192.0.2.7")
        to_net.check_resolves(0, name + ".chat", "192.0.2.7", "settled")
        to_net.check_resolves(NODES - 1, name + ".chat", "192.0.2.7", "all")
        to_net.resolve(0, name + ".nothing", "all", code=ours.NOT_FOUND)


def silence_was_no_failure(h, west, east):
    """A daemon never answers `get`; it answers all else, and so stays a contact."""
    for net in (west, east):
        h.check(net.knows(0, DAEMONS), "the daemons are no contacts any more")


def test(h):
    west = ours.start_testnet(h, NODES, listen=WEST)
    east = ours.start_testnet(h, NODES, listen=EAST)
    h.step("two networks of ours run")
    for part in (
        daemons_know_both,
        we_take_them_for_contacts,
        lookups_pass_through,
        silence_was_no_failure,
    ):
        part(h, west, east)
        h.step(part.__name__)
    for net in (west, east):
        net.check_ends_cleanly()


if __name__ == "__main__":
    hosts = [WEST, EAST, *(address.split(":")[0] for address in DAEMONS)]
    harness.run(test, addresses=hosts)
