// SPDX-License-Identifier: MIT
// Any weather, many seeds, each twice: all checkers hold, and the trace is the same.
//
//     test_simnet_weather FIRST COUNT          a range of seeds, each once where PNR_WEATHER_ONCE
//     is
//                                              set
//     test_simnet_weather                      the seeds of tests/simnet/seeds.txt
//
// It prints the weather and the failures of each seed that fails.
#include "simnet/weather.h"
#include "tests/dht/strict.h"

#include <stdlib.h>
#include <string.h>

static const char *judge(struct dht_span datagram, enum dht_family family)
{
    return strict_check(datagram, &(struct strict_rules){.family = family});
}

struct sums {
    uint64_t seeds, failed, events, right, counted;
};

static void run(uint64_t seed, struct sums *sums)
{
    struct simnet_weather weather;
    struct simnet_weather_result once;
    struct simnet_weather_result again;
    simnet_weather_derive(seed, &weather);
    simnet_weather_run(&weather, judge, NULL, &once);
    again = once;
    if (getenv("PNR_WEATHER_ONCE") == NULL || once.failures > 0)
        simnet_weather_run(&weather, judge, once.failures > 0 ? stdout : NULL, &again);
    bool is_same = once.hash == again.hash && once.failures == again.failures;
    sums->seeds++;
    sums->events += once.events;
    sums->right += once.right[0];
    sums->counted += once.counted[0];
    if (once.failures == 0 && is_same)
        return;
    sums->failed++;
    simnet_weather_print(&weather, stdout);
    if (!is_same)
        printf("seed %llu: the second run is another: %016llx, not %016llx\n",
               (unsigned long long)seed, (unsigned long long)again.hash,
               (unsigned long long)once.hash);
    fflush(stdout);
}

// Lines of "SEED why"; others are empty or begin with '#'.
static int run_file(const char *path, struct sums *sums)
{
    char line[512];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        printf("%s cannot be read\n", path);
        return 1;
    }
    while (fgets(line, sizeof line, file) != NULL)
        if (line[0] >= '0' && line[0] <= '9')
            run(strtoull(line, NULL, 10), sums);
    fclose(file);
    return 0;
}

int main(int argc, char **argv)
{
    struct sums sums = {0};
    if (argc == 3) {
        uint64_t first = strtoull(argv[1], NULL, 10);
        uint64_t count = strtoull(argv[2], NULL, 10);
        for (uint64_t i = 0; i < count; i++)
            run(first + i, &sums);
    } else if (run_file(PNR_SEEDS_FILE, &sums) != 0) {
        return 1;
    }
    printf("%llu seeds, %llu failed; %llu events, %llu of %llu lookups had success in bad "
           "weather\n",
           (unsigned long long)sums.seeds, (unsigned long long)sums.failed,
           (unsigned long long)sums.events, (unsigned long long)sums.right,
           (unsigned long long)sums.counted);
    return sums.failed == 0 ? 0 : 1;
}
