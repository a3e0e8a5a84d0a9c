#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the exports of the test-only ws2_32.dll: exports.py OBJDUMP WINES_WS2_32 COPY OWN_NAMES... > ws2_32.def

All that Wine's own exports, under the same ordinals, is forwarded to a copy of it called COPY.dll; but for what
stands in the files OWN_NAMES, one name a line, which the new library has itself.
"""

import re
import subprocess
import sys


def exports(objdump, library):
    """The names and ordinals of a DLL's exports."""
    listing = subprocess.run([objdump, "-p", library], check=True, capture_output=True, text=True).stdout
    base = int(re.search(r"Export Address Table -- Ordinal Base (\d+)", listing)[1])
    names = listing.split("[Ordinal/Name Pointer] Table", 1)[1]
    found = {}
    for line in names.splitlines()[1:]:
        entry = re.match(r"\s*\[\s*(\d+)\] (?:\+base\[\s*\d+\]\s+\w+ )?(\w+)$", line)
        if not entry:
            break
        found[entry[2]] = int(entry[1]) + base
    return found


def main():
    objdump, library, copy, *own_paths = sys.argv[1:]
    own = set()
    for path in own_paths:
        with open(path, encoding="ascii") as file:
            own |= {line.strip() for line in file if line.strip() and not line.startswith("#")}
    wines = exports(objdump, library)
    if len(wines) < 100:
        sys.exit("%s: only %d exports were found" % (library, len(wines)))
    print("LIBRARY ws2_32.dll\nEXPORTS")
    for name, ordinal in sorted(wines.items()):
        print("  %s%s @%d" % (name, "" if name in own else " = %s.%s" % (copy, name), ordinal))
    for name in sorted(own - wines.keys()):
        print("  %s" % name)


if __name__ == "__main__":
    main()
