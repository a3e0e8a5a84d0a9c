// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_QUANTILE_H
#define PNR_SIMNET_QUANTILE_H

// A distribution as a table of its quantiles: turns a random number into a value without exp() or
// log(), for what is drawn for each packet. Between two entries the value is interpolated; beyond
// the last, at 1 - 2^-14, nothing is drawn: the table has no endless tail.

#include <stdint.h>

#define SIMNET_QUANTILE_STEPS 1024

struct simnet_quantile {
    float values[SIMNET_QUANTILE_STEPS + 1];
};

// Lognormal with that median and that deviation of its logarithm.
void simnet_quantile_lognormal(struct simnet_quantile *table, double median, double sigma);
void simnet_quantile_exponential(struct simnet_quantile *table, double mean);

// The value that a number of 64 random bits stands for.
static inline float simnet_quantile_of(const struct simnet_quantile *table, uint64_t number)
{
    const float *step = &table->values[number >> 54];
    float part = (float)((number >> 38) & 0xffff) * 0x1p-16f;
    return step[0] + (step[1] - step[0]) * part;
}

#endif
