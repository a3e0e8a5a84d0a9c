// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_CREW_DAY_H
#define PNR_SIMNET_CREW_DAY_H

// A day of a crew (simnet/crew.h) in a small network, drawn from one seed: its machines publish,
// change and withdraw at random, while the network is split in two for a while and again, they and
// others crash, are killed, stop and sleep, and their wall clocks are set wrong. An hour and a half
// before the end all of that ends.
//
// The same seed gives the same run, hash for hash.

#include "simnet/crew.h"

#include <stdio.h>

struct simnet_crew_day {
    uint64_t seed;
    uint32_t nodes;    // the first few are on the open internet and stay up: they look
    uint32_t size;     // machines that publish
    int64_t for_us;    // from when the first begins to publish
    int64_t change_us; // between changes of one machine, in the mean
    int64_t fault_us;  // between what befalls one of them, in the mean; 0: nothing does
    double loss;
};

struct simnet_crew_day_result {
    uint64_t hash; // of the trace
    uint64_t events;
    uint64_t failures;
    char line[256]; // the first failure; "": none
    uint64_t changes, looks, looks_failed, entries;
    uint32_t splits, ends, jumps;
    int64_t longest_missing_us, longest_ghost_us; // see struct simnet_crew
};

// A day as the tests have it: 60 nodes, 24 hours, a change every quarter of an hour.
void simnet_crew_day_init(struct simnet_crew_day *day, uint32_t size, uint64_t seed);

void simnet_crew_day_run(const struct simnet_crew_day *day,
                         struct simnet_crew_day_result *ret_result);

// One line.
void simnet_crew_day_print(const struct simnet_crew_day *day,
                           const struct simnet_crew_day_result *result, FILE *out);

#endif
