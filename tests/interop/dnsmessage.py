# SPDX-License-Identifier: MIT
"""The little DNS (RFC 1035) that a test needs to write and read a pkarr record."""

import socket
import struct

A, TXT, AAAA, SVCB = 1, 16, 28, 64
_IN = 1
_REPLY = 0x8000


def encode(answers):
    """A reply message with only answers: (name, type, ttl, value).

    value is "192.0.2.1" for an A record and a text for a TXT record. Names are not compressed.
    """
    message = struct.pack(">6H", 0, _REPLY, 0, len(answers), 0, 0)
    for name, kind, ttl, value in answers:
        data = socket.inet_aton(value) if kind == A else _text(value.encode())
        message += _name(name) + struct.pack(">HHIH", kind, _IN, ttl, len(data)) + data
    return message


def decode(message):
    """The answers of a message: (name, type, ttl, value), value as encode() takes it for A and TXT
    (the strings of a TXT joined), an address text for AAAA, and else raw bytes."""
    _, _, questions, count, _, _ = struct.unpack_from(">6H", message)
    at = 12
    for _ in range(questions):
        at = _read_name(message, at)[1] + 4
    answers = []
    for _ in range(count):
        name, at = _read_name(message, at)
        kind, _, ttl, length = struct.unpack_from(">HHIH", message, at)
        data = message[at + 10 : at + 10 + length]
        at += 10 + length
        answers.append((name, kind, ttl, _value(kind, data)))
    return answers


def _name(name):
    labels = [label.encode() for label in name.split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _text(data):
    return bytes([len(data)]) + data


def _read_name(message, at):
    labels = []
    end = None
    while message[at] != 0:
        if message[at] >= 0xC0:
            end = end or at + 2
            target = struct.unpack_from(">H", message, at)[0] & 0x3FFF
            if target >= at:
                raise ValueError("a name points forward")
            at = target
            continue
        labels.append(message[at + 1 : at + 1 + message[at]].decode("utf-8", "replace"))
        at += 1 + message[at]
    return ".".join(labels), end or at + 1


def _value(kind, data):
    if kind == A:
        return socket.inet_ntoa(data)
    if kind == AAAA:
        return socket.inet_ntop(socket.AF_INET6, data)
    if kind != TXT:
        return data
    text = b""
    while data:
        text, data = text + data[1 : 1 + data[0]], data[1 + data[0] :]
    return text.decode("utf-8", "replace")
