// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_SIMNET_TWICE_H
#define PNR_TESTS_SIMNET_TWICE_H

// Scenarios: tests that run worlds, each of them twice with the same seeds. Its checks have to hold
// both times, and all its worlds have to end the same: what happened in them, packet for packet,
// and what the scenario notes of its own. A scenario hands its worlds back with twice_end(), and
// stands in the list of tests as twice_scenario(name).

#include "simnet/world.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#define TWICE_NOTES_MAX 256

struct twice {
    void (*scenario)(struct twice *twice);
    uint64_t notes[TWICE_NOTES_MAX]; // of the first run
    size_t count;                    // of them
    size_t at;                       // of the second run
    bool is_second;
};

// A scenario in a function's list of tests.
#define twice_scenario(name)                                                                       \
    ((struct CMUnitTest){#name, twice_run, NULL, NULL, &(struct twice){.scenario = name}})

// Notes a figure that both runs must have, in the same place.
static inline void twice_note(struct twice *twice, const char *what, uint64_t value)
{
    if (!twice->is_second) {
        assert_true(twice->count < TWICE_NOTES_MAX);
        twice->notes[twice->count++] = value;
        return;
    }
    if (twice->at == twice->count)
        fail_msg("the second run goes on where the first one ended");
    uint64_t first = twice->notes[twice->at++];
    if (value != first)
        fail_msg("the second run differs in note %zu, %s: %016llx, not %016llx", twice->at, what,
                 (unsigned long long)value, (unsigned long long)first);
}

// Notes what happened in a world, and frees it.
static inline void twice_end(struct twice *twice, struct simnet_world *world)
{
    struct simnet_counters counters = *simnet_world_counters(world);
    uint64_t hash = simnet_world_hash(world);
    simnet_world_free(world); // first, for a test that fails does not come back
    twice_note(twice, "events", counters.events);
    twice_note(twice, "datagrams sent", counters.sent);
    twice_note(twice, "hash", hash);
}

// The test that a scenario is.
static inline void twice_run(void **state)
{
    struct twice *twice = *state;
    twice->scenario(twice);
    assert_true(twice->count > 0);
    twice->is_second = true;
    twice->scenario(twice);
    if (twice->at < twice->count)
        fail_msg("the second run ends before the first one did");
}

#endif
