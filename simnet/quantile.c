// SPDX-License-Identifier: MIT
#include "simnet/quantile.h"

#include "simnet/stream.h"

#include <math.h>

#define END 0x1p-14 // how far from 0 and 1 the table ends

// The share that an entry stands for.
static double share_of(uint32_t step)
{
    double share = (double)step / SIMNET_QUANTILE_STEPS;
    return share < END ? END : share > 1 - END ? 1 - END : share;
}

void simnet_quantile_lognormal(struct simnet_quantile *table, double median, double sigma)
{
    for (uint32_t i = 0; i <= SIMNET_QUANTILE_STEPS; i++) {
        double normal = simnet_stream_normal_of((uint64_t)(share_of(i) * 0x1p64));
        table->values[i] = (float)(median * exp(sigma * normal));
    }
}

void simnet_quantile_exponential(struct simnet_quantile *table, double mean)
{
    for (uint32_t i = 0; i <= SIMNET_QUANTILE_STEPS; i++)
        table->values[i] = (float)(-mean * log(1 - share_of(i)));
    table->values[0] = 0;
}
