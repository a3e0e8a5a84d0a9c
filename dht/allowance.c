// SPDX-License-Identifier: MIT
#include "dht/allowance.h"

void dht_allowance_init(struct dht_allowance *allowance, int64_t now_us, uint32_t first)
{
    *allowance = (struct dht_allowance){.counted_us = now_us, .left = (int32_t)first};
}

int32_t dht_allowance_left(struct dht_allowance *allowance, int64_t now_us)
{
    int64_t pauses = (now_us - allowance->counted_us) / DHT_ALLOWANCE_PAUSE_US;
    if (pauses <= 0)
        return allowance->left;
    allowance->counted_us += pauses * DHT_ALLOWANCE_PAUSE_US;
    int64_t room = (int64_t)DHT_ALLOWANCE_MOST - allowance->left;
    if (room > 0)
        allowance->left += (int32_t)(pauses < room ? pauses : room);
    return allowance->left;
}

void dht_allowance_spend(struct dht_allowance *allowance, uint32_t queries)
{
    allowance->left -= (int32_t)queries;
}

int64_t dht_allowance_due_us(struct dht_allowance *allowance, int64_t now_us, int32_t least)
{
    int64_t missing = (int64_t)least + 1 - dht_allowance_left(allowance, now_us);
    if (missing <= 0)
        return now_us;
    return allowance->counted_us + missing * DHT_ALLOWANCE_PAUSE_US;
}
