// SPDX-License-Identifier: MIT
#include "bench/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void bench_die(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

int64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void bench_pause(void)
{
    struct timespec pause = {0, 300000};
    nanosleep(&pause, NULL);
}

void bench_set_variable(const char *name, const char *value)
{
    setenv(name, value, 1);
}
