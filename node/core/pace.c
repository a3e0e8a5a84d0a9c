// SPDX-License-Identifier: MIT
#include "node/core/pace.h"

#include <string.h>

#define QUARTERS 4 // of renew_us

// ---- haste ----

static bool is_most(uint32_t found, uint32_t stored)
{
    return (uint64_t)found * 4 >= (uint64_t)stored * 3;
}

uint32_t core_pace_haste(uint32_t haste, const struct core_pace_reading *reading)
{
    uint64_t found = reading->found;
    if (reading->stored == 0)
        return haste;
    if (found * 4 < reading->stored)
        return CORE_PACE_HASTE_MAX;
    if (found * 2 < reading->stored)
        return haste + 2 < CORE_PACE_HASTE_MAX ? haste + 2 : CORE_PACE_HASTE_MAX;
    bool stays = is_most(reading->found, reading->stored) && !reading->is_early;
    return stays && haste > 0 ? haste - 1 : haste;
}

int64_t core_pace_interval_us(int64_t renew_us, uint32_t haste)
{
    int64_t least_us = renew_us < CORE_PACE_LEAST_US ? renew_us : CORE_PACE_LEAST_US;
    int64_t interval_us = renew_us / QUARTERS * (int64_t)(QUARTERS - haste);
    if (haste == 0)
        return renew_us;
    return interval_us > least_us ? interval_us : least_us;
}

// Whether other machines have entries in the record too.
static bool is_shared(const struct node *node, const struct core_publication *publication)
{
    const struct core_record *record = &publication->record;
    for (uint32_t i = 0; i < record->entry_count; i++)
        if (memcmp(record->entries[i].machine, node->machine, CORE_RECORD_MACHINE_LEN) != 0)
            return true;
    return false;
}

int64_t core_pace_longest_us(const struct node *node, const struct core_publication *publication)
{
    uint32_t haste = is_shared(node, publication) ? 0 : publication->haste;
    return core_pace_interval_us(node->config.renew_us, haste);
}

// Nodes that hold what was signed last, or something newer: they have not lost it.
static uint32_t count_held(const struct core_publication *publication)
{
    const struct core_lookup *lookup = &publication->lookup;
    bool is_newest = lookup->found && lookup->seq >= publication->seq;
    return publication->read_tally.own + (is_newest ? publication->read_tally.copies : 0);
}

void core_pace_read(const struct node *node, struct core_publication *publication)
{
    if (publication->read_tally.answered == 0)
        return; // nobody has said anything
    publication->copies = count_held(publication);
    int64_t age_us = node->now_us - publication->stored_us;
    struct core_pace_reading reading = {
        .stored = publication->tally.stored,
        .found = publication->copies,
        .is_early = age_us < core_pace_longest_us(node, publication) / 2,
    };
    publication->haste = core_pace_haste(publication->haste, &reading);
}

bool core_pace_is_kept(const struct core_publication *publication)
{
    return is_most(publication->copies, publication->tally.stored);
}

int64_t core_pace_renewal_us(struct node *node, const struct core_publication *publication)
{
    // A random tenth sooner, so that what was published together does not stay together.
    int64_t whole_us = core_pace_longest_us(node, publication);
    return whole_us - (int64_t)dht_random_below(&node->random, (uint64_t)whole_us / 10 + 1);
}
