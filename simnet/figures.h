// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_FIGURES_H
#define PNR_SIMNET_FIGURES_H

// What the lookups of a run come to: how many found their name, and how long that took, over how
// many hops and with how many messages. Exact: every lookup is kept and sorted.
//
// Times, hops and messages are those of lookups that found something in the network; what the
// asker's own cache knew is counted apart, and what was cancelled counts nowhere.

#include "simnet/workload.h"

// Numbers in ascending order. Owned by the figures.
struct simnet_figures_list {
    int64_t *values;
    size_t count;
};

struct simnet_figures {
    uint64_t lookups; // made, the cancelled ones included
    uint64_t outcomes[SIMNET_WORKLOAD_OUTCOMES];
    uint64_t cached;
    uint64_t stale;                      // found, older than what was stored
    double success;                      // of those that were not cancelled; 1 where there is none
    struct simnet_figures_list first_us; // to the first verified answer
    struct simnet_figures_list end_us;   // to the end
    struct simnet_figures_list hops;     // to the end
    struct simnet_figures_list messages; // nodes asked
};

// Of the lookups in the healed network, or of the others.
void simnet_figures_init(struct simnet_figures *figures, const struct simnet_workload *workload,
                         bool is_healed);
void simnet_figures_fini(struct simnet_figures *figures);

// The least value that at least this share (0 to 1) are not above; -1 where there is none.
int64_t simnet_figures_percentile(const struct simnet_figures_list *list, double share);
double simnet_figures_mean(const struct simnet_figures_list *list); // -1 where there is none

#endif
