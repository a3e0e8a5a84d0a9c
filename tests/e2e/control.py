# SPDX-License-Identifier: MIT
"""The control protocol by hand (docs/control.md): one client, and many requests side by side.

A daemon is told by the path of its Unix socket, or as tcp:FILE by that of its rendezvous file.
"""

import select
import socket
import struct
import time

from programs import Failure
from rendezvous import Rendezvous
from krpc import bdecode, bencode

OK = 0
USAGE, NOT_FOUND, TIMED_OUT, REFUSED, CANCELLED, FULL, PROTOCOL = 2, 3, 4, 6, 7, 9, 10


class Answer:
    """How a request ended: error 0 and the fields of `done`, or the error; and its results."""

    def __init__(self):
        self.error = None
        self.text = ""
        self.fields = {}
        self.results = []
        self.progress = []


def connect(path, timeout_s=30):
    """A bare connection, without a word said."""
    bare = socket.socket(socket.AF_UNIX)
    bare.connect(path)  # may wait for its turn
    bare.settimeout(timeout_s)
    return bare


def frame_of(body):
    return struct.pack(">I", len(body)) + body


def last_words(bare):
    """All frames until the daemon hangs up. TimeoutError: it does not."""
    data = b""
    while True:
        try:
            more = bare.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            break
        data += more
    frames = []
    while data:
        length = struct.unpack(">I", data[:4])[0]
        frames.append(bdecode(data[4 : 4 + length]))
        data = data[4 + length :]
    return frames


class Client:
    """A connection to one node. Requests run side by side; answers are told apart by their id."""

    def __init__(self, path, node=0, timeout_s=30):
        self.buffer = b""
        self.last_id = 0
        self.open = {}
        deadline = time.monotonic() + timeout_s
        if path.startswith("tcp:"):
            place = Rendezvous(path.removeprefix("tcp:"))
            self.socket = place.connect()
            self.socket.settimeout(timeout_s)
            self.send(place.hello(node))
            self.send(place.proof(self._read_frame(deadline)))
        else:
            self.socket = connect(path, timeout_s)
            self.send({b"node": node, b"version": 1})
        self.welcome = self._read_frame(deadline)

    def close(self):
        self.socket.close()

    def fileno(self):
        return self.socket.fileno()

    def send(self, message):
        self.socket.sendall(frame_of(bencode(message)))

    def begin(self, question, **arguments):
        """Sends a request and returns its id."""
        self.last_id += 1
        self.open[self.last_id] = Answer()
        fields = {name.encode(): _plain(value) for name, value in arguments.items()}
        self.send({b"a": fields, b"i": self.last_id, b"q": question.encode()})
        return self.last_id

    def frames(self):
        """The whole frames that have come by now, without waiting for more. EOFError: hung up."""
        data = self.socket.recv(1 << 20)
        if not data:
            raise EOFError("the daemon hung up")
        self.buffer += data
        while len(self.buffer) >= 4:
            length = struct.unpack(">I", self.buffer[:4])[0]
            if len(self.buffer) < 4 + length:
                return
            frame, self.buffer = self.buffer[4 : 4 + length], self.buffer[4 + length :]
            yield bdecode(frame)

    def take(self, frame):
        """Books one frame; returns (id, answer) where it was a request's last, else None."""
        answer = self.open.get(frame[b"i"])
        fields = frame.get(b"r", {})
        if answer is None:
            raise Failure("an answer to nothing", frame)
        kind = frame[b"o"]
        if kind == b"result":
            answer.results.append(fields)
        elif kind == b"progress":
            answer.progress.append(fields)
        else:
            answer.error = fields[b"code"] if kind == b"error" else OK
            answer.text = fields.get(b"text", b"").decode()
            answer.fields = fields
            return frame[b"i"], self.open.pop(frame[b"i"])
        return None

    def ask(self, question, **arguments):
        """Asks and waits for the end. Returns the Answer, good or not."""
        wanted = self.begin(question, **arguments)
        while wanted in self.open:
            for frame in self.frames():
                ended = self.take(frame)
                if ended is not None and ended[0] == wanted:
                    return ended[1]
        raise Failure("no answer to " + question)

    def must(self, question, **arguments):
        """Asks for what has to succeed. Failure: it did not."""
        answer = self.ask(question, **arguments)
        if answer.error != OK:
            raise Failure("%s failed with %d: %s" % (question, answer.error, answer.text))
        return answer

    def _read_frame(self, deadline):
        while True:
            for frame in self.frames():
                return frame
            if time.monotonic() > deadline:
                raise Failure("no welcome in time")


def _plain(value):
    return value.encode() if isinstance(value, str) else value


class Job:
    """One request to one node. answer is filled in by run()."""

    def __init__(self, node, question, **arguments):
        self.node = node
        self.question = question
        self.arguments = arguments
        self.answer = None


class Crowd:
    """Clients of many nodes of one daemon."""

    def __init__(self, path):
        self.path = path
        self.clients = {}

    def client(self, node):
        if node not in self.clients:
            self.clients[node] = Client(self.path, node)
        return self.clients[node]

    def drop(self, nodes):
        """Forgets the clients of nodes that were stopped."""
        for node in nodes:
            if node in self.clients:
                self.clients.pop(node).close()

    def close(self):
        self.drop(list(self.clients))

    def run(self, jobs, deadline, at_once=64):
        """Has all jobs answered, so many at a time. Failure: not in time, or a node hung up."""
        waiting = list(reversed(jobs))
        under_way = {}
        while waiting or under_way:
            while waiting and len(under_way) < at_once:
                job = waiting.pop()
                client = self.client(job.node)
                under_way[client, client.begin(job.question, **job.arguments)] = job
            self._hear(under_way, deadline)

    def _hear(self, under_way, deadline):
        readable, _, _ = select.select(
            {client for client, _ in under_way}, [], [], max(0, deadline - time.monotonic())
        )
        if not readable:
            raise Failure("%d requests were not answered in time" % len(under_way))
        for client in readable:
            for frame in client.frames():
                ended = client.take(frame)
                if ended is not None:
                    under_way.pop((client, ended[0])).answer = ended[1]
