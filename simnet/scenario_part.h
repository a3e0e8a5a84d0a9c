// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_SCENARIO_PART_H
#define PNR_SIMNET_SCENARIO_PART_H

// A scenario that is being read, for the parts that do it: scenario_read.c takes the lines of the
// file and the settings, scenario_check.c looks for what contradicts each other, scenario.c is the
// whole. All of it lives as long as simnet_scenario_read() does.

#include "simnet/scenario.h"
#include "simnet/scenario_keys.h"

#define SIMNET_SCENARIO_INSTANCES_MAX 128 // sections that a file can hold, each with its name
#define SIMNET_SCENARIO_KEYS_MAX      160

// Where a key was set: a line of the file, or a setting of the command line.
struct simnet_scenario_origin {
    unsigned line;
    const struct simnet_scenario_setting *setting;
};

// A section as it stands in the file, with its name.
struct simnet_scenario_instance {
    const struct simnet_scenario_section *section;
    size_t index; // of a repeated one
    struct simnet_scenario_origin named;
    struct simnet_scenario_origin keys[SIMNET_SCENARIO_KEYS_MAX];
};

struct simnet_scenario_reading {
    FILE *stream; // NULL: there is no file
    const char *path;
    struct simnet_scenario *scenario;
    const struct simnet_scenario_setting *setting; // that is being read; NULL: the file is
    unsigned line; // the line read last; inih calls us before it reads the next
    bool failed;
    char *error;
    struct simnet_scenario_instance *now; // that the file is in
    size_t instance_count;
    struct simnet_scenario_instance instances[SIMNET_SCENARIO_INSTANCES_MAX];
};

// Reports what is wrong, and where. Only the first report is kept. Always false.
__attribute__((format(printf, 3, 4))) bool
simnet_scenario_complain(struct simnet_scenario_reading *reading,
                         struct simnet_scenario_origin origin, const char *format, ...);

// Puts a question mark in the place of each control character: a report repeats what stands in
// files and arguments, and is one line.
void simnet_scenario_in_one_line(char *text);

// What the offsets of a section's keys count from.
char *simnet_scenario_base(struct simnet_scenario *scenario,
                           const struct simnet_scenario_section *section, size_t index);

// Reads the stream to its end.
void simnet_scenario_read_file(struct simnet_scenario_reading *reading);
// Reads one setting of the command line, which is borrowed.
void simnet_scenario_read_setting(struct simnet_scenario_reading *reading,
                                  const struct simnet_scenario_setting *setting);

// Whether everything fits together.
bool simnet_scenario_check(struct simnet_scenario_reading *reading);

#endif
