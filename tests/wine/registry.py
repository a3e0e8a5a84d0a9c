# SPDX-License-Identifier: MIT
"""Winsock's catalogs of namespace providers, and what pnrnsp-setup remembers, as the registry has them."""

import os
import re
import struct
import uuid

import wine

WINSOCK = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\WinSock2\Parameters"
CATALOG = WINSOCK + r"\NameSpace_Catalog5"
OWN = r"HKEY_LOCAL_MACHINE\SOFTWARE\pnr"
# Counts changes, and so is never the same again.
SERIAL = "Serial_Access_Num"
ENTRIES = {64: "Catalog_Entries64", 32: "Catalog_Entries"}

IDS = {
    "NS_PNRPNAME": uuid.UUID("03fe89cd-766d-4976-b9c1-bb9bc42c7b4d"),
    "NS_PNRPCLOUD": uuid.UUID("03fe89ce-766d-4976-b9c1-bb9bc42c7b4d"),
}
NAMESPACES = {"NS_PNRPNAME": 38, "NS_PNRPCLOUD": 39}


def entry(kind, path, display, enabled=1, version=0, info=b""):
    """An entry as Windows writes it. kind: one of IDS, or a number, which makes an id of another namespace."""
    other = kind not in IDS
    return {
        "ProviderId": uuid.UUID(int=kind).bytes_le if other else IDS[kind].bytes_le,
        "LibraryPath": path,
        "DisplayString": display,
        "SupportedNamespace": 12 if other else NAMESPACES[kind],
        "Enabled": enabled,
        "Version": version,
        "StoresServiceClassInfo": 0,
        "ProviderInfo": info,
    }


def _value(value):
    if isinstance(value, int):
        return "dword:%08x" % value
    if isinstance(value, bytes):
        return "hex:" + ",".join("%02x" % byte for byte in value)
    return '"%s"' % value.replace("\\", "\\\\")


def _section(key, values):
    lines = ['"%s"=%s' % (name, _value(value)) for name, value in values.items()]
    return "\n[%s]\n%s\n" % (key, "".join(line + "\n" for line in lines))


class Registry:
    def __init__(self, directory):
        self.directory = directory

    def write(self, catalogs):
        """Has these entries, by bits, be all there are, and nothing be remembered."""
        text = "REGEDIT4\n\n[-%s]\n\n[-%s]\n" % (WINSOCK, OWN)
        text += _section(WINSOCK, {"Current_NameSpace_Catalog": "NameSpace_Catalog5"})
        counts = {"Num_Catalog_Entries" + ("64" if bits == 64 else ""): len(entries)
                  for bits, entries in catalogs.items()}
        text += _section(CATALOG, {SERIAL: 1, **counts})
        for bits, entries in catalogs.items():
            text += _section(CATALOG + "\\" + ENTRIES[bits], {})
            for number, values in enumerate(entries, 1):
                text += _section("%s\\%s\\%012d" % (CATALOG, ENTRIES[bits], number), values)
        file = os.path.join(self.directory, "write.reg")
        with open(file, "w", encoding="ascii") as out:
            out.write(text)
        wine.run("regedit", "/S", wine.path(file))

    def _export(self, key):
        file = os.path.join(self.directory, "export.reg")
        if os.path.exists(file):
            os.unlink(file)
        wine.run("regedit", "/E", wine.path(file), key)
        if not os.path.exists(file):
            return ""  # there is no such key
        with open(file, encoding="utf-16") as exported:
            return exported.read()

    def read(self):
        """Every value below both places as text, by key and name."""
        values = {}
        key = None
        for place in (WINSOCK, OWN):
            # A line that ends in a backslash goes on.
            for line in re.sub(r"\\\r?\n *", "", self._export(place)).splitlines():
                begins = re.match(r"\[(.*)\]$", line)
                named = re.match(r'"([^"]*)"=(.*)$', line)
                if begins:
                    key = begins[1]
                    values[key] = {}
                elif named and named[1] != SERIAL:
                    values[key][named[1]] = named[2]
        return values

    def entries(self, bits, values=None):
        """The entries of a catalog in their order: by the names and with the values that entry() has."""
        values = self.read() if values is None else values
        prefix = CATALOG + "\\" + ENTRIES[bits] + "\\"
        keys = sorted(key for key in values if key.startswith(prefix))
        return [{name: _parse(text) for name, text in values[key].items()} for key in keys]


def _parse(text):
    if text.startswith("dword:"):
        return int(text[6:], 16)
    if text.startswith("hex:"):
        return bytes.fromhex(text[4:].replace(",", ""))
    return text.strip('"').replace("\\\\", "\\")


def library(bits, is_dll=True):
    """The first bytes of a DLL for programs of so many bits."""
    head = b"MZ" + bytes(58) + struct.pack("<I", 64)
    machine = 0x8664 if bits == 64 else 0x014C
    return head + b"PE\0\0" + struct.pack("<HHIIIHH", machine, 0, 0, 0, 0, 0, 0x2002 if is_dll else 2) + bytes(400)
