# SPDX-License-Identifier: MIT
"""What a Windows has on its disk and in its registry, to tell what has become of it."""

import hashlib
import os
import re

import wine

# What Wine writes by itself, now and then: about displays, sessions and the time; counters of changes.
_VOLATILE = re.compile(
    r"\\(Video|Class|DeviceClasses|Enum|Hardware|Hardware Profiles|Temporary System Parameters|"
    r"Volatile Environment|ServiceCurrent|Desktop|Explorer\\(SessionInfo|Map Group)|MountedDevices|Time Zones?|WineDbg)(\\|$)", re.I)
_VOLATILE_NAMES = ("Serial_Access_Num",)


def drive():
    return os.path.join(wine.environment()["WINEPREFIX"], "drive_c")


def files():
    """A digest of each file's content and "" for a folder, by its path on the drive. Of Wine's own files, which are
    many, the size."""
    found = {}
    for folder, folders, names in os.walk(drive()):
        for name in folders:
            found[os.path.relpath(os.path.join(folder, name), drive())] = ""
        for name in names:
            path = os.path.join(folder, name)
            if os.path.relpath(path, drive()).startswith("windows/"):
                found[os.path.relpath(path, drive())] = os.lstat(path).st_size
                continue
            with open(path, "rb") as file:
                found[os.path.relpath(path, drive())] = hashlib.sha256(file.read()).hexdigest()
    return found


def registry(directory):
    """Every value, as text, by (key, name); (key, None) is the key itself."""
    file = os.path.join(directory, "all.reg")
    wine.run("regedit", "/E", wine.path(file))
    with open(file, encoding="utf-16") as exported:
        text = re.sub(r"\\\r?\n *", "", exported.read())
    os.unlink(file)
    found = {}
    key = None
    for line in text.splitlines():
        begins = re.match(r"\[(.*)\]$", line)
        named = re.match(r'(@|"(?:[^"\\]|\\.)*")=(.*)$', line)
        if begins:
            key = None if _VOLATILE.search(begins[1]) else begins[1]
            if key is not None:
                found[key, None] = ""
        elif named and key is not None and named[1].strip('"') not in _VOLATILE_NAMES:
            found[key, named[1].strip('"')] = named[2]
    return found


class Snapshot:
    def __init__(self, directory):
        self.files = files()
        self.registry = registry(directory)

    def differences(self, later, but=()):
        """What is not the same later, as lines. but: beginnings of paths on the drive that do not count."""
        lines = []
        for before, after in ((self.files, later.files), (self.registry, later.registry)):
            for thing in sorted(before.keys() | after.keys(), key=str):
                if before.get(thing) == after.get(thing) or str(thing).startswith(tuple(but)):
                    continue
                word = "new" if thing not in before else "gone" if thing not in after else "changed"
                lines.append("%s: %s" % (word, thing))
        return lines
