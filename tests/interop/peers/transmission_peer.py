#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A transmission-daemon whose DHT a test drives by lines of JSON (README.md has the commands).

Its DHT is jech/dht: BEP 5 and 32, no BEP 44. It takes 127/8 for a martian, so it is of use only on
another address: run the test inside netns.sh. It has no interface to its DHT, so `nodes` asks it by
find_node, as any node would; what is named there is what it holds for good contacts.
"""

import argparse
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from krpc import Witness, bencode, split_address  # noqa: E402

# How long to let its table alone before looking again: it tells nobody when it changes.
_LOOK_AGAIN_S = 0.5


def write_configuration(directory, address, bootstrap, contacts):
    host, port = split_address(address)
    settings = {
        "bind-address-ipv4": host,
        "bind-address-ipv6": "::1",
        "peer-port": port,
        "peer-port-random-on-start": False,
        "port-forwarding-enabled": False,
        "dht-enabled": True,
        "lpd-enabled": False,
        "pex-enabled": False,
        "utp-enabled": False,
        "rpc-enabled": False,
        "blocklist-enabled": False,
        "download-dir": directory,
    }
    with open(os.path.join(directory, "settings.json"), "w") as file:
        json.dump(settings, file)
    with open(os.path.join(directory, "dht.bootstrap"), "w") as file:
        for node in bootstrap:
            file.write("%s %d\n" % split_address(node))
    # What it wrote when it last ended: its id, and contacts in BEP 5's compact form.
    with open(os.path.join(directory, "dht.dat"), "wb") as file:
        compact = b"".join(compact_address(contact) for contact in contacts)
        file.write(bencode({b"id": os.urandom(20), b"nodes": compact}))


def compact_address(address):
    host, port = split_address(address)
    return socket.inet_aton(host) + port.to_bytes(2, "big")


def die_with_parent():
    """Run in the child: a parent that is killed cannot clean up."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def start_daemon(directory):
    """Starts the daemon and returns it once its log says that the DHT runs."""
    daemon = subprocess.Popen(
        ["transmission-daemon", "--foreground", "--config-dir", directory, "--log-debug"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=die_with_parent,
    )
    for line in daemon.stdout:
        sys.stderr.write(line)
        if "DHT initialized" in line:
            return daemon
    raise OSError("transmission-daemon ended with code %d" % daemon.wait())


def copy_log(daemon):
    """Hands the rest of the daemon's log to standard error, in a process of its own."""
    if os.fork() == 0:
        die_with_parent()
        for line in daemon.stdout:
            sys.stderr.write(line)
        os._exit(0)
    daemon.stdout.close()


class Peer:
    def __init__(self, address):
        self.address = address
        self.witness = Witness(split_address(address)[0])

    def nodes(self, deadline):
        """Two questions from the two ends of the id space: an answer holds 8 nodes at most."""
        found = set()
        for first in (b"\x00", b"\xff"):
            left_s = max(0.0, deadline - time.monotonic())
            found.update(self.witness.find_node(self.address, first * 20, timeout_s=left_s))
        found.discard("%s:%d" % self.witness.socket.getsockname())
        return sorted(found)

    def wait_nodes(self, wanted, deadline):
        while True:
            nodes = self.nodes(deadline)
            if wanted.issubset(nodes):
                return nodes
            time.sleep(min(_LOOK_AGAIN_S, max(0.0, deadline - time.monotonic())))

    def do(self, request, deadline):
        if request["do"] == "nodes":
            return {"nodes": self.nodes(deadline)}
        if request["do"] == "wait_nodes":
            return {"nodes": self.wait_nodes(set(request["wanted"]), deadline)}
        raise ValueError("no command " + request["do"])


def say(message):
    print(json.dumps(message), flush=True)


def answer(peer, request):
    try:
        return {"ok": True, **peer.do(request, time.monotonic() + request.get("timeout_s", 30))}
    except (OSError, ValueError, TimeoutError) as error:
        return {"ok": False, "error": "%s: %s" % (type(error).__name__, error)}


def serve(address):
    peer = Peer(address)
    say({"ready": True, "address": address, "version": "transmission-daemon"})
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "quit":
            say({"ok": True})
            return
        say(answer(peer, request))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", required=True, help="host:port, not in 127/8")
    # It pings a file's contacts every 2 seconds, and the bootstrap nodes after them every 15.
    parser.add_argument("--contact", action="append", default=[], help="host:port, for dht.dat")
    parser.add_argument("--bootstrap", action="append", default=[], help="for dht.bootstrap")
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="pnr-transmission-")
    try:
        write_configuration(directory, options.listen, options.bootstrap, options.contact)
        daemon = start_daemon(directory)
        copy_log(daemon)
        serve(options.listen)
        # It would say goodbye to trackers that a test does not have.
        daemon.kill()
        daemon.wait()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
