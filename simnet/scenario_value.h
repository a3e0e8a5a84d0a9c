// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_SCENARIO_VALUE_H
#define PNR_SIMNET_SCENARIO_VALUE_H

// The values of a scenario's keys: their types, how they are read and how they are written. What
// simnet_scenario_value_write() writes, simnet_scenario_value_read() reads back as the same value.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIMNET_SCENARIO_TEXT_MAX  160 // bytes of a value when written, with its NUL
#define SIMNET_SCENARIO_ERROR_MAX 1024

// The type of a key's value, and of the field that holds it.
enum simnet_scenario_type {
    SIMNET_SCENARIO_COUNT,  // int64_t
    SIMNET_SCENARIO_BYTES,  // int64_t; K, M and G are powers of 1024
    SIMNET_SCENARIO_TIME,   // int64_t microseconds; written in us, ms, s, min or h
    SIMNET_SCENARIO_SHARE,  // double, 0 to 1; written in percent
    SIMNET_SCENARIO_REAL,   // double
    SIMNET_SCENARIO_CHOICE, // int: the index of one of the words
    SIMNET_SCENARIO_SET,    // int: a bit for each of the words; "all" and "none" are read too
};

struct simnet_scenario_key {
    const char *section;
    const char *name;
    enum simnet_scenario_type type;
    size_t offset;            // of the field, in struct simnet_scenario or in a repeated section's
    const char *standard;     // the default, as it would stand in the file
    const char *const *words; // of a CHOICE or a SET; ends in NULL
    double min, max;          // of the numbers; a time's are seconds, a share's percent
    const char *what;         // one or two sentences
};

// Sets key's field of *base. False where the text does not fit, the field is then as it was.
bool simnet_scenario_value_read(const struct simnet_scenario_key *key, void *base,
                                const char *text);
void simnet_scenario_value_write(const struct simnet_scenario_key *key, const void *base,
                                 char ret_text[SIMNET_SCENARIO_TEXT_MAX]);

// Says what is expected, for errors and docs: "a duration from 1s to 24h, such as 30s".
void simnet_scenario_value_expected(const struct simnet_scenario_key *key,
                                    char ret_text[SIMNET_SCENARIO_ERROR_MAX]);

// A duration as people read it, with the largest unit that divides it.
void simnet_scenario_value_time(int64_t us, char ret_text[32]);

#endif
