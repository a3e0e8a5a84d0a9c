# SPDX-License-Identifier: MIT
"""The setup, in a Windows of its own: it installs, what it has installed is of use, it upgrades and uninstalls, and
where it fails or is cut off, nothing is left. PNR_INSTALLER is the setup, PNR_INSTALLER_STAGE the folder of what it
puts into the program folder, PNR_INSTALLER_SHIM that of the test-only ws2_32.dll."""

import getpass
import glob
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys

import registry
import snapshot
import wine
import programs

SETUP = os.environ["PNR_INSTALLER"]
STAGE = os.environ["PNR_INSTALLER_STAGE"]
SHIM = os.environ["PNR_INSTALLER_SHIM"]
PROGRAMS = "C:\\Program Files\\pnr"
ENTRY = r"HKEY_LOCAL_MACHINE\Software\Microsoft\Windows\CurrentVersion\Uninstall\pnr"
SERVICE = r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Services\pnrd"
ENVIRONMENT = r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control\Session Manager\Environment"
# Exit codes of `pnrd service status`.
RUNNING, STOPPED = 0, 3
MICROSOFT = r"%SystemRoot%\system32\pnrpnsp.dll"


# Where setups have what they run.
TEMPORARY = os.path.join("users", getpass.getuser(), "Temp", "ns")


def on_drive(*names):
    return os.path.join(snapshot.drive(), *names)


def in_programs(*names):
    return on_drive("Program Files", "pnr", *names)


def in_data(*names):
    return on_drive("ProgramData", "pnr", *names)


def bits_of(path):
    """What kind of programs a file of Windows is for."""
    with open(path, "rb") as file:
        head = file.read(4096)
    at = struct.unpack_from("<I", head, 60)[0]
    return {0x8664: 64, 0x014C: 32}[struct.unpack_from("<H", head, at + 4)[0]]


def temporary_folders():
    return set(glob.glob(on_drive(TEMPORARY + "*")))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def make_windows():
    """A fresh one, where those that have to do with the catalogs get the test-only ws2_32.dll."""
    folder = os.environ["PNR_WINE_FOLDER"]
    wine.down()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    shared = os.path.join(os.path.dirname(folder), "wine", "dllpath")
    os.symlink(shared, os.path.join(folder, "dllpath"))
    wine.up(SHIM)
    # Not beside programs: the program folder is to be the setup's alone.
    for name in ("ws2_32.dll", "pnr_ws2_32.dll"):
        shutil.copy(os.path.join(SHIM, name), on_drive("windows", "system32", name))


def restart():
    """As Windows does: what was to go with the next start goes, what starts by itself starts."""
    wine.down()
    wine.up(SHIM)
    wine.run("wineboot")


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.net = None
        self.registry = registry.Registry(harness.directory)
        make_windows()
        # As Windows itself once had it, in one of the catalogs.
        theirs = [registry.entry(name, MICROSOFT, "Microsoft's") for name in registry.IDS]
        other = registry.entry(1, r"%SystemRoot%\System32\mswsock.dll", "Tcpip")
        self.catalogs = {64: [other, *theirs], 32: [other]}
        self.registry.write(self.catalogs)
        restart()
        self.clean = snapshot.Snapshot(harness.directory)

    # ---- doing ----

    def setup(self, *options, file=SETUP, code=0, **variables):
        return wine.run(file, "/S", *options, code=code, timeout_s=120, **variables)

    def uninstall(self, *options):
        """As Windows does. The program in the program folder starts a copy of itself, and ends before that does."""
        before = temporary_folders()
        wine.run(PROGRAMS + "\\uninstall.exe", "/S", *options)
        self.h.until("the uninstaller has ended",
                     lambda: not os.path.exists(in_programs()) and temporary_folders() <= before, 0.1)
        restart()

    def run(self, program, *words, code=0):
        return wine.run("%s\\%s.exe" % (PROGRAMS, program), *words, code=code)

    def pnr(self, *words):
        said = self.run("pnr", "--json", *words)
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]

    def configure(self, port=0):
        """Has pnrd be in a DHT on loopback alone."""
        if self.net is None:
            self.net = self.h.keep(programs.Testnet, 8, [])
        write(in_data("pnr.conf"), "[cloud Global_]\nlisten = 127.0.0.1:%d\nbootstrap = %s\n" %
              (port, self.net.bootstrap))

    def forget(self):
        shutil.rmtree(in_data(), ignore_errors=True)

    # ---- checks ----

    def now(self):
        return snapshot.Snapshot(self.h.directory)

    def same(self, what, before, but=()):
        differences = before.differences(self.now(), but)
        self.h.check(not differences, what, differences[:12])

    def is_service(self, code):
        self.run("pnrd", "service", "status", code=code)

    def check_whole(self):
        """All that an installation has is there."""
        now = self.now()
        for folder, _, names in os.walk(STAGE):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), STAGE)
                with open(os.path.join(STAGE, path), "rb") as wanted, open(in_programs(path), "rb") as seen:
                    self.h.check(wanted.read() == seen.read(), "it is as it was packed", path)
        self.h.check(not os.path.exists(in_programs("replaced")), "nothing older is left")
        for bits, folder in ((64, ""), (32, "x86\\")):
            for name in ("pnrnsp.dll", "pnrnsp-setup.exe"):
                self.h.check(bits_of(in_programs(*filter(None, [folder[:-1], name]))) == bits, "it is of", bits, name)
            ours = [one for one in self.registry.entries(bits) if one["LibraryPath"].startswith(PROGRAMS)]
            self.h.check([one["LibraryPath"] for one in ours] == 2 * [PROGRAMS + "\\" + folder + "pnrnsp.dll"],
                         "the provider is in the catalog", bits, ours)
        self.run("pnrnsp-setup", "status")
        path = bytes.fromhex(now.registry[ENVIRONMENT, "PATH"].partition(":")[2].replace(",", ""))
        self.h.check(path.decode("utf-16-le").rstrip("\0").endswith(";" + PROGRAMS), "PATH has the program folder", path)
        self.h.check((SERVICE, None) in now.registry, "the service is there")
        left = [name for key, name in now.registry if key == ENTRY and name in ("Incomplete", "Upgrading", "Aside")]
        self.h.check(not left, "the entry is that of a whole installation", left)
        wine.run("cmd", "/c", "pnr", "--version", WINEPATH="")

    # ---- the parts ----

    def comes_and_goes(self):
        """With nothing started, nothing at all is left."""
        self.setup("/NOSTART")
        self.check_whole()
        self.is_service(STOPPED)
        self.run("pnrd", "--check-config")
        with open(in_data("pnr.conf"), "rb") as seen, open(os.path.join(STAGE, "pnr.conf"), "rb") as wanted:
            self.h.check(seen.read() == wanted.read(), "the configuration is the one that comes with it")
        self.uninstall()
        self.same("uninstalled", self.clean)

    def is_of_use(self):
        """The service that it has started publishes, and a Winsock program finds it."""
        self.configure()
        self.setup()
        self.check_whole()
        self.is_service(RUNNING)
        self.pnr("key", "new", "own")
        self.pnr("publish", "own.web", "--endpoint", "tcp:192.0.2.1:443")
        self.name = self.pnr("publications")[0]["name"]
        self.finds()
        restart()
        self.h.until("it has started by itself", lambda: os.path.exists(in_data("control.rendezvous")), 0.1)
        self.finds()

    def finds(self):
        """By pnr, here and from elsewhere, and by the provider."""
        for found in (self.pnr("resolve", self.name),
                      programs.pnr(self.net.control, "--node", "3", "--json", "resolve", self.name).objects()):
            self.h.check("192.0.2.1" in json.dumps(found), "it resolves", found)
        program = self.h.keep(wine.Program, os.path.join(SHIM, "winsock_multi.exe"), [self.name], {"WINEPATH": ""})
        for line in ("result 443", "end"):
            said = program.read_line(self.h.deadline)
            self.h.check(said == line, "a Winsock program finds it", said)
        program.child.stdin.close()
        self.h.check(program.child.wait(timeout=60) == 0, "it ends well")

    def is_installed_again(self):
        """Over itself."""
        before = self.now()
        self.setup()
        self.same("installed twice", before, ("ProgramData/pnr/state", "ProgramData/pnr/log",
                                              "ProgramData/pnr/control.rendezvous"))
        self.is_service(RUNNING)
        self.finds()

    def keeps_what_is_the_users(self):
        """The configuration was changed and there are keys; all else goes. With /PURGE, these go too."""
        self.uninstall()
        self.same("uninstalled", self.clean, ("ProgramData/pnr",))
        for name in ("pnr.conf", "state/keys/own.pem"):
            self.h.check(os.path.exists(in_data(name)), "it is kept", name)
        self.setup()
        self.finds()
        self.uninstall("/PURGE")
        self.same("purged", self.clean)

    def upgrades(self):
        """From a version that had a file more and one less, and another default configuration."""
        older = self.older()
        self.setup("/NOSTART", file=older)
        self.h.check(os.path.exists(in_programs("old", "readme.txt")), "the older one is there")
        self.setup("/NOSTART")
        self.check_whole()
        self.h.check(not os.path.exists(in_programs("old")), "what only the older one had is gone")
        with open(in_data("pnr.conf"), "rb") as seen, open(os.path.join(STAGE, "pnr.conf"), "rb") as wanted:
            self.h.check(seen.read() == wanted.read(), "a configuration that was not changed is the new one")
        said = self.setup(file=older, code=2)
        self.h.check("newer" in said, "there is no way back", said)
        self.check_whole()
        self.uninstall()
        self.same("uninstalled", self.clean)
        # With the service running, and a key.
        self.configure()
        self.setup(file=older)
        self.pnr("key", "new", "own")
        self.pnr("publish", "own.web", "--endpoint", "tcp:192.0.2.1:443")
        self.name = self.pnr("publications")[0]["name"]
        self.setup()
        self.check_whole()
        self.is_service(RUNNING)
        self.finds()
        self.uninstall("/PURGE")
        self.same("uninstalled", self.clean)

    def older(self):
        """The setup of an older version."""
        stage = os.path.join(self.h.directory, "stage")
        setup = os.path.join(self.h.directory, "older-setup.exe")
        if os.path.exists(setup):
            return setup
        shutil.copytree(STAGE, stage)
        os.unlink(os.path.join(stage, "LICENSE.txt"))
        write(os.path.join(stage, "old", "readme.txt"), "An older version.\n")
        write(os.path.join(stage, "pnr.conf"), "# An older one.\n")
        with open(os.path.join(stage, "files.txt"), encoding="ascii") as file:
            names = [line for line in file.read().split() if line != "LICENSE.txt"]
        write(os.path.join(stage, "files.txt"), "".join(name + "\n" for name in [*names, "old\\", "old\\readme.txt"]))
        subprocess.run(
            [os.environ["PNR_MAKENSIS"], "-V1", "-NOCD", "-DVERSION=0.0.9", "-DSTAGE=" + stage, "-DOUTPUT=" + setup,
             "-DHELPER=" + os.environ["PNR_INSTALLER_HELPER"], "-DSIZE_KB=1", os.environ["PNR_INSTALLER_SCRIPT"]],
            check=True)
        return setup

    def fails(self):
        """Whichever part fails, all is as it was, and it says why."""
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taken.bind(("127.0.0.1", 0))
        for name, prepare, variables, part in (
            ("a folder is in the way", lambda: os.makedirs(in_programs("x86", "pnrnsp.dll")), {}, "is a folder"),
            ("the configuration makes no sense", lambda: write(in_data("pnr.conf"), "nonsense\n"), {},
             "the service cannot be installed"),
            ("Winsock keeps no catalog", self.configure, {"WINEDLLOVERRIDES": "ws2_32=b"},
             "the provider cannot be installed"),
            ("the port is taken", lambda: self.configure(taken.getsockname()[1]), {}, "the service does not start"),
        ):
            prepare()
            before = self.now()
            said = self.setup(code=2, **variables)
            self.h.check(part in said and "Everything is as it was" in said, name, said)
            restart()
            self.same(name, before, ("ProgramData/pnr/log",))
            shutil.rmtree(in_programs(), ignore_errors=True)
            self.forget()
        taken.close()

    def fails_to_upgrade(self):
        """The older version is there again, and runs."""
        self.configure()
        self.setup(file=self.older())
        os.makedirs(in_programs("LICENSE.txt"))
        before = self.now()
        said = self.setup(code=2)
        self.h.check("is a folder" in said and "Everything is as it was" in said, "what it says", said)
        self.same("the older one", before, ("ProgramData/pnr/state", "ProgramData/pnr/log",
                                            "ProgramData/pnr/control.rendezvous"))
        self.is_service(RUNNING)
        os.rmdir(in_programs("LICENSE.txt"))
        self.uninstall("/PURGE")
        self.same("uninstalled", self.clean)

    def fails_to_uninstall(self):
        """Where the provider cannot be taken out, all stays, and a further run goes on. In another folder."""
        elsewhere = "C:\\elsewhere"
        self.setup("/NOSTART", "/D=" + elsewhere)
        before = self.now()
        words = (elsewhere + "\\uninstall.exe", "/S", "_?=" + elsewhere)
        said = wine.run(*words, code=2, WINEDLLOVERRIDES="ws2_32=b")
        self.h.check("the provider cannot be uninstalled" in said, "what it says", said)
        self.same("nothing was taken out", before)
        said = wine.run(*words)
        self.h.check("pnr is uninstalled" in said, "what it says", said)
        restart()
        self.same("uninstalled", self.clean)

    def is_cut_off(self):
        """Killed on its way: what is there can be uninstalled, and installed anew."""
        for part, goes_on in (
            (in_programs("pnrd.exe"), True),
            (in_programs("x86", "pnrnsp.dll"), False),
            (in_data("state"), True),
            (in_data("control.rendezvous"), False),
        ):
            self.configure()
            self.cut_off(part)
            self.h.check((ENTRY, "UninstallString") in self.now().registry, "it can be uninstalled", part)
            if goes_on:
                self.setup()
                self.check_whole()
                self.is_service(RUNNING)
            self.uninstall("/PURGE")
            # Who is killed cannot remove its temporary files.
            self.same("cut off at " + part, self.clean, (TEMPORARY,))

    def cut_off(self, path):
        """Kills a setup as soon as there is this file or folder."""
        setup = self.h.keep(wine.Program, SETUP, ["/S"], {})
        while not os.path.exists(path):
            self.h.check(setup.child.poll() is None, "it goes on", path)
        setup.child.send_signal(signal.SIGKILL)
        setup.child.wait()
        # What it has started on its way ends by itself, or with Windows.
        restart()


    def upgrade_is_cut_off(self):
        """Likewise, over an older version that runs: it is made whole again, or goes."""
        for part, goes_on in (
            (in_programs("replaced", "pnrd.exe"), True),
            (in_programs("LICENSE.txt"), True),
            (in_programs("replaced", "x86", "pnrnsp.dll"), False),
        ):
            self.configure()
            self.setup(file=self.older())
            self.cut_off(part)
            if goes_on:
                self.setup()
                self.check_whole()
                self.is_service(RUNNING)
            self.uninstall("/PURGE")
            self.same("cut off at " + part, self.clean, (TEMPORARY,))


def test(harness):
    chosen = sys.argv[1:]
    try:
        scenario = Scenario(harness)
        for part in (
            scenario.comes_and_goes,
            scenario.is_of_use,
            scenario.is_installed_again,
            scenario.keeps_what_is_the_users,
            scenario.upgrades,
            scenario.fails,
            scenario.fails_to_upgrade,
            scenario.fails_to_uninstall,
            scenario.is_cut_off,
            scenario.upgrade_is_cut_off,
        ):
            if not chosen or part.__name__ in chosen:
                part()
                harness.step(part.__name__)
    finally:
        wine.down()


if __name__ == "__main__":
    programs.run(test, 900)
