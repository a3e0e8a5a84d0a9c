// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_PACKET_H
#define PNR_SIMNET_PACKET_H

// A datagram on its way. It belongs to whoever holds it: the element that it was forwarded to, or
// the queue while it is delayed. Packets come from a pool of two sizes, which grows with what is
// under way and is kept.

#include "pnr/dht.h"

#define SIMNET_PACKET_NOBODY UINT32_MAX

struct simnet_element;

struct simnet_packet {
    struct simnet_element *next; // where it goes when its delay is over
    struct dht_addr from, to;    // as they are at this point of the way: a NAT changes them
    uint32_t sender;             // the machine that sent it, whatever `from` says
    uint32_t place_from;         // where on the internet the way begins and ends, for latencies:
    uint32_t place_to;           // numbers of places; SIMNET_PACKET_NOBODY: nobody is there
    uint32_t index;              // in the pool
    int64_t sent_us;
    uint16_t len;
    uint8_t bytes[];
};

struct simnet_packet_pool;

struct simnet_packet_pool *simnet_packet_pool_new(void);
void simnet_packet_pool_free(struct simnet_packet_pool *pool);

// A packet with room for len bytes, at most DHT_DATAGRAM_MAX; its other fields are not set. NULL
// where memory is short.
struct simnet_packet *simnet_packet_take(struct simnet_packet_pool *pool, size_t len);
void simnet_packet_give(struct simnet_packet_pool *pool, struct simnet_packet *packet);
// The packet with that index, which somebody holds.
struct simnet_packet *simnet_packet_at(const struct simnet_packet_pool *pool, uint32_t index);

#endif
