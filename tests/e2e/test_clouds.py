# SPDX-License-Identifier: MIT
"""Several clouds in one pnrd: two private ones and one of a link, in network namespaces.

Two machines, each a namespace, with a cable (veth) between them. The link's cloud has no bootstrap:
its nodes find each other by multicast. Names of one cloud are not seen in another; the cable is
pulled and put back; a neighbour floods the group; clouds come and go at run time.
"""

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time

import programs
import control
from guest import Guest

INSIDE = "PNR_E2E_CLOUDS"
ENDPOINT = {b"ip": bytes((192, 0, 2, 1)), b"port": 443, b"proto": 6}
GROUP = ("239.192.112.110", 3541)

PRIVATE = """[node]
log-level = debug
[cloud Global_]
enabled = no
[cloud red]
listen = 127.0.0.1:0
bootstrap = %(red)s
[cloud blue]
listen = 127.0.0.1:0
bootstrap = %(blue)s
scope = site
"""
LINK = """[cloud lan]
scope = link
interface = pnr%(number)d
"""

FLOOD = """
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.9.0.2"))
for i in range(5000):
    s.sendto(b"d2:id20:" + struct.pack(">QQI", 1, 2, i) + b"3:pnri1e1:q3:whoe", %r)
    s.sendto(b"junk", %r)
for i in range(200):
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("10.9.0.2", 0))
    other.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.9.0.2"))
    other.sendto(b"d2:id20:" + struct.pack(">QQI", 3, 4, i) + b"3:pnri1e1:q5:helloe", %r)
""" % (GROUP, GROUP, GROUP)


def ip(*arguments):
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    subprocess.run(["ip", *arguments], check=True, env=environment, capture_output=True)


class Away(programs.Daemon):
    """A pnrd in the network namespace of another process."""

    def __init__(self, folder, options, pid, directory, deadline):
        def enter():
            namespace = os.open("/proc/%d/ns/net" % pid, os.O_RDONLY)
            if ctypes.CDLL(None).setns(namespace, 0) != 0:
                raise OSError("setns")
            os.close(namespace)
        super().__init__(folder, options, directory, deadline, prepare=enter)


class Told:
    """What a program prints, line by line, as it comes."""

    def __init__(self, harness, command):
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
        self.buffer = b""
        self.deadline = harness.deadline

    def line(self, awaited):
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.child.stdout], [], [],
                                        max(0, self.deadline - time.monotonic()))
            data = os.read(self.child.stdout.fileno(), 4096) if ready else b""
            if not data:
                raise programs.Failure("not told: %s" % (awaited,))
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def close(self):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait()
        self.child.stdout.close()


class Watch(Told):
    """pnr clouds --watch --json."""

    def __init__(self, harness, socket):
        super().__init__(harness, [programs.program("pnr"), "--control", socket, "--json",
                                   "clouds", "--watch"])

    def until(self, name, **wanted):
        """The next line of that cloud which says so; others are passed over."""
        while True:
            told = json.loads(self.line((name, wanted)))
            if told["name"] == name and all(told.get(key) == wanted[key] for key in wanted):
                return told


class Log(Told):
    """The log of a daemon, from its beginning on."""

    def __init__(self, harness, daemon):
        super().__init__(harness, ["tail", "-n", "+1", "-f", daemon.log_path])

    def until(self, *words):
        """The next line with all of these in it."""
        while True:
            line = self.line(words).decode("utf-8", "replace")
            if all(word in line for word in words):
                return line


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.other = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo there; exec sleep infinity"],
            stdout=subprocess.PIPE)
        self.h.check(self.other.stdout.readline() == b"there\n", "namespace", self.other.pid)
        ip("link", "set", "lo", "up")
        ip("link", "add", "pnr1", "type", "veth", "peer", "name", "pnr2",
           "netns", str(self.other.pid))
        ip("address", "add", "10.9.0.1/24", "dev", "pnr1")
        ip("link", "set", "pnr1", "up")
        ip("route", "add", "default", "via", "10.9.0.2")
        self.there("ip", "link", "set", "lo", "up")
        self.there("ip", "address", "add", "10.9.0.2/24", "dev", "pnr2")
        self.there("ip", "link", "set", "pnr2", "up")
        self.red = harness.keep(programs.Testnet, 8, [])
        self.blue = harness.keep(programs.Testnet, 8, [])
        self.configs = []
        self.daemons = [self.start(1, PRIVATE + LINK), self.start(2, LINK)]
        self.clients = [control.Client(daemon.control) for daemon in self.daemons]
        self.clients[0].must("key_new", label="own")
        self.clients[1].must("key_new", label="own")

    def there(self, *command, check=True):
        environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
        return subprocess.run(
            ["nsenter", "--net=/proc/%d/ns/net" % self.other.pid, *command],
            check=check, env=environment, capture_output=True)

    def write(self, number, text):
        path = os.path.join(self.h.directory, "pnr%d.conf" % number)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text % {"red": self.red.bootstrap, "blue": self.blue.bootstrap,
                               "number": number})
        return path

    def start(self, number, text):
        if number == 2:
            text = "[node]\nlog-level = debug\n[cloud Global_]\nenabled = no\n" + text
        options = ["--config", self.write(number, text)]
        folder = os.path.join(self.h.directory, "m%d" % number)
        if number == 2:
            return self.h.keep(Away, folder, options, self.other.pid)
        return self.h.keep(programs.Daemon, folder, options)

    def state(self, machine, name):
        for result in self.clients[machine].must("clouds").results:
            if result[b"name"].decode() == name:
                return result[b"state"].decode()
        return "none"

    def until_cloud(self, machine, name, **wanted):
        watch = Watch(self.h, self.daemons[machine].control)
        try:
            watch.until(name, **wanted)
        finally:
            watch.close()

    def ping_other(self, bracket):
        """Asks the other machine on the link until it answers, by IPv6 where its address has a [."""
        words = (" listening addr=" + bracket, " cloud=lan ")
        log = Log(self.h, self.daemons[1])
        try:
            log.until(*words)
        finally:
            log.close()
        line = [line for line in self.daemons[1].log().splitlines()
                if all(word in line for word in words)][-1]  # it may have lost an earlier one
        self.clients[0].must("ping", cloud="lan", addr=line.split("addr=")[1].split()[0])

    def counters(self, machine):
        return self.clients[machine].must("status").fields[b"counters"]

    def resolve(self, machine, name, cloud):
        return self.clients[machine].ask("resolve", name=name, cloud=cloud, wait="all")

    def check_found(self, machine, name, cloud, found):
        answer = self.resolve(machine, name, cloud)
        wanted = control.OK if found else control.NOT_FOUND
        self.h.check(answer.error == wanted, name, cloud, found, answer.error, answer.text)

    def joins(self):
        """All three are joined; the link's without anybody to ask."""
        for name in ("red", "blue", "lan"):
            self.until_cloud(0, name, state="active")
        self.until_cloud(1, "lan", state="active")
        self.h.check(self.state(0, "Global_") == "disabled", "Global_", self.state(0, "Global_"))
        # By either family: the IPv6 address takes a second to be ready.
        for machine in range(2):
            self.until_cloud(machine, "lan", families=[4, 6])
        self.ping_other("[")
        families = [peer[b"family"] for peer in self.clients[0].must("peers", cloud="lan").results]
        self.h.check(sorted(families) == [4, 6], "who is there by which family", families)

    def leaks(self):
        key = self.clients[0].must("key_show", label="own").fields[b"z32"].decode()
        for cloud in ("red", "blue", "lan"):
            answer = self.clients[0].ask("publish", name="own." + cloud, cloud=cloud,
                                         endpoints=[ENDPOINT])
            self.h.check(answer.error == control.OK, "publish", cloud, answer.text)
        for name in ("red", "blue", "lan"):
            for cloud in ("red", "blue", "lan"):
                self.check_found(0, key + "." + name, cloud, name == cloud)
        # The other machine sees what is on the link, and nothing else.
        self.check_found(1, key + ".lan", "lan", True)
        self.check_found(1, key + ".red", "lan", False)
        self.h.check(self.resolve(1, key + ".red", "red").error == control.NOT_FOUND, "no red")

    def scopes(self):
        """A link-local address comes with the interface that it is to be reached by, for programs of either kind."""
        here = socket.if_nametoindex("pnr1")
        local = {b"ip": socket.inet_pton(socket.AF_INET6, "fe80::7"), b"port": 443, b"proto": 6}
        key = self.clients[1].must("key_show", label="own").fields[b"z32"].decode()
        for name, published in ((key + ".near", "own.near"), ("0.near", "0.near")):
            answer = self.clients[1].ask("publish", name=published, cloud="lan", endpoints=[local])
            self.h.check(answer.error == control.OK, "publish", name, answer.text)
            self.check_scope(name, here)

    def check_scope(self, name, here):
        resolve = ("resolve", name, "--cloud", "lan")
        told = programs.pnr(self.daemons[0].control, *resolve).out
        self.h.check(b"tcp:[fe80::7%%%d]:443" % here in told, told)
        told = programs.pnr(self.daemons[0].control, "--json", *resolve).objects()[0]
        self.h.check(told["endpoints"][0]["scope_id"] == here, told)
        guest = self.h.keep(Guest, self.daemons[0].control)
        for line, wanted in (
            ("in lan", "in lan"),
            ("begin %s 1" % name, "begun"),
            ("next", "result 443%%%d" % here),
            ("end", "ended 0"),
            ("cleanup", "clean 0"),
        ):
            guest.does(line, wanted)
        guest.leave()

    def cable(self):
        """Pulled and put back: seen by who watches, and the others go on."""
        watch = Watch(self.h, self.daemons[0].control)
        log = Log(self.h, self.daemons[0])
        try:
            watch.until("lan", state="active")
            ip("link", "set", "pnr1", "down")
            watch.until("lan", event="changed", state="no-net", families=[])
            self.h.check(self.state(0, "red") == "active", "red", self.state(0, "red"))
            log.until("no way to the internet")
            ip("link", "set", "pnr1", "up")
            ip("route", "add", "default", "via", "10.9.0.2")
            watch.until("lan", event="changed", state="active")
            # With the address that it had before; what is published is looked after.
            log.until("its network is back")
            self.until_cloud(1, "lan", state="active")
            # A cloud comes and goes when the configuration is read again.
            with open(self.write(1, PRIVATE + LINK + "[cloud green]\nlisten = 127.0.0.1:0\n"),
                      encoding="utf-8"):
                self.daemons[0].child.send_signal(signal.SIGHUP)
            told = watch.until("green", event="added")
            self.h.check(told["scope"] == "global", "green", told)
            self.write(1, PRIVATE + LINK)
            self.daemons[0].child.send_signal(signal.SIGHUP)
            watch.until("green", event="gone")
        finally:
            log.close()
            watch.close()
        key = self.clients[0].must("key_show", label="own").fields[b"z32"].decode()
        self.check_found(0, key + ".red", "red", True)
        self.check_found(0, key + ".blue", "blue", True)

    def flood(self):
        before = self.counters(0)
        self.there(sys.executable, "-c", FLOOD)
        # All of it has been sent: while this goes to and fro, what has come is read.
        self.ping_other("10.9.")
        after = self.counters(0)
        malformed = after[b"neighbours_malformed"] - before[b"neighbours_malformed"]
        self.h.check(malformed > 10, "malformed", malformed)
        asked = after[b"neighbours_asked"] - before[b"neighbours_asked"]
        said = after[b"neighbours_said"] - before[b"neighbours_said"]
        self.h.check(after[b"neighbours_limited"] > 0, "limited", after)
        self.h.check(asked <= 16 + 4 * 60, "asked", asked)
        self.h.check(said <= 60, "said", said)
        self.h.check(self.state(0, "lan") == "active", "lan", self.state(0, "lan"))

    def close(self):
        for client in self.clients:
            client.close()
        self.other.kill()
        self.other.wait()


def scenario(harness):
    steps = Scenario(harness)
    try:
        for part in ("joins", "leaks", "scopes", "cable", "flood"):
            getattr(steps, part)()
            harness.step(part)
    finally:
        steps.close()


def no_namespaces(harness):
    raise programs.Missing("this system has no network namespaces with a veth between them for us")


def main():
    if os.environ.get(INSIDE):
        programs.run(scenario, timeout_s=100)
    probe = ("PATH=$PATH:/usr/sbin:/sbin; ip link add pnr1 type veth peer name pnr2 && "
             "unshare --net true")
    for way in (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"]):
        try:
            if subprocess.run([*way, "sh", "-c", probe], capture_output=True).returncode == 0:
                os.execvpe(way[0], [*way, sys.executable, *sys.argv],
                           {**os.environ, INSIDE: "yes"})
        except FileNotFoundError:
            break
    programs.run(no_namespaces)


if __name__ == "__main__":
    main()
