#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a DLL asks of others and offers them: linkage.py OBJDUMP LIBRARY IMPORTS EXPORTS

IMPORTS is a list of DLLs, with commas: it needs no other. EXPORTS is a pattern that all that it exports fits, or a
list, with commas: exactly these.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "ws2_32"))

from exports import exports  # noqa: E402


def imports(objdump, library):
    """The names of the DLLs that it needs, in small letters."""
    listing = subprocess.run([objdump, "-p", library], check=True, capture_output=True, text=True).stdout
    return {name.lower() for name in re.findall(r"DLL Name: (\S+)", listing)}


def main():
    objdump, library, may_import, wanted = sys.argv[1:]
    faults = []
    needed = imports(objdump, library)
    if not needed:
        faults.append("no imports were found")
    for name in sorted(needed - set(may_import.lower().split(","))):
        faults.append("it needs %s" % name)
    offered = set(exports(objdump, library))
    if "," in wanted:
        for name in sorted(offered ^ set(wanted.split(","))):
            faults.append("%s is %s" % (name, "exported" if name in offered else "not exported"))
    else:
        faults += ["%s is exported" % name for name in sorted(offered) if not re.fullmatch(wanted, name)]
        if not offered:
            faults.append("nothing is exported")
    for fault in faults:
        print("%s: %s" % (library, fault))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
