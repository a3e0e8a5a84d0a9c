// SPDX-License-Identifier: MIT
#include "dht/reach.h"

#include "dht/addr.h"
#include "dht/id.h"
#include "dht/maintain.h"
#include "dht/query.h"

#include <string.h>

#define SELF_PAUSE_US (5 * DHT_MINUTE_US)

// ---- reachability ----

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
        become(dht, DHT_ROLE_SERVER);
    return true;
}

// Read-only, and a query comes in: from a host that we have not asked anything lately it came
// through no hole in a NAT that we made ourselves. (Some nodes ask back whoever asks them, `ro` or
// not, and do not answer first: jech's, quirk Q6.) Two of them, of different prefixes, and we are
// reachable.
void dht_reach_stranger(struct dht *dht, const struct dht_addr *from)
{
    if (dht->config.role != DHT_ROLE_AUTO || dht->role != DHT_ROLE_CLIENT)
        return;
    if (dht_source_was_asked(dht->sources, dht->now_us, from))
        return;
    uint64_t prefix = dht_addr_prefix(from);
    if (dht->upkeep.stranger != 0 && dht->upkeep.stranger != prefix)
        become(dht, DHT_ROLE_SERVER);
    dht->upkeep.stranger = prefix;
}

static void send_ping(struct dht *dht)
{
    struct dht_query query = {
        .method = DHT_KRPC_PING,
        .purpose = DHT_PURPOSE_SELF,
        .addr = &dht->external,
        .seq_known = DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
    };
    dht_query_send(dht, &query);
}

// Pings our own address from outside. Only where voters agree on the port: a NAT that shows
// everybody another port cannot be reached by anybody else.
void dht_reach_ask(struct dht *dht)
{
    dht->upkeep.next_self_us = dht->now_us + SELF_PAUSE_US;
    if (dht->external.ip_len != 0 && dht->external.port != 0)
        send_ping(dht);
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
    if (dht->config.lab || same_host)
        return;
    if (!dht_id_fits(&dht->id, winner))
        change_id(dht);
    if (dht->config.role != DHT_ROLE_AUTO)
        return;
    // What was reachable at the old address need not be at the new one; without a NAT it is.
    if (!first)
        become(dht, DHT_ROLE_CLIENT);
    if (dht_addr_equal_ip(winner, &dht->config.addr))
        become(dht, DHT_ROLE_SERVER);
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
