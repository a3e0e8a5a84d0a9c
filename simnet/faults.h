// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_FAULTS_H
#define PNR_SIMNET_FAULTS_H

// What befalls a scenario's network from t0 on: events, partitions, churn, machines that are dead;
// and the end of all of it when the network is to heal.
//
// Owned by the run, and freed after its world has run for the last time.

#include "simnet/churn.h"
#include "simnet/network.h"

struct simnet_faults;

// Plans them. heal_us: when they end, of the world's clock.
struct simnet_faults *simnet_faults_new(struct simnet_network *network, int64_t t0_us,
                                        int64_t heal_us);
void simnet_faults_free(struct simnet_faults *faults);

// That machine stays, where there is churn: to be told once t0 is reached.
void simnet_faults_exempt(struct simnet_faults *faults, uint32_t machine);

// How often what was done, for the report. X-macro: name, meaning.
#define SIMNET_FAULTS_COUNTERS(X)                                                                  \
    X(crashes, "machines that crashed")                                                            \
    X(stops, "machines that left in order")                                                        \
    X(returns, "machines that came back")                                                          \
    X(sleeps, "machines that were suspended")                                                      \
    X(moves, "machines that got another address")

struct simnet_faults_counters {
#define SIMNET_FAULTS_COUNTER_FIELD(name, meaning) uint64_t name;
    SIMNET_FAULTS_COUNTERS(SIMNET_FAULTS_COUNTER_FIELD)
#undef SIMNET_FAULTS_COUNTER_FIELD
};

// NULL where there is no churn.
const struct simnet_churn *simnet_faults_churn(const struct simnet_faults *faults);
const struct simnet_faults_counters *simnet_faults_counters(const struct simnet_faults *faults);

#endif
