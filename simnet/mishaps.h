// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_MISHAPS_H
#define PNR_SIMNET_MISHAPS_H

// What events of a scenario do to single machines, how long it lasts, and how it ends: a machine
// crashes, is killed, stops, sleeps, is unplugged, moves, its disk fails, fills or sticks, its wall
// clock jumps, its NAT forgets. Whom it befalls, and when, is simnet/faults.h's to say.
//
// What has an end (for) ends what it began, and nothing else: a machine that came back before, and
// was taken by another event since, stays with that one; a cable or a disk that two events befell
// is well again when both have ended.
//
// Owned by the faults, and freed after the world has run for the last time.

#include "simnet/network.h"

struct simnet_mishaps;

struct simnet_mishaps *simnet_mishaps_new(struct simnet_network *network);
void simnet_mishaps_free(struct simnet_mishaps *mishaps);

// The event, one of those about machines, befalls the machine, which is up. Where it has an end
// (for), event has to be one of the scenario's own.
void simnet_mishaps_befall(struct simnet_mishaps *mishaps, struct simnet_machine *machine,
                           const struct simnet_scenario_event *event);

// Starts a machine that is off, and wakes one that is asleep.
void simnet_mishaps_bring_back(struct simnet_mishaps *mishaps, struct simnet_machine *machine);

// Ends all of it, for good: disks are as at first, cables in, wall clocks right, nobody sleeps.
// With `starts`, nobody is off either.
void simnet_mishaps_heal(struct simnet_mishaps *mishaps, bool starts);

// How often what was done, for the report. X-macro: name, meaning.
#define SIMNET_MISHAPS_COUNTERS(X)                                                                 \
    X(crashes, "machines that crashed")                                                            \
    X(kills, "machines whose process was killed")                                                  \
    X(stops, "machines that left in order")                                                        \
    X(returns, "machines that came back")                                                          \
    X(sleeps, "machines that were suspended")                                                      \
    X(unplugs, "machines whose cable was out")                                                     \
    X(moves, "machines that got another address")                                                  \
    X(disk_faults, "disks that began to fail, to be full or to stick")                             \
    X(clock_jumps, "wall clocks that were set wrong")                                              \
    X(nat_reboots, "NATs that forgot their mappings")

struct simnet_mishaps_counters {
#define SIMNET_MISHAPS_COUNTER_FIELD(name, meaning) uint64_t name;
    SIMNET_MISHAPS_COUNTERS(SIMNET_MISHAPS_COUNTER_FIELD)
#undef SIMNET_MISHAPS_COUNTER_FIELD
};

const struct simnet_mishaps_counters *simnet_mishaps_counters(const struct simnet_mishaps *mishaps);

#endif
