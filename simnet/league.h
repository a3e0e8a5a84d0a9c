// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_LEAGUE_H
#define PNR_SIMNET_LEAGUE_H

// What colluding adversaries share: the list of their members, and the items that were put to any
// of them. Held by each of its members, and freed with the last.
//
// Bound: SIMNET_LEAGUE_ITEMS_MAX items; what comes later is not kept.

#include "pnr/dht.h"

#define SIMNET_LEAGUE_ITEMS_MAX 256

struct simnet_league;

struct simnet_league_member {
    struct dht_id id;
    struct dht_addr addr;
};

// An item as it was put: the first one of its target, which is the oldest.
struct simnet_league_item {
    struct dht_id target;
    uint8_t key[DHT_KEY_LEN];
    uint8_t sig[DHT_SIG_LEN];
    int64_t seq;
    uint16_t value_len;
    uint8_t value[DHT_VALUE_LEN_MAX];
};

struct simnet_league *simnet_league_new(void); // held once
struct simnet_league *simnet_league_hold(struct simnet_league *league);
void simnet_league_drop(struct simnet_league *league);

void simnet_league_add(struct simnet_league *league, const struct dht_id *id,
                       const struct dht_addr *addr);

// What its members were asked, and did; for reports. X-macro: name, meaning.
#define SIMNET_LEAGUE_COUNTERS(X)                                                                  \
    X(asked, "queries that adversaries were asked")                                                \
    X(denied, "gets that they answered without an item")                                           \
    X(handed, "gets that they answered with an item, stale or forged")                             \
    X(swallowed, "puts that they took")

struct simnet_league_counters {
#define SIMNET_LEAGUE_COUNTER_FIELD(name, meaning) uint64_t name;
    SIMNET_LEAGUE_COUNTERS(SIMNET_LEAGUE_COUNTER_FIELD)
#undef SIMNET_LEAGUE_COUNTER_FIELD
};

// For its members to count in, and others to read. Borrowed.
struct simnet_league_counters *simnet_league_counters(struct simnet_league *league);

// The members closest to target whose addresses are of that length, closest first; returns how
// many.
size_t simnet_league_closest(const struct simnet_league *league, const struct dht_id *target,
                             uint8_t ip_len, size_t max, struct simnet_league_member *ret_members);

// Keeps the item unless there is one of its target.
void simnet_league_keep(struct simnet_league *league, const struct simnet_league_item *item);
// NULL where there is none.
const struct simnet_league_item *simnet_league_item(const struct simnet_league *league,
                                                    const struct dht_id *target);

#endif
