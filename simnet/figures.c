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

bool simnet_figures_counts(const struct simnet_application_lookup *lookup)
{
    return lookup->outcome != SIMNET_PROBE_DROPPED && !lookup->is_nobodys;
}

bool simnet_figures_is_right(const struct simnet_application_lookup *lookup)
{
    return lookup->outcome == SIMNET_PROBE_FOUND || lookup->outcome == SIMNET_PROBE_WITHDRAWN;
}

static void add(struct simnet_figures *figures, const struct simnet_application_lookup *lookup)
{
    figures->lookups++;
    figures->outcomes[lookup->outcome]++;
    figures->manners[lookup->manner]++;
    if (simnet_figures_counts(lookup)) {
        figures->counted++;
        figures->right += simnet_figures_is_right(lookup);
    }
    if (lookup->outcome != SIMNET_PROBE_FOUND)
        return;
    figures->stale += lookup->is_stale;
    if (lookup->is_cached) {
        figures->cached++;
        return;
    }
    if (lookup->manner == SIMNET_PROBE_STOPS)
        return; // the answer was late because nobody read it
    figures->first_us.values[figures->first_us.count++] = lookup->first_us;
    figures->end_us.values[figures->end_us.count++] = lookup->end_us;
    figures->hops.values[figures->hops.count++] = lookup->hops;
    figures->messages.values[figures->messages.count++] = lookup->asked;
}

void simnet_figures_init(struct simnet_figures *figures,
                         const struct simnet_application *application, uint8_t phase)
{
    uint32_t count = simnet_application_lookups(application);
    *figures = (struct simnet_figures){0};
    list_init(&figures->first_us, count);
    list_init(&figures->end_us, count);
    list_init(&figures->hops, count);
    list_init(&figures->messages, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct simnet_application_lookup *lookup = simnet_application_lookup(application, i);
        if (lookup->phase == phase)
            add(figures, lookup);
    }
    list_sort(&figures->first_us);
    list_sort(&figures->end_us);
    list_sort(&figures->hops);
    list_sort(&figures->messages);
    figures->success =
        figures->counted == 0 ? -1 : (double)figures->right / (double)figures->counted;
}

void simnet_figures_fini(struct simnet_figures *figures)
{
    free(figures->first_us.values);
    free(figures->end_us.values);
    free(figures->hops.values);
    free(figures->messages.values);
}

void simnet_figures_names(const struct simnet_application *application,
                          struct simnet_figures_names *ret_names)
{
    struct simnet_figures_names names = {.begun = simnet_application_begun(application)};
    for (uint32_t i = 0; i < names.begun; i++) {
        const struct simnet_publisher *publisher = simnet_application_publisher(application, i);
        names.published += publisher->stored > 0;
        names.stored += publisher->stored;
        names.changes += publisher->version - 1;
        names.withdrawals += publisher->withdrawals;
        names.interrupted += publisher->interrupted;
        names.failed += publisher->failed;
    }
    *ret_names = names;
}

bool simnet_figures_reach(uint64_t right, uint64_t counted, double share)
{
    // 99.9 % is no number that a double has: less than a lookup in 10^9 is no difference.
    return counted > 0 && (double)right >= share * (double)counted * (1 - 1e-9);
}

// The lookups that count are asked in [*ret_first_us, *ret_last_us]. False where there is none.
static bool find_span(const struct simnet_application *application, int64_t *ret_first_us,
                      int64_t *ret_last_us)
{
    uint32_t count = simnet_application_lookups(application);
    bool is_any = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct simnet_application_lookup *lookup = simnet_application_lookup(application, i);
        if (lookup->phase != 0 || !simnet_figures_counts(lookup))
            continue;
        if (!is_any)
            *ret_first_us = lookup->asked_us; // they are in the order of asking
        *ret_last_us = lookup->asked_us;
        is_any = true;
    }
    return is_any;
}

static bool is_worse(const struct simnet_figures_interval *a,
                     const struct simnet_figures_interval *b)
{
    return (double)a->right * (double)b->counted < (double)b->right * (double)a->counted;
}

bool simnet_figures_worst(const struct simnet_application *application, int64_t for_us,
                          struct simnet_figures_interval *ret_worst)
{
    int64_t first_us = 0;
    int64_t last_us = 0;
    if (!find_span(application, &first_us, &last_us))
        return false;
    int64_t span_us = last_us - first_us + 1;
    int64_t parts = span_us < for_us ? 1 : span_us / for_us;
    int64_t step_us = (span_us + parts - 1) / parts;
    struct simnet_figures_interval worst = {0};
    struct simnet_figures_interval part = {.at_us = first_us, .for_us = step_us};
    for (uint32_t i = 0; i < simnet_application_lookups(application); i++) {
        const struct simnet_application_lookup *lookup = simnet_application_lookup(application, i);
        if (lookup->phase != 0 || !simnet_figures_counts(lookup))
            continue;
        if (lookup->asked_us >= part.at_us + step_us) {
            if (worst.counted == 0 || is_worse(&part, &worst))
                worst = part;
            part.at_us += (lookup->asked_us - part.at_us) / step_us * step_us;
            part.counted = part.right = 0;
        }
        part.counted++;
        part.right += simnet_figures_is_right(lookup);
    }
    *ret_worst = worst.counted == 0 || is_worse(&part, &worst) ? part : worst;
    return true;
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
