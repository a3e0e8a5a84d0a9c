# SPDX-License-Identifier: MIT
"""Signed items (BEP 44) made by the openssl program, good ones and bad ones."""

import os
import subprocess

import keys
from krpc import bencode

# RFC 8410: a PKCS#8 private key of Ed25519 is these bytes and then the 32-byte seed.
PKCS8 = bytes.fromhex("302e020100300506032b657004220420")


class Signer:
    """A key, its files in a folder."""

    def __init__(self, folder, seed=None):
        self.seed = seed or os.urandom(32)
        self.key = keys.public_key(self.seed)
        self.path = os.path.join(folder, "signer-%s.der" % self.key.hex()[:16])
        self.text_path = self.path + ".text"
        with open(self.path, "wb") as file:
            file.write(PKCS8 + self.seed)

    def sign(self, text):
        with open(self.text_path, "wb") as file:
            file.write(text)
        return subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-keyform", "DER", "-inkey", self.path, "-rawin",
             "-in", self.text_path], capture_output=True, check=True).stdout

    def item(self, seq, value, salt=b""):
        """The arguments of a put but for its token; value as Python has it, bencoded here."""
        text = b"3:seqi%de1:v" % seq + bencode(value)
        if salt:
            text = b"4:salt%d:%s" % (len(salt), salt) + text
        item = {b"k": self.key, b"seq": seq, b"sig": self.sign(text), b"v": value}
        if salt:
            item[b"salt"] = salt
        return item
