// SPDX-License-Identifier: MIT
#include "simnet/application.h"

#include "simnet/population.h"

#include <assert.h>
#include <stdlib.h>

#define MANNER_US (3 * SIMNET_SECOND_US) // bad manners show within this

// A lookup that is planned.
struct planned {
    struct simnet_application *application;
    struct simnet_probe_plan plan;
    struct planned *next;
};

struct simnet_application {
    struct simnet_world *world;
    struct simnet_application_config config;
    struct simnet_stream stream;
    struct simnet_stream cut;
    struct simnet_publisher **publishers;
    struct simnet_probe **probes; // the busy ones first
    uint32_t probe_count, busy_count;
    struct planned *planned;
    struct simnet_application_figures figures[SIMNET_APPLICATION_PHASES_MAX];
    uint32_t phase;
    struct simnet_application_watch watch;
    bool is_calm;
};

void simnet_application_config_init(struct simnet_application_config *config)
{
    *config = (struct simnet_application_config){.wait = CONTROL_WAIT_FIRST};
}

// ---- figures ----

uint64_t simnet_application_tries(const struct simnet_application_figures *figures)
{
    uint64_t tries = 0;
    for (int i = 0; i < SIMNET_PROBE_OUTCOMES; i++)
        if (i != SIMNET_PROBE_DROPPED)
            tries += figures->outcomes[i];
    return tries;
}

double simnet_application_success(const struct simnet_application_figures *figures)
{
    uint64_t tries = simnet_application_tries(figures);
    return tries == 0 ? 1 : (double)figures->outcomes[SIMNET_PROBE_FOUND] / (double)tries;
}

static void count_found(struct simnet_application_figures *figures,
                        const struct simnet_probe *probe)
{
    if (probe->source != CONTROL_SOURCE_DHT) {
        figures->cached++;
    } else {
        simnet_tally_add(&figures->first_us, (uint64_t)(probe->first_us - probe->asked_us));
        simnet_tally_add(&figures->first_hops, probe->first.hops);
        simnet_tally_add(&figures->first_asked, probe->first.asked);
        simnet_tally_add(&figures->end_us, (uint64_t)(probe->end_us - probe->asked_us));
        simnet_tally_add(&figures->asked, probe->end.asked);
    }
    if (probe->version >= probe->acked)
        return;
    figures->stale++;
    simnet_tally_add(&figures->behind, probe->acked - probe->version);
}

// Whether there was something to be found, all the time.
static bool counts(const struct simnet_probe *probe)
{
    if (probe->outcome == SIMNET_PROBE_DROPPED)
        return false;
    const struct simnet_publisher *publisher = probe->plan.publisher;
    if (publisher == NULL)
        return false; // nothing was to be found
    return probe->outcome == SIMNET_PROBE_FOUND || probe->outcome == SIMNET_PROBE_WRONG ||
           (probe->acked > 0 && probe->was_wanted && probe->was_settled && publisher->is_wanted);
}

static void count(struct simnet_application *application, const struct simnet_probe *probe)
{
    struct simnet_application_figures *figures =
        &application->figures[probe->plan.number % SIMNET_APPLICATION_PHASES_MAX];
    if (!counts(probe)) {
        if (probe->outcome == SIMNET_PROBE_DROPPED)
            figures->outcomes[probe->outcome]++;
        return;
    }
    figures->outcomes[probe->outcome]++;
    if (figures->series.step_us == 0)
        figures->series =
            (struct simnet_series){.begin_us = probe->asked_us, .step_us = SIMNET_MINUTE_US};
    bool is_found = probe->outcome == SIMNET_PROBE_FOUND;
    simnet_series_add(&figures->series, probe->asked_us, is_found);
    if (is_found)
        count_found(figures, probe);
}

// ---- lookups ----

static void swap(struct simnet_application *application, uint32_t a, uint32_t b)
{
    struct simnet_probe *probe = application->probes[a];
    application->probes[a] = application->probes[b];
    application->probes[b] = probe;
    application->probes[a]->place = a;
    application->probes[b]->place = b;
}

static void probe_ended(void *ctx, struct simnet_probe *probe)
{
    struct simnet_application *application = ctx;
    count(application, probe);
    if (application->watch.ended != NULL)
        application->watch.ended(application->watch.ctx, probe);
    swap(application, probe->place, --application->busy_count);
}

static struct simnet_probe *free_probe(struct simnet_application *application)
{
    if (application->busy_count < application->probe_count)
        return application->probes[application->busy_count++];
    application->probes = simnet_world_need(
        realloc(application->probes, (application->probe_count + 1) * sizeof *application->probes));
    struct simnet_probe *probe = simnet_probe_new(application->world);
    probe->ended = probe_ended;
    probe->ctx = application;
    probe->place = application->probe_count;
    application->probes[application->probe_count++] = probe;
    application->busy_count++;
    if (application->watch.made != NULL)
        application->watch.made(application->watch.ctx, probe->client);
    return probe;
}

static void run(struct simnet_application *application, struct simnet_probe_plan *plan)
{
    plan->number = application->phase;
    simnet_probe_run(free_probe(application), plan);
}

static void run_planned(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct planned *planned = ctx;
    (void)world;
    (void)number;
    run(planned->application, &planned->plan);
}

void simnet_application_probe(struct simnet_application *application, int64_t at_us,
                              const struct simnet_probe_plan *plan)
{
    struct planned *planned = simnet_world_need(malloc(sizeof *planned));
    *planned = (struct planned){application, *plan, application->planned};
    application->planned = planned;
    simnet_world_at(application->world, at_us, run_planned, planned, 0);
}

static void resolve(struct simnet_application *application)
{
    const struct simnet_application_config *config = &application->config;
    struct simnet_stream *stream = &application->stream;
    struct simnet_probe_plan plan = {
        .machine = simnet_population_draw(application->world, stream, config->first, config->count),
        .publisher = application->publishers[simnet_stream_below(stream, config->publishers)],
        .wait = config->wait,
        .timeout_ms = config->timeout_ms,
        .trace = config->trace,
    };
    if (config->any_wait)
        plan.wait = (enum control_wait)simnet_stream_below(stream, CONTROL_WAIT_COUNT);
    if (simnet_stream_chance(stream, config->rude_share))
        plan.manner =
            1 + (enum simnet_probe_manner)simnet_stream_below(stream, SIMNET_PROBE_MANNERS - 1);
    plan.manner_us = (int64_t)simnet_stream_below(stream, MANNER_US);
    if (simnet_stream_chance(stream, config->cut_share))
        plan.cut = &application->cut;
    if (plan.machine != NULL && plan.machine->node != NULL)
        run(application, &plan);
}

static void resolve_next(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_application *application = ctx;
    (void)number;
    if (application->is_calm)
        return;
    resolve(application);
    double mean = 1e6 / application->config.resolves_per_second;
    int64_t pause_us = 1 + (int64_t)simnet_stream_exponential(&application->stream, mean);
    simnet_world_at(world, simnet_world_now(world) + pause_us, resolve_next, application, 0);
}

// ---- publishers ----

// Each on a machine of its own, as long as there are enough.
static void add_publishers(struct simnet_application *application)
{
    const struct simnet_application_config *config = &application->config;
    application->publishers =
        simnet_world_need(calloc(config->publishers, sizeof *application->publishers));
    uint32_t *order = simnet_world_need(malloc(config->count * sizeof *order));
    for (uint32_t i = 0; i < config->count; i++)
        order[i] = config->first + i;
    for (uint32_t i = 0; i < config->publishers; i++) {
        uint32_t at = i % config->count;
        uint32_t other =
            at + (uint32_t)simnet_stream_below(&application->stream, config->count - at);
        uint32_t drawn = order[other];
        order[other] = order[at];
        order[at] = drawn;
        int64_t at_us = config->publish_us +
                        (int64_t)((double)config->publish_over_us * i / config->publishers);
        application->publishers[i] = simnet_publisher_new(
            simnet_world_machine(application->world, drawn), i, at_us, &config->habits);
    }
    free(order);
}

uint32_t simnet_application_publishers(const struct simnet_application *application)
{
    return application->config.publishers;
}

struct simnet_publisher *simnet_application_publisher(const struct simnet_application *application,
                                                      uint32_t number)
{
    assert(number < application->config.publishers);
    return application->publishers[number];
}

uint32_t simnet_application_unsettled(const struct simnet_application *application)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < application->config.publishers; i++)
        count += !application->publishers[i]->is_settled;
    return count;
}

// ---- life ----

struct simnet_application *simnet_application_new(struct simnet_world *world,
                                                  const struct simnet_application_config *config)
{
    assert(config->count > 0);
    struct simnet_application *application = simnet_world_need(calloc(1, sizeof *application));
    application->world = world;
    application->config = *config;
    simnet_stream_init(&application->stream, simnet_world_seed(world), "application", 0);
    simnet_stream_init(&application->cut, simnet_world_seed(world), "cut", 0);
    if (config->publishers == 0)
        return application;
    add_publishers(application);
    if (config->resolves_per_second > 0)
        simnet_world_at(world, config->resolve_us, resolve_next, application, 0);
    return application;
}

void simnet_application_free(struct simnet_application *application)
{
    if (application == NULL)
        return;
    for (uint32_t i = 0; i < application->config.publishers; i++)
        simnet_publisher_free(application->publishers[i]);
    for (uint32_t i = 0; i < application->probe_count; i++)
        simnet_probe_free(application->probes[i]);
    for (int i = 0; i < SIMNET_APPLICATION_PHASES_MAX; i++) {
        struct simnet_application_figures *figures = &application->figures[i];
        simnet_tally_free(&figures->first_us);
        simnet_tally_free(&figures->first_hops);
        simnet_tally_free(&figures->first_asked);
        simnet_tally_free(&figures->end_us);
        simnet_tally_free(&figures->asked);
        simnet_tally_free(&figures->behind);
        simnet_series_free(&figures->series);
    }
    while (application->planned != NULL) {
        struct planned *planned = application->planned;
        application->planned = planned->next;
        free(planned);
    }
    free(application->publishers);
    free(application->probes);
    free(application);
}

void simnet_application_phase(struct simnet_application *application, uint32_t phase)
{
    assert(phase < SIMNET_APPLICATION_PHASES_MAX);
    application->phase = phase;
}

const struct simnet_application_figures *
simnet_application_figures(const struct simnet_application *application, uint32_t phase)
{
    assert(phase < SIMNET_APPLICATION_PHASES_MAX);
    return &application->figures[phase];
}

void simnet_application_calm(struct simnet_application *application)
{
    application->is_calm = true;
    for (uint32_t i = 0; i < application->config.publishers; i++)
        simnet_publisher_calm(application->publishers[i]);
}

void simnet_application_watch(struct simnet_application *application,
                              const struct simnet_application_watch *watch)
{
    application->watch = *watch;
    if (watch->made == NULL)
        return;
    for (uint32_t i = 0; i < application->config.publishers; i++)
        watch->made(watch->ctx, application->publishers[i]->client);
    for (uint32_t i = 0; i < application->probe_count; i++)
        watch->made(watch->ctx, application->probes[i]->client);
}
