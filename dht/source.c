// SPDX-License-Identifier: MIT

// The arithmetic. Both limits are leaky buckets, each kept as one number: the time at which the
// bucket will be full again (full_us), at one unit in so many microseconds (its step).
//
//   level at t  = capacity - max(0, full_us - t) / step     spending n: full_us = max(full_us, t)
//                                                           + n * step; crediting n: - n * step
//
// Queries of one address: capacity 4 q, a unit in 1 s / q, for q = queries_per_second.
//
// Reply bytes of one prefix: capacity 2048 bytes (one reply of the greatest length and a bit), a
// byte in 29,297 us, which makes 2047.99 bytes in 60 s, and a credit of 1.5 times what comes in
// (rounded down; what exceeds the capacity is lost). Let a window of 60 s begin at any time t. What
// goes out in it is at most the level at t, what drips in, and the credits:
//
//   out <= 2048 + 2047.99 + 1.5 in < 4 KiB + 1.5 in
//
// It holds for every window because no counter starts anew anywhere. (Counting by the clock's
// minutes would allow a burst before and one after a border, twice 4 KiB within seconds.)
//
// Forgetting keeps this true: a set of the table remembers the latest full_us of all the prefixes
// it has forgotten, and a newcomer starts from there, so it never has more than the forgotten
// prefix, if it is that one, would have by now. The one forgotten is the one that has spent least,
// so that a newcomer starts with as much as can be. A flood thus leaves newcomers with what they
// send, and 60 s after it all is as before, since a level is full by then whatever was spent.

#include "dht/source.h"

#include "dht/addr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WAYS           8 // entries of a set
#define PREFIXES       8 // of them for each address: they weigh a quarter
#define PORTS          4 // of one address proven at once; behind a shared address are many nodes
#define BURST_SECONDS  4
#define BUDGET_MAX     2048
#define BUDGET_STEP_US 29297
#define SECOND_US      INT64_C(1000000)
#define PROVEN_US      (10 * 60 * SECOND_US)
#define ASKED_US       (5 * 60 * SECOND_US)
#define NEVER          INT64_MIN

struct prefix {
    uint64_t prefix; // 0: free
    int64_t full_us;
};

struct prefix_set {
    struct prefix ways[WAYS];
    int64_t forgotten_full_us; // the latest full_us of those forgotten
};

// One cache line. Times in seconds are rounded up, of the same clock.
struct address {
    uint8_t ip[16];
    int64_t full_us;
    uint32_t proven_until_s[PORTS]; // 0: no port
    uint32_t asked_until_s;         // dht_source_was_asked()
    uint32_t seen_s;
    uint16_t ports[PORTS];
    uint8_t ip_len; // 0: free
};

static_assert(sizeof(struct address) == 64, "an address takes one cache line");

struct address_set {
    struct address ways[WAYS];
};

struct dht_source_table {
    struct dht_siphash_key key;
    uint32_t set_count;
    int64_t query_step_us; // 0: no limit
    int64_t query_burst_us;
    uint64_t forgotten;
    struct prefix_set *prefixes; // NULL until the first source is seen, as the next
    struct address_set *addresses;
    // What was last taken in, for one query asks several times for its source; NULL: nothing yet.
    struct prefix *recent_prefix;
    struct address *recent_address;
};

struct dht_source_table *dht_source_table_new(const struct dht_source_limits *limits,
                                              const struct dht_siphash_key *key)
{
    struct dht_source_table *table = calloc(1, sizeof(*table));
    if (table == NULL) {
        return NULL;
    }
    table->key = *key;
    table->set_count = limits->sources_max < WAYS ? 1 : limits->sources_max / WAYS;
    int64_t per_second = limits->queries_per_second;
    if (per_second > 0) {
        table->query_step_us = (1000000 + per_second - 1) / per_second;
        table->query_burst_us = BURST_SECONDS * per_second * table->query_step_us;
    }
    return table;
}

void dht_source_table_free(struct dht_source_table *table)
{
    if (table == NULL) {
        return;
    }
    free(table->prefixes);
    free(table->addresses);
    free(table);
}

// The tables come with the first source, so that a node that is asked nothing pays nothing.
static bool allocate(struct dht_source_table *table)
{
    if (table->prefixes != NULL) {
        return true;
    }
    struct prefix_set *prefixes = calloc((size_t)PREFIXES * table->set_count, sizeof(*prefixes));
    struct address_set *addresses = calloc(table->set_count, sizeof(*addresses));
    if (prefixes == NULL || addresses == NULL) {
        free(prefixes);
        free(addresses);
        return false;
    }
    for (uint32_t i = 0; i < PREFIXES * table->set_count; i++) {
        prefixes[i].forgotten_full_us = NEVER;
    }
    table->prefixes = prefixes;
    table->addresses = addresses;
    return true;
}

static uint32_t set_of(const struct dht_source_table *table, const void *data, size_t len,
                       uint32_t sets)
{
    uint32_t hash = (uint32_t)dht_siphash(&table->key, data, len);
    return (uint32_t)(((uint64_t)hash * sets) >> 32);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static uint32_t seconds_of(int64_t at_us)
{
    assert(at_us >= 0 && at_us < UINT32_MAX * SECOND_US);
    return (uint32_t)((at_us + SECOND_US - 1) / SECOND_US);
}

static bool is_before(int64_t now_us, uint32_t until_s)
{
    return now_us < until_s * SECOND_US;
}

// ---- addresses ----

static bool is_address(const struct address *address, const struct dht_addr *addr)
{
    return address->ip_len == addr->ip_len && memcmp(address->ip, addr->ip, addr->ip_len) == 0;
}

static struct address *address_in(struct address_set *set, const struct dht_addr *addr)
{
    for (int i = 0; i < WAYS; i++) {
        if (is_address(&set->ways[i], addr)) {
            return &set->ways[i];
        }
    }
    return NULL;
}

static struct address *find_address(const struct dht_source_table *table,
                                    const struct dht_addr *addr)
{
    if (table->addresses == NULL) {
        return NULL;
    }
    if (table->recent_address != NULL && is_address(table->recent_address, addr)) {
        return table->recent_address;
    }
    return address_in(&table->addresses[set_of(table, addr->ip, addr->ip_len, table->set_count)],
                      addr);
}

static bool has_proof(const struct address *address, int64_t now_us)
{
    for (int i = 0; i < PORTS; i++) {
        if (is_before(now_us, address->proven_until_s[i])) {
            return true;
        }
    }
    return false;
}

static bool is_proven_at(const struct address *address, int64_t now_us, uint16_t port)
{
    for (int i = 0; i < PORTS; i++) {
        if (address->ports[i] == port && is_before(now_us, address->proven_until_s[i])) {
            return true;
        }
    }
    return false;
}

// The place for a newcomer: a free one, or that of the oldest with no proof, or of the oldest.
static struct address *address_to_forget(struct address_set *set, int64_t now_us)
{
    struct address *oldest = NULL;
    bool oldest_has_proof = true;
    for (int i = 0; i < WAYS; i++) {
        struct address *address = &set->ways[i];
        if (address->ip_len == 0) {
            return address;
        }
        bool proof = has_proof(address, now_us);
        if (oldest == NULL || (oldest_has_proof && !proof) ||
            (oldest_has_proof == proof && address->seen_s < oldest->seen_s)) {
            oldest = address;
            oldest_has_proof = proof;
        }
    }
    return oldest;
}

static struct address *add_address(struct dht_source_table *table, struct address_set *set,
                                   int64_t now_us, const struct dht_addr *addr)
{
    struct address *address = address_to_forget(set, now_us);
    table->forgotten += address->ip_len != 0;
    *address = (struct address){.ip_len = addr->ip_len, .full_us = NEVER};
    memcpy(address->ip, addr->ip, addr->ip_len);
    return address;
}

// Finds the address or takes it in; the tables are there.
static struct address *take_address(struct dht_source_table *table, int64_t now_us,
                                    const struct dht_addr *addr)
{
    assert(addr->ip_len == 4 || addr->ip_len == 16);
    struct address *address = table->recent_address;
    if (address == NULL || !is_address(address, addr)) {
        struct address_set *set =
            &table->addresses[set_of(table, addr->ip, addr->ip_len, table->set_count)];
        address = address_in(set, addr);
        if (address == NULL) {
            address = add_address(table, set, now_us, addr);
        }
        table->recent_address = address;
    }
    address->seen_s = seconds_of(now_us);
    return address;
}

// ---- prefixes ----

static struct prefix *prefix_in(struct prefix_set *set, uint64_t number)
{
    for (int i = 0; i < WAYS; i++) {
        if (set->ways[i].prefix == number) {
            return &set->ways[i];
        }
    }
    return NULL;
}

static struct prefix *find_prefix(const struct dht_source_table *table, const struct dht_addr *addr)
{
    if (table->prefixes == NULL) {
        return NULL;
    }
    uint64_t number = dht_addr_prefix(addr);
    if (table->recent_prefix != NULL && table->recent_prefix->prefix == number) {
        return table->recent_prefix;
    }
    return prefix_in(
        &table->prefixes[set_of(table, &number, sizeof(number), PREFIXES * table->set_count)],
        number);
}

static struct prefix *add_prefix(struct dht_source_table *table, struct prefix_set *set,
                                 uint64_t number)
{
    struct prefix *prefix = &set->ways[0];
    for (int i = 1; i < WAYS && prefix->prefix != 0; i++) {
        if (set->ways[i].prefix == 0 || set->ways[i].full_us < prefix->full_us) {
            prefix = &set->ways[i];
        }
    }
    if (prefix->prefix != 0) {
        table->forgotten++;
        set->forgotten_full_us = later(set->forgotten_full_us, prefix->full_us);
    }
    *prefix = (struct prefix){.prefix = number, .full_us = set->forgotten_full_us};
    return prefix;
}

// Finds the prefix or takes it in; the tables are there.
static struct prefix *take_prefix(struct dht_source_table *table, const struct dht_addr *addr)
{
    uint64_t number = dht_addr_prefix(addr);
    struct prefix *prefix = table->recent_prefix;
    if (prefix == NULL || prefix->prefix != number) {
        struct prefix_set *set =
            &table->prefixes[set_of(table, &number, sizeof(number), PREFIXES * table->set_count)];
        prefix = prefix_in(set, number);
        if (prefix == NULL) {
            prefix = add_prefix(table, set, number);
        }
        table->recent_prefix = prefix;
    }
    return prefix;
}

static size_t level_of(const struct prefix *prefix, int64_t now_us)
{
    if (prefix->full_us <= now_us) {
        return BUDGET_MAX;
    }
    int64_t missing = (prefix->full_us - now_us + BUDGET_STEP_US - 1) / BUDGET_STEP_US;
    assert(missing <= BUDGET_MAX);
    return BUDGET_MAX - (size_t)missing;
}

// ---- what a source may ----

bool dht_source_query(struct dht_source_table *table, int64_t now_us, const struct dht_addr *addr,
                      size_t bytes_in)
{
    if (!allocate(table)) {
        return false;
    }
    struct address *address = take_address(table, now_us, addr);
    int64_t full_us = later(address->full_us, now_us) + table->query_step_us;
    if (full_us - now_us > table->query_burst_us) {
        return false;
    }
    address->full_us = full_us;
    // What proven ones send is no credit for others of their prefix.
    if (!is_proven_at(address, now_us, addr->port)) {
        struct prefix *prefix = take_prefix(table, addr);
        size_t credit = bytes_in + bytes_in / 2;
        credit = credit < BUDGET_MAX ? credit : BUDGET_MAX;
        prefix->full_us = later(prefix->full_us, now_us) - (int64_t)credit * BUDGET_STEP_US;
    }
    return true;
}

void dht_source_prove(struct dht_source_table *table, int64_t now_us, const struct dht_addr *addr)
{
    if (!allocate(table)) {
        return;
    }
    struct address *address = take_address(table, now_us, addr);
    int at = 0;
    for (int i = 0; i < PORTS; i++) {
        if (address->ports[i] == addr->port && address->proven_until_s[i] != 0) {
            at = i;
            break;
        }
        if (address->proven_until_s[i] < address->proven_until_s[at]) {
            at = i;
        }
    }
    address->ports[at] = addr->port;
    address->proven_until_s[at] = seconds_of(now_us + PROVEN_US);
}

bool dht_source_is_proven(const struct dht_source_table *table, int64_t now_us,
                          const struct dht_addr *addr)
{
    const struct address *address = find_address(table, addr);
    return address != NULL && is_proven_at(address, now_us, addr->port);
}

void dht_source_asked(struct dht_source_table *table, int64_t now_us, const struct dht_addr *addr)
{
    if (allocate(table)) {
        take_address(table, now_us, addr)->asked_until_s = seconds_of(now_us + ASKED_US);
    }
}

bool dht_source_was_asked(const struct dht_source_table *table, int64_t now_us,
                          const struct dht_addr *addr)
{
    const struct address *address = find_address(table, addr);
    return address != NULL && is_before(now_us, address->asked_until_s);
}

void dht_source_meet(struct dht_source_table *table, const struct dht_addr *addr)
{
    if (allocate(table)) {
        take_prefix(table, addr);
    }
}

size_t dht_source_budget(struct dht_source_table *table, int64_t now_us,
                         const struct dht_addr *addr)
{
    if (dht_source_is_proven(table, now_us, addr)) {
        return SIZE_MAX;
    }
    const struct prefix *prefix = find_prefix(table, addr);
    return prefix == NULL ? 0 : level_of(prefix, now_us);
}

void dht_source_spend(struct dht_source_table *table, int64_t now_us, const struct dht_addr *addr,
                      size_t bytes_out)
{
    if (bytes_out == 0 || dht_source_is_proven(table, now_us, addr)) {
        return;
    }
    struct prefix *prefix = find_prefix(table, addr);
    assert(prefix != NULL && bytes_out <= level_of(prefix, now_us));
    prefix->full_us = later(prefix->full_us, now_us) + (int64_t)bytes_out * BUDGET_STEP_US;
}

uint64_t dht_source_forgotten(const struct dht_source_table *table)
{
    return table->forgotten;
}
