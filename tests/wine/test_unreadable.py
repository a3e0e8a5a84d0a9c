# SPDX-License-Identifier: MIT
"""Runs test_unreadable.exe with a rendezvous file that a crash has left: nobody listens at its port."""

import os
import socket

import wine
import programs


def test(harness):
    file = os.path.join(harness.directory, "rendezvous")
    with socket.socket() as taken:
        # A port that is bound and not listened on refuses.
        taken.bind(("127.0.0.1", 0))
        with open(file, "w", encoding="ascii") as out:
            out.write("pnr-rendezvous 1\nport %d\naccess control\nsecret %s\n" % (taken.getsockname()[1], "ab" * 32))
        os.chmod(file, 0o600)
        print(wine.run(wine.program("test_unreadable"), PNR_CONTROL="tcp:" + wine.path(file)), end="")


if __name__ == "__main__":
    programs.run(test, 60)
