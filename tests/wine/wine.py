# SPDX-License-Identifier: MIT
"""Wine, as the tests of a build use it: one prefix, made once, and Windows programs that run in it.

    wine.py up FOLDER               makes the prefix; the programs in FOLDER get the test-only ws2_32.dll that is there.
                                    What an earlier run has left there ends, and a server begins that stays
    wine.py down                    ends what runs in the prefix
    wine.py run SECONDS PROGRAM.exe [ARGUMENT...]

PNR_WINE_FOLDER is where the prefix lies; PNR_WINE_BITS is 64, or 32 for the Wine of scripts/wine-i386.
PNR_WINE_SEES: a further folder, besides the build's and /tmp, that the latter is to see.
"""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(HERE), "e2e"))

import programs  # noqa: E402
from harness import Failure, Missing, Process  # noqa: E402 F401

_I386 = os.path.join(os.path.dirname(os.path.dirname(HERE)), "scripts", "wine-i386")
_WINESERVER = "/usr/lib/wine/wineserver"
_SETUP_S = 240
# Services that no test needs: they take their time, and a driver of Wine 8.0 now and then falls over its devices.
_NOT_NEEDED = ("Eventlog", "PlugPlay", "winebus", "winehid", "wineusb")
_SERVICES = "HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services\\"
_DEBUGGER = "HKEY_LOCAL_MACHINE\\Software\\Microsoft\\Windows NT\\CurrentVersion\\AeDebug"
# What the renamed copy of Wine's own ws2_32 is called (CMakeLists.txt).
_COPY = "pnr_ws2_32"

_libc = ctypes.CDLL(None)


def _folder():
    return os.environ["PNR_WINE_FOLDER"]


def _server_file():
    """Holds the process id of the server that up() has begun."""
    return os.path.join(_folder(), "server")


def _is_i386():
    return os.environ.get("PNR_WINE_BITS", "64") == "32"


def path(unix_path):
    """The same file as Windows programs name it."""
    return "Z:" + os.path.abspath(unix_path).replace("/", "\\")


def program(name):
    """A Windows program of this build. Missing: it is not there."""
    found = os.path.join(os.environ["PNR_WINE_PROGRAMS"], name + ".exe")
    if not os.path.exists(found):
        raise Missing("there is no " + found)
    return found


def environment():
    folder = _folder()
    return {
        "WINEPREFIX": os.path.join(folder, "prefix"),
        "WINEARCH": "win32" if _is_i386() else "win64",
        "WINEDEBUG": "-all",
        # Neither Mono nor Gecko is asked for, and no display.
        "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=",
        "WINEDLLPATH": os.path.join(folder, "dllpath"),
        "WINEPATH": path(os.path.join(os.path.dirname(folder), "bin")),
        "DISPLAY": "",
        # Wine finds the server of a prefix by way of it.
        "TMPDIR": "/tmp",
    }


def command(file, *arguments):
    """What runs a program, of Wine's own or a Windows one."""
    words = [file, *arguments]
    if not _is_i386():
        return words
    seen = {os.path.dirname(_folder()), "/tmp", *filter(None, [os.environ.get("PNR_WINE_SEES")])}
    return [_I386, "run", *sorted(seen), "--", *words]


def keep_addresses():
    """For the child before it becomes Wine: no addresses at random, as far as the system lets it.

    Windows has something at 0x7ffe0000 that Wine has to put there, and Debian's Wine comes without the preloader that keeps
    the place free. The kernel's random place for the heap is that one in one of some 4,000 starts; Wine then ends with 1 and
    not a word.
    """
    addr_no_randomize = 0x0040000
    _libc.personality(addr_no_randomize)


def _run(words, timeout_s, **more):
    """Runs to the end; returns its exit code and what it said. Failure: it took too long, and was killed.

    What it says goes to a file: servers that Wine starts on the way keep a pipe open for ever.
    """
    variables = {**os.environ, **environment(), **more}
    with tempfile.TemporaryFile() as said:
        try:
            child = subprocess.Popen(
                words, env=variables, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                preexec_fn=keep_addresses
            )
        except FileNotFoundError:
            raise Missing("there is no %s" % words[0]) from None
        try:
            code = child.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            code = None
        said.seek(0)
        text = said.read().decode("utf-8", "replace").replace("\r\n", "\n")
    if code is None:
        raise Failure("%s took more than %d s:\n%s" % (" ".join(words), timeout_s, text))
    return code, text


def server():
    """The process id of the prefix's server, None where it has none: its folder is named after the prefix, and it is in
    the prefix itself while it writes the registry."""
    prefix = environment()["WINEPREFIX"]
    if not os.path.exists(prefix):
        return None
    status = os.stat(prefix)
    folder = "/server-%x-%x" % (status.st_dev, status.st_ino)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        process = "/proc/" + pid
        try:
            with open(process + "/comm", encoding="ascii", errors="replace") as file:
                if not file.read().startswith("wineserver"):
                    continue
            if os.readlink(process + "/cwd").endswith(folder) or os.path.samefile(process + "/cwd", prefix):
                return int(pid)
        except OSError:
            continue
    return None


def _check_server(told=""):
    """Failure: the server that up() has begun is gone, and with it what ran in the prefix; told: what was seen of it.

    Programs start servers of their own then, which end with the last of them, and now and then just as another starts.
    Those that were under way wait for ever, or end with the code of one that did well.
    """
    try:
        with open(_server_file(), encoding="ascii") as file:
            begun = int(file.read())
    except FileNotFoundError:
        return
    if server() != begun:
        raise Failure("Wine's server, which wine.py up has begun, has ended. " + told)


def run(file, *arguments, timeout_s=60, code=0, **variables):
    """Runs a Windows program and returns what it said. Failure: another exit code than code."""
    _check_server()
    ended, said = _run(command("wine", file, *arguments), timeout_s, **variables)
    _check_server("%s ended with %d:\n%s" % (file, ended, said))
    if ended != code:
        raise Failure("%s ended with %d, not %d:\n%s" % (file, ended, code, said))
    return said


class Program(Process):
    """A Windows program that goes on, and speaks lines."""

    def __init__(self, file, arguments, more, directory, deadline):
        """more: further variables of its environment."""
        del deadline
        _check_server()
        super().__init__(
            os.path.basename(file), command("wine", file, *arguments), directory,
            {**environment(), **more}, keep_addresses
        )

    def read_line(self, deadline):
        try:
            return super().read_line(deadline).rstrip("\r")
        except Failure as failure:
            _check_server(str(failure))
            raise


def _written(path_, text):
    """Whether a file holds this text already."""
    try:
        with open(path_, encoding="ascii") as file:
            return file.read() == text
    except FileNotFoundError:
        return False


def _write(path_, text):
    with open(path_, "w", encoding="ascii") as file:
        file.write(text)


def _make_prefix():
    """Makes the prefix where there is none of this Wine's."""
    prefix = environment()["WINEPREFIX"]
    stamp = os.path.join(_folder(), "prefix-whole")
    _, version = _run(command("wine", "--version"), 60)
    if _written(stamp, version):
        return
    for old in (stamp, os.path.join(_folder(), "overrides-whole")):
        if os.path.exists(old):
            os.unlink(old)
    shutil.rmtree(prefix, ignore_errors=True)
    os.makedirs(prefix)
    code, said = _run(command("wine", "wineboot", "-i"), _SETUP_S)
    _run(command(_WINESERVER, "-w"), _SETUP_S)
    if code != 0 or not os.path.exists(os.path.join(prefix, "system.reg")):
        raise Failure("wineboot ended with %d: %s" % (code, said))
    _register("prefix", [
        *((_SERVICES + name, '"Start"=dword:00000004') for name in _NOT_NEEDED),
        # Who crashes ends, and does not wait for a debugger.
        (_DEBUGGER, '"Auto"="0"\n"Debugger"="-"')])
    _run(command(_WINESERVER, "-w"), _SETUP_S)
    _write(stamp, version)


def _register(name, entries):
    """Puts keys and what stands in them into the registry. FOLDER/NAME.reg keeps them."""
    text = "REGEDIT4\n" + "".join("\n[%s]\n%s\n" % entry for entry in entries)
    file = os.path.join(_folder(), name + ".reg")
    _write(file, text)
    run("regedit", "/S", path(file))


def _override(shim):
    """Has Wine load the ws2_32.dll that lies beside these programs, and its own under the other name."""
    names = sorted(name for name in os.listdir(shim) if name.endswith(".exe"))
    done = os.path.join(_folder(), "overrides-whole")
    wanted = " ".join(names) + "\n"
    if _written(done, wanted):
        return
    key = "HKEY_CURRENT_USER\\Software\\Wine\\AppDefaults\\%s\\DllOverrides"
    _register("overrides", [(key % name, '"ws2_32"="native"\n"%s"="builtin"' % _COPY) for name in names])
    _write(done, wanted)


def catalog_view():
    """What tells pnrnsp-setup.exe which catalogs: the DLL of this build is for one of a 64-bit system's two."""
    return () if _is_i386() else ("--only", "64")


def _take_provider_out(shim):
    """A test that was killed may have left it in the catalog, and the next one is to find none."""
    setup = os.path.join(shim, "pnrnsp-setup.exe")
    if os.path.exists(setup):
        run(setup, "uninstall", *catalog_view())


def up(shim):
    os.makedirs(_folder(), exist_ok=True)
    # A server that a program has begun, or its end, would be in the way of ours.
    down()
    _make_prefix()
    # One server for all tests: each of them starts in an instant, and none as another one's server ends.
    code, said = _run(command(_WINESERVER, "-p"), 60)
    begun = server()
    if code != 0 or begun is None:
        raise Failure("wineserver -p ended with %d, and the prefix has %s server: %s" %
                      (code, "no" if begun is None else "another", said))
    _write(_server_file(), "%d\n" % begun)
    _override(shim)


def down():
    """Ends the server, if there is one, and all that runs in the prefix."""
    if os.path.exists(environment()["WINEPREFIX"]):
        _run(command(_WINESERVER, "-k"), 60)
    if os.path.exists(_server_file()):
        os.unlink(_server_file())


def main():
    verb, *rest = sys.argv[1:]
    try:
        if verb == "up":
            up(rest[0])
            _take_provider_out(rest[0])
        elif verb == "down":
            down()
        else:
            print(run(rest[1], *rest[2:], timeout_s=int(rest[0])), end="")
    except (Failure, Missing) as failure:
        sys.exit("FAIL: %s" % failure)


if __name__ == "__main__":
    main()
