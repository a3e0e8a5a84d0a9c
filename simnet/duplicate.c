// SPDX-License-Identifier: MIT
#include "simnet/duplicate.h"

#include "simnet/world.h"

#include <assert.h>
#include <stdlib.h>

struct duplicate {
    struct simnet_element element;
    struct simnet_stream stream;
    double rate;
    int64_t later_us;
    uint64_t copies;
};

static void forward(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet)
{
    struct duplicate *duplicate = (struct duplicate *)element;
    if (simnet_stream_chance(&duplicate->stream, duplicate->rate)) {
        uint64_t bound = (uint64_t)duplicate->later_us + 1;
        int64_t later_us = (int64_t)simnet_stream_below(&duplicate->stream, bound);
        duplicate->copies++;
        simnet_element_delay(element, world, simnet_world_copy(world, packet),
                             simnet_world_now(world) + later_us);
    }
    simnet_element_pass(element, world, packet);
}

static void free_duplicate(struct simnet_element *element)
{
    free(element);
}

void simnet_duplicate_set(struct simnet_element *element, double rate, int64_t later_us)
{
    assert(rate >= 0 && rate <= 1 && later_us >= 0);
    struct duplicate *duplicate = (struct duplicate *)element;
    duplicate->rate = rate;
    duplicate->later_us = later_us;
}

struct simnet_element *simnet_duplicate_new(uint64_t seed, double rate, int64_t later_us)
{
    static const struct simnet_element_class class = {"duplicate", forward, free_duplicate};
    struct duplicate *duplicate = simnet_world_need(calloc(1, sizeof *duplicate));
    duplicate->element.class = &class;
    simnet_stream_init(&duplicate->stream, seed, "duplicate", 0);
    simnet_duplicate_set(&duplicate->element, rate, later_us);
    return &duplicate->element;
}

uint64_t simnet_duplicate_copies(const struct simnet_element *element)
{
    return ((const struct duplicate *)element)->copies;
}
