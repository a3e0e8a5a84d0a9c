// SPDX-License-Identifier: MIT
#include "simnet/rate.h"

#include "simnet/world.h"

#include <stdlib.h>

#define NS_PER_US 1000
#define NS_PER_S  UINT64_C(1000000000)

struct rate {
    struct simnet_element element;
    struct simnet_rate_config config;
    int64_t busy_ns; // until when the line is; in nanoseconds, for a packet may take less than 1 us
};

static int64_t time_ns(const struct rate *rate, uint64_t bytes)
{
    return (int64_t)(bytes * 8 * NS_PER_S / rate->config.bits_per_s);
}

static bool is_full(const struct rate *rate, int64_t wait_ns, uint64_t bytes)
{
    const struct simnet_rate_config *config = &rate->config;
    if (config->queue_us > 0 && wait_ns > config->queue_us * NS_PER_US)
        return true;
    return config->queue_bytes > 0 &&
           wait_ns + time_ns(rate, bytes) > time_ns(rate, config->queue_bytes);
}

static void forward(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet)
{
    struct rate *rate = (struct rate *)element;
    if (rate->config.bits_per_s == 0) {
        simnet_element_pass(element, world, packet);
        return;
    }
    int64_t now_ns = simnet_world_now(world) * NS_PER_US;
    uint64_t bytes = (uint64_t)packet->len + (packet->to.ip_len == 4 ? 28 : 48);
    int64_t credit_ns = now_ns - time_ns(rate, rate->config.burst_bytes);
    int64_t start_ns = rate->busy_ns > credit_ns ? rate->busy_ns : credit_ns;
    int64_t wait_ns = start_ns > now_ns ? start_ns - now_ns : 0;
    if (is_full(rate, wait_ns, bytes)) {
        simnet_element_drop(element, world, packet);
        return;
    }
    rate->busy_ns = start_ns + time_ns(rate, bytes);
    if (rate->busy_ns <= now_ns)
        simnet_element_pass(element, world, packet);
    else
        simnet_element_delay(element, world, packet, (rate->busy_ns + NS_PER_US - 1) / NS_PER_US);
}

static void free_rate(struct simnet_element *element)
{
    free(element);
}

void simnet_rate_set(struct simnet_element *element, const struct simnet_rate_config *config)
{
    ((struct rate *)element)->config = *config;
}

struct simnet_element *simnet_rate_new(const struct simnet_rate_config *config)
{
    static const struct simnet_element_class class = {"rate", forward, free_rate};
    struct rate *rate = simnet_world_need(calloc(1, sizeof *rate));
    rate->element.class = &class;
    simnet_rate_set(&rate->element, config);
    return &rate->element;
}
