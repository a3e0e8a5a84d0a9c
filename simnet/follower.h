// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_FOLLOWER_H
#define PNR_SIMNET_FOLLOWER_H

// A program that watches names: one control session to a machine's brain, with a request `watch`
// (docs/control.md) for each of them, as bytes. It notes what it was told last of each, and when.
//
// It does not ask again: where its machine goes down it has ended. Owned by its maker, and freed
// after the world has run for the last time; the publishers are somebody else's.

#include "simnet/publisher.h"

#define SIMNET_FOLLOWER_NAMES_MAX 60 // a brain takes 64 requests of one session

struct simnet_follower_name {
    const struct simnet_publisher *publisher;
    uint32_t request;
    uint32_t version; // told last; 0: none so far
    int64_t told_us;  // when that was
    uint32_t news;    // results after the first picture
    bool is_there;    // was not told to be gone since
    bool is_watching; // the first picture is whole
    bool has_failed;  // the request was answered with an error
};

struct simnet_follower {
    struct simnet_client *client;
    struct simnet_client_watch watch;
    uint32_t count;
    struct simnet_follower_name names[SIMNET_FOLLOWER_NAMES_MAX];
};

// Opens a session to the machine, which is up and has room for one more (asserted).
struct simnet_follower *simnet_follower_new(struct simnet_machine *machine);
void simnet_follower_free(struct simnet_follower *follower);

// Watches one more of a publisher's names, at most SIMNET_FOLLOWER_NAMES_MAX (asserted).
void simnet_follower_add(struct simnet_follower *follower,
                         const struct simnet_publisher *publisher);

// Hangs up: it watches no more.
void simnet_follower_end(struct simnet_follower *follower);
bool simnet_follower_is_up(const struct simnet_follower *follower);

#endif
