// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_PARTITION_H
#define PNR_SIMNET_PARTITION_H

// The partition element: while it is split, packets between groups of places are dropped, both ways
// or one way only. It begins whole, can be split and healed at any time and any number of times,
// and belongs before the latency element: what is behind it when the network splits still arrives.

#include "simnet/element.h"

enum simnet_partition_way {
    SIMNET_PARTITION_BOTH,
    SIMNET_PARTITION_UP,   // only what goes from a lower group to a higher one is dropped
    SIMNET_PARTITION_DOWN, // only what goes from a higher group to a lower one
};

// The group of a place.
typedef uint32_t (*simnet_partition_group)(void *ctx, uint32_t place);

struct simnet_element *simnet_partition_new(uint64_t seed);

// Splits: a share (0 to 1) of all places, drawn by hash, is group 1, the others group 0.
void simnet_partition_split(struct simnet_element *element, double share,
                            enum simnet_partition_way way);
// Splits into the groups that a function says, which has to say the same each time.
void simnet_partition_split_by(struct simnet_element *element, simnet_partition_group group,
                               void *ctx, enum simnet_partition_way way);
void simnet_partition_heal(struct simnet_element *element);
// Splits at split_us, into what simnet_partition_split() says, and heals at heal_us.
void simnet_partition_plan(struct simnet_element *element, struct simnet_world *world, double share,
                           enum simnet_partition_way way, int64_t split_us, int64_t heal_us);

bool simnet_partition_is_split(const struct simnet_element *element);
// The group of a place, in the split under way or else the last one.
uint32_t simnet_partition_group_of(const struct simnet_element *element, uint32_t place);

#endif
