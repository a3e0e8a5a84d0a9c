// SPDX-License-Identifier: MIT
#include "dht/engine.h"

#include "dht/addr.h"
#include "dht/id.h"
#include "dht/maintain.h"
#include "dht/push.h"
#include "dht/reply.h"
#include "dht/serve.h"
#include "dht/watch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE      64
#define EXPIRE_AT_ONCE  256 // items or peers dropped in one go, so that a tick stays short
#define EXPIRE_PAUSE_US (DHT_SECOND_US / 10) // between two goes

void dht_config_init(struct dht_config *config, enum dht_family family)
{
    *config = (struct dht_config){
        .family = family,
        .role = DHT_ROLE_AUTO,
        .version = {'P', 'N', 0, 1},
        .bucket_size = 16,
        .first_bucket_size = 128,
        .replacements = 8,
        .lookup_width = 8,
        .store_width = 20,
        .in_flight = 5,
        .ops_max = 1024,
        .candidates_max = 128,
        .queries_max = 8192,
        .items_max = 100000,
        .items_bytes_max = 64u << 20,
        .items_per_source_max = 2000,
        .swarms_max = 16384,
        .peers_max = 200000,
        .peers_per_swarm_max = 2000,
        .registrations_max = 256,
        .item_lifetime_us = 120 * DHT_MINUTE_US,
        .peer_lifetime_us = 45 * DHT_MINUTE_US,
        .watches_max = 1024,
        .watchers_max = 4096,
        .watchers_per_target_max = 1024,
        .watchers_per_source_max = 64,
        .pushes_max = 64,
        .sources_max = 8192,
        .queries_per_source = 50,
        .verifies_per_second = 2000,
        .outbox_max = 4u << 20,
        .outbox_keep = 256u << 10,
    };
}

static bool config_makes_sense(const struct dht_config *config)
{
    bool widths = config->lookup_width > 0 && config->lookup_width <= DHT_CLOSEST_MAX &&
                  config->store_width > 0 && config->store_width <= DHT_CLOSEST_MAX;
    bool table = config->bucket_size > 0 && config->bucket_size <= 1024 &&
                 config->first_bucket_size <= 1024 && config->replacements <= 1024;
    bool lookups = config->in_flight > 0 && config->candidates_max >= DHT_CLOSEST_MAX &&
                   config->candidates_max < DHT_LOOKUP_NONE && config->queries_max >= 16;
    // Ids of operations and of watches share 16 bits for the place.
    bool ops = config->ops_max > 0 && config->ops_max < UINT16_MAX &&
               config->watches_max < UINT16_MAX - config->ops_max;
    bool watchers = config->watchers_max < UINT16_MAX && config->pushes_max > 0;
    bool limits = config->verifies_per_second > 0 && config->outbox_max > 2 * DHT_DATAGRAM_MAX;
    return widths && table && lookups && ops && watchers && limits;
}

// Whether the node has a public address of its own: nothing stands between it and the others.
static bool bound_to_public_addr(const struct dht_config *config)
{
    return config->addr.ip_len != 0 && !dht_addr_is_local(&config->addr) &&
           !dht_addr_is_martian(&config->addr);
}

// The role at the start. Who cannot know whether it is reachable begins read-only (BEP 43).
static enum dht_role first_role(const struct dht_config *config)
{
    if (config->role != DHT_ROLE_AUTO)
        return config->role;
    return config->lab || bound_to_public_addr(config) ? DHT_ROLE_SERVER : DHT_ROLE_CLIENT;
}

static void make_own_id(struct dht *dht)
{
    uint8_t random[DHT_ID_LEN];
    if (!dht_id_is_zero(&dht->config.id)) {
        dht->id = dht->config.id;
        return;
    }
    dht_random_bytes(&dht->random, random, sizeof random);
    if (bound_to_public_addr(&dht->config))
        dht_id_make(&dht->config.addr, random, &dht->id);
    else
        memcpy(dht->id.bytes, random, sizeof random);
}

struct dht *dht_new(const struct dht_config *config, const struct dht_crypto *crypto,
                    const uint8_t seed[32], int64_t now_us)
{
    if (!config_makes_sense(config))
        return NULL;
    struct dht *dht = calloc(1, sizeof *dht);
    if (dht == NULL)
        return NULL;
    dht->config = *config;
    dht->crypto = *crypto;
    dht->now_us = dht->birth_us = now_us;
    dht_random_init(&dht->random, seed);
    make_own_id(dht);
    dht->hash_key.k0 = dht_random_u64(&dht->random);
    dht->hash_key.k1 = dht_random_u64(&dht->random);
    dht->role = first_role(config);
    dht_table_init(&dht->table, config, &dht->id);
    dht_transaction_table_init(&dht->transactions, config->queries_max);
    dht_op_table_init(&dht->ops, config->ops_max);
    dht_outbox_init(&dht->outbox, config->outbox_max, config->outbox_keep);
    dht_token_init(&dht->token, &dht->random, now_us);
    dht->token_due_us = now_us + DHT_TOKEN_ROTATION_US;
    dht_vote_init(&dht->vote);
    dht_maintain_init(dht);
    dht_timer_init(&dht->items_timer, DHT_TIMER_ITEMS);
    dht_timer_init(&dht->peers_timer, DHT_TIMER_PEERS);
    struct dht_source_limits limits = {config->sources_max, config->queries_per_source};
    dht->sources = dht_source_table_new(&limits, &dht->hash_key);
    // Room for the timers that are always there, so that setting them cannot fail.
    if (dht->sources == NULL || !dht_timer_reserve(&dht->timers, 0)) {
        dht_free(dht);
        return NULL;
    }
    return dht;
}

void dht_free(struct dht *dht)
{
    if (dht == NULL)
        return;
    if (dht->sibling != NULL)
        dht->sibling->sibling = NULL;
    dht_maintain_fini(dht);
    dht_op_table_fini(&dht->ops);
    dht_transaction_table_fini(&dht->transactions);
    dht_timer_heap_fini(&dht->timers);
    dht_table_fini(&dht->table);
    dht_outbox_fini(&dht->outbox);
    dht_vote_fini(&dht->vote);
    dht_registration_table_fini(&dht->registrations);
    if (dht->items != NULL)
        dht_item_store_free(dht->items);
    if (dht->peers != NULL)
        dht_peer_store_free(dht->peers);
    dht_watcher_table_free(dht->watchers);
    dht_watch_table_free(dht->watches);
    if (dht->sources != NULL)
        dht_source_table_free(dht->sources);
    free(dht);
}

void dht_pair(struct dht *a, struct dht *b)
{
    assert(a->config.family != b->config.family);
    a->sibling = b;
    b->sibling = a;
}

// ---- for the parts ----

void dht_engine_enter(struct dht *dht, int64_t now_us)
{
    assert(now_us >= dht->now_us);
    dht->now_us = now_us;
    dht_outbox_reclaim(&dht->outbox);
}

uint32_t dht_engine_now_s(const struct dht *dht)
{
    return (uint32_t)((dht->now_us - dht->birth_us) / DHT_SECOND_US) + 1;
}

void dht_engine_emit(struct dht *dht, const struct dht_out *event)
{
    if (!dht_outbox_event(&dht->outbox, event))
        DHT_COUNT(dht, drop_outbox_full);
}

bool dht_engine_is_acceptable(const struct dht *dht, const struct dht_addr *addr)
{
    if (addr->ip_len != (dht->config.family == DHT_IPV4 ? 4 : 16) || addr->port == 0)
        return false;
    return dht->config.lab || !dht_addr_is_martian(addr);
}

void dht_engine_prove(struct dht *dht, const struct dht_addr *addr)
{
    // Where nobody is limited, nobody needs to be known.
    if (!dht->config.lab && !dht->config.unlimited)
        dht_source_prove(dht->sources, dht->now_us, addr);
}

size_t dht_engine_node_len(const struct dht *dht)
{
    return DHT_ID_LEN + (dht->config.family == DHT_IPV4 ? 6 : 18);
}

struct dht_item_store *dht_engine_items(struct dht *dht)
{
    if (dht->items != NULL)
        return dht->items;
    struct dht_item_store_limits limits = {
        .items_max = dht->config.items_max,
        .bytes_max = dht->config.items_bytes_max,
        .per_source_max = dht->config.lab ? 0 : dht->config.items_per_source_max,
        .lifetime_us = dht->config.item_lifetime_us,
    };
    dht->items = dht_item_store_new(&limits, &dht->hash_key);
    return dht->items;
}

bool dht_engine_keep_item(struct dht *dht, uint64_t source, const struct dht_item *item)
{
    struct dht_item_store *items = dht_engine_items(dht);
    if (items == NULL)
        return false;
    if (source == 0)
        memcpy(&source, item->target.bytes, sizeof source);
    enum dht_item_store_result result = dht_item_store_put(items, dht->now_us, source, item);
    if (result != DHT_ITEM_STORE_ADDED && result != DHT_ITEM_STORE_REPLACED)
        return false;
    if (dht->items_timer.position == DHT_TIMER_IDLE)
        dht_timer_set(&dht->timers, &dht->items_timer, dht_item_store_next_expiry(items));
    return true;
}

struct dht_peer_store *dht_engine_peers(struct dht *dht)
{
    if (dht->peers != NULL)
        return dht->peers;
    struct dht_peer_store_limits limits = {
        .swarms_max = dht->config.swarms_max,
        .peers_max = dht->config.peers_max,
        .peers_per_swarm_max = dht->config.peers_per_swarm_max,
        .lifetime_us = dht->config.peer_lifetime_us,
    };
    dht->peers = dht_peer_store_new(&limits, &dht->hash_key, &dht->random);
    return dht->peers;
}

// ---- inputs ----

static void receive_one(struct dht *dht, const struct dht_datagram *datagram)
{
    struct dht_krpc msg;
    DHT_COUNT(dht, datagrams_in);
    dht->counters.bytes_in += datagram->bytes.len;
    if (!dht_engine_is_acceptable(dht, &datagram->addr)) {
        DHT_COUNT(dht, drop_martian);
        return;
    }
    // What cannot be understood is not answered either: an error in reply to junk is a gift to
    // reflectors (quirk Q15).
    if (!dht_krpc_parse(datagram->bytes, &msg)) {
        DHT_COUNT(dht, drop_malformed);
        return;
    }
    if (msg.type == DHT_KRPC_QUERY)
        dht_serve_query(dht, &datagram->addr, datagram->bytes.len, &msg);
    else
        dht_reply_receive(dht, &datagram->addr, &msg);
}

void dht_receive(struct dht *dht, int64_t now_us, const struct dht_datagram *datagrams,
                 size_t count)
{
    dht_engine_enter(dht, now_us);
    for (size_t i = 0; i < count; i++)
        receive_one(dht, &datagrams[i]);
}

void dht_unreachable(struct dht *dht, int64_t now_us, const struct dht_addr *addr)
{
    dht_engine_enter(dht, now_us);
    dht_reply_unreachable(dht, addr);
}

static void expire_items(struct dht *dht)
{
    for (int i = 0; i < EXPIRE_AT_ONCE && dht_item_store_next_expiry(dht->items) <= dht->now_us;
         i++) {
        struct dht_id target = dht_item_store_oldest(dht->items)->target;
        dht->counters.items_expired += dht_item_store_expire(dht->items, dht->now_us, 1);
        dht_push_gone(dht, &target);
    }
    int64_t next_us = dht_item_store_next_expiry(dht->items);
    if (next_us <= dht->now_us)
        next_us = dht->now_us + EXPIRE_PAUSE_US;
    if (next_us != INT64_MAX)
        dht_timer_set(&dht->timers, &dht->items_timer, next_us);
}

static void expire_peers(struct dht *dht)
{
    dht->counters.peers_expired += dht_peer_store_expire(dht->peers, dht->now_us, EXPIRE_AT_ONCE);
    int64_t next_us = dht_peer_store_next_expiry(dht->peers);
    if (next_us <= dht->now_us)
        next_us = dht->now_us + EXPIRE_PAUSE_US;
    if (next_us != INT64_MAX)
        dht_timer_set(&dht->timers, &dht->peers_timer, next_us);
}

static void ring(struct dht *dht, struct dht_timer *timer)
{
    switch ((enum dht_timer_kind)timer->kind) {
    case DHT_TIMER_TRANSACTION: // the timer is a transaction's first member
        dht_reply_timeout(dht, (struct dht_transaction *)(void *)timer);
        break;
    case DHT_TIMER_MAINTAIN:
        dht_maintain_run(dht);
        break;
    case DHT_TIMER_ITEMS:
        expire_items(dht);
        break;
    case DHT_TIMER_PEERS:
        expire_peers(dht);
        break;
    case DHT_TIMER_WATCHER: // likewise, of a watcher
        dht_push_ring(dht, (struct dht_watcher *)(void *)timer);
        break;
    case DHT_TIMER_WATCH: // and of a watch of ours
        dht_watch_ring(dht, (struct dht_watching *)(void *)timer);
        break;
    }
}

void dht_tick(struct dht *dht, int64_t now_us)
{
    dht_engine_enter(dht, now_us);
    struct dht_timer *timer;
    while ((timer = dht_timer_pop(&dht->timers, now_us)) != NULL)
        ring(dht, timer);
    assert(dht_deadline(dht) > now_us);
}

int64_t dht_deadline(const struct dht *dht)
{
    return dht_timer_next(&dht->timers);
}

static bool is_bootstrap(const struct dht_upkeep *upkeep, const struct dht_addr *addr)
{
    for (uint32_t i = 0; i < upkeep->bootstrap_count; i++)
        if (dht_addr_equal(&upkeep->bootstrap[i], addr))
            return true;
    return false;
}

void dht_bootstrap(struct dht *dht, int64_t now_us, const struct dht_addr *addrs, size_t count)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    dht_engine_enter(dht, now_us);
    size_t most = upkeep->bootstrap_count + count;
    if (most > DHT_BOOTSTRAP_MAX)
        most = DHT_BOOTSTRAP_MAX;
    if (most > upkeep->bootstrap_count) {
        struct dht_addr *bootstrap = realloc(upkeep->bootstrap, most * sizeof *bootstrap);
        if (bootstrap == NULL)
            return;
        upkeep->bootstrap = bootstrap;
    }
    for (size_t i = 0; i < count && upkeep->bootstrap_count < most; i++)
        if (dht_engine_is_acceptable(dht, &addrs[i]) && !is_bootstrap(upkeep, &addrs[i]))
            upkeep->bootstrap[upkeep->bootstrap_count++] = addrs[i];
    upkeep->bootstrap_left = upkeep->bootstrap_count;
    upkeep->next_join_us = now_us;
    dht_maintain_hurry(dht, now_us);
}

size_t dht_bootstrap_nodes(const struct dht *dht, struct dht_addr *ret_addrs, size_t max)
{
    const struct dht_upkeep *upkeep = &dht->upkeep;
    size_t count = upkeep->bootstrap_count < max ? upkeep->bootstrap_count : max;
    for (size_t i = 0; i < count; i++)
        ret_addrs[i] = upkeep->bootstrap[i];
    return count;
}

static void prefetch(const void *start, size_t len)
{
    for (size_t at = 0; at < len; at += CACHE_LINE)
        __builtin_prefetch((const uint8_t *)start + at);
}

void dht_prefetch(const struct dht *dht, int step)
{
    // Up to the counters of what comes in, and then what it points to: which of the buckets it will
    // be, the datagram alone knows.
    if (step == 0) {
        prefetch(dht, offsetof(struct dht, counters) + 4 * CACHE_LINE);
        return;
    }
    prefetch(dht->table.buckets, dht->table.bucket_count * sizeof *dht->table.buckets);
    __builtin_prefetch(dht->sources);
    __builtin_prefetch(dht->transactions.buckets);
    __builtin_prefetch(dht->transactions.chunks);
    __builtin_prefetch(dht->ops.slots);
}

void dht_rest(struct dht *dht)
{
    dht_outbox_rest(&dht->outbox);
    dht_transaction_rest(&dht->transactions);
    dht_op_rest(&dht->ops);
    dht_maintain_rest(dht);
    bool none_watch = dht_watch_rest(dht);
    if (dht->transactions.count == 0 && none_watch)
        dht_timer_heap_rest(&dht->timers);
}

void dht_restore_contact(struct dht *dht, int64_t now_us, const struct dht_id *id,
                         const struct dht_addr *addr)
{
    dht_engine_enter(dht, now_us);
    if (dht_engine_is_acceptable(dht, addr))
        dht_maintain_restore(dht, id, addr);
}

bool dht_next(struct dht *dht, struct dht_out *ret_out)
{
    return dht_outbox_next(&dht->outbox, ret_out);
}

bool dht_next_event(struct dht *dht, struct dht_out *ret_out)
{
    return dht_outbox_next_event(&dht->outbox, ret_out);
}
