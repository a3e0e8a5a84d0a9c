// SPDX-License-Identifier: MIT
#include "dht/reach.h"

#include "dht/addr.h"
#include "dht/id.h"
#include "dht/maintain.h"
#include "dht/query.h"
#include "dht/watch.h"

#include <string.h>

#define SELF_PAUSE_US (5 * DHT_MINUTE_US)
#define PROBATION_US  (15 * DHT_MINUTE_US)
#define REFUTED_US    (4 * 60 * DHT_MINUTE_US)

// ---- states ----

static void become(struct dht *dht, enum dht_role role)
{
    if (dht->role == role)
        return;
    dht->role = role;
    dht_engine_emit(dht, &(struct dht_out){.type = DHT_OUT_ROLE, .role = role});
    // Nobody takes a read-only node for a contact: now our neighbours have to hear of us.
    if (role == DHT_ROLE_SERVER)
        dht_maintain_rejoin(dht);
}

static void set_due(struct dht *dht, int64_t pause_us)
{
    dht->upkeep.next_reach_us = pause_us == INT64_MAX ? INT64_MAX : dht->now_us + pause_us;
    dht_maintain_hurry(dht, dht->upkeep.next_reach_us);
}

static void enter(struct dht *dht, enum dht_reach_state state)
{
    static const int64_t pauses_us[] = {
        [DHT_REACH_UNKNOWN] = SELF_PAUSE_US,
        [DHT_REACH_PROBATION] = PROBATION_US,
        [DHT_REACH_PROVEN] = INT64_MAX,
        [DHT_REACH_REFUTED] = REFUTED_US,
    };
    bool serves = state == DHT_REACH_PROBATION || state == DHT_REACH_PROVEN;
    dht->upkeep.reach = state;
    dht->upkeep.stranger = 0;
    become(dht, serves ? DHT_ROLE_SERVER : DHT_ROLE_CLIENT);
    set_due(dht, pauses_us[state]);
}

void dht_reach_init(struct dht *dht)
{
    bool serves = dht->role == DHT_ROLE_SERVER;
    bool is_open = dht->config.role == DHT_ROLE_AUTO && !serves;
    dht->upkeep.reach = serves ? DHT_REACH_PROVEN : DHT_REACH_UNKNOWN;
    dht->upkeep.next_reach_us = is_open ? dht->now_us + SELF_PAUSE_US : INT64_MAX;
}

bool dht_reach_is_open(const struct dht *dht)
{
    return dht->config.role == DHT_ROLE_AUTO && dht->upkeep.reach != DHT_REACH_PROVEN;
}

// ---- evidence ----

bool dht_reach_own_ping(struct dht *dht, const struct dht_krpc *msg)
{
    struct dht_transaction *transaction = dht_transaction_find(&dht->transactions, msg->tid);
    bool own = msg->method == DHT_KRPC_PING && transaction != NULL &&
               transaction->purpose == DHT_PURPOSE_SELF && msg->id.data != NULL &&
               memcmp(msg->id.data, dht->id.bytes, DHT_ID_LEN) == 0;
    if (!own)
        return false;
    dht_transaction_close(&dht->transactions, &dht->timers, transaction);
    if (dht->config.role == DHT_ROLE_AUTO)
        enter(dht, DHT_REACH_PROBATION);
    return true;
}

// A query comes in: from a host that we have not asked anything lately it came through no hole in a
// NAT that we made ourselves. (Some nodes ask back whoever asks them, `ro` or not, and do not
// answer first: jech's, quirk Q6.) What comes from our own address comes from behind the same NAT.
// Two of them, of different prefixes, and we are reachable.
void dht_reach_stranger(struct dht *dht, const struct dht_addr *from)
{
    if (!dht_reach_is_open(dht) || dht_addr_equal_ip(from, &dht->external))
        return;
    if (dht_source_was_asked(dht->sources, dht->now_us, from)) {
        dht_source_asked(dht->sources, dht->now_us, from); // our reply keeps the hole open
        return;
    }
    uint64_t prefix = dht_addr_prefix(from);
    if (dht->upkeep.stranger != 0 && dht->upkeep.stranger != prefix)
        enter(dht, DHT_REACH_PROVEN);
    else
        dht->upkeep.stranger = prefix;
}

// Pings our own address from outside. Only where voters agree on the port: a NAT that shows
// everybody another port cannot be reached by anybody else.
static void ask(struct dht *dht)
{
    set_due(dht, SELF_PAUSE_US);
    if (dht->external.ip_len == 0 || dht->external.port == 0)
        return;
    struct dht_query query = {
        .method = DHT_KRPC_PING,
        .purpose = DHT_PURPOSE_SELF,
        .addr = &dht->external,
        .seq_known = DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
    };
    dht_query_send(dht, &query);
}

void dht_reach_due(struct dht *dht)
{
    switch (dht->upkeep.reach) {
    case DHT_REACH_UNKNOWN:
        ask(dht);
        break;
    case DHT_REACH_PROBATION:
        // Who knows hardly anybody asks them all, again and again: there are no strangers, and
        // whom there is gets through.
        if (dht->table.count < DHT_TABLE_SMALL)
            set_due(dht, PROBATION_US);
        else
            enter(dht, DHT_REACH_REFUTED);
        break;
    case DHT_REACH_REFUTED:
        enter(dht, DHT_REACH_UNKNOWN);
        ask(dht);
        break;
    case DHT_REACH_PROVEN:
        set_due(dht, INT64_MAX);
        break;
    }
}

// ---- our address ----

// `ip` as seen by others (quirk Q19): an address with a port, or without.
static bool read_seen_addr(const struct dht *dht, const struct dht_krpc *msg,
                           struct dht_addr *ret_addr)
{
    struct dht_addr addr = {0};
    size_t ip_len = dht->config.family == DHT_IPV4 ? 4 : 16;
    if (msg->ip.len == ip_len) {
        memcpy(addr.ip, msg->ip.data, ip_len);
        addr.ip_len = (uint8_t)ip_len;
    } else if (msg->ip.len != ip_len + 2 ||
               !dht_addr_from_compact(msg->ip.data, msg->ip.len, &addr)) {
        return false;
    }
    if (addr.port == 0 && msg->observed_port > 0 && msg->observed_port <= UINT16_MAX)
        addr.port = (uint16_t)msg->observed_port; // quirk Q18
    struct dht_addr with_port = addr;
    with_port.port = addr.port == 0 ? 1 : addr.port;
    if (!dht_engine_is_acceptable(dht, &with_port))
        return false;
    *ret_addr = addr;
    return true;
}

// Takes an id that fits our address (BEP 42), and finds the new neighbours.
static void change_id(struct dht *dht)
{
    uint8_t random[DHT_ID_LEN];
    dht_random_bytes(&dht->random, random, sizeof random);
    dht_id_make(&dht->external, random, &dht->id);
    dht_table_rekey(&dht->table, &dht->id);
    dht_engine_emit(dht, &(struct dht_out){.type = DHT_OUT_ID, .id = dht->id});
    dht_maintain_rejoin(dht);
}

static void address_settled(struct dht *dht, const struct dht_addr *winner)
{
    bool same_host = dht_addr_equal_ip(winner, &dht->external);
    bool first = dht->external.ip_len == 0;
    dht->external = *winner;
    DHT_COUNT(dht, address_changes);
    dht_engine_emit(dht, &(struct dht_out){.type = DHT_OUT_ADDRESS, .addr = *winner});
    if (!first)
        dht_watch_moved(dht);
    if (dht->config.lab)
        return;
    if (!same_host && !dht_id_fits(&dht->id, winner))
        change_id(dht);
    if (dht->config.role != DHT_ROLE_AUTO)
        return;
    // What was reachable at the old address need not be at the new one; without a NAT it is.
    if (!same_host && dht_addr_equal_ip(winner, &dht->config.addr))
        enter(dht, DHT_REACH_PROVEN);
    else if (!same_host && !first)
        enter(dht, DHT_REACH_UNKNOWN);
    if (dht->upkeep.reach == DHT_REACH_UNKNOWN)
        ask(dht);
}

void dht_reach_vote(struct dht *dht, const struct dht_addr *voter, const struct dht_krpc *msg)
{
    struct dht_addr seen;
    if (!read_seen_addr(dht, msg, &seen))
        return;
    // In a lab all voters live on a few hosts, so each counts for itself.
    uint64_t prefix = dht_addr_prefix(voter) ^ (dht->config.lab ? (uint64_t)voter->port << 40 : 0);
    if (!dht_vote_cast(&dht->vote, prefix, &seen))
        return;
    struct dht_addr winner = dht_vote_winner(&dht->vote);
    if (winner.ip_len != 0 && !dht_addr_equal(&winner, &dht->external))
        address_settled(dht, &winner);
}
