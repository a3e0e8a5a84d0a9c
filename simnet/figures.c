// SPDX-License-Identifier: MIT
#include "simnet/figures.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void list_init(struct simnet_figures_list *list, uint32_t capacity)
{
    list->values = simnet_world_need(malloc(((size_t)capacity + 1) * sizeof *list->values));
    list->count = 0;
}

static void list_sort(struct simnet_figures_list *list)
{
    qsort(list->values, list->count, sizeof *list->values, compare);
}

static void add(struct simnet_figures *figures, const struct simnet_workload_lookup *lookup)
{
    figures->lookups++;
    figures->outcomes[lookup->outcome]++;
    if (lookup->outcome != SIMNET_PROBE_FOUND)
        return;
    figures->stale += lookup->is_stale;
    if (lookup->is_cached) {
        figures->cached++;
        return;
    }
    figures->first_us.values[figures->first_us.count++] = lookup->first_us;
    figures->end_us.values[figures->end_us.count++] = lookup->end_us;
    figures->hops.values[figures->hops.count++] = lookup->hops;
    figures->messages.values[figures->messages.count++] = lookup->asked;
}

void simnet_figures_init(struct simnet_figures *figures, const struct simnet_workload *workload,
                         bool is_healed)
{
    uint32_t count = simnet_workload_lookups(workload);
    *figures = (struct simnet_figures){0};
    list_init(&figures->first_us, count);
    list_init(&figures->end_us, count);
    list_init(&figures->hops, count);
    list_init(&figures->messages, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct simnet_workload_lookup *lookup = simnet_workload_lookup(workload, i);
        if ((lookup->is_healed != 0) == is_healed)
            add(figures, lookup);
    }
    list_sort(&figures->first_us);
    list_sort(&figures->end_us);
    list_sort(&figures->hops);
    list_sort(&figures->messages);
    uint64_t counted = figures->lookups - figures->outcomes[SIMNET_PROBE_DROPPED];
    figures->success =
        counted == 0 ? 1 : (double)figures->outcomes[SIMNET_PROBE_FOUND] / (double)counted;
}

void simnet_figures_fini(struct simnet_figures *figures)
{
    free(figures->first_us.values);
    free(figures->end_us.values);
    free(figures->hops.values);
    free(figures->messages.values);
}

int64_t simnet_figures_percentile(const struct simnet_figures_list *list, double share)
{
    if (list->count == 0)
        return -1;
    double place = ceil(share * (double)list->count);
    size_t at = place < 1 ? 0 : (size_t)place - 1;
    return list->values[at < list->count ? at : list->count - 1];
}

double simnet_figures_mean(const struct simnet_figures_list *list)
{
    double sum = 0;
    for (size_t i = 0; i < list->count; i++)
        sum += (double)list->values[i];
    return list->count == 0 ? -1 : sum / (double)list->count;
}
