// SPDX-License-Identifier: MIT
#include "dht/explore.h"

#include "dht/id.h"
#include "dht/query.h"
#include "dht/region.h"
#include "dht/search.h"

#include <assert.h>

#define CORE_SHARE 8 // the innermost part of the region, where who was packed there stands

static bool has_reason(const struct dht *dht, const struct dht_op *op)
{
    if (op->lookup.region == 0 || op->explored >= DHT_EXPLORE_MAX ||
        op->barren >= DHT_EXPLORE_BARREN)
        return false;
    return dht_region_density(&op->lookup, op->nodes, op->doubt).is_suspect ||
           dht_region_is_thin(&op->lookup, dht->config.store_width);
}

// The closest that has answered, was not asked before, and does not stand in the core.
static uint16_t next_guide(const struct dht_lookup *lookup)
{
    for (uint16_t rank = 0; rank < lookup->count; rank++) {
        uint16_t index = lookup->order[rank];
        const struct dht_candidate *candidate = &lookup->candidates[index];
        uint64_t distance = dht_id_distance64(&candidate->id, &lookup->target);
        if (candidate->state == DHT_CANDIDATE_ANSWERED && !candidate->explored &&
            distance > lookup->region / CORE_SHARE)
            return index;
    }
    return DHT_LOOKUP_NONE;
}

// A point of the region. Half of all points lie in its outer half, and so on.
static struct dht_id draw_point(struct dht *dht, const struct dht_lookup *lookup)
{
    uint64_t below = lookup->region < UINT64_MAX ? lookup->region + 1 : UINT64_MAX;
    return dht_region_point(&lookup->target, 0, below, &dht->random);
}

// Asks a candidate for those next to a point. False where it cannot be asked now.
static bool ask(struct dht *dht, struct dht_op *op, uint16_t index, const struct dht_id *point)
{
    const struct dht_candidate *guide = &op->lookup.candidates[index];
    struct dht_query query = {
        .method = DHT_KRPC_FIND_NODE,
        .purpose = DHT_PURPOSE_EXPLORE,
        .addr = &guide->addr,
        .id = &guide->id,
        .target = point,
        .op = op->id,
        .candidate = index,
        .rtt_us = guide->rtt_us,
        .seq_known = DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
    };
    bool sent = dht_query_send(dht, &query) != NULL;
    op->exploring += sent;
    return sent;
}

bool dht_explore(struct dht *dht, struct dht_op *op)
{
    if (op->exploring >= dht->config.in_flight || !has_reason(dht, op))
        return false;
    uint16_t index = next_guide(&op->lookup);
    if (index == DHT_LOOKUP_NONE)
        return false;
    struct dht_id point = draw_point(dht, &op->lookup);
    op->lookup.candidates[index].explored = 1;
    op->explored++;
    return ask(dht, op, index, &point);
}

void dht_explore_neighbours(struct dht *dht, struct dht_op *op)
{
    uint16_t closest[DHT_EXPLORE_CLOSEST];
    size_t count = dht_lookup_front(&op->lookup, DHT_EXPLORE_CLOSEST, closest);
    for (size_t i = 0; i < count; i++) {
        struct dht_candidate *candidate = &op->lookup.candidates[closest[i]];
        if (candidate->state != DHT_CANDIDATE_ANSWERED || candidate->has_named ||
            op->probed >= DHT_EXPLORE_NEIGHBOUR_MAX)
            continue;
        candidate->has_named = 1;
        op->probed++;
        ask(dht, op, closest[i], &op->lookup.target);
    }
}

// The operation that explores still, or NULL.
static struct dht_op *waiting_op(const struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_op *op = dht_op_find(&dht->ops, transaction->op);
    return op != NULL && op->state == DHT_OP_LOOKUP ? op : NULL;
}

// A late one has been counted out already.
static void count_out(struct dht_op *op, const struct dht_transaction *transaction)
{
    if (transaction->state == DHT_TRANSACTION_LATE)
        return;
    assert(op->exploring > 0);
    op->exploring--;
}

static uint32_t count_region(const struct dht_lookup *lookup)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < lookup->count; i++)
        count += dht_id_distance64(&lookup->candidates[i].id, &lookup->target) <= lookup->region;
    return count;
}

void dht_explore_reply(struct dht *dht, const struct dht_transaction *transaction,
                       const struct dht_krpc *msg)
{
    struct dht_op *op = waiting_op(dht, transaction);
    if (op == NULL)
        return;
    uint32_t before = count_region(&op->lookup);
    count_out(op, transaction);
    dht_search_take_nodes(dht, op, transaction->candidate, msg);
    // A reply without contacts was made smaller (dht/search.c), and says nothing.
    bool has_told = msg->nodes.data != NULL || msg->nodes6.data != NULL;
    if (op->explored == 0) // it was neighbours of the target that were asked for
        op->neighbourly += has_told;
    else if (has_told)
        op->barren = count_region(&op->lookup) > before ? 0 : (uint8_t)(op->barren + 1);
    dht_search_step(dht, op);
}

void dht_explore_failed(struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_op *op = waiting_op(dht, transaction);
    if (op == NULL || transaction->state == DHT_TRANSACTION_LATE)
        return;
    count_out(op, transaction);
    dht_search_step(dht, op);
}
