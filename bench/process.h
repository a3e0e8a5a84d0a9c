// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_PROCESS_H
#define PNR_BENCH_PROCESS_H

// The programs under measurement: started as children, each on a processor of its own, and watched
// by way of /proc. Whatever goes wrong here ends the benchmark with a message.

#include "bench/system.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Starts argv (NULL at its end) with its output in log_path. processor: where it is to run, -1: as
// the system likes. It is killed when this program ends.
pid_t bench_process_start(char *const argv[], int processor, const char *log_path);
// Ends it (SIGTERM) and waits until it is gone.
void bench_process_stop(pid_t pid);

// The processor time it has used so far, all its threads together, to the nanosecond.
int64_t bench_process_cpu_ns(pid_t pid);

// Its resident memory: all of it, and what of it is its own (neither code nor other files).
struct bench_process_memory {
    size_t resident_bytes;
    size_t own_bytes;
};
struct bench_process_memory bench_process_memory(pid_t pid);

// Binds this thread to a processor; where the system does not let it, it stays where it is.
void bench_process_pin(int processor);

#endif
