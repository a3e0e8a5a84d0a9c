// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_ATTACK_H
#define PNR_SIMNET_ATTACK_H

// The adversaries of a scenario: nodes that turn, and machines that join for no good. All of one
// scenario collude: they share a league.
//
// Owned by the run, and freed after its world has run for the last time.

#include "simnet/application.h"
#include "simnet/league.h"
#include "simnet/network.h"

struct simnet_attack;

// Plans them. publish_us: when the first name is published; t0_us; both of the world's clock. Those
// packed around a name need the application, for it knows the first.
struct simnet_attack *simnet_attack_new(struct simnet_network *network,
                                        const struct simnet_application *application,
                                        int64_t publish_us, int64_t t0_us);
void simnet_attack_free(struct simnet_attack *attack);

uint32_t simnet_attack_count(const struct simnet_attack *attack);  // adversaries so far
uint64_t simnet_attack_floods(const struct simnet_attack *attack); // packets sent by flooders
// Of these, puts with a token that the victim had given.
uint64_t simnet_attack_proven(const struct simnet_attack *attack);
// What the others were asked, and did.
const struct simnet_league_counters *simnet_attack_counters(const struct simnet_attack *attack);

#endif
