// SPDX-License-Identifier: MIT
// What has come of a search, counted over its candidates.
#include "dht/found.h"
#include "dht/region.h"
#include "dht/search.h"

void dht_search_count_holders(const struct dht_op *op, struct dht_tally *tally)
{
    tally->copies = op->own_holds != 0 && op->own_holds == op->best_generation;
    tally->own = op->own_holds == DHT_FOUND_HOLDS_OWN;
    tally->others = 0;
    for (uint16_t i = 0; i < op->lookup.count; i++) {
        uint8_t holds = op->lookup.candidates[i].holds;
        bool is_own = holds == DHT_FOUND_HOLDS_OWN;
        tally->own += is_own;
        tally->copies += holds != 0 && holds == op->best_generation;
        tally->others += holds != 0 && !is_own && holds != op->best_generation;
    }
}

struct dht_tally dht_search_tally(const struct dht_op *op)
{
    struct dht_tally tally = {.targets = op->target_count};
    for (uint16_t i = 0; i < op->lookup.count; i++) {
        const struct dht_candidate *candidate = &op->lookup.candidates[i];
        tally.asked += candidate->tries > 0;
        tally.answered += candidate->spoke;
        if (candidate->spoke && candidate->depth > tally.hops)
            tally.hops = candidate->depth;
    }
    dht_search_count_holders(op, &tally);
    struct dht_density density = dht_region_density(&op->lookup, op->nodes, op->doubt);
    tally.density = op->doubt == DHT_ESTIMATE_DOUBT ? density.percent : 0;
    tally.suspect = density.is_suspect;
    for (uint8_t i = 0; i < op->target_count; i++) {
        tally.stored += op->targets[i].state == DHT_STORE_STORED;
        tally.refused += op->targets[i].state == DHT_STORE_REFUSED;
    }
    return tally;
}
