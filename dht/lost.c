// SPDX-License-Identifier: MIT
#include "dht/lost.h"

#include "dht/addr.h"

#include <stdlib.h>

void dht_lost_fini(struct dht_lost *lost)
{
    free(lost->addrs);
    *lost = (struct dht_lost){0};
}

// Where the address is listed; count where it is not.
static uint32_t find(const struct dht_lost *lost, const struct dht_addr *addr)
{
    uint32_t at = 0;
    while (at < lost->count && !dht_addr_equal(&lost->addrs[at], addr))
        at++;
    return at;
}

void dht_lost_add(struct dht_lost *lost, struct dht_random *random, const struct dht_addr *addr)
{
    if (lost->addrs == NULL)
        lost->addrs = malloc(DHT_LOST_MAX * sizeof *lost->addrs);
    if (lost->addrs == NULL || find(lost, addr) < lost->count)
        return;
    uint32_t at = lost->count;
    if (at == DHT_LOST_MAX)
        at = (uint32_t)dht_random_below(random, DHT_LOST_MAX);
    else
        lost->count++;
    lost->addrs[at] = *addr;
}

void dht_lost_remove(struct dht_lost *lost, const struct dht_addr *addr)
{
    uint32_t at = find(lost, addr);
    if (at < lost->count)
        lost->addrs[at] = lost->addrs[--lost->count];
}

bool dht_lost_draw(const struct dht_lost *lost, struct dht_random *random,
                   struct dht_addr *ret_addr)
{
    if (lost->count == 0)
        return false;
    *ret_addr = lost->addrs[dht_random_below(random, lost->count)];
    return true;
}
