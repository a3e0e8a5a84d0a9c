// SPDX-License-Identifier: MIT
#include "simnet/burst.h"

#include "simnet/world.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define WAYS_BITS 16
#define WAYS      (1u << WAYS_BITS)

struct way {
    int64_t seen_us; // when its state was drawn last; 0: never
    bool is_bad;
};

struct burst {
    struct simnet_element element;
    struct simnet_stream stream;
    struct simnet_burst_config config;
    double share_bad; // over a long time
    double per_us;    // rate at which what was known about a state is forgotten
    struct way ways[WAYS];
};

static struct way *way_of(struct burst *burst, const struct simnet_packet *packet)
{
    uint64_t number = 0;
    switch (burst->config.scope) {
    case SIMNET_BURST_PAIR:
        number = simnet_stream_pair(0, packet->place_from, packet->place_to);
        break;
    case SIMNET_BURST_FROM:
        number = simnet_stream_pair(0, packet->place_from, 0);
        break;
    case SIMNET_BURST_TO:
        number = simnet_stream_pair(0, packet->place_to, 0);
        break;
    }
    return &burst->ways[number >> (64 - WAYS_BITS)];
}

// The state now, from the one at an earlier time: a chain of two states nears its share in the long
// run exponentially, so that only the moments at which packets pass need to be drawn.
static bool is_bad_now(struct burst *burst, struct way *way, int64_t now_us)
{
    double then = way->is_bad ? 1 : 0;
    double kept = way->seen_us == 0 ? 0 : exp(-burst->per_us * (double)(now_us - way->seen_us));
    way->is_bad =
        simnet_stream_chance(&burst->stream, burst->share_bad + (then - burst->share_bad) * kept);
    way->seen_us = now_us;
    return way->is_bad;
}

static void forward(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet)
{
    struct burst *burst = (struct burst *)element;
    bool is_bad = burst->config.mean_bad_us > 0 &&
                  is_bad_now(burst, way_of(burst, packet), simnet_world_now(world));
    double rate = is_bad ? burst->config.loss_bad : burst->config.loss_good;
    if (simnet_stream_chance(&burst->stream, rate))
        simnet_element_drop(element, world, packet);
    else
        simnet_element_pass(element, world, packet);
}

static void free_burst(struct simnet_element *element)
{
    free(element);
}

void simnet_burst_set(struct simnet_element *element, const struct simnet_burst_config *config)
{
    assert(config->mean_good_us > 0 && config->mean_bad_us >= 0);
    struct burst *burst = (struct burst *)element;
    burst->config = *config;
    if (config->mean_bad_us == 0)
        return;
    double good_us = (double)config->mean_good_us;
    double bad_us = (double)config->mean_bad_us;
    burst->share_bad = bad_us / (good_us + bad_us);
    burst->per_us = 1 / good_us + 1 / bad_us;
}

struct simnet_element *simnet_burst_new(uint64_t seed, const struct simnet_burst_config *config)
{
    static const struct simnet_element_class class = {"burst", forward, free_burst};
    struct burst *burst = simnet_world_need(calloc(1, sizeof *burst));
    burst->element.class = &class;
    simnet_stream_init(&burst->stream, seed, "burst", 0);
    simnet_burst_set(&burst->element, config);
    return &burst->element;
}
