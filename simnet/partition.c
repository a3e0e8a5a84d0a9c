// SPDX-License-Identifier: MIT
#include "simnet/partition.h"

#include "simnet/world.h"

#include <assert.h>
#include <stdlib.h>

struct partition {
    struct simnet_element element;
    uint64_t seed;
    bool is_split;
    enum simnet_partition_way way;
    double share;
    simnet_partition_group group; // NULL: by share
    void *ctx;
    struct plan *plans;
};

// A split to come, or one that was. Owned by its element.
struct plan {
    struct simnet_element *element;
    struct plan *next;
    double share;
    enum simnet_partition_way way;
    int64_t heal_us;
};

uint32_t simnet_partition_group_of(const struct simnet_element *element, uint32_t place)
{
    const struct partition *partition = (const struct partition *)element;
    if (partition->group != NULL)
        return partition->group(partition->ctx, place);
    uint64_t number = simnet_stream_pair(partition->seed, place, UINT64_C(0x67726f7570));
    return (double)number * 0x1p-64 < partition->share;
}

static bool is_cut(const struct partition *partition, const struct simnet_packet *packet)
{
    if (!partition->is_split || packet->place_to == SIMNET_PACKET_NOBODY)
        return false;
    uint32_t from = simnet_partition_group_of(&partition->element, packet->place_from);
    uint32_t to = simnet_partition_group_of(&partition->element, packet->place_to);
    switch (partition->way) {
    case SIMNET_PARTITION_UP:
        return from < to;
    case SIMNET_PARTITION_DOWN:
        return from > to;
    default:
        return from != to;
    }
}

static void forward(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet)
{
    if (is_cut((struct partition *)element, packet))
        simnet_element_drop(element, world, packet);
    else
        simnet_element_pass(element, world, packet);
}

static void free_partition(struct simnet_element *element)
{
    struct partition *partition = (struct partition *)element;
    while (partition->plans != NULL) {
        struct plan *plan = partition->plans;
        partition->plans = plan->next;
        free(plan);
    }
    free(partition);
}

struct simnet_element *simnet_partition_new(uint64_t seed)
{
    static const struct simnet_element_class class = {"partition", forward, free_partition};
    struct partition *partition = simnet_world_need(calloc(1, sizeof *partition));
    partition->element.class = &class;
    partition->seed = seed;
    return &partition->element;
}

void simnet_partition_split(struct simnet_element *element, double share,
                            enum simnet_partition_way way)
{
    assert(share >= 0 && share <= 1);
    struct partition *partition = (struct partition *)element;
    partition->is_split = true;
    partition->way = way;
    partition->share = share;
    partition->group = NULL;
}

void simnet_partition_split_by(struct simnet_element *element, simnet_partition_group group,
                               void *ctx, enum simnet_partition_way way)
{
    struct partition *partition = (struct partition *)element;
    partition->is_split = true;
    partition->way = way;
    partition->group = group;
    partition->ctx = ctx;
}

void simnet_partition_heal(struct simnet_element *element)
{
    ((struct partition *)element)->is_split = false;
}

bool simnet_partition_is_split(const struct simnet_element *element)
{
    return ((const struct partition *)element)->is_split;
}

static void heal_now(struct simnet_world *world, void *ctx, uint64_t number)
{
    (void)world;
    (void)number;
    simnet_partition_heal(ctx);
}

static void split_now(struct simnet_world *world, void *ctx, uint64_t number)
{
    (void)number;
    const struct plan *plan = ctx;
    simnet_partition_split(plan->element, plan->share, plan->way);
    simnet_world_at(world, plan->heal_us, heal_now, plan->element, 0);
}

void simnet_partition_plan(struct simnet_element *element, struct simnet_world *world, double share,
                           enum simnet_partition_way way, int64_t split_us, int64_t heal_us)
{
    struct plan *plan = simnet_world_need(malloc(sizeof *plan));
    struct partition *partition = (struct partition *)element;
    *plan = (struct plan){element, partition->plans, share, way, heal_us};
    partition->plans = plan;
    simnet_world_at(world, split_us, split_now, plan, 0);
}
