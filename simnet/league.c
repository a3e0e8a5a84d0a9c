// SPDX-License-Identifier: MIT
#include "simnet/league.h"

#include "dht/id.h"
#include "simnet/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct simnet_league {
    struct simnet_league_member *members;
    uint64_t *heads; // of their ids: dense, since every answer scans them
    uint32_t count, capacity;
    uint32_t holders;
    struct simnet_league_item *items;
    uint32_t item_count;
    struct simnet_league_counters counters;
};

struct simnet_league *simnet_league_new(void)
{
    struct simnet_league *league = simnet_world_need(calloc(1, sizeof *league));
    league->holders = 1;
    return league;
}

struct simnet_league *simnet_league_hold(struct simnet_league *league)
{
    league->holders++;
    return league;
}

void simnet_league_drop(struct simnet_league *league)
{
    if (--league->holders > 0)
        return;
    free(league->members);
    free(league->heads);
    free(league->items);
    free(league);
}

void simnet_league_add(struct simnet_league *league, const struct dht_id *id,
                       const struct dht_addr *addr)
{
    if (league->count == league->capacity) {
        league->capacity = league->capacity == 0 ? 64 : 2 * league->capacity;
        league->members =
            simnet_world_need(realloc(league->members, league->capacity * sizeof *league->members));
        league->heads =
            simnet_world_need(realloc(league->heads, league->capacity * sizeof *league->heads));
    }
    league->heads[league->count] = dht_id_head(id);
    league->members[league->count++] = (struct simnet_league_member){*id, *addr};
}

struct simnet_league_counters *simnet_league_counters(struct simnet_league *league)
{
    return &league->counters;
}

size_t simnet_league_closest(const struct simnet_league *league, const struct dht_id *target,
                             uint8_t ip_len, size_t max, struct simnet_league_member *ret_members)
{
    uint64_t distances[32];
    uint64_t head = dht_id_head(target);
    size_t count = 0;
    assert(max > 0 && max <= 32);
    for (uint32_t i = 0; i < league->count; i++) {
        uint64_t distance = league->heads[i] ^ head;
        if (count == max && distance >= distances[count - 1])
            continue;
        if (league->members[i].addr.ip_len != ip_len)
            continue;
        size_t at = count < max ? count++ : count - 1;
        for (; at > 0 && distances[at - 1] > distance; at--) {
            distances[at] = distances[at - 1];
            ret_members[at] = ret_members[at - 1];
        }
        distances[at] = distance;
        ret_members[at] = league->members[i];
    }
    return count;
}

void simnet_league_keep(struct simnet_league *league, const struct simnet_league_item *item)
{
    if (league->item_count == SIMNET_LEAGUE_ITEMS_MAX ||
        simnet_league_item(league, &item->target) != NULL)
        return;
    if (league->items == NULL)
        league->items = simnet_world_need(malloc(SIMNET_LEAGUE_ITEMS_MAX * sizeof *league->items));
    league->items[league->item_count++] = *item;
}

const struct simnet_league_item *simnet_league_item(const struct simnet_league *league,
                                                    const struct dht_id *target)
{
    for (uint32_t i = 0; i < league->item_count; i++)
        if (dht_id_equal(&league->items[i].target, target))
            return &league->items[i];
    return NULL;
}
