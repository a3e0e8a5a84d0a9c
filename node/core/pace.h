// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_PACE_H
#define PNR_CORE_PACE_H

// When the next round of a publication comes.
//
// A renewal comes every renew_us. Where the record is lost faster than that, since the nodes around
// it come and go, it comes sooner: each round reads before it writes, and so tells how many of
// those that stored it last hold it still. From that follows the haste, 0 to CORE_PACE_HASTE_MAX, a
// quarter of renew_us each:
//
//     found of what was stored      next renewal
//     all but a quarter, or more    one step slower, up to renew_us
//     half, or more                 as it was
//     less than half                two steps sooner
//     less than a quarter           after a quarter of renew_us
//
// It never comes later than renew_us, however well the copies stay: BEP 44 wants hourly renewals,
// nodes drop an item after two hours, so that a renewal that fails has to leave time for others,
// and those who have come closest to the target since get the record by nothing else. What could be
// won is a few datagrams an hour; puts are left out where they are not needed anyway
// (node/core/round.c).
//
// A record that several machines share keeps renew_us: each renewal of one may undo what another
// writes at that moment, so how often that can happen is not to follow from what others hold.

#include "node/core/publication.h"

#define CORE_PACE_HASTE_MAX 3
#define CORE_PACE_LEAST_US  (5 * CORE_MINUTE_US) // but for a renew_us that is shorter

struct core_pace_reading {
    uint32_t stored; // nodes that stored the record last; 0: unknown
    uint32_t found;  // nodes that hold it now
    bool is_early;   // hardly any time has passed since: that it is there still says nothing
};

// The haste after a reading.
uint32_t core_pace_haste(uint32_t haste, const struct core_pace_reading *reading);

// The time between renewals.
int64_t core_pace_interval_us(int64_t renew_us, uint32_t haste);

// A round has read, with publication->read_tally and publication->lookup: takes over how many
// copies there are, and what follows.
void core_pace_read(const struct node *node, struct core_publication *publication);

// Whether the last reading has found enough of what was stored to do without storing it again.
bool core_pace_is_kept(const struct core_publication *publication);

// From the end of a round that has stored to the next renewal, less a random tenth
// (node/core/publication_pause.h has the pauses of other rounds).
int64_t core_pace_renewal_us(struct node *node, const struct core_publication *publication);
// The most that this can be.
int64_t core_pace_longest_us(const struct node *node, const struct core_publication *publication);

#endif
