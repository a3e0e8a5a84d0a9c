# SPDX-License-Identifier: MIT
"""A socket that sends a node whatever it is told to, and hears what comes back."""

import os
import select
import socket
import time

from krpc import bdecode, bencode
from programs import Failure


class Sender:
    """No node itself: its queries say so."""

    def __init__(self, address, host="127.0.0.1"):
        self.address = address
        self.id = os.urandom(20)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))

    def send(self, datagram):
        self.socket.sendto(datagram, self.address)

    def query(self, method, arguments, transaction=None):
        """A datagram. ro: the daemon need not find out whether we are a node."""
        return bencode({b"t": transaction or os.urandom(4), b"y": b"q", b"q": method, b"ro": 1,
                        b"a": {b"id": self.id, **arguments}})

    def ask(self, method, arguments, deadline):
        """Sends a query and returns the message that answers it."""
        transaction = os.urandom(4)
        self.send(self.query(method, arguments, transaction))
        return self.hear(transaction, deadline)

    def hear(self, transaction, deadline):
        while select.select([self.socket], [], [], max(0, deadline - time.monotonic()))[0]:
            message = bdecode(self.socket.recv(65536))
            if message.get(b"t") == transaction and message[b"y"] in (b"r", b"e"):
                return message
        raise Failure("no answer in time")

    def token(self, target, deadline):
        return self.ask(b"get", {b"target": target}, deadline)[b"r"][b"token"]
