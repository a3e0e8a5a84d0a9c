// SPDX-License-Identifier: MIT
#include "simnet/mtu.h"

#include "simnet/world.h"

#include <assert.h>
#include <stdlib.h>

#define MTU_MIN         576 // RFC 791: what every host takes
#define UDP_HEADER      8
#define IPV4_HEADER     20
#define IPV6_HEADER     40
#define FRAGMENT_HEADER 8 // IPv6 has one of its own for fragments, RFC 8200 section 4.5

struct mtu {
    struct simnet_element element;
    struct simnet_stream stream;
    uint32_t bytes;
    double fragment_loss;
    uint64_t too_long;
};

static uint32_t fragments_of(const struct mtu *mtu, const struct simnet_packet *packet)
{
    uint32_t payload = UDP_HEADER + packet->len;
    uint32_t header = packet->to.ip_len == 4 ? IPV4_HEADER : IPV6_HEADER;
    if (mtu->bytes == 0 || header + payload <= mtu->bytes)
        return 1;
    // All but the last carry a multiple of eight bytes.
    uint32_t room = mtu->bytes - header - (packet->to.ip_len == 4 ? 0 : FRAGMENT_HEADER);
    uint32_t part = room / 8 * 8;
    return (payload + part - 1) / part;
}

static void forward(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet)
{
    struct mtu *mtu = (struct mtu *)element;
    uint32_t fragments = fragments_of(mtu, packet);
    bool is_lost = false;
    if (fragments > 1) {
        mtu->too_long++;
        for (uint32_t i = 0; i < fragments; i++)
            is_lost |= simnet_stream_chance(&mtu->stream, mtu->fragment_loss);
    }
    if (is_lost)
        simnet_element_drop(element, world, packet);
    else
        simnet_element_pass(element, world, packet);
}

static void free_mtu(struct simnet_element *element)
{
    free(element);
}

void simnet_mtu_set(struct simnet_element *element, uint32_t bytes, double fragment_loss)
{
    assert((bytes == 0 || bytes >= MTU_MIN) && fragment_loss >= 0 && fragment_loss <= 1);
    struct mtu *mtu = (struct mtu *)element;
    mtu->bytes = bytes;
    mtu->fragment_loss = fragment_loss;
}

struct simnet_element *simnet_mtu_new(uint64_t seed, uint32_t bytes, double fragment_loss)
{
    static const struct simnet_element_class class = {"mtu", forward, free_mtu};
    struct mtu *mtu = simnet_world_need(calloc(1, sizeof *mtu));
    mtu->element.class = &class;
    simnet_stream_init(&mtu->stream, seed, "mtu", 0);
    simnet_mtu_set(&mtu->element, bytes, fragment_loss);
    return &mtu->element;
}

uint64_t simnet_mtu_long(const struct simnet_element *element)
{
    return ((const struct mtu *)element)->too_long;
}
