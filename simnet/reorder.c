// SPDX-License-Identifier: MIT
#include "simnet/reorder.h"

#include "simnet/world.h"

#include <assert.h>
#include <stdlib.h>

struct reorder {
    struct simnet_element element;
    struct simnet_stream stream;
    double rate;
    int64_t held_us;
    uint64_t held;
};

static void forward(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet)
{
    struct reorder *reorder = (struct reorder *)element;
    if (!simnet_stream_chance(&reorder->stream, reorder->rate)) {
        simnet_element_pass(element, world, packet);
        return;
    }
    reorder->held++;
    simnet_element_delay(element, world, packet, simnet_world_now(world) + reorder->held_us);
}

static void free_reorder(struct simnet_element *element)
{
    free(element);
}

void simnet_reorder_set(struct simnet_element *element, double rate, int64_t held_us)
{
    assert(rate >= 0 && rate <= 1 && held_us >= 0);
    struct reorder *reorder = (struct reorder *)element;
    reorder->rate = rate;
    reorder->held_us = held_us;
}

struct simnet_element *simnet_reorder_new(uint64_t seed, double rate, int64_t held_us)
{
    static const struct simnet_element_class class = {"reorder", forward, free_reorder};
    struct reorder *reorder = simnet_world_need(calloc(1, sizeof *reorder));
    reorder->element.class = &class;
    simnet_stream_init(&reorder->stream, seed, "reorder", 0);
    simnet_reorder_set(&reorder->element, rate, held_us);
    return &reorder->element;
}

uint64_t simnet_reorder_held(const struct simnet_element *element)
{
    return ((const struct reorder *)element)->held;
}
