// SPDX-License-Identifier: MIT
#include "simnet/clock.h"

#include "simnet/world.h"

#include <assert.h>
#include <math.h>

#define DAY_US (24 * SIMNET_HOUR_US)

// Either way, up to that.
static double spread(struct simnet_stream *stream, double most)
{
    return (2 * simnet_stream_unit(stream) - 1) * most;
}

void simnet_clock_config_draw(struct simnet_clock_config *config, struct simnet_stream *stream)
{
    // Each is drawn, used or not, so that streams stay in step.
    double kind = simnet_stream_unit(stream);
    double share = spread(stream, 1);
    double most_us = 50000;
    if (kind < 0.005)
        most_us = 10 * 365.0 * (double)DAY_US;
    else if (kind < 0.015)
        most_us = 12 * (double)SIMNET_HOUR_US;
    else if (kind < 0.065)
        most_us = 10 * (double)SIMNET_MINUTE_US;
    *config = (struct simnet_clock_config){.offset_us = (int64_t)(share * most_us)};
    config->drift_ppm = spread(stream, 50);
    config->rate_ppm = config->drift_ppm; // one crystal
}

static void set_rate(struct simnet_clock *clock, double rate_ppm)
{
    assert(fabs(rate_ppm) <= SIMNET_CLOCK_RATE_MAX_PPM);
    clock->config.rate_ppm = rate_ppm;
}

void simnet_clock_init(struct simnet_clock *clock, const struct simnet_clock_config *config,
                       int64_t now_us)
{
    *clock = (struct simnet_clock){.config = *config,
                                   .offset_us = config->offset_us,
                                   .since_us = now_us,
                                   .base_us = now_us,
                                   .base_world_us = now_us};
    set_rate(clock, config->rate_ppm);
}

// ---- the wall clock ----

static int64_t drifted(int64_t elapsed_us, double ppm)
{
    return (int64_t)floor((double)elapsed_us * ppm * 1e-6);
}

int64_t simnet_clock_wall(const struct simnet_clock *clock, int64_t now_us, int64_t true_us)
{
    return true_us + clock->offset_us + drifted(now_us - clock->since_us, clock->config.drift_ppm);
}

void simnet_clock_jump(struct simnet_clock *clock, int64_t by_us)
{
    clock->offset_us += by_us;
}

void simnet_clock_correct(struct simnet_clock *clock, int64_t now_us, int64_t off_us)
{
    clock->offset_us = off_us;
    clock->since_us = now_us;
}

// ---- the monotonic clock ----

static void rebase(struct simnet_clock *clock, int64_t now_us)
{
    clock->base_us = simnet_clock_now(clock, now_us);
    clock->base_world_us = now_us;
}

void simnet_clock_boot(struct simnet_clock *clock, int64_t now_us, int64_t true_us)
{
    clock->stands = false;
    clock->base_us = 5 * SIMNET_SECOND_US; // what a system takes until it starts its services
    clock->base_world_us = now_us;
    if (clock->config.forgets)
        simnet_clock_correct(clock, now_us, clock->config.boot_wall_us - true_us);
}

int64_t simnet_clock_now(const struct simnet_clock *clock, int64_t now_us)
{
    int64_t elapsed_us = now_us - clock->base_world_us;
    if (clock->stands)
        return clock->base_us;
    return clock->base_us + elapsed_us + drifted(elapsed_us, clock->config.rate_ppm);
}

int64_t simnet_clock_when(const struct simnet_clock *clock, int64_t at_us)
{
    if (clock->stands || at_us == INT64_MAX)
        return INT64_MAX;
    if (at_us <= clock->base_us)
        return clock->base_world_us;
    double ahead_us = (double)(at_us - clock->base_us) / (1 + clock->config.rate_ppm * 1e-6);
    int64_t when_us = clock->base_world_us + (int64_t)ahead_us;
    // What rounding left.
    while (when_us > clock->base_world_us && simnet_clock_now(clock, when_us - 1) >= at_us)
        when_us--;
    while (simnet_clock_now(clock, when_us) < at_us)
        when_us++;
    return when_us;
}

void simnet_clock_set_rate(struct simnet_clock *clock, int64_t now_us, double rate_ppm)
{
    rebase(clock, now_us);
    set_rate(clock, rate_ppm);
}

void simnet_clock_sleep(struct simnet_clock *clock, int64_t now_us)
{
    if (!clock->config.stands_in_sleep)
        return;
    rebase(clock, now_us);
    clock->stands = true;
}

void simnet_clock_wake(struct simnet_clock *clock, int64_t now_us)
{
    if (clock->stands)
        clock->base_world_us = now_us;
    clock->stands = false;
}
