// SPDX-License-Identifier: MIT
#include "dht/search.h"

#include "dht/addr.h"
#include "dht/explore.h"
#include "dht/found.h"
#include "dht/id.h"
#include "dht/maintain.h"
#include "dht/query.h"
#include "dht/region.h"
#include "dht/store.h"
#include "dht/watch.h"

#include <assert.h>
#include <string.h>

#define NAMED_MAX       20 // contacts read from one reply
#define ASK_DEAF_ONE_IN 8  // lookups
#define FRINGE          8  // nodes beyond a region that are asked for it
#define BEYOND          16 // how far beyond, in regions, those are that a lookup may start with
#define NEIGHBOURLY     2  // of the closest that have to tell who stands next to them

static void count_offer(struct dht *dht, enum dht_lookup_offer verdict)
{
    if (verdict == DHT_LOOKUP_DROPPED)
        DHT_COUNT(dht, candidates_dropped);
    if (verdict == DHT_LOOKUP_REFUSED)
        DHT_COUNT(dht, candidates_refused);
}

static bool wants_get(const struct dht_op *op)
{
    return op->kind == DHT_OP_GET || op->kind == DHT_OP_PUT;
}

// What the table knows of the node. That it does not speak get may have been a matter of lost
// datagrams, and nodes learn: now and then it is asked again.
static enum dht_has_get known_has_get(struct dht *dht, const struct dht_op *op,
                                      const struct dht_contact *contact)
{
    if (contact == NULL)
        return DHT_HAS_GET_UNKNOWN;
    bool again = contact->has_get == DHT_HAS_GET_NO && wants_get(op) &&
                 dht_random_below(&dht->random, ASK_DEAF_ONE_IN) == 0;
    return again ? DHT_HAS_GET_UNKNOWN : (enum dht_has_get)contact->has_get;
}

static void offer(struct dht *dht, struct dht_op *op, const struct dht_krpc_node *node,
                  uint32_t depth, uint16_t namer)
{
    struct dht_candidate newcomer = {
        .id = node->id,
        .addr = node->addr,
        .depth = (uint8_t)(depth < UINT8_MAX ? depth : UINT8_MAX),
        .namer = namer,
    };
    uint16_t index;
    enum dht_lookup_offer verdict = dht_lookup_offer(&op->lookup, &newcomer, &index);
    count_offer(dht, verdict);
    if (verdict != DHT_LOOKUP_ADDED)
        return;
    // Only now, for most that a reply names are listed already.
    struct dht_candidate *candidate = &op->lookup.candidates[index];
    const struct dht_contact *contact = dht_table_find(&dht->table, &node->id, &node->addr);
    candidate->rtt_us = contact != NULL ? contact->rtt_us : 0;
    candidate->has_get = (uint8_t)known_has_get(dht, op, contact);
    candidate->is_secure = dht->config.lab || dht_id_fits(&node->id, &node->addr);
}

static void offer_named(struct dht *dht, struct dht_op *op, const struct dht_krpc_node *node,
                        uint32_t depth, uint16_t namer)
{
    if (dht_id_equal(&node->id, &dht->id) || !dht_engine_is_acceptable(dht, &node->addr)) {
        DHT_COUNT(dht, candidates_refused);
        return;
    }
    offer(dht, op, node, depth, namer);
}

void dht_search_offer(struct dht *dht, struct dht_op *op, const struct dht_krpc_node *node,
                      uint32_t depth)
{
    offer_named(dht, op, node, depth, 0);
}

static void offer_contact(struct dht *dht, struct dht_op *op, struct dht_contact_ref contact)
{
    struct dht_krpc_node node = {dht_contact_id(contact),
                                 dht_contact_addr(contact.contact, dht->table.contact_len)};
    offer(dht, op, &node, 1, 0);
}

// Who has looked here before has met those that are packed around the target, and has them as
// contacts: in the end they are all that it starts with, and they name nobody else. So, where
// hardly any of its contacts lie beyond the region, it starts with such ones too, next to points
// that are drawn, so that nobody can stand there in time.
static void offer_beyond(struct dht *dht, struct dht_op *op)
{
    struct dht_contact_ref contact;
    uint64_t region = op->lookup.region;
    uint64_t below = region < UINT64_MAX / BEYOND ? BEYOND * region : UINT64_MAX;
    if (region == 0 || region == UINT64_MAX || dht_lookup_own_beyond(&op->lookup) >= FRINGE)
        return;
    for (int i = 0; i < FRINGE; i++) {
        struct dht_id point = dht_region_point(&op->lookup.target, region, below, &dht->random);
        if (dht_table_closest(&dht->table, &point, 1, &contact) > 0)
            offer_contact(dht, op, contact);
    }
}

// The lookup goes on until the whole region has answered.
static void widen(struct dht *dht, struct dht_op *op)
{
    uint64_t radius = dht_region_radius(op->nodes, dht->config.store_width);
    op->widened = true;
    dht_lookup_widen(&op->lookup, radius, dht->config.store_width, radius > 0 ? FRINGE : 0);
    offer_beyond(dht, op);
}

static bool is_to_store(const struct dht_op *op)
{
    return op->kind == DHT_OP_PUT || op->kind == DHT_OP_ANNOUNCE || op->hold;
}

// How far from a target those lie that an item is stored on; 0 where the network's size is not
// known, or it is so small that everybody is.
static uint64_t near_enough(const struct dht *dht, double nodes)
{
    uint32_t wanted = dht->config.store_width;
    return nodes < 2.0 * wanted ? 0 : dht_region_radius(nodes, wanted);
}

void dht_search_start(struct dht *dht, struct dht_op *op, const struct dht_id *target,
                      uint32_t width)
{
    dht_search_begin(dht, op, target, width);
    dht_search_go(dht, op);
}

void dht_search_begin(struct dht *dht, struct dht_op *op, const struct dht_id *target,
                      uint32_t width)
{
    op->state = DHT_OP_LOOKUP;
    dht_lookup_init(&op->lookup, &dht->config, target, width);
    op->nodes = dht_estimate_nodes(&dht->estimate, dht_engine_now_s(dht));
    op->doubt = dht_estimate_doubt(&dht->estimate, dht_engine_now_s(dht));
}

void dht_search_go(struct dht *dht, struct dht_op *op)
{
    struct dht_contact_ref contacts[DHT_CLOSEST_MAX];
    const struct dht_id *target = &op->lookup.target;
    size_t count = dht_table_closest(&dht->table, target, DHT_CLOSEST_MAX, contacts);
    for (size_t i = 0; i < count; i++)
        offer_contact(dht, op, contacts[i]);
    if (is_to_store(op)) {
        op->lookup.secure_width = (uint16_t)dht->config.lookup_width;
        widen(dht, op);
    }
    dht_table_touch(&dht->table, target, dht_engine_now_s(dht));
    dht_found_own(dht, op);
    if (op->kind == DHT_OP_GET && op->best == NULL)
        dht_lookup_hurry(&op->lookup, near_enough(dht, op->nodes), (uint32_t)dht->rtt_us);
    dht_search_step(dht, op);
}

// ---- asking ----

// In turns get and find_node, until it is known whether the node speaks BEP 44 (quirk Q6).
static enum dht_krpc_method method_for(const struct dht_op *op,
                                       const struct dht_candidate *candidate)
{
    if (op->kind == DHT_OP_FIND_NODE)
        return DHT_KRPC_FIND_NODE;
    if (!wants_get(op))
        return DHT_KRPC_GET_PEERS;
    if (candidate->has_get == DHT_HAS_GET_YES)
        return DHT_KRPC_GET;
    if (candidate->has_get == DHT_HAS_GET_NO)
        return DHT_KRPC_FIND_NODE;
    return candidate->tries % 2 == 0 ? DHT_KRPC_GET : DHT_KRPC_FIND_NODE;
}

static bool ask(struct dht *dht, struct dht_op *op, uint16_t index)
{
    const struct dht_candidate *candidate = &op->lookup.candidates[index];
    struct dht_query query = {
        .method = method_for(op, candidate),
        .purpose = DHT_PURPOSE_LOOKUP,
        .addr = &candidate->addr,
        .id = &candidate->id,
        .target = &op->lookup.target,
        .op = op->id,
        .candidate = index,
        .rtt_us = candidate->rtt_us,
        .seq_known = op->kind == DHT_OP_GET ? op->seq_known : DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
        .want_both = dht->sibling != NULL && op->internal && op->watch == 0,
    };
    if (candidate->trimmed)
        query.token = dht_lookup_token(&op->lookup, index);
    return dht_query_send(dht, &query) != NULL;
}

static bool is_suspect(const struct dht_op *op)
{
    return dht_region_density(&op->lookup, op->nodes, op->doubt).is_suspect;
}

// The first few to tell will do.
static bool waits_for_neighbours(const struct dht_op *op)
{
    return op->exploring > 0 && op->neighbourly < NEIGHBOURLY;
}

static bool is_settled(const struct dht *dht, const struct dht_op *op)
{
    if (op->fills)
        return !dht_table_wants(&dht->table, &op->lookup.target);
    if (op->settle == 0 || op->best == NULL || !dht_lookup_is_settled(&op->lookup, op->settle))
        return false;
    // Agreement of the closest says nothing where they have come to stand there together, or before
    // they have said who stands next to them. (One that is asked to settle at once does not care.)
    if (op->settle > 1 && (waits_for_neighbours(op) || is_suspect(op)))
        return false;
    struct dht_tally tally;
    dht_search_count_holders(op, &tally);
    bool is_owed = op->best->item.is_mutable && dht_lookup_is_owed(&op->lookup, op->best->item.seq);
    return tally.others == 0 && !is_owed;
}

static void end_lookup(struct dht *dht, struct dht_op *op, bool ended_early)
{
    uint64_t distances[DHT_ESTIMATE_CLOSEST];
    uint16_t closest[DHT_ESTIMATE_CLOSEST];
    size_t count = dht_lookup_answered(&op->lookup, DHT_ESTIMATE_CLOSEST, false, closest);
    for (size_t i = 0; i < count; i++)
        distances[i] = dht_id_distance64(&op->lookup.candidates[closest[i]].id, &op->lookup.target);
    if (!ended_early && !op->curtailed && count == DHT_ESTIMATE_CLOSEST)
        dht_estimate_add(&dht->estimate, &op->lookup.target, distances, dht_engine_now_s(dht));
    if (op->kind == DHT_OP_PUT || op->kind == DHT_OP_ANNOUNCE)
        dht_store_start(dht, op);
    else
        dht_search_finish(dht, op, ended_early);
}

static bool found_nothing(const struct dht_op *op)
{
    if (op->kind == DHT_OP_GET_PEERS)
        return op->peer_count == 0;
    struct dht_tally tally;
    dht_search_count_holders(op, &tally);
    return op->kind == DHT_OP_GET && op->best == NULL && tally.copies + tally.own == 0;
}

// The lookup is done, as far as it was to go. Whether there is reason to go on, and somebody to
// ask.
static bool goes_on(struct dht *dht, struct dht_op *op)
{
    if ((op->internal && op->watch == 0) || op->kind == DHT_OP_FIND_NODE)
        return false;
    if (op->widened)
        return dht_explore(dht, op);
    // Who goes to the end wants to know that there is nothing newer, as far as anybody can.
    bool wants_all = op->settle == 0 && op->kind == DHT_OP_GET;
    if (!wants_all && !found_nothing(op) && (op->settle == 1 || !is_suspect(op)))
        return false;
    widen(dht, op);
    return true;
}

static void ask_next(struct dht *dht, struct dht_op *op)
{
    uint16_t index;
    while ((index = dht_lookup_next(&op->lookup)) != DHT_LOOKUP_NONE) {
        // Who cannot be asked, our own queues being full, must not hold up the end.
        bool asked = ask(dht, op, index);
        dht_lookup_enter(&op->lookup, index, asked ? DHT_CANDIDATE_ASKED : DHT_CANDIDATE_DEAD);
    }
}

// An operation for the first answer there is does not wait for anybody's neighbours; and where the
// size of the network is not known, they would tell nothing.
static bool cares_for_neighbours(const struct dht_op *op)
{
    return op->kind == DHT_OP_GET && op->settle != 1 && !op->internal && op->doubt > 0;
}

void dht_search_step(struct dht *dht, struct dht_op *op)
{
    assert(op->state == DHT_OP_LOOKUP);
    if (cares_for_neighbours(op))
        dht_explore_neighbours(dht, op);
    if (is_settled(dht, op)) {
        end_lookup(dht, op, !dht_lookup_is_done(&op->lookup));
        return;
    }
    do
        ask_next(dht, op);
    while (dht_lookup_is_done(&op->lookup) && goes_on(dht, op));
    if (dht_lookup_is_done(&op->lookup) && op->exploring == 0)
        end_lookup(dht, op, false);
}

// ---- answers ----

// The candidate that was asked, where its operation's lookup still waits for this transaction; or
// NULL.
static struct dht_candidate *waiting_candidate(const struct dht *dht,
                                               const struct dht_transaction *transaction,
                                               struct dht_op **ret_op)
{
    struct dht_op *op = dht_op_find(&dht->ops, transaction->op);
    if (op == NULL || op->state != DHT_OP_LOOKUP)
        return NULL;
    assert(transaction->candidate < op->lookup.count);
    struct dht_candidate *candidate = &op->lookup.candidates[transaction->candidate];
    assert(dht_addr_equal(&candidate->addr, &transaction->addr));
    *ret_op = op;
    return candidate;
}

static void emit_hop(struct dht *dht, const struct dht_op *op,
                     const struct dht_transaction *transaction, enum dht_hop_result result,
                     uint32_t named)
{
    if (!op->trace)
        return;
    const struct dht_candidate *candidate = &op->lookup.candidates[transaction->candidate];
    dht_engine_emit(dht, &(struct dht_out){
                             .type = DHT_OUT_HOP,
                             .op = op->id,
                             .hop = {.addr = candidate->addr,
                                     .id = candidate->id,
                                     .result = result,
                                     .rtt_us = result == DHT_HOP_SILENT
                                                   ? -1
                                                   : (int32_t)(dht->now_us - transaction->sent_us),
                                     .depth = candidate->depth,
                                     .named = named},
                         });
}

// Offers the contacts of the reply; returns how many there were. More than 20 are not read: nobody
// names more (quirk Q5: 8 is the norm, Rust sends 20), and a flood of names must not push out the
// others.
uint32_t dht_search_take_nodes(struct dht *dht, struct dht_op *op, uint16_t from,
                               const struct dht_krpc *msg)
{
    size_t node_len = dht_engine_node_len(dht);
    struct dht_span nodes = dht->config.family == DHT_IPV4 ? msg->nodes : msg->nodes6;
    size_t count = nodes.len / node_len;
    uint32_t depth = op->lookup.candidates[from].depth + 1u;
    op->lookup.candidates[from].has_named |= count > 0;
    for (size_t i = 0; i < count && i < NAMED_MAX; i++) {
        struct dht_krpc_node node;
        dht_krpc_node(nodes, node_len, i, &node);
        offer_named(dht, op, &node, depth, (uint16_t)(from + 1));
    }
    return (uint32_t)count;
}

static void take_token(struct dht_op *op, uint16_t index, const struct dht_krpc *msg)
{
    struct dht_candidate *candidate = &op->lookup.candidates[index];
    // Who gave a token with a reply that it made smaller may say only now that it is full.
    if (msg->token.data == NULL && candidate->trimmed)
        candidate->token_len = 0;
    if (msg->token.data != NULL && msg->token.len <= DHT_LOOKUP_TOKEN_MAX)
        dht_lookup_take_token(&op->lookup, index, msg->token);
}

static void learn_has_get(struct dht *dht, struct dht_candidate *candidate,
                          enum dht_has_get has_get)
{
    candidate->has_get = (uint8_t)has_get;
    struct dht_contact *contact = dht_table_find(&dht->table, &candidate->id, &candidate->addr);
    if (contact != NULL)
        contact->has_get = (uint8_t)has_get;
}

// A node that may not send us more than so many bytes, since it does not know yet that we are where
// we seem to be (behind a shared address there are many of us), leaves out first what is long. Such
// a reply denies nothing, and its token proves us. Contacts are left out by nobody else; `seq`
// alone is sent to who has the item.
static bool is_trimmed(const struct dht_op *op, const struct dht_krpc *msg)
{
    if (msg->token.data == NULL || msg->token.len == 0 || msg->token.len > DHT_LOOKUP_TOKEN_MAX ||
        msg->value.data != NULL || msg->values.data != NULL)
        return false;
    int64_t seq_known = op->kind == DHT_OP_GET ? op->seq_known : DHT_SEQ_NONE;
    bool is_news = msg->has_seq && (seq_known == DHT_SEQ_NONE || msg->seq > seq_known);
    return (wants_get(op) && is_news) || (msg->nodes.data == NULL && msg->nodes6.data == NULL);
}

// A lookup of our own upkeep only wants to meet nodes, and whoever answers in full names some. Not
// so the one of our own id, which has to find all our neighbours, nor one for what is watched.
static bool only_explores(const struct dht *dht, const struct dht_op *op)
{
    return op->internal && op->kind == DHT_OP_FIND_NODE &&
           !dht_id_equal(&op->lookup.target, &dht->id);
}

// Whether the candidate, whose reply this is, is to be asked again with the token: once.
static bool asks_for_rest(struct dht *dht, struct dht_op *op, uint16_t index,
                          const struct dht_krpc *msg)
{
    struct dht_candidate *candidate = &op->lookup.candidates[index];
    if (candidate->trimmed || candidate->tries >= DHT_LOOKUP_TRIES_MAX || !is_trimmed(op, msg))
        return false;
    if (only_explores(dht, op)) {
        op->curtailed = true;
        return false;
    }
    DHT_COUNT(dht, trimmed_asks);
    take_token(op, index, msg); // of find_node, which has none otherwise
    candidate->trimmed = 1;
    return true;
}

// Where a candidate goes that has just replied.
static enum dht_candidate_state after_reply(const struct dht_op *op,
                                            const struct dht_candidate *candidate,
                                            const struct dht_transaction *transaction)
{
    bool wrong_half = wants_get(op) && transaction->method == DHT_KRPC_FIND_NODE &&
                      candidate->has_get == DHT_HAS_GET_UNKNOWN;
    return wrong_half && candidate->tries < DHT_LOOKUP_TRIES_MAX ? DHT_CANDIDATE_RETRY
                                                                 : DHT_CANDIDATE_ANSWERED;
}

void dht_search_reply(struct dht *dht, const struct dht_transaction *transaction,
                      const struct dht_krpc *msg)
{
    struct dht_op *op;
    uint16_t index = transaction->candidate;
    struct dht_candidate *candidate = waiting_candidate(dht, transaction, &op);
    if (candidate == NULL || candidate->state == DHT_CANDIDATE_DEAD)
        return;
    uint32_t named = dht_search_take_nodes(dht, op, index, msg);
    candidate = &op->lookup.candidates[index]; // where they are now that there are more of them
    bool found = false;
    candidate->spoke = 1;
    if (transaction->method == DHT_KRPC_GET) {
        learn_has_get(dht, candidate, DHT_HAS_GET_YES);
        take_token(op, index, msg);
        found = dht_found_item(dht, op, index, msg, &transaction->addr);
        if (op->best != NULL || candidate->holds == DHT_FOUND_HOLDS_OWN)
            dht_lookup_calm(&op->lookup);
    } else if (transaction->method == DHT_KRPC_GET_PEERS) {
        take_token(op, index, msg);
        found = dht_found_peers(dht, op, msg, &transaction->addr);
    }
    emit_hop(dht, op, transaction, found ? DHT_HOP_FOUND : DHT_HOP_ANSWERED, named);
    if (asks_for_rest(dht, op, index, msg)) {
        dht_lookup_enter(&op->lookup, index, DHT_CANDIDATE_RETRY);
        if (msg->has_seq && msg->seq >= 0)
            dht_lookup_owes(&op->lookup, index, msg->seq);
    } else if (candidate->state != DHT_CANDIDATE_ANSWERED) {
        dht_lookup_enter(&op->lookup, index, after_reply(op, candidate, transaction));
        if (candidate->is_near && candidate->state == DHT_CANDIDATE_ANSWERED)
            dht_store_near(dht, op, index);
    }
    dht_search_step(dht, op);
}

void dht_search_error(struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_op *op;
    struct dht_candidate *candidate = waiting_candidate(dht, transaction, &op);
    if (candidate == NULL || candidate->state == DHT_CANDIDATE_DEAD)
        return;
    emit_hop(dht, op, transaction, DHT_HOP_ERROR, 0);
    // A node that refuses get may still know its neighbours.
    bool refuses_get =
        transaction->method == DHT_KRPC_GET && candidate->has_get == DHT_HAS_GET_UNKNOWN;
    if (refuses_get)
        learn_has_get(dht, candidate, DHT_HAS_GET_NO);
    // Nor is one dead that has answered and does not like our echo.
    enum dht_candidate_state next =
        candidate->trimmed ? DHT_CANDIDATE_ANSWERED : DHT_CANDIDATE_DEAD;
    if (candidate->state != DHT_CANDIDATE_ANSWERED)
        dht_lookup_enter(&op->lookup, transaction->candidate,
                         refuses_get ? DHT_CANDIDATE_RETRY : next);
    dht_search_step(dht, op);
}

void dht_search_silent(struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_op *op;
    uint16_t index = transaction->candidate;
    struct dht_candidate *candidate = waiting_candidate(dht, transaction, &op);
    if (candidate == NULL)
        return;
    dht_lookup_soft_timeout(&op->lookup, index);
    if (candidate->state == DHT_CANDIDATE_SILENT)
        emit_hop(dht, op, transaction, DHT_HOP_SILENT, 0);
    // It has answered find_node alone, however often it was asked.
    if (candidate->state == DHT_CANDIDATE_ANSWERED && wants_get(op) &&
        candidate->has_get == DHT_HAS_GET_UNKNOWN)
        learn_has_get(dht, candidate, DHT_HAS_GET_NO);
    dht_search_step(dht, op);
}

void dht_search_dead(struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_op *op;
    struct dht_candidate *candidate = waiting_candidate(dht, transaction, &op);
    if (candidate == NULL || candidate->state == DHT_CANDIDATE_ANSWERED)
        return;
    emit_hop(dht, op, transaction, DHT_HOP_SILENT, 0);
    dht_lookup_enter(&op->lookup, transaction->candidate, DHT_CANDIDATE_DEAD);
    dht_search_step(dht, op);
}

void dht_search_other_id(struct dht *dht, const struct dht_transaction *transaction,
                         const struct dht_id *shown)
{
    struct dht_op *op;
    struct dht_candidate *candidate = waiting_candidate(dht, transaction, &op);
    if (candidate == NULL || candidate->state == DHT_CANDIDATE_DEAD)
        return;
    uint32_t depth = candidate->depth;
    emit_hop(dht, op, transaction, DHT_HOP_SILENT, 0);
    candidate->spoke = 0;
    candidate->holds = 0;
    candidate->token_len = 0;
    dht_lookup_enter(&op->lookup, transaction->candidate, DHT_CANDIDATE_DEAD);
    // Slandered, maybe: a node that our table knows by this id, or that somebody has named by
    // another id than we took, is asked under it. (Not every id that turns up: who changes it for
    // each query would have us ask for ever.)
    struct dht_krpc_node node = {*shown, transaction->addr};
    if (candidate->disputed || dht_table_find(&dht->table, shown, &transaction->addr) != NULL)
        dht_search_offer(dht, op, &node, depth);
    dht_search_step(dht, op);
}

// ---- ending ----

void dht_search_finish(struct dht *dht, struct dht_op *op, bool ended_early)
{
    uint32_t id = op->id;
    struct dht_out done = {
        .type = DHT_OUT_DONE,
        .op = id,
        .done = {.tally = dht_search_tally(op), .rtt_us = -1, .ended_early = ended_early},
    };
    bool hold = op->hold && op->state == DHT_OP_LOOKUP;
    bool internal = op->internal;
    bool unanswered = done.done.tally.asked > 0 && done.done.tally.answered == 0;
    bool is_watch = op->watch != 0;
    if (is_watch)
        dht_watch_looked(dht, op);
    if (hold)
        op->state = DHT_OP_HELD;
    else
        dht_op_close(&dht->ops, op);
    if (internal && !is_watch)
        dht_maintain_op_ended(dht, id, &done.done.tally);
    else if (!internal)
        dht_engine_emit(dht, &done);
    if (unanswered)
        dht_maintain_unanswered(dht);
}

void dht_search_abandon(struct dht *dht, uint32_t op)
{
    uint32_t cursor = 0;
    struct dht_transaction *transaction;
    while ((transaction = dht_transaction_walk(&dht->transactions, &cursor)) != NULL)
        if (transaction->op == op)
            dht_transaction_close(&dht->transactions, &dht->timers, transaction);
}
