# SPDX-License-Identifier: MIT
"""Our own nodes: `pnr testnet`, and `pnr` as a client of one of them."""

import json
import os
import shutil
import signal
import subprocess

import keys
from harness import Failure, Missing, Process

NOT_FOUND = 3


def program(name):
    """The path of one of our binaries, which PNR_BIN's directories (a:b) hold."""
    path = shutil.which(name, path=os.environ.get("PNR_BIN", ""))
    if path is None:
        raise Missing("PNR_BIN has no %s" % name)
    return path


class Testnet(Process):
    """A DHT of our nodes in one process. Made by start_testnet()."""

    def __init__(self, nodes, listen, directory, deadline):
        command = [program("pnr"), "testnet", str(nodes)]
        if listen is not None:
            command += ["--listen", listen]
        super().__init__("pnr testnet", command, directory)
        ready = self.read_line(deadline).split()
        if ready[:1] != ["ready"]:
            raise Failure("pnr testnet is not ready: " + " ".join(ready))
        fields = dict(word.split("=", 1) for word in ready[1:])
        self.bootstrap = fields["bootstrap"]
        self.control = fields["control"].removeprefix("unix:")
        self.nodes = int(fields["nodes"])

    def run(self, node, *arguments, code=0, timeout_s=40):
        """Runs `pnr` as a client of one node; returns the JSON objects it printed.

        code: the exit code it has to have. Failure: it had another.
        """
        command = [program("pnr"), "--control", self.control, "--node", str(node), *arguments]
        self.note("$ " + " ".join(command))
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            raise Failure("pnr %s did not end in time" % arguments[0]) from None
        for mark, text in (("< ", done.stdout), ("! ", done.stderr)):
            for line in text.splitlines():
                self.note(mark + line)
        if done.returncode != code:
            raise Failure("pnr %s ended with %d, not %d" % (arguments[0], done.returncode, code))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def new_key(self, node, label):
        """Makes a key that one node holds; returns its 32 public bytes."""
        return keys.z32_decode(self.run(node, "key", "new", label, "--json")[0]["z32"])

    def publish(self, node, name, address, comment="interop"):
        """Publishes the endpoint address, tcp port 443, under a name whose key the node holds."""
        endpoint = "tcp:%s:443" % address
        options = ["--endpoint", endpoint, "--comment", comment, "--json"]
        return self.run(node, "publish", name, *options)

    def resolve(self, node, name, wait="settled", code=0, timeout_s=20):
        options = ["--json", "--wait", wait, "--timeout", str(timeout_s)]
        return self.run(node, "resolve", name, *options, code=code, timeout_s=timeout_s + 20)

    def check_resolves(self, node, name, address, wait="settled"):
        """Failure: the name does not resolve to this address."""
        results = self.resolve(node, name, wait)
        if not mentions(results, address):
            raise Failure("%s does not resolve to %s: %r" % (name, address, results))

    def knows(self, node, addresses):
        """Whether all these "host:port" are among a node's contacts."""
        contacts = self.run(node, "peers", "--json")
        return all(contact_listed(contacts, address) for address in addresses)

    def check_ends_cleanly(self):
        """Interrupts it. Failure: it does not end by itself, or not well (a leak, say)."""
        self.child.send_signal(signal.SIGINT)
        try:
            code = self.child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            raise Failure("pnr testnet does not end when interrupted") from None
        if code != 0:
            raise Failure("pnr testnet ended with code %d when interrupted" % code)


def start_testnet(harness, nodes, listen=None):
    """Starts nodes that have found each other; listen: on another address than 127.0.0.1."""
    return harness.keep(Testnet, nodes, listen)


def mentions(objects, text):
    """Whether a JSON object has this text for one of its values, or as a part of one."""
    return any(text in value for value in _texts(objects))


def contact_listed(contacts, address):
    """Whether one contact has this address, as one text or as address and port."""
    host, port = address.rsplit(":", 1)
    for contact in contacts:
        texts = list(_texts(contact))
        if address in texts or (host in texts and port in texts):
            return True
    return False


def _texts(value):
    """All values inside a JSON value, as texts."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    else:
        yield str(value)
