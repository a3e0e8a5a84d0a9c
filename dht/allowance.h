// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_ALLOWANCE_H
#define PNR_DHT_ALLOWANCE_H

// How many queries the engine's own upkeep may send (dht/maintain.h, dht/check.h): a little
// less than one a minute in the long run, and as many to begin with as fill a routing table. Where
// everybody does so, each node is asked as often, and answers: it sends two packets a minute when
// nobody looks anything up.
//
// Who has spent more than there is, in lookups whose cost is known only afterwards, is in debt, and
// waits until that is paid.

#include <stdbool.h>
#include <stdint.h>

#define DHT_ALLOWANCE_PAUSE_US (INT64_C(64) * 1000000) // one more query
#define DHT_ALLOWANCE_WIDEST   3 // to begin with: for each contact of the widest bucket
#define DHT_ALLOWANCE_LEAST    8 // and for each of the least ones
#define DHT_ALLOWANCE_MOST     8 // what can be saved up

struct dht_allowance {
    int64_t counted_us; // up to when `left` is reckoned
    int32_t left;       // below 0: debt
};

void dht_allowance_init(struct dht_allowance *allowance, int64_t now_us, uint32_t first);

// How many queries may be sent now; below 0: debt.
int32_t dht_allowance_left(struct dht_allowance *allowance, int64_t now_us);
void dht_allowance_spend(struct dht_allowance *allowance, uint32_t queries);

// When more than `least` may be sent, if none are until then: now_us, or later.
int64_t dht_allowance_due_us(struct dht_allowance *allowance, int64_t now_us, int32_t least);

#endif
