// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_PROGRESS_H
#define PNR_SIMNET_PROGRESS_H

// One line on a terminal that says how far a run is: the share that is done, virtual time, nodes
// up, messages a second, memory. Nothing is shown where stderr is no terminal, or is a dumb one.

#include "simnet/run.h"

struct simnet_progress {
    bool is_shown;
    double begin_s, last_s;
    uint64_t last_delivered;
};

void simnet_progress_begin(struct simnet_progress *progress, bool is_wanted);
// Shows it, at most five times a second.
void simnet_progress_step(struct simnet_progress *progress, const struct simnet_run *run);
// Takes the line away.
void simnet_progress_end(struct simnet_progress *progress);

double simnet_progress_now(void);      // real time, seconds from somewhere
double simnet_progress_cpu(void);      // of this process, seconds
uint64_t simnet_progress_memory(void); // resident, bytes
uint64_t simnet_progress_peak(void);   // the most that it ever was

#endif
