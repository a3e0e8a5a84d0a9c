#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A libtorrent DHT node that a test drives by lines of JSON (README.md has the commands).

The Debian package python3-libtorrent installs for /usr/bin/python3 only.

libtorrent keeps a bootstrap node as a "router" that never enters its routing table, so a network
whose every node has to count is joined with the command add_node too. The binding chooses the
sequence number of a mutable item itself: one more than what its lookup saw, from 1 on.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import warnings

import libtorrent as lt

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import keys  # noqa: E402
from krpc import bdecode, split_address  # noqa: E402

# dht_state() is deprecated, and the only way to our own node id that this binding has.
warnings.simplefilter("ignore", DeprecationWarning)

_ALERTS = (
    lt.alert.category_t.dht_notification
    | lt.alert.category_t.dht_operation_notification
    | lt.alert.category_t.dht_log_notification
    | lt.alert.category_t.status_notification
    | lt.alert.category_t.error_notification
    | lt.alert.category_t.stats_notification
)


def settings(listen, bootstrap):
    return {
        "listen_interfaces": listen,
        "dht_bootstrap_nodes": ",".join(bootstrap),
        "alert_mask": _ALERTS,
        "alert_queue_size": 1000000,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        # All nodes of a test share one address, which these take for an attack.
        "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False,
        "dht_ignore_dark_internet": False,
        "dht_block_ratelimit": 1000000,
        "dht_upload_rate_limit": 100000000,
    }


class Peer:
    def __init__(self, listen, bootstrap):
        self.session = lt.session(settings(listen, bootstrap))
        self.host = split_address(listen)[0]
        self.waiting = []

    def alerts_until(self, deadline):
        """Yields alerts as they come. TimeoutError once the deadline has passed."""
        while True:
            while self.waiting:
                yield self.waiting.pop(0)
            left_ms = int((deadline - time.monotonic()) * 1000)
            if left_ms <= 0:
                raise TimeoutError("libtorrent did not report in time")
            if self.session.wait_for_alert(left_ms):
                # Alerts are copied from libtorrent's memory by the next pop alone, so none is kept
                # beyond it: waiting is empty here.
                self.waiting = self.session.pop_alerts()

    def forget_alerts(self):
        self.waiting = []
        self.session.pop_alerts()

    def wait_ready(self, deadline):
        """Returns the address listened on, when the socket is bound and the DHT has started."""
        started = False
        for alert in self.alerts_until(deadline):
            if alert.what() == "listen_failed":
                raise OSError(alert.message())
            started = started or "starting" in alert.message() and alert.what() == "dht_log"
            if started and self.session.listen_port() != 0:
                return "%s:%d" % (self.host, self.session.listen_port())

    def node_id(self):
        return self.session.dht_state()[b"node-id"][0][:20]

    def do_put_immutable(self, request, deadline):
        self.session.dht_put_immutable_item(bytes.fromhex(request["value"]))
        for alert in self.alerts_until(deadline):
            if alert.what() == "dht_put":
                return {"target": str(alert.target), "stored": alert.num_success}

    def do_put_mutable(self, request, deadline):
        if "seq" in request:
            raise ValueError("this binding chooses seq itself")
        seed = bytes.fromhex(request["seed"])
        key = keys.public_key(seed)
        value, salt = bytes.fromhex(request["value"]), bytes.fromhex(request.get("salt", ""))
        self.session.dht_put_mutable_item(keys.expanded_secret(seed), key, value, salt)
        for alert in self.alerts_until(deadline):
            if alert.what() == "dht_put":
                return {"key": key.hex(), "seq": alert.seq, "stored": alert.num_success}

    def do_get_immutable(self, request, deadline):
        self.session.dht_get_immutable_item(lt.sha1_hash(bytes.fromhex(request["target"])))
        for alert in self.alerts_until(deadline):
            if alert.what() == "dht_immutable_item":
                return found(item_value(alert))

    def do_get_mutable(self, request, deadline):
        salt = bytes.fromhex(request.get("salt", ""))
        self.session.dht_get_mutable_item(bytes.fromhex(request["key"]), salt)
        for alert in self.alerts_until(deadline):
            # libtorrent reports each newer item as it comes, and the newest again at the end.
            if alert.what() == "dht_mutable_item" and alert.authoritative:
                return found(item_value(alert), alert)

    def nodes(self, deadline):
        self.session.dht_live_nodes(lt.sha1_hash(self.node_id()))
        for alert in self.alerts_until(deadline):
            if alert.what() == "dht_live_nodes":
                return ["%s:%d" % tuple(node["endpoint"]) for node in alert.nodes]

    def do_nodes(self, _request, deadline):
        return {"nodes": self.nodes(deadline)}

    def do_wait_nodes(self, request, deadline):
        """A packet is what changes the table, so each packet is a reason to look again."""
        nodes = self.nodes(deadline)
        for alert in self.alerts_until(deadline):
            if len(nodes) >= request["at_least"]:
                break
            if alert.what() == "dht_pkt":
                nodes = self.nodes(deadline)
        return {"nodes": nodes}

    def do_add_node(self, request, _deadline):
        self.session.add_dht_node(split_address(request["address"]))
        return {}

    def do_announce(self, request, deadline):
        """The binding's own dht_announce() cannot be called (its flags have no Python type), so a
        torrent announces, and the port is the session's. Nothing tells of its end: follow the
        packets."""
        self.add_torrent(bytes.fromhex(request["info_hash"])).force_dht_announce()
        asked, stored = set(), 0
        for alert in self.alerts_until(deadline):
            if alert.what() != "dht_pkt":
                continue
            message = bdecode(bytes(alert.pkt_buf))
            if message.get(b"q") == b"announce_peer" and alert.message().startswith("==>"):
                asked.add(message[b"t"])
            elif message.get(b"t") in asked:
                asked.discard(message[b"t"])
                stored += message[b"y"] == b"r"
                if not asked:
                    return {"stored": stored, "port": self.session.listen_port()}

    def add_torrent(self, info_hash):
        torrent = lt.add_torrent_params()
        torrent.info_hashes = lt.info_hash_t(lt.sha1_hash(info_hash))
        torrent.save_path = tempfile.gettempdir()
        torrent.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
        return self.session.add_torrent(torrent)

    def do_get_peers(self, request, deadline):
        self.session.dht_get_peers(lt.sha1_hash(bytes.fromhex(request["info_hash"])))
        for alert in self.alerts_until(deadline):
            if alert.what() == "dht_get_peers_reply":
                return {"peers": ["%s:%d" % tuple(peer) for peer in alert.peers()]}


def item_value(alert):
    """The bytes of an item alert, or None: an item that was not found cannot even be read."""
    try:
        item = alert.item
    except RuntimeError:
        return None
    value = item["value"] if isinstance(item, dict) else item
    return value if isinstance(value, bytes) and value else None


def found(value, alert=None):
    if value is None:
        return {"found": False}
    answer = {"found": True, "value": value.hex()}
    if alert is not None:
        answer["seq"] = alert.seq
    return answer


def say(message):
    print(json.dumps(message), flush=True)


def answer(peer, request):
    deadline = time.monotonic() + request.get("timeout_s", 30)
    peer.forget_alerts()
    try:
        return {"ok": True, **getattr(peer, "do_" + request["do"])(request, deadline)}
    except Exception as error:
        return {"ok": False, "error": "%s: %s" % (type(error).__name__, error)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", default="127.0.0.1:0", help="address, port 0 for any")
    parser.add_argument("--bootstrap", action="append", default=[], help="host:port, repeatable")
    options = parser.parse_args()
    peer = Peer(options.listen, options.bootstrap)
    address = peer.wait_ready(time.monotonic() + 30)
    say({"ready": True, "address": address, "version": "libtorrent " + lt.__version__})
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "quit":
            say({"ok": True})
            break
        say(answer(peer, request))
    # The destructor would wait for trackers that a test does not have.
    os._exit(0)


if __name__ == "__main__":
    main()
