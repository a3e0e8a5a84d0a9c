# SPDX-License-Identifier: MIT
"""pnrnsp-setup.exe and regsvr32 over the registry: what they do to both catalogs, and that they undo it."""

import json
import os
import shutil

import registry
import wine
import programs

BITS = int(os.environ.get("PNR_WINE_BITS", "64"))
# The catalogs that the setup reaches.
VIEWS = (64, 32) if BITS == 64 else (32,)
MICROSOFT = r"%SystemRoot%\system32\pnrpnsp.dll"
NAMES = ("NS_PNRPNAME", "NS_PNRPCLOUD")

TCPIP = registry.entry(1, r"%SystemRoot%\System32\mswsock.dll", "Tcpip")
BLUETOOTH = registry.entry(2, r"%SystemRoot%\system32\wshbth.dll", r"@%SystemRoot%\system32\wshbth.dll,-100")
PNRP_NAME = registry.entry(NAMES[0], MICROSOFT, r"@%SystemRoot%\system32\pnrpnsp.dll,-1001")
PNRP_CLOUD = registry.entry(NAMES[1], MICROSOFT, r"@%SystemRoot%\system32\pnrpnsp.dll,-1000")
DISABLED = registry.entry(NAMES[1], MICROSOFT, "Clouds", enabled=0, version=3, info=b"\0info\xff")
FOREIGN = registry.entry(NAMES[0], r"D:\other\names.dll", "Other names", version=7)

# Name, the catalog of 64 and that of 32 bits.
CATALOGS = (
    ("no PNRP", [TCPIP, BLUETOOTH], [TCPIP]),
    ("nothing at all", [], []),
    ("Microsoft's, last", [TCPIP, PNRP_NAME, PNRP_CLOUD], [PNRP_CLOUD, PNRP_NAME]),
    ("Microsoft's, in the middle", [TCPIP, PNRP_NAME, PNRP_CLOUD, BLUETOOTH], [PNRP_NAME, TCPIP, PNRP_CLOUD]),
    ("disabled, with a blob", [DISABLED, TCPIP], [TCPIP, PNRP_NAME, DISABLED, BLUETOOTH]),
    ("somebody else's", [FOREIGN, TCPIP], [PNRP_CLOUD, FOREIGN, BLUETOOTH]),
)


class Scenario:
    def __init__(self, harness):
        self.h = harness
        self.registry = registry.Registry(harness.directory)
        self.setup = wine.program("shim/pnrnsp-setup")
        self.dlls = {}
        for bits in (64, 32):
            self.dlls[bits] = self.write("pnrnsp.dll", registry.library(bits), "%d" % bits)

    def write(self, name, content, folder="."):
        path = os.path.join(self.h.directory, folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def run(self, *words, code=0):
        return wine.run(self.setup, *words, code=code)

    def install(self, *words, code=0):
        dll = ["--dll", wine.path(self.dlls[BITS])]
        dll32 = ["--dll32", wine.path(self.dlls[32])] if BITS == 64 else []
        return self.run("install", *dll, *dll32, *words, code=code)

    def objects(self, *words, code=0):
        said = self.run(*words, "--json", code=code)
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]

    def same(self, what, seen, wanted):
        self.h.check(seen == wanted, what, seen, wanted)

    def begin(self, wide, narrow):
        """Returns the whole registry, as far as it matters."""
        self.registry.write({64: wide, 32: narrow} if BITS == 64 else {32: narrow})
        return self.registry.read()

    # ---- the parts ----

    def there_and_back(self):
        for name, wide, narrow in CATALOGS:
            before = self.begin(wide, narrow)
            self.same(name + ": status before", self.owners(code=3), self.owners_of(wide, narrow))
            self.install()
            installed = self.registry.read()
            self.check_installed(name, {64: wide, 32: narrow}, installed)
            self.check_status(name, {64: wide, 32: narrow})
            self.install()
            self.same(name + ": twice", self.registry.read(), installed)
            self.run("uninstall")
            self.same(name + ": back", self.registry.read(), before)
            self.run("uninstall")
            self.same(name + ": back twice", self.registry.read(), before)

    def owners(self, code):
        return {(o["catalog"], o["namespace"]): o["owner"] for o in self.objects("status", code=code)}

    def owners_of(self, wide, narrow):
        owners = {}
        for bits in VIEWS:
            entries = wide if bits == 64 else narrow
            for name in NAMES:
                there = [e for e in entries if e["ProviderId"] == registry.IDS[name].bytes_le]
                owners[bits, name] = (
                    "none" if not there else "microsoft" if there[0]["LibraryPath"] == MICROSOFT else "other"
                )
        return owners

    def check_installed(self, name, catalogs, values):
        """Ours stand where others' of the same id stood, or at the end; all else is as it was."""
        for bits in VIEWS:
            seen = self.registry.entries(bits, values)
            ids = [entry["ProviderId"] for entry in catalogs[bits]]
            ids += [registry.IDS[n].bytes_le for n in NAMES if registry.IDS[n].bytes_le not in ids]
            self.same("%s: order of %d" % (name, bits), [entry["ProviderId"] for entry in seen], ids)
            for entry in seen:
                ours = [n for n in NAMES if entry["ProviderId"] == registry.IDS[n].bytes_le]
                if ours:
                    wanted = registry.entry(ours[0], wine.path(self.dlls[bits]), entry["DisplayString"], version=1)
                    self.same("%s: %s of %d" % (name, ours[0], bits), entry, wanted)
                    self.h.check(entry["DisplayString"].startswith("pnr: "), "display", entry)
                else:
                    self.h.check(entry in catalogs[bits], "an entry of another's", entry)

    def check_status(self, name, catalogs):
        for entry in self.objects("status"):
            bits = entry["catalog"]
            self.same(name + ": path", entry["path"], wine.path(self.dlls[bits]))
            self.h.check(entry["owner"] == "pnr" and entry["enabled"] and entry["exists"], name, entry)
            was = [e for e in catalogs[bits] if e["ProviderId"] == registry.IDS[entry["namespace"]].bytes_le]
            kept = entry.get("restores")
            self.same(name + ": restores", kept is not None, bool(was))
            if was:
                seen = (kept["path"], kept["display"], int(kept["enabled"]), kept["version"])
                wanted = tuple(was[0][key] for key in ("LibraryPath", "DisplayString", "Enabled", "Version"))
                self.same(name + ": what it restores", seen, wanted)

    def half_done(self):
        """The catalog has room for one of two entries, or for neither: all is as it was, and that is said."""
        for missing in (1, 0):
            many = [registry.entry(10 + i, r"C:\x\y.dll", "Other %d" % i) for i in range(64 - missing)]
            before = self.begin([TCPIP, PNRP_NAME], many)
            said = self.install(code=1)
            self.h.check("32-bit catalog, NS_PNRP" in said and "WSANO_RECOVERY" in said, "what failed", said)
            self.h.check("everything is as it was" in said, "in what state things are", said)
            self.same("taken back", self.registry.read(), before)

    def one_of_them(self):
        """--only leaves the other catalog alone."""
        if BITS == 32:
            return
        wide, narrow = [PNRP_NAME, TCPIP, PNRP_CLOUD], [TCPIP, PNRP_NAME]
        before = self.begin(wide, narrow)
        self.run("install", "--only", "64", "--dll", wine.path(self.dlls[64]))
        self.same("32 bits alone", self.registry.entries(32), narrow)
        self.same("owners", set(self.owners(code=3).values()), {"pnr", "microsoft", "none"})
        self.run("install", "--only", "32", "--dll32", wine.path(self.dlls[32]))
        self.run("uninstall", "--only", "64")
        self.same("64 bits are back", self.registry.entries(64), wide)
        self.h.check(self.registry.entries(32) != narrow, "32 bits are not")
        self.run("uninstall")
        self.same("both are back", self.registry.read(), before)

    def moved(self):
        """Another DLL is another DLL, and ours is never what is restored."""
        before = self.begin([PNRP_NAME, TCPIP], [PNRP_NAME, TCPIP])
        self.install()
        elsewhere = self.write("provider.dll", registry.library(BITS), "elsewhere")
        view = wine.catalog_view()
        changes = self.objects("install", "--dll", wine.path(elsewhere), *view)
        self.same("changes", [o["change"] for o in changes], ["updated", "updated"])
        self.same("path", self.registry.entries(BITS)[0]["LibraryPath"], wine.path(elsewhere))
        os.unlink(elsewhere)
        status = self.objects("status", *view, code=1)
        self.same("it is gone", [o["exists"] for o in status], [False, False])
        self.run("uninstall")
        self.same("back", self.registry.read(), before)

    def beside(self):
        """Without --dll: what lies beside the program, and in its folder x86."""
        self.begin([TCPIP], [TCPIP])
        folder = os.path.dirname(self.setup)
        here = [(BITS, os.path.join(folder, "pnrnsp.dll"))]
        here += [(32, os.path.join(folder, "x86", "pnrnsp.dll"))] if BITS == 64 else []
        os.makedirs(os.path.join(folder, "x86"), exist_ok=True)
        was_there = {path: os.path.exists(path) for _, path in here}
        for bits, path in here:
            if not was_there[path]:
                shutil.copy(self.dlls[bits], path)
        try:
            self.run("install")
            for bits, path in here:
                self.same("path", self.registry.entries(bits)[-1]["LibraryPath"], wine.path(path))
            self.run("uninstall")
        finally:
            for path in (path for path, there in was_there.items() if not there):
                os.unlink(path)

    def refusals(self):
        """What makes no sense changes nothing."""
        before = self.begin([PNRP_NAME], [PNRP_NAME])
        wrong = wine.path(self.dlls[96 - BITS])
        text = wine.path(self.write("text.dll", b"no library\n"))
        program = wine.path(self.write("program.dll", registry.library(BITS, is_dll=False)))
        absent = wine.path(os.path.join(self.h.directory, "absent.dll"))
        only = wine.catalog_view()
        for words, code, part in (
            (["--dll", absent], 3, "there is no such file"),
            (["--dll", wrong], 2, "for other programs"),
            (["--dll", text], 2, "it is no DLL"),
            (["--dll", program], 2, "it is no DLL"),
            (["--dll", absent + "x" * 300], 2, "259"),
            (["--dll"], 2, "takes a value"),
            (["--quick"], 2, "there is no option"),
        ):
            said = self.run("install", *only, *words, code=code)
            self.h.check(part in said, "what it says", words, said)
        self.h.check("which command?" in self.run(code=2), "no command")
        self.same("nothing has changed", self.registry.read(), before)

    def wines_own(self):
        """Wine's own Winsock says that it is done and keeps no catalog: found out, told, and taken back."""
        before = self.begin([TCPIP], [TCPIP])
        plain = os.path.join(self.h.directory, "plain.exe")
        shutil.copy(self.setup, plain)
        said = wine.run(plain, "install", "--dll", wine.path(self.dlls[BITS]),
                        *wine.catalog_view(), code=1)
        self.h.check("its catalog tells otherwise" in said, "what it says", said)
        self.same("nothing has changed", self.registry.read(), before)

    def regsvr32(self):
        """The DLL by itself, into its own kind's catalog."""
        regsvr32 = wine.program("shim/regsvr32")
        dll = os.path.join(os.path.dirname(regsvr32), "pnrnsp.dll")
        before = self.begin([TCPIP, PNRP_NAME, BLUETOOTH], [TCPIP, PNRP_NAME, BLUETOOTH])
        for _ in range(2):
            wine.run(regsvr32, "/s", wine.path(dll))
            paths = [entry["LibraryPath"] for entry in self.registry.entries(BITS)]
            self.same("registered", [paths[1], paths[3]], 2 * [wine.path(dll)])
            for bits in set(VIEWS) - {BITS}:
                self.same("the other catalog", self.registry.entries(bits), [TCPIP, PNRP_NAME, BLUETOOTH])
        wine.run(regsvr32, "/s", "/u", wine.path(dll))
        self.same("and back", self.registry.read(), before)
        # What one of them has put in, the other takes out.
        wine.run(regsvr32, "/s", wine.path(dll))
        self.run("uninstall")
        self.same("by the setup", self.registry.read(), before)


def test(harness):
    scenario = Scenario(harness)
    for part in (
        scenario.there_and_back,
        scenario.half_done,
        scenario.one_of_them,
        scenario.moved,
        scenario.beside,
        scenario.refusals,
        scenario.wines_own,
        scenario.regsvr32,
    ):
        part()
        harness.step(part.__name__)
    scenario.registry.write({64: [], 32: []} if BITS == 64 else {32: []})


if __name__ == "__main__":
    programs.run(test, 300)
