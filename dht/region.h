// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_REGION_H
#define PNR_DHT_REGION_H

// The region around a target: all ids so near to it that, in a network of that many nodes (see
// dht/estimate.h), so many are expected there. Where ids were chosen to stand before all others,
// the closest nodes are the attacker's, but the region still holds the honest ones that were there
// before: so an item is stored on the whole region, and one that was not found is looked for in the
// whole region. And an honest region is not crowded, which tells an attack.

#include "dht/lookup.h"
#include "dht/random.h"

// How far a region reaches (dht_id_distance64) that holds `wanted` of so many nodes; 0 where their
// number is unknown (0).
uint64_t dht_region_radius(double nodes, uint32_t wanted);

// A point drawn from those whose distance (dht_id_distance64) from a target is at least `least`,
// and below `below`.
struct dht_id dht_region_point(const struct dht_id *target, uint64_t least, uint64_t below,
                               struct dht_random *random);

struct dht_density {
    uint32_t percent; // nodes that answered next to the target, of those expected there; 0: unknown
    bool is_suspect;  // chance does not do that: in fewer than one of 100,000 places
};

// Looks where the closest that have answered stand thickest. There may be `doubt` times as many
// nodes as estimated (dht_estimate_doubt()); 0: nothing is suspect.
struct dht_density dht_region_density(const struct dht_lookup *lookup, double nodes,
                                      uint32_t doubt);

// Whether fewer have answered in the outer half of the region, where nobody gains by standing, than
// can be expected there: there are some that nobody has named yet.
bool dht_region_is_thin(const struct dht_lookup *lookup, uint32_t wanted);

#endif
