// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_LOST_H
#define PNR_DHT_LOST_H

// Contacts that were lost: they had a place in the routing table, and fell silent. Most are gone
// for good. But where a cut went through the network, everybody beyond it falls silent together,
// and when it heals nobody on either side would know anybody on the other: each half would go on
// alone for ever. So a few of the lost are remembered and asked again now and then
// (dht/maintain.h).
//
// Bounds: DHT_LOST_MAX. A full list forgets one at random, so that it tells of the last hours and
// not only of the last minutes. Memory is taken with the first loss.

#include "dht/random.h"
#include "pnr/dht.h"

#define DHT_LOST_MAX 16

struct dht_lost {
    struct dht_addr *addrs;
    uint32_t count;
};

void dht_lost_fini(struct dht_lost *lost);

// Remembers an address; one that is there already stays where it is.
void dht_lost_add(struct dht_lost *lost, struct dht_random *random, const struct dht_addr *addr);
// The address is a contact again, or worth nothing.
void dht_lost_remove(struct dht_lost *lost, const struct dht_addr *addr);
// Draws one of those remembered. False where there is none.
bool dht_lost_draw(const struct dht_lost *lost, struct dht_random *random,
                   struct dht_addr *ret_addr);

#endif
