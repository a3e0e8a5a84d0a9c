// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_SAMPLES_H
#define PNR_BENCH_SAMPLES_H

// Times of one thing that is done again and again, and what they tell.

#include <stddef.h>
#include <stdint.h>

struct bench_samples {
    int64_t *times_ns;
    size_t count;
    size_t room;
};

// One that begins with zeros is empty.
void bench_samples_add(struct bench_samples *samples, int64_t time_ns);

// The time that this share (0 to 1) does not exceed. Sorts them.
int64_t bench_samples_percentile(struct bench_samples *samples, double share);

// "WHAT: p50 ..., p99 ..., most ... (N times)", in microseconds; and empties it.
void bench_samples_print(struct bench_samples *samples, const char *what);

#endif
