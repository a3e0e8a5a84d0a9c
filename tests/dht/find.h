// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DHT_FIND_H
#define PNR_TESTS_DHT_FIND_H

// Looks for bytes within bytes, as memmem() of some systems does.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FIND_NOTHING SIZE_MAX

// Where wanted begins; FIND_NOTHING where it is not there.
static inline size_t find_bytes(const uint8_t *bytes, size_t len, const void *wanted,
                                size_t wanted_len)
{
    for (size_t at = 0; at + wanted_len <= len; at++) {
        if (memcmp(bytes + at, wanted, wanted_len) == 0)
            return at;
    }
    return FIND_NOTHING;
}

#endif
