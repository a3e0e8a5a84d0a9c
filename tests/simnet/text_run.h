// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_SIMNET_TEXT_RUN_H
#define PNR_TESTS_SIMNET_TEXT_RUN_H

// Runs of scenarios that stand in a test as text. `row` names them where the test fails.

#include "simnet/run.h"
#include "tests/simnet/twice.h"

#include <stdio.h>
#include <string.h>

static inline struct simnet_run *text_run_new(const char *row, const char *text)
{
    struct simnet_scenario scenario;
    char error[SIMNET_SCENARIO_ERROR_MAX];
    FILE *stream = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    bool good = simnet_scenario_read(stream, row, NULL, &scenario, error);
    fclose(stream);
    if (!good)
        fail_msg("row %s: %s", row, error);
    return simnet_run_new(&scenario);
}

// To its end.
static inline struct simnet_run *text_run_whole(const char *row, const char *text)
{
    struct simnet_run *run = text_run_new(row, text);
    while (simnet_run_step(run))
        ;
    simnet_run_finish(run);
    return run;
}

static inline uint64_t text_run_counter(const struct simnet_run *run, const char *name)
{
    const struct simnet_run_counter *counters;
    size_t count = simnet_run_counters(run, &counters);
    for (size_t i = 0; i < count; i++)
        if (strcmp(counters[i].name, name) == 0)
            return counters[i].value;
    return 0;
}

// All that the scenario checks holds, and that is two things or more; and each counter, of `max` or
// up to NULL, is `least` or more.
static inline void text_run_check(const struct simnet_run *run, const char *row,
                                  const char *const *counters, const uint64_t *least, size_t max)
{
    const struct simnet_run_verdict *verdicts;
    size_t count = simnet_run_verdicts(run, &verdicts);
    assert_true(count >= 2);
    for (size_t i = 0; i < count; i++)
        if (!verdicts[i].held)
            fail_msg("row %s: %s: %s", row, verdicts[i].name, verdicts[i].detail);
    for (size_t i = 0; i < max && counters[i] != NULL; i++)
        if (text_run_counter(run, counters[i]) < least[i])
            fail_msg("row %s: %s is %d", row, counters[i], (int)text_run_counter(run, counters[i]));
}

#endif
