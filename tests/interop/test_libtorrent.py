# SPDX-License-Identifier: MIT
"""libtorrent and our nodes in one DHT."""

import harness
from storing_peer import Scenario

if __name__ == "__main__":
    harness.run(lambda h: Scenario(h, "libtorrent").run())
