// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_SIMNET_FEED_H
#define PNR_TESTS_SIMNET_FEED_H

// Feeds numbered packets through an element, and collects what comes out behind it.

#include "simnet/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FEED_MAX 65536

struct feed_came {
    uint32_t number;
    int64_t at_us;
};

struct feed {
    struct simnet_element sink; // the first: what the element leads to
    struct simnet_world *world;
    struct simnet_element *element;
    int64_t begin_us;
    uint32_t fed, count;
    uint32_t tos[FEED_MAX]; // where each packet went
    struct feed_came came[FEED_MAX];
};

static void feed_collect(struct simnet_element *element, struct simnet_world *world,
                         struct simnet_packet *packet)
{
    struct feed *feed = (struct feed *)element;
    assert(feed->count < FEED_MAX);
    struct feed_came *came = &feed->came[feed->count++];
    memcpy(&came->number, packet->bytes, sizeof came->number);
    came->at_us = simnet_world_now(world);
    assert(packet->place_to == feed->tos[came->number]);
    simnet_world_drop(world, packet, element);
}

// The feed takes the element over.
static inline struct feed *feed_new(struct simnet_element *element)
{
    static const struct simnet_element_class class = {"sink", feed_collect, NULL};
    struct feed *feed = calloc(1, sizeof *feed);
    assert(feed != NULL);
    feed->world = simnet_world_new(1);
    feed->begin_us = simnet_world_now(feed->world);
    feed->element = element;
    feed->sink.class = &class;
    element->next = &feed->sink;
    simnet_world_own(feed->world, element);
    return feed;
}

static inline void feed_free(struct feed *feed)
{
    simnet_world_free(feed->world);
    free(feed);
}

// Now, from place to place, so many bytes (at least 4) of ip_len's kind. Returns its number.
static inline uint32_t feed_packet(struct feed *feed, uint32_t from, uint32_t to, size_t len,
                                   uint8_t ip_len)
{
    assert(feed->fed < FEED_MAX);
    struct simnet_packet *packet = simnet_world_packet(feed->world, len);
    uint32_t number = feed->fed++;
    memset(packet->bytes, 0, len);
    memcpy(packet->bytes, &number, sizeof number);
    packet->from = packet->to = (struct dht_addr){.port = 1, .ip_len = ip_len};
    packet->place_from = from;
    packet->place_to = to;
    packet->sent_us = simnet_world_now(feed->world);
    feed->tos[number] = to;
    feed->element->class->forward(feed->element, feed->world, packet);
    return number;
}

// The clock moves on.
static inline void feed_wait(struct feed *feed, int64_t for_us)
{
    simnet_world_run(feed->world, simnet_world_now(feed->world) + for_us);
}

#endif
