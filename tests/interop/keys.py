# SPDX-License-Identifier: MIT
"""Ed25519 keys as the peers want them, and the z-base-32 that names are written in."""

import hashlib
import subprocess

_Z32 = "ybndrfg8ejkmcpqxot1uwisza345h769"
# RFC 8410: a PKCS#8 private key of Ed25519 is these bytes and then the 32-byte seed.
_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")


def public_key(seed):
    """The 32-byte public key of a 32-byte seed. Asks the openssl program."""
    der = subprocess.run(
        ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"],
        input=_PKCS8 + seed,
        capture_output=True,
        check=True,
    ).stdout
    return der[-32:]


def expanded_secret(seed):
    """The 64 bytes that libtorrent signs with: RFC 8032's clamped scalar, then the prefix."""
    digest = bytearray(hashlib.sha512(seed).digest())
    digest[0] &= 0xF8
    digest[31] = (digest[31] & 0x3F) | 0x40
    return bytes(digest)


def target(key, salt=b""):
    """Where BEP 44 stores the mutable item of this key and salt."""
    return hashlib.sha1(key + salt).digest()


def z32_encode(data):
    """z-base-32, no padding: 52 characters for a key."""
    length = (len(data) * 8 + 4) // 5
    number = int.from_bytes(data, "big") << (length * 5 - len(data) * 8)
    return "".join(_Z32[number >> (5 * at) & 31] for at in reversed(range(length)))


def z32_decode(text):
    """Bytes of a z-base-32 text. ValueError: a character is not of the alphabet."""
    number = 0
    for character in text:
        number = number << 5 | _Z32.index(character)
    length = len(text) * 5 // 8
    return (number >> (len(text) * 5 - length * 8)).to_bytes(length, "big")
