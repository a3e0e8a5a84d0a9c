// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_NETWORK_H
#define PNR_SIMNET_NETWORK_H

// A scenario's network: its machines, how they join, and the elements between them.
//
// Owned by the run; the world, which runs the profile's brains, has to be freed before it.

#include "simnet/disk.h"
#include "simnet/homes.h"
#include "simnet/scenario.h"
#include "simnet/world.h"

struct simnet_network {
    struct simnet_world *world;
    const struct simnet_scenario *scenario;
    struct simnet_profile profile;
    struct simnet_disk_config disk; // of every machine, where it is none that is perfect
    struct simnet_stream stream;    // whom the new ones know
    // Elements of the internet that faults change; NULL where the scenario has none.
    struct simnet_element *partition, *loss, *burst, *duplicate, *reorder;
    struct simnet_homes *homes;
    uint32_t first, count; // the machines
    uint32_t joined;       // of them, started so far
    int64_t begin_us;      // when the first one joins
    uint32_t moves;        // addresses given out beyond the first ones
};

// Builds it, and plans the joins from now on.
struct simnet_network *simnet_network_new(struct simnet_world *world,
                                          const struct simnet_scenario *scenario);
void simnet_network_free(struct simnet_network *network);

// Begins or ends what the scenario lays on every packet during the faults.
void simnet_network_disturb(struct simnet_network *network, bool is_on);
// The share of packets lost from now on.
void simnet_network_lose(struct simnet_network *network, double share);

// Honest machines that are up now, of the scenario or added by churn.
uint32_t simnet_network_up(const struct simnet_network *network);

// Starts a machine that is off: it is told of a few others that can be reached.
void simnet_network_start(struct simnet_network *network, struct simnet_machine *machine);

// An address of that family that nobody has had.
struct dht_addr simnet_network_address(struct simnet_network *network, uint8_t ip_len);

#endif
