// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_RUN_H
#define PNR_SIMNET_RUN_H

// A run of a scenario: makes its world, lets it go by, and collects what happened. It knows virtual
// time alone; what it costs in real time its caller measures.
//
//     JOINING --all are there--> WARMING UP --t0--> FAULTS --> HEALING --> ENDED
//
// How it is used: simnet_run_new(), then simnet_run_step() until it returns false, or until the
// caller has enough of it, then simnet_run_finish(), and look in.

#include "simnet/faults.h"
#include "simnet/figures.h"

// Phases of its application's lookups: those that are measured, and those in the healed network.
enum {
    SIMNET_RUN_MEASURED,
    SIMNET_RUN_HEALED,
};

enum simnet_run_phase {
    SIMNET_RUN_JOINING,
    SIMNET_RUN_WARMING_UP,
    SIMNET_RUN_FAULTS,
    SIMNET_RUN_HEALING,
    SIMNET_RUN_ENDED,
};

const char *simnet_run_phase_name(enum simnet_run_phase phase);

// How things stood at one time.
struct simnet_run_sample {
    int64_t at_us; // from the start
    uint32_t up;
    struct simnet_counters counters; // of the world, up to then
};

// What was promised, and whether it held.
struct simnet_run_verdict {
    char name[64];
    char detail[256];
    bool held;
};

#define SIMNET_RUN_VERDICTS_MAX 64
#define SIMNET_RUN_COUNTERS_MAX 256

// The sum of a counter over all machines that were up at the end.
struct simnet_run_counter {
    const char *name;
    const char *meaning;
    uint64_t value;
};

struct simnet_run;

// scenario is copied.
struct simnet_run *simnet_run_new(const struct simnet_scenario *scenario);
void simnet_run_free(struct simnet_run *run);

// Goes on, for a second of virtual time at most. False at the end.
bool simnet_run_step(struct simnet_run *run);
// Takes stock: the verdicts, the sums. Once, before looking in.
void simnet_run_finish(struct simnet_run *run);

// ---- looking in ----

const struct simnet_scenario *simnet_run_scenario(const struct simnet_run *run);
struct simnet_world *simnet_run_world(const struct simnet_run *run);
struct simnet_network *simnet_run_network(const struct simnet_run *run);
struct simnet_application *simnet_run_application(const struct simnet_run *run);

enum simnet_run_phase simnet_run_phase(const struct simnet_run *run);
int64_t simnet_run_now(const struct simnet_run *run);   // since the start
bool simnet_run_is_whole(const struct simnet_run *run); // it went on to its end

size_t simnet_run_samples(const struct simnet_run *run, const struct simnet_run_sample **ret_all);
size_t simnet_run_verdicts(const struct simnet_run *run, const struct simnet_run_verdict **ret_all);
// Those that are not zero.
size_t simnet_run_counters(const struct simnet_run *run, const struct simnet_run_counter **ret_all);

// Of the closest live nodes, the share that answered a whole lookup: the mean of those in the
// healed network, or before; -1 where none was measured, as without the checker `closest`.
double simnet_run_recall(const struct simnet_run *run, bool is_healed);
// The part of the run with the least success; at_us counts from its start. False: no lookup counts.
bool simnet_run_worst(const struct simnet_run *run, struct simnet_figures_interval *ret_worst);

// Packets that a node sent in a minute while nothing was asked of it, during the warm-up; -1 where
// the warm-up was too short to say.
double simnet_run_idle(const struct simnet_run *run);

#endif
