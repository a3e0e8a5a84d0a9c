// SPDX-License-Identifier: MIT
#include "simnet/latency.h"

#include "simnet/world.h"

#include <math.h>
#include <stdlib.h>

struct latency {
    struct simnet_element element;
    uint64_t seed;
    int64_t median_us;
    double sigma;
    int64_t min_us;
};

static void free_latency(struct simnet_element *element)
{
    free(element);
}

static void forward_constant(struct simnet_element *element, struct simnet_world *world,
                             struct simnet_packet *packet)
{
    const struct latency *latency = (struct latency *)element;
    simnet_element_delay(element, world, packet, simnet_world_now(world) + latency->median_us);
}

static void forward_lognormal(struct simnet_element *element, struct simnet_world *world,
                              struct simnet_packet *packet)
{
    const struct latency *latency = (struct latency *)element;
    uint32_t low = packet->place_from < packet->place_to ? packet->place_from : packet->place_to;
    uint32_t high = packet->place_from ^ packet->place_to ^ low;
    uint64_t pair = simnet_stream_pair(latency->seed, low, high);
    double rtt_us =
        (double)latency->median_us * exp(latency->sigma * simnet_stream_normal_of(pair));
    if (rtt_us < (double)latency->min_us)
        rtt_us = (double)latency->min_us;
    simnet_element_delay(element, world, packet, simnet_world_now(world) + (int64_t)(rtt_us / 2));
}

static struct simnet_element *make(const struct simnet_element_class *class,
                                   const struct latency *from)
{
    struct latency *latency = simnet_world_need(malloc(sizeof *latency));
    *latency = *from;
    latency->element.class = class;
    return &latency->element;
}

struct simnet_element *simnet_latency_constant(int64_t one_way_us)
{
    static const struct simnet_element_class class = {"latency", forward_constant, free_latency};
    return make(&class, &(struct latency){.median_us = one_way_us});
}

struct simnet_element *simnet_latency_lognormal(uint64_t seed, int64_t median_rtt_us, double sigma,
                                                int64_t min_us)
{
    static const struct simnet_element_class class = {"latency", forward_lognormal, free_latency};
    return make(&class,
                &(struct latency){
                    .seed = seed, .median_us = median_rtt_us, .sigma = sigma, .min_us = min_us});
}
