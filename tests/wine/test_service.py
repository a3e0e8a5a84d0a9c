# SPDX-License-Identifier: MIT
"""pnrd.exe as a service of Wine's service manager: installed, started, used by who was told nothing, told to read its
configuration again, stopped, killed and started again, and taken away with nothing left of it."""

import json
import os
import re

import daemon
import wine
import programs

NAME = "pnrd"
SYSTEM = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services"
EVENTS = SYSTEM + r"\Eventlog\Application" + "\\"


def service(*arguments, code=0):
    return wine.run(daemon.built("pnrd"), "service", *arguments, code=code)


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = harness.keep(programs.Testnet, 8, [])
        self.linux = programs.start(harness, self.net, "linux")
        self.options = programs.joining(self.net)

    def has(self, said, *parts):
        for part in parts:
            self.h.check(part in said, part, said)

    def log(self, name=NAME):
        folder = daemon.data_folder() + ("" if name == NAME else "-" + name)
        with open(os.path.join(folder, "log", name + ".log"), encoding="utf-8") as log:
            return log.read()

    def registry(self):
        """What the registry has of services and their events, as text by key."""
        file = os.path.join(self.h.directory, "export.reg")
        if os.path.exists(file):
            os.unlink(file)
        wine.run("regedit", "/E", wine.path(file), SYSTEM)
        with open(file, encoding="utf-16") as exported:
            text = re.sub(r"\\\r?\n *", "", exported.read())
        parts = re.split(r"^\[(.*)\]$", text, flags=re.M)
        return {key.lower(): values.strip() for key, values in zip(parts[1::2], parts[2::2])}

    # ---- the parts ----

    def is_missing(self):
        self.before = self.registry()
        self.h.check(not os.path.exists(daemon.data_folder()), "nothing is there", daemon.data_folder())
        for verb in ("status", "start", "stop", "reload", "uninstall"):
            self.has(service(verb, code=4), "there is no service pnrd; remedy: pnrd service install")

    def is_refused(self):
        """Nothing is left of what cannot be installed."""
        bad = os.path.join(self.h.directory, "bad.conf")
        with open(bad, "w", encoding="ascii") as file:
            file.write("[node]\nno-such-key = 1\n")
        self.has(service("install", "--config", wine.path(bad), code=2), "no-such-key")
        self.has(service("install", "--state", "here", code=2), "here is no full path")
        # A folder that is not pnrd's would be locked away, or purged, with what it has.
        other = os.path.join(self.h.directory, "other")
        os.makedirs(other)
        with open(os.path.join(other, "diary.txt"), "w", encoding="ascii") as file:
            file.write("dear diary\n")
        self.has(service("install", "--state", wine.path(other), code=1), "diary.txt in it is not pnrd's")
        self.h.check(not os.path.exists(daemon.data_folder()), "no folder is left", daemon.data_folder())
        self.has(wine.run(daemon.built("pnrd"), "service", "run", code=1), "remedy: pnrd service start")
        self.h.check(self.registry() == self.before, "the registry is as it was", "")

    def installs(self):
        service("install", *self.options)
        self.has(service("install", *self.options, code=1), "there is a service pnrd already")
        said = service("status", code=3)
        self.has(said, "service pnrd: not running", " service run --name pnrd --listen 127.0.0.1:0", "start    automatic",
                 "account  NT SERVICE\\pnrd", "log      C:\\ProgramData\\pnr\\log\\pnrd.log")
        now = self.registry()
        made = now[(SYSTEM + "\\" + NAME).lower()]
        self.has(made, '"Start"=dword:00000002', '"ObjectName"="NT SERVICE\\\\pnrd"', "Takes part in the DHT")
        self.has(now[(EVENTS + NAME).lower()], '"TypesSupported"=dword:00000007', '"EventMessageFile"=')

    def shows_events(self):
        """The texts of the Event Log are in the program that the registry names."""
        values = self.registry()[(EVENTS + NAME).lower()]
        hexed = re.search(r'"EventMessageFile"=hex\(2\):([0-9a-f,]*)', values)[1]
        file = bytes.fromhex(hexed.replace(",", "")).decode("utf-16le").rstrip("\0")
        self.h.check(file.endswith("\\pnrd.exe"), "it is pnrd.exe", file)
        said = wine.run(wine.program("service_probe"), "texts", file)
        self.h.check(said == "x\n\nx\n\nx\n\n" or said.split() == ["x"] * 3, "it has a text for each kind", said)

    def starts(self):
        self.has(service("start"), "service pnrd is running, process ")
        self.has(service("start"), "service pnrd is running already")
        self.has(service("status"), "service pnrd: running, process ")
        self.has(self.log(), " info ready version=")

    def is_used(self):
        daemon.pnr(None, "key", "new", "win")
        daemon.pnr(None, "publish", "win.web", "--endpoint", "tcp:192.0.2.1:443")
        self.name = daemon.pnr(None, "publications")[0]["name"]
        for found in (programs.pnr(self.linux.control, "--json", "resolve", self.name).objects(),
                      daemon.pnr(None, "resolve", self.name)):
            self.h.check("192.0.2.1" in json.dumps(found), "it resolves", found)

    def reloads(self):
        with open(os.path.join(daemon.data_folder(), "pnr.conf"), "w", encoding="ascii") as file:
            file.write("[node]\nlog-level = debug\n")
        service("reload")
        daemon.pnr(None, "status")  # a turn of its loop later
        self.has(self.log(), " info configuration read again", "key=\"node: log-level\"")

    def stops(self):
        """By the states that the service manager sees: it never asks for more than 5 seconds, and goes one way."""
        said = wine.run(wine.program("service_probe"), "stop", NAME)
        steps = [line.split() for line in said.split("\n") if line]
        self.h.check(steps[-1] == ["stopped", "0", "0", "0"], "it ends well", steps)
        stopping = steps[:-1]
        self.h.check(all(step[0] == "stopping" and int(step[2]) <= 5000 for step in stopping), "within 5 s", steps)
        self.h.check([int(step[1]) for step in stopping] == sorted({int(step[1]) for step in stopping}) and
                     len(stopping) <= 2, "step by step", steps)
        self.has(service("stop"), "service pnrd was not running")
        self.has(self.log(), "ending signal=STOP")

    @staticmethod
    def kill():
        process = re.search(r"process (\d+)", service("status"))[1]
        wine.run("taskkill", "/F", "/PID", process)
        return process

    def start(self):
        """Wine's manager does not look after its processes: it restarts none by itself, and takes a killed one for
        running until the next tells otherwise, so that its word is not enough."""
        ready = self.log().count(" ready version=")
        service("start")
        self.h.until("it is ready", lambda: self.log().count(" ready version=") > ready)

    def is_killed(self):
        self.start()
        process = self.kill()
        self.start()
        again = self.kill()
        self.has(service("stop"), "service pnrd has ended")
        self.start()
        self.h.check(again != process, "it is another process", again)
        kept = daemon.pnr(None, "publications")
        self.h.check([one["name"] for one in kept] == [self.name], "its publication is kept", kept)

    def keeps_no_secret(self):
        """Of keys, and of what clients prove that they know."""
        with open(os.path.join(daemon.data_folder(), "control.rendezvous"), encoding="ascii") as file:
            secrets = re.findall(r"[0-9a-f]{32,}", file.read())
        keys = os.path.join(daemon.data_folder(), "state", "keys")
        for name in os.listdir(keys):
            with open(os.path.join(keys, name), encoding="ascii") as file:
                secrets.append(file.read().split("\n")[1])
        self.h.check(len(secrets) >= 2, "there are secrets", secrets)
        self.h.check(not any(secret in self.log() for secret in secrets), "none is in the log", self.log())

    def fails(self):
        """A second one, at a port that is taken: its log says so, and start says where to look."""
        port = self.net.bootstrap
        state = wine.path(os.path.join(self.h.directory, "second"))
        self.has(service("install", "--name", "pnrd-second", code=1), "needs a --state and a --control of its own",
                 "C:\\ProgramData\\pnr-pnrd-second")
        service("install", "--name", "pnrd-second", "--listen", port, "--state", state,
                "--control", "tcp:" + wine.path(os.path.join(self.h.directory, "second-rendezvous")))
        said = service("start", "--name", "pnrd-second", code=1)
        self.has(said, "has ended as soon as it was started; remedy: see C:\\ProgramData\\pnr-pnrd-second\\log\\pnrd-second.log")
        self.has(self.log("pnrd-second"), " error ", port)
        diary = os.path.join(self.h.directory, "second", "diary.txt")
        with open(diary, "w", encoding="ascii") as file:
            file.write("dear diary\n")
        service("uninstall", "--name", "pnrd-second", "--purge")
        left = os.listdir(os.path.dirname(diary))
        self.h.check(left == ["diary.txt"], "what is not pnrd's is left", left)

    def is_single(self):
        """Under both its names it would have one state."""
        self.has(service("install", "--pnrp-name", *self.options, code=1),
                 "pnrd is installed as the service pnrd; remedy: pnrd service uninstall --name pnrd")

    def is_uninstalled(self):
        service("uninstall", "--purge")
        os.unlink(os.path.join(daemon.data_folder(), "pnr.conf"))  # the administrator's own
        left = [os.path.join(place, name) for place, folders, files in os.walk(daemon.data_folder())
                for name in folders + files]
        self.h.check(left == [], "no file is left", left)
        left = [name for name in os.listdir(os.path.dirname(daemon.data_folder())) if name.startswith("pnr-")]
        self.h.check(left == [], "no folder is left", left)
        service("status", code=4)
        os.rmdir(daemon.data_folder())

    def has_the_other_name(self):
        self.has(service("install", "--pnrp-name", *self.options), "service pnrpsvc is installed")
        self.has(service("status", "--pnrp-name", code=3), "service pnrpsvc: not running")
        self.has(service("uninstall", "--pnrp-name"), "service pnrpsvc is uninstalled")
        self.h.check(not os.path.exists(daemon.data_folder()), "its empty folders are gone", daemon.data_folder())
        # Windows' own is left alone.
        wine.run("sc", "create", "pnrpsvc", "binPath=", "C:\\windows\\system32\\svchost.exe -k LocalServicePeerNet")
        for verb in ("install", "uninstall", "stop", "start"):
            self.has(service(verb, "--pnrp-name", code=1), "the service pnrpsvc does not run pnrd")
        wine.run("sc", "delete", "pnrpsvc")

    def is_as_before(self):
        after = self.registry()
        changed = {key for key in {*self.before, *after} if self.before.get(key) != after.get(key)}
        self.h.check(not changed, "the registry is as it was", {key: (self.before.get(key), after.get(key))
                                                               for key in changed})


def test(harness):
    daemon.forget()
    scenario = Scenario(harness)
    try:
        for part in (scenario.is_missing, scenario.is_refused, scenario.installs, scenario.shows_events, scenario.starts,
                     scenario.is_used, scenario.reloads, scenario.stops, scenario.is_killed, scenario.keeps_no_secret,
                     scenario.fails, scenario.is_single, scenario.is_uninstalled, scenario.has_the_other_name,
                     scenario.is_as_before):
            part()
            harness.step(part.__name__)
    finally:
        # What a failure has left, for whoever runs next.
        for name in (NAME, "pnrd-second", "pnrpsvc"):
            wine._run(wine.command("wine", daemon.built("pnrd"), "service", "uninstall", "--purge", "--name", name), 60)
        daemon.forget()


if __name__ == "__main__":
    programs.run(test, 240)
