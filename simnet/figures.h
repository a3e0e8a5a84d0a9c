// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_FIGURES_H
#define PNR_SIMNET_FIGURES_H

// What the lookups of a run come to: how many found their name, and how long that took, over how
// many hops and with how many messages. Exact: every lookup is kept and sorted.
//
// Times, hops and messages are those of lookups that found something in the network; what the
// asker's own cache knew is counted apart, and what the asker itself dropped counts nowhere. Whose
// machine goes away, or whose node takes no other session, has not found its name.

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
    uint64_t counted;                    // all that the asker did not drop itself
    double success;                      // found, of them; -1 where there is none
    struct simnet_figures_list first_us; // to the first verified answer
    struct simnet_figures_list end_us;   // to the end
    struct simnet_figures_list hops;     // to the end
    struct simnet_figures_list messages; // nodes asked
};

// A part of the run.
struct simnet_figures_interval {
    int64_t at_us; // of the world
    int64_t for_us;
    uint64_t counted, found;
};

// Of the lookups in the healed network, or of the others.
void simnet_figures_init(struct simnet_figures *figures, const struct simnet_workload *workload,
                         bool is_healed);
void simnet_figures_fini(struct simnet_figures *figures);

// Whether at least this share (0 to 1) of those that count found their name. Of none none does:
// nothing was shown.
bool simnet_figures_reach(uint64_t found, uint64_t counted, double share);

// The time from the first lookup to the last, but those in the healed network, is cut into even
// parts of at least for_us, or is one where it is shorter. Writes the part with the least success,
// the first of them; false where no lookup counts.
bool simnet_figures_worst(const struct simnet_workload *workload, int64_t for_us,
                          struct simnet_figures_interval *ret_worst);

// The least value that at least this share (0 to 1) are not above; -1 where there is none.
int64_t simnet_figures_percentile(const struct simnet_figures_list *list, double share);
double simnet_figures_mean(const struct simnet_figures_list *list); // -1 where there is none

#endif
