// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_STORY_H
#define PNR_SIMNET_STORY_H

// The story of one lookup, hop by hop: when, who was asked, how near to the target it is (leading
// bits that its id shares with it), how long it took, and what came back. It is read from the
// packets of the asking machine, its queries for the name's target and what answers them, and from
// what the asker hears. The lookup is the one of the run, asked as there, and the run goes as it
// would untold. Bounds: 512 queries of the lookup, and 2,048 contacts that it was told of.
//
// Owned by its maker; made before the run's first step, and freed before the run.

#include "simnet/run.h"

#include <stdio.h>

struct simnet_story;

// Tells it on out while the run goes on.
struct simnet_story *simnet_story_new(struct simnet_run *run, uint32_t lookup, FILE *out);
bool simnet_story_is_over(const struct simnet_story *story);
// The last line, once it is over, or that the lookup was never made.
void simnet_story_end(struct simnet_story *story);
void simnet_story_free(struct simnet_story *story);

#endif
