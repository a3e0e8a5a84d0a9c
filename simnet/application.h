// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_APPLICATION_H
#define PNR_SIMNET_APPLICATION_H

// What the people of a network do: names are published (simnet/publisher.h), each by a machine
// drawn among those that are up, and lookups of them (simnet/probe.h) are made: so many in a span
// of time, of names and by machines drawn by chance; or planned one by one. What came of each
// lookup is kept; simnet/figures.h says what they come to.
//
// Owned by its maker, and freed after the world has run for the last time. Bounds: the counts of
// its config and what is planned; probes are used again once they have ended.

#include "simnet/probe.h"

#define SIMNET_APPLICATION_NONE UINT32_MAX

struct simnet_application_config {
    uint32_t first, count; // machines it may use: numbers [first, first + count)
    // Publishers: they begin one after the other.
    uint32_t publishers;
    int64_t publish_us, publish_over_us; // when the first begins, and the time over which all do
    struct simnet_publisher_habits habits;
    // Lookups, of phase 0.
    uint32_t lookups;
    int64_t resolve_us, resolve_over_us; // from when on, and the time over which they are spread
    bool at_random;                      // at any time in it; or evenly
    enum control_wait wait;
    bool any_wait; // each asks for another wait, drawn
    bool trace;    // see struct simnet_probe_plan
    uint32_t timeout_ms;
    double rude_share; // of lookups with bad manners
    int64_t rude_us;   // which show within this time
    double cut_share;  // of lookups whose frames go out in pieces
};

void simnet_application_config_init(struct simnet_application_config *config);

// How a lookup came out: enum simnet_probe_outcome, and these.
enum {
    SIMNET_APPLICATION_NOBODY =
        SIMNET_PROBE_OUTCOMES,  // no machine was up to ask, or no name was there
    SIMNET_APPLICATION_WAITING, // it has not ended yet
    SIMNET_APPLICATION_OUTCOMES,
};

const char *simnet_application_outcome_word(int outcome); // "not found"

struct simnet_application_lookup {
    int64_t asked_us;  // of the world
    int64_t first_us;  // to the first verified answer; -1: there was none
    int64_t end_us;    // to the end; -1: none yet
    uint32_t name;     // its publisher's number; SIMNET_APPLICATION_NONE: there was none
    uint32_t machine;  // who asked; SIMNET_APPLICATION_NONE: nobody
    uint32_t asked;    // nodes, up to the end
    uint32_t answered; // of them
    uint16_t hops;     // to the end
    uint8_t outcome;
    uint8_t manner;         // that it has shown: enum simnet_probe_manner
    uint8_t phase;          // as it was planned
    uint8_t is_nobodys : 1; // of a key that nobody uses
    uint8_t is_cached : 1;  // answered out of the asker's own memory
    uint8_t is_stale : 1;   // found, but older than what was stored when it was asked
};

struct simnet_application;

struct simnet_application *simnet_application_new(struct simnet_world *world,
                                                  const struct simnet_application_config *config);
void simnet_application_free(struct simnet_application *application);

// Plans one more lookup, at a time that is not past.
struct simnet_application_plan {
    int64_t at_us;
    uint32_t name; // the publisher's number; SIMNET_APPLICATION_NONE: nobody's, `key`
    uint8_t phase; // the caller's; lookups of different phases are counted apart
    enum control_wait wait;
    bool trace;
    struct simnet_machine *machine; // who asks; NULL: drawn then
    uint8_t key[DHT_KEY_LEN];
};
void simnet_application_plan(struct simnet_application *application,
                             const struct simnet_application_plan *plan);

// No more changes of what is published; what its publishers want last, they still see done.
void simnet_application_calm(struct simnet_application *application);
// Publishers that have not been told yet that what they want last was done.
uint32_t simnet_application_unsettled(const struct simnet_application *application);

// Sees each client that is made, those there were before too, to add a watch of its own to it; and
// each lookup as it ends. Either may be NULL. One of them.
struct simnet_application_watch {
    void (*made)(void *ctx, struct simnet_client *client);
    void (*ended)(void *ctx, const struct simnet_probe *probe);
    void *ctx;
};
void simnet_application_watch(struct simnet_application *application,
                              const struct simnet_application_watch *watch);

// Sees one lookup, by its number: told as it is asked, and of each answer. One of them.
struct simnet_application_tracer {
    void (*begun)(void *ctx, const struct simnet_application_lookup *lookup,
                  const struct simnet_publisher *publisher);
    void (*answered)(void *ctx, enum control_answer kind, struct dht_span fields);
    void *ctx;
};
void simnet_application_trace(struct simnet_application *application, uint32_t lookup,
                              const struct simnet_application_tracer *tracer);

// ---- looking in ----

// Publishers that have begun: each that has a number below this.
uint32_t simnet_application_begun(const struct simnet_application *application);
struct simnet_publisher *simnet_application_publisher(const struct simnet_application *application,
                                                      uint32_t number);

// Lookups that are planned in all; and made so far, in the order of asking.
uint32_t simnet_application_planned(const struct simnet_application *application);
uint32_t simnet_application_lookups(const struct simnet_application *application);
// Valid until more are planned.
const struct simnet_application_lookup *
simnet_application_lookup(const struct simnet_application *application, uint32_t number);

#endif
