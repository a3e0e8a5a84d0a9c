// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_PROBE_H
#define PNR_SIMNET_PROBE_H

// One lookup of a name, a publisher's or nobody's, by a session of its own, as one call of `pnr
// resolve` has, and what came of it. A probe can be used again for another once it has ended.
//
// Owned by its maker, and freed after the world has run for the last time.

#include "simnet/publisher.h"

enum simnet_probe_outcome {
    SIMNET_PROBE_FOUND, // a version of the publisher's came, and the end
    SIMNET_PROBE_NOT_FOUND,
    SIMNET_PROBE_TIMED_OUT,
    SIMNET_PROBE_FAILED,  // any other error
    SIMNET_PROBE_GONE,    // the asker's machine went away, or is not up
    SIMNET_PROBE_DROPPED, // it was cancelled or hung up on by the asker itself
    SIMNET_PROBE_WRONG,   // what came was never published: nothing should ever do that
    SIMNET_PROBE_REFUSED, // the asker's node is up, and took no other session
    // Nothing was found, and that is right: its publisher had withdrawn the name, or did so while
    // it was looked for, or had not been told yet that it is published again.
    SIMNET_PROBE_WITHDRAWN,
    SIMNET_PROBE_OUTCOMES,
};
const char *simnet_probe_word(enum simnet_probe_outcome outcome); // "not found"

// What the asker does beside asking.
enum simnet_probe_manner {
    SIMNET_PROBE_POLITE,
    SIMNET_PROBE_CANCELS,
    SIMNET_PROBE_HANGS_UP,
    SIMNET_PROBE_ASKS_TWICE, // the same id again: the brain hangs up
    SIMNET_PROBE_STOPS,      // reading, for a while
    SIMNET_PROBE_MANNERS,
};
const char *simnet_probe_manner_word(enum simnet_probe_manner manner); // "hung up"

struct simnet_probe_plan {
    struct simnet_machine *machine;
    const struct simnet_publisher *publisher; // NULL: a key of nobody's, `key`, is asked for
    uint8_t key[DHT_KEY_LEN];
    enum control_wait wait;
    uint32_t timeout_ms; // 0: the default
    bool trace;          // keeps the ids of the nodes that answered
    enum simnet_probe_manner manner;
    int64_t manner_us;         // after so long, of CANCELS, HANGS_UP and STOPS
    uint64_t number;           // the maker's
    struct simnet_stream *cut; // not NULL: its frames go out in pieces
};

#define SIMNET_PROBE_IDS_MAX 64 // nodes kept of a trace: the closest of them

struct simnet_probe_ids {
    struct dht_id ids[SIMNET_PROBE_IDS_MAX];
    size_t count;
};

struct simnet_probe {
    struct simnet_probe_plan plan;
    struct simnet_client *client;
    struct simnet_client_watch watch;
    void (*ended)(void *ctx, struct simnet_probe *probe); // called once for each plan
    // Of each answer to it, before the probe itself; may be NULL.
    void (*heard)(void *ctx, const struct simnet_probe *probe,
                  const struct simnet_client_answer *answer);
    void *ctx;
    uint32_t place; // the maker's
    uint32_t run;   // of tasks: those of earlier runs mean nothing
    bool is_busy;
    char name[SIMNET_PUBLISHER_NAME_MAX]; // that is asked for
    struct dht_id target;
    // The publisher's, when it was asked: what is found should not be older.
    uint32_t acked;
    bool was_wanted, was_settled, was_withdrawn;
    uint32_t withdrawals;
    int64_t asked_us, first_us, end_us;   // of the world; first_us -1: no answer came
    struct simnet_answer_work first, end; // the work up to then
    enum simnet_probe_outcome outcome;
    uint32_t version; // the newest that came; 0: none
    int64_t seq;
    int source;                     // of the first answer: enum control_source
    enum simnet_probe_manner shown; // of the plan's manner: polite, where the end came before
    // Of a traced one, closest first: who answered; and all who were asked, for a node that is
    // farther away than a lookup waits was found all the same.
    struct simnet_probe_ids answered, asked;
};

struct simnet_probe *simnet_probe_new(struct simnet_world *world);
void simnet_probe_free(struct simnet_probe *probe);

// Begins now. It is not busy (asserted). ended() may be called before this returns.
void simnet_probe_run(struct simnet_probe *probe, const struct simnet_probe_plan *plan);

// Of one that has ended: whether what it found is older than what its publisher knew to be stored
// when it was asked, be it a version or that the name is withdrawn.
bool simnet_probe_is_stale(const struct simnet_probe *probe);

#endif
