// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_FAULTS_H
#define PNR_SIMNET_FAULTS_H

// What befalls a scenario's network from t0 on: events, partitions, churn, machines that are dead;
// and the end of all of it when the network is to heal.
//
// Owned by the run, and freed after its world has run for the last time.

#include "simnet/churn.h"
#include "simnet/mishaps.h"

struct simnet_faults;

// Plans them. heal_us: when they end, of the world's clock.
struct simnet_faults *simnet_faults_new(struct simnet_network *network, int64_t t0_us,
                                        int64_t heal_us);
void simnet_faults_free(struct simnet_faults *faults);

// That machine stays, where there is churn: to be told once t0 is reached.
void simnet_faults_exempt(struct simnet_faults *faults, uint32_t machine);

// NULL where there is no churn.
const struct simnet_churn *simnet_faults_churn(const struct simnet_faults *faults);
const struct simnet_mishaps_counters *simnet_faults_counters(const struct simnet_faults *faults);

#endif
