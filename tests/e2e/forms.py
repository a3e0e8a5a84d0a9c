# SPDX-License-Identifier: MIT
"""What a secret key may look like where it should not be."""

import base64


def forms(seed):
    """What 32 secret bytes may look like in a text or a file."""
    found = {"raw": seed, "hex": seed.hex().encode(), "HEX": seed.hex().upper().encode()}
    for skip in range(3):
        whole = base64.b64encode(bytes(skip) + seed)
        # What stands before and behind shares its characters with other bytes.
        found["base64 at %d" % skip] = whole[4 if skip else 0 : 40]
    # OpenSSL and DER print with colons, C with escapes.
    found["with colons"] = seed.hex(":").encode()
    found["escaped"] = "".join("\\x%02x" % byte for byte in seed).encode()
    return found
