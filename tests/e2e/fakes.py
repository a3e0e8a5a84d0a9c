# SPDX-License-Identifier: MIT
"""DHT nodes that do as they are told: they store items (BEP 44), and remember every put."""

import os
import socket
from collections import namedtuple

from krpc import bdecode, bencode
import keys

# One put of a mutable item, as it came. epoch: the caller's word for when.
Put = namedtuple("Put", "epoch key salt seq value signature")


class FakeNode:
    def __init__(self, crowd):
        self.crowd = crowd
        self.id = os.urandom(20)
        self.items = {}  # by target
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def fileno(self):
        return self.socket.fileno()

    def compact(self):
        return self.id + socket.inet_aton("127.0.0.1") + self.port.to_bytes(2, "big")

    def receive(self, answering=True):
        """Takes one datagram and answers it. False where none waits."""
        try:
            data, source = self.socket.recvfrom(65536)
        except (BlockingIOError, ConnectionRefusedError):
            return False
        message = bdecode(data)
        if message.get(b"y") == b"q":
            reply = self._answer(message[b"q"], message[b"a"])
            if answering:
                self._send(message[b"t"], reply, source)
        return True

    def _send(self, transaction, reply, source):
        kind = b"e" if isinstance(reply, list) else b"r"
        try:
            self.socket.sendto(bencode({b"t": transaction, b"y": kind, kind: reply}), source)
        except ConnectionRefusedError:
            pass  # it was killed

    def _answer(self, method, arguments):
        reply = {b"id": self.id}
        if method in (b"find_node", b"get", b"get_peers"):
            reply[b"nodes"] = b"".join(node.compact() for node in self.crowd.nodes)
        if method in (b"get", b"get_peers"):
            reply[b"token"] = b"token"
        if method == b"get":
            reply.update(self.items.get(arguments[b"target"], {}))
        if method == b"put":
            return self._store(arguments) or reply
        return reply

    def _store(self, item):
        """Stores; returns an error where BEP 44 wants one."""
        if b"k" not in item:
            return None
        salt = item.get(b"salt", b"")
        target = keys.target(item[b"k"], salt)
        put = Put(self.crowd.epoch, item[b"k"], salt, item[b"seq"], item[b"v"], item[b"sig"])
        self.crowd.puts.append(put)
        if item[b"seq"] < self.items.get(target, {}).get(b"seq", item[b"seq"]):
            return [302, b"sequence number less than current"]
        self.items[target] = {name: item[name] for name in (b"k", b"seq", b"sig", b"v")}
        return None


class FakeNodes:
    def __init__(self, count):
        self.epoch = 0
        self.puts = []
        self.nodes = []
        self.nodes = [FakeNode(self) for _ in range(count)]

    def bootstrap(self):
        return ["127.0.0.1:%d" % node.port for node in self.nodes]

    def forget(self):
        for node in self.nodes:
            node.items = {}

    def drain(self):
        """Takes what a killed daemon still sent. Returns how many datagrams that was."""
        return sum(1 for node in self.nodes for _ in iter(lambda n=node: n.receive(False), False))

    def close(self):
        for node in self.nodes:
            node.socket.close()
