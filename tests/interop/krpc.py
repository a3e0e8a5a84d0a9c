# SPDX-License-Identifier: MIT
"""KRPC by hand: one query, one answer, so that a test can look into any node.

Bencoding (BEP 3) and the envelope of BEP 5, with the standard library only. Queries carry ro=1
(BEP 43), so that a node that honours it does not take the asking socket for a contact.
"""

import os
import select
import socket
import time


class Refused(Exception):
    """The node answered with an error message; args are its code and text."""


def bencode(value):
    """Bencodes an int, bytes, a list, or a dict whose keys are bytes."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(bencode(item) for item in value) + b"e"
    if isinstance(value, dict):
        return b"d" + b"".join(bencode(k) + bencode(value[k]) for k in sorted(value)) + b"e"
    raise TypeError("cannot bencode " + type(value).__name__)


def bdecode(data):
    """Decodes one whole bencoded value. ValueError: data is not exactly that."""
    value, end = _decode_at(data, 0)
    if end != len(data):
        raise ValueError("bytes after the value")
    return value


def _decode_at(data, at):
    kind = data[at : at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1 : end]), end + 1
    if kind == b"l" or kind == b"d":
        items = []
        at += 1
        while data[at : at + 1] != b"e":
            item, at = _decode_at(data, at)
            items.append(item)
        if kind == b"l":
            return items, at + 1
        return dict(zip(items[0::2], items[1::2], strict=True)), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    if end > len(data):
        raise ValueError("string is cut short")
    return data[colon + 1 : end], end


def split_address(text):
    """"10.0.0.1:99" becomes ("10.0.0.1", 99)."""
    host, port = text.rsplit(":", 1)
    return host, int(port)


class Witness:
    """A socket that asks nodes questions and is no node itself."""

    def __init__(self, listen_host="127.0.0.1"):
        self.node_id = os.urandom(20)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((listen_host, 0))

    def close(self):
        self.socket.close()

    def ask(self, address, method, arguments=None, timeout_s=5.0, anonymous=False):
        """Sends one query and returns the `r` dict of its answer.

        anonymous: leaves the id out, which only bittorrent-dht accepts, for that one ignores ro
        and would keep this socket as a contact that is dead, at 2 to 15 seconds a lookup.
        Refused: the node sent an error. TimeoutError: nothing came.
        """
        own_id = {} if anonymous else {b"id": self.node_id}
        transaction = os.urandom(4)
        query = {
            b"t": transaction,
            b"y": b"q",
            b"q": method.encode(),
            b"a": {**own_id, **(arguments or {})},
            b"ro": 1,
        }
        self.socket.sendto(bencode(query), split_address(address))
        deadline = time.monotonic() + timeout_s
        while True:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([self.socket], [], [], left_s)[0]:
                raise TimeoutError("%s did not answer %s" % (address, method))
            message = self._receive(transaction)
            if message is None:
                continue
            if message.get(b"y") == b"e":
                raise Refused(*message[b"e"])
            return message[b"r"]

    def _receive(self, transaction):
        try:
            message = bdecode(self.socket.recv(65536))
        except (OSError, ValueError):
            return None
        return message if message.get(b"t") == transaction else None

    def find_node(self, address, target=None, timeout_s=5.0):
        """The addresses that a node names as closest to target (a random one if None)."""
        answer = self.ask(
            address, "find_node", {b"target": target or os.urandom(20)}, timeout_s=timeout_s
        )
        return parse_nodes(answer.get(b"nodes", b""))

    def stored_item(self, address, target, anonymous=False):
        """What one node holds under a target: its `get` answer, with `v` where it holds one."""
        return self.ask(address, "get", {b"target": target}, anonymous=anonymous)


def parse_peer(compact):
    """BEP 5's 6 bytes of a peer as "host:port"."""
    if len(compact) != 6:
        raise ValueError("a peer of %d bytes" % len(compact))
    return "%s:%d" % (socket.inet_ntoa(compact[:4]), int.from_bytes(compact[4:], "big"))


def parse_nodes(compact):
    """BEP 5's `nodes` (an id and a peer, 26 bytes each) as a list of "host:port"."""
    if len(compact) % 26 != 0:
        raise ValueError("nodes of %d bytes" % len(compact))
    return [parse_peer(compact[at + 20 : at + 26]) for at in range(0, len(compact), 26)]
