// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_CLOCK_H
#define PNR_SIMNET_CLOCK_H

// The clocks of a simulated machine whose clocks are not the world's own. The wall clock may be
// off, drift, jump, and forget the time when power is cut. The monotonic clock may be fast or slow;
// it never goes back while the machine is on, and begins anew at each boot. Asleep it runs on, as
// CLOCK_BOOTTIME does, which pnrd reads on Linux, or stands still, as CLOCK_MONOTONIC does there.
//
// World times (now_us) may not go back. Owned by the machine's host (simnet/host.h).

#include "simnet/stream.h"

#define SIMNET_CLOCK_RATE_MAX_PPM 100000.0

// All zero: the world's own clocks.
struct simnet_clock_config {
    int64_t offset_us;    // of the wall clock, less the true one, at first
    double drift_ppm;     // by which the wall clock goes away from the true one
    double rate_ppm;      // by which the monotonic clock is fast; at most the maximum either way
    bool stands_in_sleep; // the monotonic clock does
    bool forgets;         // no battery: at each boot the wall clock shows boot_wall_us,
    int64_t boot_wall_us; // microseconds since 1970,
    int64_t corrected_us; // until it is set right, so long after; 0: never
};

// Clocks as they are about: crystals are within 50 ppm, most are set by NTP within 50 ms; one in
// twenty is off by minutes, one in a hundred by hours (a wrong zone), one in two hundred by years.
void simnet_clock_config_draw(struct simnet_clock_config *config, struct simnet_stream *stream);

struct simnet_clock {
    struct simnet_clock_config config;
    int64_t offset_us; // of the wall clock, at since_us
    int64_t since_us;
    int64_t base_us;       // what the monotonic clock showed
    int64_t base_world_us; // at that world time
    bool stands;
};

void simnet_clock_init(struct simnet_clock *clock, const struct simnet_clock_config *config,
                       int64_t now_us);
// The machine has been switched on; true_us: the true wall clock.
void simnet_clock_boot(struct simnet_clock *clock, int64_t now_us, int64_t true_us);

// What the wall clock shows.
int64_t simnet_clock_wall(const struct simnet_clock *clock, int64_t now_us, int64_t true_us);
// Sets it forwards or back.
void simnet_clock_jump(struct simnet_clock *clock, int64_t by_us);
// Sets it to the true time, plus off_us, from which it drifts on.
void simnet_clock_correct(struct simnet_clock *clock, int64_t now_us, int64_t off_us);

// What the monotonic clock shows.
int64_t simnet_clock_now(const struct simnet_clock *clock, int64_t now_us);
// The first world time at which it shows at_us; INT64_MAX while it stands.
int64_t simnet_clock_when(const struct simnet_clock *clock, int64_t at_us);
void simnet_clock_set_rate(struct simnet_clock *clock, int64_t now_us, double rate_ppm);
void simnet_clock_sleep(struct simnet_clock *clock, int64_t now_us);
void simnet_clock_wake(struct simnet_clock *clock, int64_t now_us);

#endif
