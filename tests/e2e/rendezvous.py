# SPDX-License-Identifier: MIT
"""Rendezvous files by hand (docs/control.md): loopback TCP, and the proofs of their secret."""

import hashlib
import hmac
import os
import socket

from programs import Failure

_SERVER = b"pnr-control-1 server\0"
_CLIENT = b"pnr-control-1 client\0"


class Rendezvous:
    """What a file tells: the port, the level of access and the secret."""

    def __init__(self, path):
        with open(path, encoding="ascii") as file:
            first, *lines = file.read().splitlines()
        if first != "pnr-rendezvous 1":
            raise Failure("no rendezvous file: " + path)
        fields = dict(line.split(" ", 1) for line in lines)
        self.port = int(fields["port"])
        self.access = fields["access"].encode()
        self.secret = bytes.fromhex(fields["secret"])
        self.nonce = os.urandom(32)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port))

    def hello(self, node):
        return {b"access": self.access, b"node": node, b"nonce": self.nonce, b"version": 1}

    def proof(self, challenge):
        """The client's answer. Failure: whoever sent the challenge does not know the secret."""
        nonces = self.nonce + challenge[b"nonce"]
        if challenge[b"proof"] != self._proof(_SERVER + nonces):
            raise Failure("an impostor listens there")
        return {b"proof": self._proof(_CLIENT + nonces)}

    def _proof(self, data):
        return hmac.new(self.secret, data, hashlib.sha256).digest()
