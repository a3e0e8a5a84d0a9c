// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DHT_STRICT_H
#define PNR_TESTS_DHT_STRICT_H

// A decoder as narrow as the narrowest deployed node (the Rust crate mainline: quirks Q1 to Q5),
// written without dht/krpc.c and dht/bencode.c, so that the two cannot be wrong together. All that
// an engine emits in tests passes through it.

#include "pnr/dht.h"

struct strict_rules {
    enum dht_family family; // of the transport
    bool any_reply_tid;     // replies echo askers whose transaction ids are not of 4 bytes
    bool any_value;         // `v` may be another type than a string
};

// NULL where the datagram is good, else what is wrong with it.
const char *strict_check(struct dht_span datagram, const struct strict_rules *rules);

#endif
