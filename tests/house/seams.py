#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The seams of the house: who includes whom, and what the pure libraries ask of the system.

    seams.py includes SOURCE_DIR
    seams.py symbols LIBRARY OWN_PREFIX [OTHER_PREFIX...]
    seams.py guest LIBRARY...
"""
import pathlib
import re
import subprocess
import sys

# Folder -> what its files may include, as patterns of paths from the root. Other folders are free.
MAY_INCLUDE = {
    "dht": [r"dht/\w+\.h", r"pnr/dht\.h"],
    "node/core": [
        r"dht/\w+\.h",
        r"node/core/\w+\.h",
        # Of control only what knows no socket.
        r"node/control/(fields|frame|protocol|handshake|sha256|secret|address)\.h",
        r"pnr/(dht|node|client)\.h",
    ],
    # The codec of recordings, for node/daemon and simnet alike.
    "node/recording": [r"node/recording/\w+\.h", r"dht/\w+\.h", r"pnr/(dht|node)\.h"],
    "node/control": [r"node/control/\w+\.h", r"dht/bencode\.h", r"pnr/(client|clouds|dht)\.h"],
    "node/cli": [r"node/cli/\w+\.h", r"node/control/\w+\.h", r"pnr/(client|clouds)\.h", r"node/daemon/.*"],
    "simnet": [r"simnet/.*", r"dht/\w+\.h", r"node/(core|control|recording)/\w+\.h", r"pnr/(dht|node|client)\.h"],
    # Of the rest of the house the provider knows libpnr alone, as any program does.
    "nsp": [r"nsp/.*", r"pnr/(client|clouds|winsock)\.h"],
}
# What of libc the two pure folders may include: nothing that does input or output or knows the time.
# stdio is there for snprintf alone; the symbols are looked at as well.
PURE_HEADERS = {
    "dht": "assert stdbool stddef stdint stdlib string",
    "node/core": "assert inttypes limits stdbool stddef stdint stdio stdlib string",
    "node/recording": "assert inttypes stdbool stddef stdint stdio string",
}

# What of libc a pure library may call.
PURE_SYMBOLS = set(
    "memcpy memmove memset memcmp memchr strlen strcmp strncmp strchr strrchr strnlen strspn strcspn strstr "
    "malloc calloc realloc free qsort bsearch snprintf __assert_fail __stack_chk_fail abort "
    "explicit_bzero log exp sqrt pow _GLOBAL_OFFSET_TABLE_ "
    "__memcpy_chk __memmove_chk __memset_chk __snprintf_chk __explicit_bzero_chk".split()
)
# What a guest in other people's processes never calls: it does not end them, and says nothing on their streams.
NEVER_OF_GUESTS = re.compile(
    r"^(__assert\w*|abort|_?exit|_Exit|quick_exit|raise|kill|signal|sigaction|longjmp|setenv|putenv|unsetenv"
    r"|(__)?v?(printf|fprintf|dprintf)(_chk)?|puts|putchar|putc|fputs|fputc|fwrite|perror|psignal|stdout|stderr"
    r"|v?syslog|openlog|v?(err|warn)x?|error)$"
)
SANITIZERS = re.compile(r"^_?_(asan|ubsan|tsan|sanitizer|sancov|lsan|msan)_|^__tsan|__odr_asan")


def check_includes(root):
    faults = []
    for folder, patterns in MAY_INCLUDE.items():
        for path in sorted((root / folder).glob("**/*.[ch]")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if quoted and not any(re.fullmatch(p, quoted[1]) for p in patterns):
                    faults.append(f'{path}:{number}: {folder} may not include "{quoted[1]}"')
                system = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
                allowed = [f"{name}.h" for name in PURE_HEADERS.get(folder, "").split()]
                if system and allowed and system[1] not in allowed:
                    faults.append(f"{path}:{number}: {folder} may not include <{system[1]}>")
    return faults


def check_brain_calls(root):
    """What pnrd tells the brain goes through the one layer that records it; looking in is free."""
    free = {"node_cloud_config_init", "node_cloud_state", "node_config_init", "node_deadline", "node_engine", "node_info", "node_is_parting"}
    faults = []
    for path in sorted((root / "node/daemon").glob("*.c")):
        if path.name == "record.c":
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for call in re.findall(r"\b(node_\w+)\(", line.split("//")[0]):
                if call not in free:
                    faults.append(f"{path}:{number}: {call}() belongs behind node/daemon/record.h")
    return faults


def undefined_symbols(library):
    listing = subprocess.run(["nm", "-u", library], check=True, capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == "U":
            yield words[1].split("@")[0]


def check_guest(libraries):
    return sorted(
        {
            f"{library}: {symbol} is not for a guest"
            for library in libraries
            for symbol in undefined_symbols(library)
            if NEVER_OF_GUESTS.match(symbol)
        }
    )


def check_symbols(library, prefixes):
    faults = []
    for symbol in undefined_symbols(library):
        pure = symbol in PURE_SYMBOLS or SANITIZERS.search(symbol)
        if not pure and not symbol.startswith(tuple(prefixes)):
            faults.append(f"{library}: {symbol} is not for a pure library")
    return sorted(set(faults))


def main():
    if sys.argv[1] == "includes":
        root = pathlib.Path(sys.argv[2])
        faults = check_includes(root) + check_brain_calls(root)
    elif sys.argv[1] == "guest":
        faults = check_guest(sys.argv[2:])
    else:
        faults = check_symbols(sys.argv[2], sys.argv[3:])
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
