// SPDX-License-Identifier: MIT
#include "bench/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

void bench_die(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

int64_t bench_now_ns(void)
{
    LARGE_INTEGER now, per_second;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&per_second);
    return (int64_t)((double)now.QuadPart * 1e9 / (double)per_second.QuadPart);
}

void bench_pause(void)
{
    Sleep(1);
}

void bench_set_variable(const char *name, const char *value)
{
    _putenv_s(name, value);
}
