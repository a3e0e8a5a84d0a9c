// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_WORKLOAD_H
#define PNR_SIMNET_WORKLOAD_H

// What is asked of a scenario's network: names are published (simnet/publisher.h), each by a
// machine drawn among those that are up, and lookups of them (simnet/probe.h) are made and
// measured.
//
// Owned by the run, and freed after its world has run for the last time. Bounds: the scenario's
// counts; probes are used again once they have ended.

#include "simnet/probe.h"
#include "simnet/scenario.h"

#define SIMNET_WORKLOAD_NONE UINT32_MAX

// How a lookup came out: enum simnet_probe_outcome, and these.
enum {
    SIMNET_WORKLOAD_NOBODY =
        SIMNET_PROBE_OUTCOMES, // no machine was up to ask, or no name was there
    SIMNET_WORKLOAD_WAITING,   // it has not ended yet
    SIMNET_WORKLOAD_OUTCOMES,
};

// The word for an outcome: "not found".
const char *simnet_workload_outcome_name(int outcome);

struct simnet_workload_lookup {
    int64_t asked_us;  // of the world
    int64_t first_us;  // to the first verified answer; -1: there was none
    int64_t end_us;    // to the end; -1: none yet
    uint32_t name;     // its number; SIMNET_WORKLOAD_NONE: there was none
    uint32_t machine;  // who asked; SIMNET_WORKLOAD_NONE: nobody
    uint32_t asked;    // nodes, up to the end
    uint32_t answered; // of them
    uint16_t hops;     // to the end
    uint8_t outcome;
    uint8_t is_healed : 1; // made in the healed network
    uint8_t is_cached : 1; // answered out of the asker's own memory
    uint8_t is_stale : 1;  // found, but older than what was stored when it was asked
};

struct simnet_workload_name {
    struct simnet_publisher *publisher; // NULL: there was no machine for it
    uint32_t stored, targets;           // copies, and nodes asked to keep one, as last told
    struct simnet_client_watch watch;
};

struct simnet_workload;

// Plans all: publications before t0, lookups after, and each name once more at healed_us (0: not).
// It uses the machines [first, first + count). t0_us, healed_us: of the world's clock.
struct simnet_workload_plan {
    const struct simnet_scenario *scenario; // has to outlive it
    uint32_t first, count;
    int64_t t0_us;
    int64_t healed_us, healed_for_us;
};
struct simnet_workload *simnet_workload_new(struct simnet_world *world,
                                            const struct simnet_workload_plan *plan);
void simnet_workload_free(struct simnet_workload *workload);

// No more changes of what is published.
void simnet_workload_calm(struct simnet_workload *workload);

// Sees each client that is made, and each lookup as it ends: checkers. Either may be NULL. One of
// them.
struct simnet_workload_watch {
    void (*made)(void *ctx, struct simnet_client *client);
    void (*ended)(void *ctx, const struct simnet_probe *probe);
    void *ctx;
};
void simnet_workload_watch(struct simnet_workload *workload,
                           const struct simnet_workload_watch *watch);

// Sees the hops of one lookup: it is asked for with a trace. Told of its beginning, and of each
// answer. One of them.
struct simnet_workload_tracer {
    void (*begun)(void *ctx, const struct simnet_workload_lookup *lookup,
                  const struct simnet_workload_name *name);
    void (*answered)(void *ctx, enum control_answer kind, struct dht_span fields);
    void *ctx;
};
void simnet_workload_trace(struct simnet_workload *workload, uint32_t lookup,
                           const struct simnet_workload_tracer *tracer);

// ---- looking in ----

uint32_t simnet_workload_planned(const struct simnet_workload *workload); // lookups, in all
uint32_t simnet_workload_lookups(const struct simnet_workload *workload); // begun
const struct simnet_workload_lookup *simnet_workload_lookup(const struct simnet_workload *workload,
                                                            uint32_t number);
uint32_t simnet_workload_names(const struct simnet_workload *workload); // begun
const struct simnet_workload_name *simnet_workload_name(const struct simnet_workload *workload,
                                                        uint32_t number);

#endif
