// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_AUDIENCE_H
#define PNR_SIMNET_AUDIENCE_H

// Names and those who watch them: publishers (simnet/publisher.h) and followers
// (simnet/follower.h) on machines drawn by chance, no two on one. From the request that changes a
// name to the bytes that tell a watcher's client of it, all is measured from outside; so is what
// the nodes of the network keep for watchers, and whether anybody is still there for whom.
//
// Owned by its maker, and freed after the world has run for the last time. It changes machines only
// where it is told to strike.

#include "simnet/follower.h"
#include "simnet/tally.h"

struct simnet_audience_config {
    uint32_t first, count; // machines it may use: numbers [first, first + count)
    uint32_t names;        // each published by a machine of its own
    uint32_t watchers;     // of each name; 1 where is_one
    bool is_one;           // a single machine watches all of them
};

struct simnet_audience {
    struct simnet_world *world;
    struct simnet_audience_config config;
    uint32_t *machines; // drawn: those of the publishers, then those who watch
    uint32_t machine_count;
    struct simnet_publisher **publishers;
    int64_t *changed_us; // when each was last told to change
    struct simnet_follower **followers;
    uint32_t follower_count;
    int64_t apart_us; // between changes
    struct simnet_stream stream;
};

// Draws the machines, and has the names published one after the other within over_us from now. The
// machines are enough (asserted): names and watchers together, or names and one.
struct simnet_audience *simnet_audience_new(struct simnet_world *world,
                                            const struct simnet_audience_config *config,
                                            int64_t over_us);
void simnet_audience_free(struct simnet_audience *audience);

// From now on all watch; the first begins at once, the last over_us later. Once.
void simnet_audience_follow(struct simnet_audience *audience, int64_t over_us);
// They watch no more.
void simnet_audience_leave(struct simnet_audience *audience);

// Each name changes once, so far apart, the first one now.
void simnet_audience_change(struct simnet_audience *audience, int64_t apart_us);

// What of the last changes was told to those who watch, are up and have a cable.
struct simnet_audience_told {
    uint32_t watches;       // clients' watches of a name
    uint32_t told;          // and those that were told the newest version
    struct simnet_tally us; // from the request to the client; simnet_tally_free() is the caller's
};
void simnet_audience_told(const struct simnet_audience *audience,
                          struct simnet_audience_told *ret_told);

// Every third machine that watches crashes, every third has another address from now on, every
// third loses its cable for good; beginning with the crash. Not where is_one.
void simnet_audience_strike_watchers(struct simnet_audience *audience);
// The same of the `count` nodes closest to each name, but for those who publish or watch. Returns
// how many were struck.
uint32_t simnet_audience_strike_keepers(struct simnet_audience *audience, uint32_t count);

// What all nodes of the network keep for watching now.
struct simnet_audience_left {
    uint32_t watches;  // of nodes' own: names that their clients watch
    uint32_t watchers; // that nodes keep for others
    uint32_t most;     // of them, on one node
    uint32_t pushes;   // under way
    // Of the watchers those for whom nobody is there: no machine has that address, or it is off,
    // has no cable, or no client of it watches; or their keeper has no cable.
    uint32_t ghosts;
    uint64_t pushes_sent, pushes_repeated; // so far, by nodes that are up
};
void simnet_audience_left(const struct simnet_audience *audience,
                          struct simnet_audience_left *ret_left);

#endif
