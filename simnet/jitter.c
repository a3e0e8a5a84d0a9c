// SPDX-License-Identifier: MIT
#include "simnet/jitter.h"

#include "simnet/quantile.h"
#include "simnet/world.h"

#include <stdlib.h>

#define WAYS_BITS 16
#define WAYS      (1u << WAYS_BITS)

struct jitter {
    struct simnet_element element;
    struct simnet_stream stream;
    bool is_on, may_overtake;
    struct simnet_quantile delays_us;
    int64_t last_us[WAYS]; // when the last packet of a way leaves
};

static void forward(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet)
{
    struct jitter *jitter = (struct jitter *)element;
    if (!jitter->is_on) {
        simnet_element_pass(element, world, packet);
        return;
    }
    int64_t due_us =
        simnet_world_now(world) +
        (int64_t)simnet_quantile_of(&jitter->delays_us, simnet_stream_next(&jitter->stream));
    if (!jitter->may_overtake) {
        uint64_t way = simnet_stream_pair(0, packet->place_from, packet->place_to);
        int64_t *last_us = &jitter->last_us[way >> (64 - WAYS_BITS)];
        if (due_us < *last_us)
            due_us = *last_us;
        *last_us = due_us;
    }
    simnet_element_delay(element, world, packet, due_us);
}

static void free_jitter(struct simnet_element *element)
{
    free(element);
}

void simnet_jitter_set(struct simnet_element *element, const struct simnet_jitter_config *config)
{
    struct jitter *jitter = (struct jitter *)element;
    jitter->is_on = config->delay_us > 0;
    jitter->may_overtake = config->may_overtake;
    if (config->kind == SIMNET_JITTER_LOGNORMAL)
        simnet_quantile_lognormal(&jitter->delays_us, (double)config->delay_us, config->sigma);
    else
        simnet_quantile_exponential(&jitter->delays_us, (double)config->delay_us);
}

struct simnet_element *simnet_jitter_new(uint64_t seed, const struct simnet_jitter_config *config)
{
    static const struct simnet_element_class class = {"jitter", forward, free_jitter};
    struct jitter *jitter = simnet_world_need(calloc(1, sizeof *jitter));
    jitter->element.class = &class;
    simnet_stream_init(&jitter->stream, seed, "jitter", 0);
    simnet_jitter_set(&jitter->element, config);
    return &jitter->element;
}
