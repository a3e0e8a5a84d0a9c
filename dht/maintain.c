// SPDX-License-Identifier: MIT
#include "dht/maintain.h"

#include "dht/addr.h"
#include "dht/away.h"
#include "dht/check.h"
#include "dht/id.h"
#include "dht/query.h"
#include "dht/reach.h"
#include "dht/search.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_PAUSE_FIRST_US     (1 * DHT_SECOND_US)
#define JOIN_PAUSE_MOST_US      (2 * DHT_MINUTE_US)
#define JOIN_AGAIN_FIRST_US     (2 * DHT_MINUTE_US) // neighbours that came with us are known by then
#define JOIN_AGAIN_MOST_US      (120 * DHT_MINUTE_US)
#define JOIN_AGAIN_SMALL_US     (1 * DHT_MINUTE_US) // while the table is small
#define BOOTSTRAP_AT_ONCE       8
#define REFRESH_S               (15 * 60) // BEP 5
#define SPLIT                   8         // BEP 5 splits a bucket of so many
#define REFRESH_FILL_S          60        // of one that has room
#define REFRESH_FULL_S          (60 * 60) // of a full bucket: there is nothing to be won there
#define REFRESH_COST            24        // queries: about what a lookup takes
#define REFRESH_PAUSE_US        (1 * DHT_SECOND_US)
#define SURVEY_PAUSE_FIRST_US   (90 * DHT_SECOND_US)
#define SURVEY_PAUSE_MOST_US    (120 * DHT_MINUTE_US)
#define SURVEY_GROWTH           4
#define OVERDUE_PAUSE_US        (1 * DHT_SECOND_US)
#define NEWCOMER_DELAY_US       (90 * DHT_SECOND_US) // so long NAT mappings may take to lapse
#define NEWCOMER_DELAY_SMALL_US (2 * DHT_SECOND_US)  // who knows hardly anybody cannot be choosy

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// A little more or less, so that nodes started together do not stay in step.
static int64_t jittered(struct dht *dht, int64_t pause_us)
{
    return pause_us * 9 / 10 + (int64_t)dht_random_below(&dht->random, (uint64_t)pause_us / 5 + 1);
}

void dht_maintain_init(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    dht_timer_init(&upkeep->timer, DHT_TIMER_MAINTAIN);
    upkeep->join_pause_us = JOIN_PAUSE_FIRST_US;
    upkeep->join_again_us = JOIN_AGAIN_FIRST_US;
    upkeep->next_join_us = INT64_MAX; // until there is somebody to join
    upkeep->next_refresh_us = INT64_MAX;
    upkeep->next_survey_us = INT64_MAX;
    upkeep->next_check_us = INT64_MAX;
    upkeep->next_lost_us = INT64_MAX;
    upkeep->next_away_us = INT64_MAX;
    dht_reach_init(dht);
    dht_allowance_init(&upkeep->allowance, dht->now_us,
                       DHT_ALLOWANCE_WIDEST * dht->config.first_bucket_size +
                           DHT_ALLOWANCE_LEAST * dht->config.bucket_size);
}

void dht_maintain_fini(struct dht *dht)
{
    free(dht->upkeep.bootstrap);
    free(dht->upkeep.newcomers);
    dht_lost_fini(&dht->upkeep.lost);
}

void dht_maintain_rest(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    if (upkeep->newcomer_count > 0)
        return;
    free(upkeep->newcomers);
    upkeep->newcomers = NULL;
    upkeep->newcomer_capacity = 0;
}

static int64_t next_due(struct dht *dht)
{
    const struct dht_upkeep *upkeep = &dht->upkeep;
    int64_t due_us = earlier(dht_check_due_us(dht), upkeep->next_lost_us);
    if (upkeep->join_op == 0)
        due_us = earlier(due_us, upkeep->next_join_us);
    if (upkeep->refresh_op == 0)
        due_us = earlier(due_us, earlier(upkeep->next_refresh_us, upkeep->next_survey_us));
    due_us = earlier(due_us, earlier(upkeep->next_reach_us, upkeep->next_away_us));
    return due_us;
}

void dht_maintain_hurry(struct dht *dht, int64_t at_us)
{
    struct dht_timer *timer = &dht->upkeep.timer;
    if (at_us != INT64_MAX && (timer->position == DHT_TIMER_IDLE || at_us < timer->due_us))
        dht_timer_set(&dht->timers, timer, at_us);
}

// ---- joining ----

// ret_op is written before the lookup starts: it may end at once.
static void start_lookup(struct dht *dht, const struct dht_id *target, bool fills, uint32_t *ret_op)
{
    struct dht_op *op = dht_op_open(&dht->ops, DHT_OP_FIND_NODE);
    if (op == NULL)
        return;
    op->internal = true;
    op->fills = fills;
    *ret_op = op->id;
    dht_search_start(dht, op, target, dht->config.lookup_width);
}

// Asks a node that is known by address only for the closest to us; its answer is where joining
// starts.
static void ask_for_neighbours(struct dht *dht, const struct dht_addr *addr)
{
    struct dht_query query = {
        .method = DHT_KRPC_FIND_NODE,
        .purpose = DHT_PURPOSE_BOOTSTRAP,
        .addr = addr,
        .target = &dht->id,
        .seq_known = DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
        .want_both = dht->sibling != NULL,
    };
    dht_query_send(dht, &query);
}

static void ask_bootstrap(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    uint32_t count =
        upkeep->bootstrap_count < BOOTSTRAP_AT_ONCE ? upkeep->bootstrap_count : BOOTSTRAP_AT_ONCE;
    for (uint32_t i = 0; i < count; i++) {
        ask_for_neighbours(dht, &upkeep->bootstrap[upkeep->bootstrap_next]);
        upkeep->bootstrap_next = (upkeep->bootstrap_next + 1) % upkeep->bootstrap_count;
        upkeep->bootstrap_left -= upkeep->bootstrap_left > 0;
    }
}

static void join(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    upkeep->join_anew = false;
    upkeep->next_join_us = dht->now_us + jittered(dht, upkeep->join_pause_us);
    upkeep->join_pause_us = earlier(upkeep->join_pause_us * 2, JOIN_PAUSE_MOST_US);
    // Contacts of whom nobody answers are no way in: the network may be another by now. And the
    // first bootstrap nodes may all be somebody's who shows us nobody but his own: each is asked.
    if (dht->table.count == 0 || upkeep->alone || upkeep->bootstrap_left > 0)
        ask_bootstrap(dht);
    if (dht->table.count > 0)
        start_lookup(dht, &dht->id, false, &upkeep->join_op);
}

// Whether the contacts in a reply are worth a lookup: to one that knows the network, only such as
// would find a place in its table.
static bool has_news(const struct dht *dht, struct dht_span nodes, size_t node_len)
{
    if (!dht->upkeep.joined || dht->table.count < DHT_TABLE_SMALL)
        return true;
    for (size_t i = 0; i < nodes.len / node_len && i < DHT_CLOSEST_MAX; i++) {
        struct dht_krpc_node node;
        dht_krpc_node(nodes, node_len, i, &node);
        if (dht_table_wants(&dht->table, &node.id) &&
            dht_table_find(&dht->table, &node.id, &node.addr) == NULL)
            return true;
    }
    return false;
}

void dht_maintain_bootstrapped(struct dht *dht, const struct dht_krpc *msg)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    size_t node_len = dht_engine_node_len(dht);
    struct dht_span nodes = dht->config.family == DHT_IPV4 ? msg->nodes : msg->nodes6;
    if (!has_news(dht, nodes, node_len))
        return;
    struct dht_op *op = dht_op_find(&dht->ops, upkeep->join_op);
    if (op == NULL) {
        start_lookup(dht, &dht->id, false, &upkeep->join_op);
        op = dht_op_find(&dht->ops, upkeep->join_op);
    }
    if (op == NULL)
        return;
    for (size_t i = 0; i < nodes.len / node_len && i < DHT_CLOSEST_MAX; i++) {
        struct dht_krpc_node node;
        dht_krpc_node(nodes, node_len, i, &node);
        dht_search_offer(dht, op, &node, 2);
    }
    dht_search_step(dht, op);
}

static void join_ended(struct dht *dht, const struct dht_tally *tally)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    upkeep->join_op = 0;
    upkeep->alone = tally->answered == 0;
    if (upkeep->alone) {
        dht_maintain_hurry(dht, upkeep->next_join_us);
        return;
    }
    bool small = dht->table.count < DHT_TABLE_SMALL;
    if (!upkeep->joined) {
        upkeep->survey_pause_us = SURVEY_PAUSE_FIRST_US;
        upkeep->next_survey_us = dht->now_us + SURVEY_PAUSE_FIRST_US;
    }
    upkeep->joined = true;
    upkeep->join_pause_us = JOIN_PAUSE_FIRST_US;
    upkeep->next_join_us =
        dht->now_us + jittered(dht, small ? JOIN_AGAIN_SMALL_US : upkeep->join_again_us);
    upkeep->join_again_us = earlier(2 * upkeep->join_again_us, JOIN_AGAIN_MOST_US);
    if (upkeep->join_anew)
        upkeep->next_join_us = dht->now_us;
    if (upkeep->bootstrap_left > 0)
        upkeep->next_join_us = dht->now_us + JOIN_PAUSE_FIRST_US;
    upkeep->next_refresh_us = earlier(upkeep->next_refresh_us, dht->now_us + REFRESH_PAUSE_US);
    dht_check_start(dht);
    dht_maintain_hurry(dht, next_due(dht));
}

void dht_maintain_op_ended(struct dht *dht, uint32_t op, const struct dht_tally *tally)
{
    dht_allowance_spend(&dht->upkeep.allowance, tally->asked);
    if (op == dht->upkeep.join_op)
        join_ended(dht, tally);
    if (op == dht->upkeep.refresh_op) {
        dht->upkeep.refresh_op = 0;
        dht_maintain_hurry(dht, dht->upkeep.next_refresh_us);
    }
}

// ---- the lost ----

static void remember_lost(struct dht *dht, const struct dht_addr *addr)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    dht_lost_add(&upkeep->lost, &dht->random, addr);
    if (upkeep->next_lost_us == INT64_MAX)
        upkeep->next_lost_us = dht->now_us + jittered(dht, DHT_MAINTAIN_LOST_US);
    dht_maintain_hurry(dht, upkeep->next_lost_us);
}

static void ask_lost(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    struct dht_addr addr;
    upkeep->next_lost_us = INT64_MAX;
    if (!dht_lost_draw(&upkeep->lost, &dht->random, &addr))
        return;
    upkeep->next_lost_us = dht->now_us + jittered(dht, DHT_MAINTAIN_LOST_US);
    dht_allowance_spend(&upkeep->allowance, 1);
    ask_for_neighbours(dht, &addr);
}

void dht_maintain_rejoin(struct dht *dht)
{
    dht->upkeep.next_join_us = dht->now_us;
    dht->upkeep.join_again_us = JOIN_AGAIN_FIRST_US;
    dht->upkeep.join_anew = dht->upkeep.join_op != 0;
    dht_maintain_hurry(dht, dht->now_us);
}

void dht_maintain_gained(struct dht *dht)
{
    if (dht->upkeep.joined || dht->upkeep.next_join_us != INT64_MAX)
        return;
    dht->upkeep.next_join_us = dht->now_us;
    dht_maintain_hurry(dht, dht->now_us);
}

void dht_maintain_failed(struct dht *dht, const struct dht_addr *addr, bool lost)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    if (!lost) {
        dht_check_failed(dht);
        return;
    }
    remember_lost(dht, addr);
    if (dht->table.count >= DHT_TABLE_SMALL)
        return;
    int64_t pause_us = dht->table.count == 0 ? JOIN_PAUSE_FIRST_US : JOIN_AGAIN_SMALL_US;
    upkeep->next_join_us = earlier(upkeep->next_join_us, dht->now_us + pause_us);
    dht_maintain_hurry(dht, upkeep->next_join_us);
}

void dht_maintain_unanswered(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    upkeep->next_join_us = earlier(upkeep->next_join_us, dht->now_us + upkeep->join_pause_us);
    dht_maintain_hurry(dht, upkeep->next_join_us);
}

// ---- refreshing ----

// The deepest bucket that is refreshed. BEP 5 splits a bucket only once it is full: those that hold
// less than one bucket together, at the end, are one to it, and so are they here. Else one contact
// with an id that was made to lie next to ours would open a hundred empty buckets, with a lookup
// for each.
static uint32_t refresh_depth_max(const struct dht *dht)
{
    uint32_t depth = dht->table.bucket_count;
    uint32_t contacts = 0;
    while (depth > 0 && contacts < SPLIT)
        contacts += dht->table.buckets[--depth].count;
    return depth;
}

// When the bucket wants a refresh, in seconds since birth.
static uint32_t refresh_due_s(const struct dht *dht, uint32_t depth)
{
    const struct dht_bucket *bucket = &dht->table.buckets[depth];
    bool full = bucket->count >= dht_table_bucket_capacity(&dht->table, depth);
    if (bucket->touched_s == 0)
        return full ? dht_engine_now_s(dht) + REFRESH_S : 0;
    if (full)
        return bucket->touched_s + REFRESH_FULL_S;
    bool small = dht->table.count < DHT_TABLE_SMALL; // joining again does as much
    return bucket->touched_s + (small ? REFRESH_S : REFRESH_FILL_S);
}

static void refresh(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    uint32_t now_s = dht_engine_now_s(dht);
    uint32_t soonest_s = now_s + REFRESH_S;
    if (dht_allowance_left(&upkeep->allowance, dht->now_us) < REFRESH_COST) {
        upkeep->next_refresh_us = dht->now_us + REFRESH_S * DHT_SECOND_US;
        return;
    }
    uint32_t due_depth = UINT32_MAX;
    uint32_t deepest = refresh_depth_max(dht);
    for (uint32_t depth = 0; depth < dht->table.bucket_count && depth <= deepest; depth++) {
        uint32_t due_s = refresh_due_s(dht, depth);
        if (due_s <= now_s && due_depth == UINT32_MAX)
            due_depth = depth;
        else if (due_s < soonest_s)
            soonest_s = due_s > now_s ? due_s : now_s;
    }
    upkeep->next_refresh_us =
        dht->now_us + REFRESH_PAUSE_US + (int64_t)(soonest_s - now_s) * DHT_SECOND_US;
    if (due_depth == UINT32_MAX)
        return;
    struct dht_id target = dht_table_random_id(&dht->table, due_depth, &dht->random);
    dht->table.buckets[due_depth].touched_s = now_s;
    // What would come after the bucket is full is not worth its queries: others have room.
    bool fills = dht_table_wants(&dht->table, &target);
    start_lookup(dht, &target, fills, &upkeep->refresh_op);
}

static void survey(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    struct dht_id target;
    int64_t pause_us = upkeep->survey_pause_us * SURVEY_GROWTH;
    upkeep->survey_pause_us = earlier(pause_us, SURVEY_PAUSE_MOST_US);
    upkeep->next_survey_us = dht->now_us + jittered(dht, upkeep->survey_pause_us);
    dht_random_bytes(&dht->random, target.bytes, sizeof target.bytes);
    start_lookup(dht, &target, false, &upkeep->refresh_op);
}

// ---- newcomers ----

void dht_maintain_restore(struct dht *dht, const struct dht_id *id, const struct dht_addr *addr)
{
    struct dht_krpc_node node = {*id, *addr};
    dht_check_newcomer(dht, &node, dht->now_us);
    dht->upkeep.next_join_us = earlier(dht->upkeep.next_join_us, dht->now_us + DHT_SECOND_US);
    dht_maintain_hurry(dht, dht->upkeep.next_join_us);
}

// How long after its query a newcomer is asked back.
static int64_t newcomer_delay_us(const struct dht *dht)
{
    if (dht->config.lab)
        return 0;
    bool small = dht->table.count < DHT_TABLE_SMALL;
    return small ? NEWCOMER_DELAY_SMALL_US : NEWCOMER_DELAY_US;
}

void dht_maintain_newcomer(struct dht *dht, const struct dht_addr *from, const struct dht_krpc *msg)
{
    struct dht_krpc_node node = {.addr = *from};
    if (msg->read_only || msg->id.data == NULL)
        return;
    dht_reach_stranger(dht, from);
    memcpy(node.id.bytes, msg->id.data, sizeof node.id.bytes);
    struct dht_contact *contact = dht_table_find(&dht->table, &node.id, from);
    if (contact != NULL)
        dht_contact_heard(contact, dht_engine_now_s(dht));
    else if (dht_table_wants(&dht->table, &node.id))
        dht_check_asker(dht, &node, dht->now_us + newcomer_delay_us(dht));
}

// ---- the other family ----

void dht_maintain_other_family(struct dht *dht, const struct dht_krpc *msg)
{
    struct dht *sibling = dht->sibling;
    if (sibling == NULL || sibling->table.count >= DHT_TABLE_SMALL)
        return;
    struct dht_span nodes = dht->config.family == DHT_IPV4 ? msg->nodes6 : msg->nodes;
    size_t node_len = dht_engine_node_len(sibling);
    for (size_t i = 0; i < nodes.len / node_len && i < 8; i++) {
        struct dht_krpc_node node;
        dht_krpc_node(nodes, node_len, i, &node);
        if (!dht_engine_is_acceptable(sibling, &node.addr))
            continue;
        if (sibling->now_us < dht->now_us)
            sibling->now_us = dht->now_us;
        dht_check_newcomer(sibling, &node, sibling->now_us);
        sibling->upkeep.next_join_us =
            earlier(sibling->upkeep.next_join_us, sibling->now_us + 2 * DHT_SECOND_US);
        dht_maintain_hurry(sibling, sibling->upkeep.next_join_us);
    }
}

// ---- all of it ----

void dht_maintain_run(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    int64_t now_us = dht->now_us;
    dht_check_run(dht);
    if (upkeep->join_op == 0 && upkeep->next_join_us <= now_us)
        join(dht);
    if (upkeep->refresh_op == 0 && upkeep->next_refresh_us <= now_us)
        refresh(dht);
    if (upkeep->refresh_op == 0 && upkeep->next_survey_us <= now_us)
        survey(dht);
    if (upkeep->next_lost_us <= now_us)
        ask_lost(dht);
    if (upkeep->next_reach_us <= now_us)
        dht_reach_due(dht);
    if (upkeep->next_away_us <= now_us)
        dht_away_due(dht);
    int64_t due_us = next_due(dht);
    // What is overdue all the same waits for its own lookup to end; it must not make us spin.
    if (due_us <= now_us)
        due_us = now_us + OVERDUE_PAUSE_US;
    if (due_us != INT64_MAX)
        dht_timer_set(&dht->timers, &upkeep->timer, due_us);
}
