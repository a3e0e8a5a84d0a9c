// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_FLOODER_H
#define PNR_SIMNET_FLOODER_H

// Machines that flood: each sends so many datagrams a second to honest machines drawn by chance, by
// turns of what it is to send. Puts: of items of its own, mutable ones with a signature of nobody's
// and immutable ones, each after a get for its token; and puts with a token of its own making. Gets
// of random targets. And bytes that are nothing. It answers nothing.
//
// Bound: it works at SIMNET_FLOODER_ITEMS items at a time, which it forgets unless they are put
// before their turn comes again.

#include "simnet/world.h"

#define SIMNET_FLOODER_ITEMS 64

// What a flooder sends; bits.
enum simnet_flood_part {
    SIMNET_FLOOD_PUTS = 1,
    SIMNET_FLOOD_GETS = 2,
    SIMNET_FLOOD_JUNK = 4,
    SIMNET_FLOOD_ALL = 7,
};

// What the flooders of a world share. Their maker's; it has to live as long as the world is run.
struct simnet_flood {
    uint32_t first, count;       // whom they flood: the machines [first, first + count)
    uint32_t packets_per_second; // of each that turns from now on
    int sends;                   // likewise: enum simnet_flood_part; never 0
    struct simnet_stream stream;
    uint64_t sent;
    uint64_t proven; // of these, puts with a token that the victim gave
};

void simnet_flood_init(struct simnet_flood *flood, struct simnet_world *world, uint32_t first,
                       uint32_t count);

// Turns a machine that is up: its brain goes, its address stays.
void simnet_flooder_turn(struct simnet_machine *machine, struct simnet_flood *flood);

#endif
