// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_VERIFY_H
#define PNR_BENCH_VERIFY_H

#include "pnr/dht.h"

// How many of these items' signatures OpenSSL and libsodium verify in a second of processor time,
// each by itself: 0 where it is not built in. The items are mutable and rightly signed.
void bench_verify_rates(const struct dht_item *items, size_t count, double ret_rates[2]);

#endif
