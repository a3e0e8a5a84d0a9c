// SPDX-License-Identifier: MIT
#include "node/daemon/clock.h"

#include <assert.h>
#include <sys/timex.h>
#include <time.h>

static int64_t read_us(clockid_t clock)
{
    struct timespec time;
    int failed = clock_gettime(clock, &time);
    assert(!failed);
    (void)failed;
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

int64_t daemon_clock_now_us(void)
{
#ifdef CLOCK_BOOTTIME
    return read_us(CLOCK_BOOTTIME);
#else
    return read_us(CLOCK_MONOTONIC);
#endif
}

int64_t daemon_clock_wall_us(void)
{
    return read_us(CLOCK_REALTIME);
}

bool daemon_clock_is_kept(void)
{
    struct timex time = {.modes = 0};
    return adjtimex(&time) != -1 && (time.status & STA_UNSYNC) == 0;
}
