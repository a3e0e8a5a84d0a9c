// SPDX-License-Identifier: MIT
#include "bench/samples.h"

#include "bench/system.h"

#include <stdio.h>
#include <stdlib.h>

void bench_samples_add(struct bench_samples *samples, int64_t time_ns)
{
    if (samples->count == samples->room) {
        samples->room = samples->room == 0 ? 1024 : 2 * samples->room;
        samples->times_ns = realloc(samples->times_ns, samples->room * sizeof(int64_t));
        if (samples->times_ns == NULL)
            bench_die("samples", "out of memory");
    }
    samples->times_ns[samples->count++] = time_ns;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

int64_t bench_samples_percentile(struct bench_samples *samples, double share)
{
    if (samples->count == 0)
        return 0;
    qsort(samples->times_ns, samples->count, sizeof(int64_t), compare);
    return samples->times_ns[(size_t)(share * (double)(samples->count - 1))];
}

static double microseconds(struct bench_samples *samples, double share)
{
    return (double)bench_samples_percentile(samples, share) / 1000;
}

void bench_samples_print(struct bench_samples *samples, const char *what)
{
    printf("%s: p50 %.1f us, p99 %.1f us, most %.1f us (%zu times)\n", what,
           microseconds(samples, 0.5), microseconds(samples, 0.99), microseconds(samples, 1),
           samples->count);
    fflush(stdout);
    free(samples->times_ns);
    *samples = (struct bench_samples){0};
}
