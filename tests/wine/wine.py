# SPDX-License-Identifier: MIT
"""Wine, as the tests of a build use it: one prefix, made once, and Windows programs that run in it.

    wine.py up [PROGRAM.exe...]     makes the prefix; these programs get the test-only ws2_32.dll beside them
    wine.py down                    ends what runs in the prefix
    wine.py run SECONDS PROGRAM.exe [ARGUMENT...]

PNR_WINE_FOLDER is where the prefix lies; PNR_WINE_BITS is 64, or 32 for the Wine of scripts/wine-i386.
PNR_WINE_SEES: a further folder, besides the build's and /tmp, that the latter is to see.
"""

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
# What the renamed copy of Wine's own ws2_32 is called (CMakeLists.txt).
_COPY = "pnr_ws2_32"


def _folder():
    return os.environ["PNR_WINE_FOLDER"]


def _is_i386():
    return os.environ.get("PNR_WINE_BITS", "64") == "32"


def path(unix_path):
    """The same file as Windows programs name it."""
    return "Z:" + os.path.abspath(unix_path).replace("/", "\\")


def environment():
    folder = _folder()
    return {
        "WINEPREFIX": os.path.join(folder, "prefix"),
        "WINEARCH": "win32" if _is_i386() else "win64",
        "WINEDEBUG": "-all",
        # Neither Mono nor Gecko is asked for, and no display.
        "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=",
        "WINEDLLPATH": os.path.join(folder, "dllpath"),
        "DISPLAY": "",
    }


def command(program, *arguments):
    """What runs a program, of Wine's own or a Windows one."""
    words = [program, *arguments]
    if not _is_i386():
        return words
    seen = {os.path.dirname(_folder()), "/tmp", *filter(None, [os.environ.get("PNR_WINE_SEES")])}
    return [_I386, "run", *sorted(seen), "--", *words]


def _run(words, timeout_s, **more):
    """Runs to the end; returns its exit code and what it said. Failure: it took too long, and was killed.

    What it says goes to a file: servers that Wine starts on the way keep a pipe open for ever.
    """
    variables = {**os.environ, **environment(), **more}
    with tempfile.TemporaryFile() as said:
        try:
            child = subprocess.Popen(
                words, env=variables, stdin=subprocess.DEVNULL, stdout=said, stderr=said
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


def run(program, *arguments, timeout_s=60, code=0, **variables):
    """Runs a Windows program and returns what it said. Failure: another exit code than code."""
    ended, said = _run(command("wine", program, *arguments), timeout_s, **variables)
    if ended != code:
        raise Failure("%s ended with %d, not %d:\n%s" % (program, ended, code, said))
    return said


class Program(Process):
    """A Windows program that goes on, and speaks lines."""

    def __init__(self, program, arguments, directory, deadline, more=None):
        del deadline
        super().__init__(
            os.path.basename(program), command("wine", program, *arguments), directory,
            {**environment(), **(more or {})}
        )


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
    if os.path.exists(stamp):
        os.unlink(stamp)
    shutil.rmtree(prefix, ignore_errors=True)
    os.makedirs(prefix)
    code, said = _run(command("wine", "wineboot", "-i"), _SETUP_S)
    _run(command(_WINESERVER, "-w"), _SETUP_S)
    if code != 0 or not os.path.exists(os.path.join(prefix, "system.reg")):
        raise Failure("wineboot ended with %d: %s" % (code, said))
    _write(stamp, version)


def _override(names):
    """Has Wine load the ws2_32.dll that lies beside these programs, and its own under the other name."""
    text = "REGEDIT4\n"
    for name in names:
        key = "HKEY_CURRENT_USER\\Software\\Wine\\AppDefaults\\%s\\DllOverrides" % name
        text += '\n[%s]\n"ws2_32"="native"\n"%s"="builtin"\n' % (key, _COPY)
    file = os.path.join(_folder(), "overrides.reg")
    stamp = os.path.join(_folder(), "prefix-whole")
    if _written(file, text) and os.path.getmtime(file) > os.path.getmtime(stamp):
        return
    _write(file + ".new", text)
    run("regedit", "/S", path(file + ".new"))
    os.replace(file + ".new", file)


def up(names):
    os.makedirs(_folder(), exist_ok=True)
    _make_prefix()
    # One server for all tests: each of them starts in an instant.
    _run(command(_WINESERVER, "-p"), 60)
    _override(names)


def down():
    _run(command(_WINESERVER, "-k"), 60)


def main():
    verb, *rest = sys.argv[1:]
    try:
        if verb == "up":
            up(rest)
        elif verb == "down":
            down()
        else:
            print(run(rest[1], *rest[2:], timeout_s=int(rest[0])), end="")
    except (Failure, Missing) as failure:
        sys.exit("FAIL: %s" % failure)


if __name__ == "__main__":
    main()
