#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/nsp-errors.md has a row for each documented error code, and the tests that it names are there: nsp_errors.py ROOT

Rows that are marked "to come" are counted and let pass.
"""

import os
import re
import sys

# What Microsoft documents: ws2spi.h's NSP functions, and PNRP's list of its provider's errors.
DOCUMENTED = {
    "NSPStartup": "WSA_NOT_ENOUGH_MEMORY WSAEINVAL WSAEINVALIDPROCTABLE WSAEOPNOTSUPP WSASYSNOTREADY",
    "NSPCleanup": "WSA_NOT_ENOUGH_MEMORY WSAEINVAL WSAEOPNOTSUPP",
    "NSPLookupServiceBegin": "WSA_NOT_ENOUGH_MEMORY WSAEINVAL WSAEOPNOTSUPP WSANO_DATA WSASERVICE_NOT_FOUND",
    "NSPLookupServiceNext": "WSA_E_CANCELLED WSA_E_NO_MORE WSA_INVALID_HANDLE WSA_NOT_ENOUGH_MEMORY WSAEFAULT "
    "WSAEINVAL WSAEOPNOTSUPP WSANO_DATA WSASERVICE_NOT_FOUND",
    "NSPLookupServiceEnd": "WSA_INVALID_HANDLE WSA_NOT_ENOUGH_MEMORY WSAEOPNOTSUPP",
    "NSPSetService": "WSAEACCES WSA_NOT_ENOUGH_MEMORY WSAEINVAL WSAEOPNOTSUPP WSASERVICE_NOT_FOUND",
    "NSPInstallServiceClass": "WSAEACCES WSAEALREADY WSAEINVAL WSAEOPNOTSUPP WSA_NOT_ENOUGH_MEMORY "
    "WSA_INVALID_PARAMETER WSANO_DATA",
    "NSPRemoveServiceClass": "WSAEACCES WSAEINVAL WSAEOPNOTSUPP WSA_NOT_ENOUGH_MEMORY WSATYPE_NOT_FOUND",
    "NSPGetServiceClassInfo": "WSAEACCES WSAEFAULT WSAEINVAL WSAEOPNOTSUPP WSA_NOT_ENOUGH_MEMORY WSATYPE_NOT_FOUND",
    "NSPIoctl": "WSA_INVALID_HANDLE WSA_IO_PENDING WSA_OPERATION_ABORTED WSAEFAULT WSAEINVAL WSAENETDOWN "
    "WSAEOPNOTSUPP WSAEWOULDBLOCK",
}
PNRP = """
    WSA_E_CANCELLED WSA_E_NO_MORE WSA_IO_PENDING WSA_NOT_ENOUGH_MEMORY WSA_OPERATION_ABORTED WSA_PNRP_CLOUD_DISABLED
    WSA_PNRP_CLOUD_NOT_FOUND WSA_PNRP_CLOUD_IS_SEARCH_ONLY WSA_PNRP_CLIENT_INVALID_COMPARTMENT_ID
    WSA_PNRP_INVALID_IDENTITY WSA_PNRP_TOO_MUCH_LOAD WSA_PNRP_DUPLICATE_PEER_NAME WSA_PNRP_CLOUD_IS_DEAD WSAEFAULT
    WSAEINVAL WSAENETUNREACH WSAENOTIMPLEMENTED WSAEOPNOTSUPP WSAEWOULDBLOCK WSASERVICE_NOT_FOUND WSASYSNOTREADY
"""


def rows(text):
    """(section, code, cause, test) of each row; a row without a code has that of the one before."""
    section = code = None
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:]
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if len(cells) == 3 and cells[0] not in ("code", "---"):
            code = cells[0].strip("`") or code
            yield section, code, cells[1], cells[2]


def test_fault(root, test):
    """What is wrong with the test that a row names; None: nothing."""
    named = re.fullmatch(r"`([\w/]+): ([^`]+)`", test)
    if not named:
        return "names no test: %s" % (test or "nothing")
    file, name = named.groups()
    folder, _, stem = file.rpartition("/")
    path = os.path.join(root, "tests", folder or "nsp", "test_%s.c" % stem)
    if not os.path.exists(path):
        path = path[:-1] + "py"
    if not os.path.exists(path):
        return "there is no %s" % os.path.relpath(path, root)
    with open(path, encoding="utf-8") as source:
        text = source.read()
    quoted = any('%s"%s"' % (before, name) in text for before in ("{", "check_begin("))
    if not quoted and not re.search(r"(cmocka_unit_test\(|def )%s\b" % re.escape(name), text):
        return "%s has no %s" % (os.path.relpath(path, root), name)
    return None


def main():
    root = os.path.abspath(sys.argv[1])
    with open(os.path.join(root, "docs", "nsp-errors.md"), encoding="utf-8") as page:
        found = list(rows(page.read()))
    faults = []
    for section, code, cause, test in found:
        never = cause.startswith("*never*")
        fault = ("never, and yet a test" if test else None) if never else (
            None if test == "*to come*" else test_fault(root, test)
        )
        if fault:
            faults.append("%s, %s (%s): %s" % (section, code, cause, fault))
    for entry, codes in DOCUMENTED.items():
        there = {code for section, code, _, _ in found if section == entry}
        faults += ["%s has no row for %s" % (entry, code) for code in codes.split() if code not in there]
    everywhere = {code for _, code, _, _ in found}
    faults += ["there is no row for %s" % code for code in PNRP.split() if code not in everywhere]
    to_come = sum(test == "*to come*" for _, _, _, test in found)
    print("\n".join(faults + ["%d rows, %d of them to come" % (len(found), to_come)]))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
