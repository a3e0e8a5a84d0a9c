// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_APPLICATION_H
#define PNR_SIMNET_APPLICATION_H

// What the people of a network do: publishers (simnet/publisher.h) on machines of their own, and
// resolvers that ask at some rate, each from a machine and for a name drawn at random; or probes
// (simnet/probe.h) planned one by one, for benchmarks. What comes of the lookups is counted, for
// each phase of the simulation by itself.
//
// Owned by its maker, and freed after the world has run for the last time.

#include "simnet/probe.h"
#include "simnet/tally.h"

#define SIMNET_APPLICATION_PHASES_MAX 8

struct simnet_application_config {
    uint32_t first, count; // machines it may use: numbers [first, first + count)
    // Publishers, each on a machine drawn among them, that begin one after the other.
    uint32_t publishers;
    int64_t publish_us, publish_over_us; // when the first begins, and until the last does
    struct simnet_publisher_habits habits;
    // Resolvers, from resolve_us until simnet_application_calm().
    double resolves_per_second; // 0: none
    int64_t resolve_us;
    enum control_wait wait;
    uint32_t timeout_ms;
    bool any_wait;     // each asks for another wait, drawn
    bool trace;        // see struct simnet_probe
    double rude_share; // of lookups with bad manners
    double cut_share;  // of lookups whose frames go out in pieces
};

void simnet_application_config_init(struct simnet_application_config *config);

// Of the lookups of one phase.
struct simnet_application_figures {
    uint64_t outcomes[SIMNET_PROBE_OUTCOMES];
    uint64_t cached;                 // found without the network
    uint64_t stale;                  // found, older than what was acknowledged when they were asked
    struct simnet_tally first_us;    // of those found in the network: time to the first answer
    struct simnet_tally first_hops;  // and hops
    struct simnet_tally first_asked; // and nodes queried, up to then
    struct simnet_tally end_us;      // to the final answer
    struct simnet_tally asked;       // nodes queried in all
    struct simnet_tally behind;      // versions, of those stale
    struct simnet_series series;     // success over time; a step is a minute
};

struct simnet_application;

struct simnet_application *simnet_application_new(struct simnet_world *world,
                                                  const struct simnet_application_config *config);
void simnet_application_free(struct simnet_application *application);

// Lookups asked from now on count into that phase, of those below SIMNET_APPLICATION_PHASES_MAX;
// the first is 0.
void simnet_application_phase(struct simnet_application *application, uint32_t phase);
const struct simnet_application_figures *
simnet_application_figures(const struct simnet_application *application, uint32_t phase);
// Tries that count: all but those that the asker itself dropped. And of these the
// share that found what they should: a name where one is published, of any version.
uint64_t simnet_application_tries(const struct simnet_application_figures *figures);
double simnet_application_success(const struct simnet_application_figures *figures);

// No more changes, and no more lookups but those planned.
void simnet_application_calm(struct simnet_application *application);
// Publishers that have not been told yet that what they want last was done.
uint32_t simnet_application_unsettled(const struct simnet_application *application);

uint32_t simnet_application_publishers(const struct simnet_application *application);
struct simnet_publisher *simnet_application_publisher(const struct simnet_application *application,
                                                      uint32_t number);

// Plans a lookup: plan.publisher, machine, wait and so on at that time. For scheduled benchmarks,
// with pairs drawn beforehand.
void simnet_application_probe(struct simnet_application *application, int64_t at_us,
                              const struct simnet_probe_plan *plan);

// Sees each client that is made, those there were before too, to add a watch of its own to it; and
// each lookup as it ends. Either may be NULL. One of them.
struct simnet_application_watch {
    void (*made)(void *ctx, struct simnet_client *client);
    void (*ended)(void *ctx, const struct simnet_probe *probe);
    void *ctx;
};
void simnet_application_watch(struct simnet_application *application,
                              const struct simnet_application_watch *watch);

#endif
