// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_SCENARIO_KEYS_H
#define PNR_SIMNET_SCENARIO_KEYS_H

// The table of all keys of a scenario, and the one of its sections.

#include "simnet/scenario_value.h"

struct simnet_scenario_section {
    const char *name;
    const char *what;
    // Of a repeated section: where its array and their number are in struct simnet_scenario. Each
    // element begins with its name. The keys' offsets count from the element.
    size_t array, count, size; // size 0: stands once, and offsets count from struct simnet_scenario
};

extern const struct simnet_scenario_key simnet_scenario_keys[];
extern const size_t simnet_scenario_key_count;

// In the order of docs and reports; the keys of each stand together.
extern const struct simnet_scenario_section simnet_scenario_sections[];
extern const size_t simnet_scenario_section_count;

// NULL where there is none of that name.
const struct simnet_scenario_key *simnet_scenario_key_find(const char *section, const char *name);
const struct simnet_scenario_section *simnet_scenario_section_find(const char *name);
// Fills in the defaults of a section's keys.
void simnet_scenario_keys_default(const char *section, void *base);

#endif
