// SPDX-License-Identifier: MIT
#include "node/core/publication_pause.h"

#include "node/core/pace.h"

#include <assert.h>

#define RECHECK_US     (2 * CORE_SECOND_US)
#define RETRY_FIRST_US (5 * CORE_SECOND_US)
#define RETRY_MOST_US  (10 * CORE_MINUTE_US)

static int64_t up_to_twice(struct node *node, int64_t least_us)
{
    return least_us + (int64_t)dht_random_below(&node->random, (uint64_t)least_us);
}

// Ten that change at the same moment may need half a minute to agree: the first check is as soon as
// that of any, the last is past all of it.
static int64_t check_us(struct node *node, struct core_publication *publication)
{
    static const int64_t least_us[CORE_PUBLICATION_PAUSE_CHECKS] = {
        RECHECK_US,
        10 * CORE_SECOND_US,
        60 * CORE_SECOND_US,
    };
    assert(publication->checks <= CORE_PUBLICATION_PAUSE_CHECKS);
    return up_to_twice(node, least_us[CORE_PUBLICATION_PAUSE_CHECKS - publication->checks--]);
}

int64_t core_publication_pause_next(struct node *node, struct core_publication *publication)
{
    publication->is_check = publication->recheck || publication->checks > 0;
    if (publication->recheck)
        return up_to_twice(node, RECHECK_US);
    if (publication->checks > 0)
        return check_us(node, publication);
    return core_pace_renewal_us(node, publication);
}

int64_t core_publication_pause_retry(const struct core_publication *publication)
{
    uint32_t doublings = publication->failures < 8 ? publication->failures : 8;
    int64_t pause_us = RETRY_FIRST_US << doublings;
    return pause_us < RETRY_MOST_US ? pause_us : RETRY_MOST_US;
}
