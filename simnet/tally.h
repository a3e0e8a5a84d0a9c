// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_TALLY_H
#define PNR_SIMNET_TALLY_H

// Figures of a simulation, taken as they come and kept in little memory.
//
// A tally is a histogram of whole numbers, such as microseconds or hops: exact count, sum, least
// and greatest; percentiles to within a 128th, exact below 128. Two can be merged, with the same
// result as if one had seen everything. A struct of zeros is an empty one. It takes 8 bytes for
// each of its buckets, of which there are 128 for each doubling up to the greatest number seen:
// 20 kB for a minute in microseconds.

#include <stddef.h>
#include <stdint.h>

struct simnet_tally {
    uint64_t count;
    uint64_t sum;
    uint64_t min, max; // where count is not 0
    uint64_t *buckets;
    uint32_t bucket_count;
};

void simnet_tally_add(struct simnet_tally *tally, uint64_t value);
void simnet_tally_merge(struct simnet_tally *tally, const struct simnet_tally *other);
void simnet_tally_free(struct simnet_tally *tally); // which is empty then

// The least number that at least this share (0 to 1) of all are not above: 0.5 is the median. 0
// where it is empty.
uint64_t simnet_tally_percentile(const struct simnet_tally *tally, double share);
double simnet_tally_mean(const struct simnet_tally *tally); // 0 where it is empty

// Walks the buckets that are not empty, for plots: place 0 starts. Returns the place after it, or 0
// at the end. ret_value: the greatest number that the bucket stands for.
uint32_t simnet_tally_next(const struct simnet_tally *tally, uint32_t place, uint64_t *ret_value,
                           uint64_t *ret_count);

#endif
