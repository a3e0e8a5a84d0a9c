# SPDX-License-Identifier: MIT
"""A pnrd that is not one: speaks the control protocol (docs/control.md) over a Unix socket and
answers each request from a script. It keeps what it was asked, for tests to look at.

A script maps a request's word to a list of steps, or to a function from its arguments to one:

    ("result" | "progress" | "done" | "error", {fields})    an answer
    ("hang",)       no further answer; the request stays under way
    ("hangup",)     closes the connection
    ("raw", bytes)  sends bytes as they are

Runs in threads of the test's process; as a program it serves tests/cli/answers.py until stopped:

    python3 tests/cli/fake_daemon.py /tmp/fake.sock
"""

import socket
import struct
import threading


def encode(value):
    """Bencodes ints, bools, bytes, text, lists and dicts."""
    if isinstance(value, bool):
        return b"i%de" % int(value)
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(encode(element) for element in value) + b"e"
    pairs = sorted((key.encode(), element) for key, element in value.items())
    return b"d" + b"".join(encode(key) + encode(element) for key, element in pairs) + b"e"


def decode(data, at=0):
    """Reads one value. Returns it and where it ends; strings are bytes, keys of dicts text."""
    kind = data[at : at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1 : end]), end + 1
    if kind in (b"l", b"d"):
        elements = []
        at += 1
        while data[at : at + 1] != b"e":
            element, at = decode(data, at)
            elements.append(element)
        if kind == b"l":
            return elements, at + 1
        keys = [key.decode() for key in elements[::2]]
        return dict(zip(keys, elements[1::2])), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1 : end], end


class Hangup(Exception):
    pass


class FakeDaemon:
    """Listens at path from its birth until close(), or the end of a with block."""

    def __init__(self, path, script, access="control", refusal=None):
        self.script = script
        self.access = access
        self.refusal = refusal  # sent in place of the greeting; "silence": nothing
        self.hello = None  # what the client said
        self.asked = []  # (word, arguments), in order
        self.noticed = threading.Condition()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.clients = []
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for sock in [self.listener] + self.clients:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def wait_asked(self, word, timeout_s=20):
        """Waits until a request has come in, and returns its arguments."""
        def find():
            return [arguments for asked, arguments in self.asked if asked == word]
        with self.noticed:
            assert self.noticed.wait_for(find, timeout_s), f"no {word} came in"
            return find()[0]

    def arguments(self, word):
        return self.wait_asked(word, 0)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.clients.append(client)
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        stream = client.makefile("rb")
        try:
            self.greet(client, stream)
            while True:
                request = self.read(stream)
                self.answer(client, request)
        except (OSError, EOFError, Hangup, ValueError):
            pass
        finally:
            stream.close()
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            client.close()

    @staticmethod
    def read(stream):
        head = stream.read(4)
        if len(head) < 4:
            raise EOFError
        body = stream.read(struct.unpack(">I", head)[0])
        return decode(body)[0]

    @staticmethod
    def send(client, value):
        body = encode(value)
        client.sendall(struct.pack(">I", len(body)) + body)

    def greet(self, client, stream):
        self.hello = self.read(stream)
        if self.refusal == "silence":
            self.read(stream)
        if self.refusal is not None:
            self.send(client, self.refusal)
            raise Hangup
        self.send(client, {"access": self.access, "node": self.hello.get("node", 0), "version": 1})

    def answer(self, client, request):
        word = request["q"].decode()
        arguments = request.get("a", {})
        with self.noticed:
            self.asked.append((word, arguments))
            self.noticed.notify_all()
        default = [("error", {"code": 2, "text": f"unknown request {word}"})]
        steps = self.script.get(word, [("done", {})] if word == "cancel" else default)
        for step in steps(arguments) if callable(steps) else steps:
            if step[0] == "hangup":
                raise Hangup
            if step[0] == "hang":
                return
            if step[0] == "raw":
                client.sendall(step[1])
            else:
                self.send(client, {"i": request["i"], "o": step[0], "r": step[1]})


if __name__ == "__main__":
    import sys
    import answers

    with FakeDaemon(sys.argv[1], answers.SCRIPT):
        threading.Event().wait()
