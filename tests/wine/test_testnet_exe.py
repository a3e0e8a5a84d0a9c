# SPDX-License-Identifier: MIT
"""A hundred nodes in one pnrd.exe: what tests/e2e/test_testnet.py asks of two hundred in a pnrd."""

import os

os.environ.setdefault("PNR_E2E_NODES", "100")
os.environ.setdefault("PNR_E2E_NAMES", "100")

import daemon  # noqa: E402 (first: it finds the others)
import programs  # noqa: E402
import test_testnet  # noqa: E402


if __name__ == "__main__":
    programs.run(lambda harness: test_testnet.test(harness, daemon.Testnet), 300)
