// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_SYSTEM_H
#define PNR_BENCH_SYSTEM_H

// What every benchmark needs of the system, on either: system_posix.c and system_windows.c.

#include <stdint.h>

// Says what is wrong and ends the program.
_Noreturn void bench_die(const char *what, const char *why);

// CLOCK_MONOTONIC; on Windows the performance counter.
int64_t bench_now_ns(void);

// Waits a moment: long enough for another thread to be where it waits.
void bench_pause(void);

// Sets a variable of this program's environment.
void bench_set_variable(const char *name, const char *value);

#endif
