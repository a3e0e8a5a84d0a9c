// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_FIGURES_H
#define PNR_SIMNET_FIGURES_H

// What the lookups of an application come to: how many found their name, and how long that took,
// over how many hops and with how many messages. Exact: every lookup is kept and sorted.
//
// Success is one thing everywhere. A lookup has it that found its name, of any version; or that
// found nothing where the name was withdrawn. All count but those that the asker itself dropped,
// and those of keys that nobody uses: whose machine goes away, or whose node takes no other
// session, has not found its name. Times, hops and messages are those of lookups that found
// something in the network, and was read when it came; what the asker's own cache knew is counted
// apart.

#include "simnet/application.h"

// Numbers in ascending order. Owned by the figures.
struct simnet_figures_list {
    int64_t *values;
    size_t count;
};

struct simnet_figures {
    uint64_t lookups; // made, the cancelled ones included
    uint64_t outcomes[SIMNET_APPLICATION_OUTCOMES];
    uint64_t manners[SIMNET_PROBE_MANNERS]; // how many have shown which
    uint64_t cached;
    uint64_t stale;                      // found, older than what was stored
    uint64_t counted;                    // all that the asker did not drop itself
    uint64_t right;                      // of them: found, or withdrawn
    double success;                      // their share; -1 where there is none
    struct simnet_figures_list first_us; // to the first verified answer
    struct simnet_figures_list end_us;   // to the end
    struct simnet_figures_list hops;     // to the end
    struct simnet_figures_list messages; // nodes asked
};

// What publishers did, in all.
struct simnet_figures_names {
    uint32_t begun, published; // of these some node keeps a copy
    uint64_t stored;           // copies
    uint64_t changes;          // versions after the first
    uint64_t withdrawals;
    uint64_t interrupted; // requests that were broken off, by the publisher or a crash
    uint64_t failed;      // that were answered with an error
};

// A part of the run.
struct simnet_figures_interval {
    int64_t at_us; // of the world
    int64_t for_us;
    uint64_t counted, right;
};

// Whether a lookup counts, and, of one that does, whether it has success.
bool simnet_figures_counts(const struct simnet_application_lookup *lookup);
bool simnet_figures_is_right(const struct simnet_application_lookup *lookup);

// Of the lookups of one phase.
void simnet_figures_init(struct simnet_figures *figures,
                         const struct simnet_application *application, uint8_t phase);
void simnet_figures_fini(struct simnet_figures *figures);

void simnet_figures_names(const struct simnet_application *application,
                          struct simnet_figures_names *ret_names);

// Whether at least this share (0 to 1) of those that count have success. Of none none has: nothing
// was shown.
bool simnet_figures_reach(uint64_t right, uint64_t counted, double share);

// The time from the first lookup of phase 0 to the last is cut into even parts of at least for_us,
// or is one where it is shorter. Writes the part with the least success, the first of them; false
// where no lookup counts.
bool simnet_figures_worst(const struct simnet_application *application, int64_t for_us,
                          struct simnet_figures_interval *ret_worst);

// The least value that at least this share (0 to 1) are not above; -1 where there is none.
int64_t simnet_figures_percentile(const struct simnet_figures_list *list, double share);
double simnet_figures_mean(const struct simnet_figures_list *list); // -1 where there is none

#endif
