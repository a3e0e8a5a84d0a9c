// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_FLOODER_H
#define PNR_SIMNET_FLOODER_H

// Machines that flood: each sends so many datagrams a second to honest machines drawn by chance, by
// turns a put of an item with a token and a signature of its own making, a put of an immutable item
// with such a token, a query for a random target, and bytes that are nothing. They answer nothing.

#include "simnet/world.h"

// What the flooders of a world share. Their maker's; it has to live as long as the world is run.
struct simnet_flood {
    uint32_t first, count;       // whom they flood: the machines [first, first + count)
    uint32_t packets_per_second; // of each
    struct simnet_stream stream;
    uint64_t sent;
};

void simnet_flood_init(struct simnet_flood *flood, struct simnet_world *world, uint32_t first,
                       uint32_t count);

// Turns a machine that is up: its brain goes, its address stays.
void simnet_flooder_turn(struct simnet_machine *machine, struct simnet_flood *flood);

#endif
