// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_WEATHER_PART_H
#define PNR_SIMNET_WEATHER_PART_H

// A run of weather (simnet/weather.h), for its parts.

#include "simnet/disk.h"
#include "simnet/weather.h"

struct simnet_weather_sky {
    const struct simnet_weather *weather;
    struct simnet_world *world;
    struct simnet_profile profile;
    struct simnet_disk_config disk;
    struct simnet_stream stream; // of faults
    struct simnet_element *loss, *burst, *duplicate, *reorder, *jitter, *mtu, *partition;
    struct simnet_application *application;
    struct simnet_checker *checker;
    struct simnet_league *league; // of its adversaries
    uint32_t addresses;           // given out so far
    bool is_healed;
};

// The first machines are well known: they are on the open internet, and stay honest.
#define SIMNET_WEATHER_WELL_KNOWN 3

// weather_faults.c: plans what befalls machines.
void simnet_weather_faults_plan(struct simnet_weather_sky *sky);
// Ends all of it: every machine is up, well, and knows the time.
void simnet_weather_faults_heal(struct simnet_weather_sky *sky);
// Starts a machine that is off: it is told of the first machines, as others are told of well-known
// ones.
void simnet_weather_start(struct simnet_weather_sky *sky, struct simnet_machine *machine);

#endif
