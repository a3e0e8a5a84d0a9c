// SPDX-License-Identifier: MIT
#include "simnet/application.h"

#include "simnet/population.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RUDE_US   (3 * SIMNET_SECOND_US)
#define AGAIN_US  SIMNET_SECOND_US // until the next try of who finds no machine to publish on
#define DRAWS_MAX 64
#define OTHERS    16 // tries to find another machine than the publisher's

// A lookup that is planned.
struct planned {
    struct simnet_application *application;
    struct simnet_application_plan plan;
    struct planned *next;
};

struct simnet_application {
    struct simnet_world *world;
    struct simnet_application_config config;
    struct simnet_stream stream;
    struct simnet_stream cut;
    struct simnet_publisher **publishers;
    struct simnet_application_lookup *lookups;
    uint32_t begun_count, lookup_count, planned_count, lookup_capacity;
    struct simnet_probe **probes; // the busy ones first
    uint32_t probe_count, busy_count, probe_capacity;
    struct planned *planned;
    struct simnet_application_watch watch;
    struct simnet_application_tracer tracer;
    uint32_t traced; // the lookup; SIMNET_APPLICATION_NONE
    bool is_calm;
};

void simnet_application_config_init(struct simnet_application_config *config)
{
    *config = (struct simnet_application_config){.wait = CONTROL_WAIT_FIRST, .rude_us = RUDE_US};
}

const char *simnet_application_outcome_word(int outcome)
{
    assert(outcome >= 0 && outcome < SIMNET_APPLICATION_OUTCOMES);
    return outcome == SIMNET_APPLICATION_NOBODY ? "nobody asked"
           : outcome == SIMNET_APPLICATION_WAITING
               ? "waiting"
               : simnet_probe_word((enum simnet_probe_outcome)outcome);
}

// A machine that is up, and no adversary; NULL where there is hardly one.
static struct simnet_machine *draw(struct simnet_application *application)
{
    const struct simnet_application_config *config = &application->config;
    for (int i = 0; i < DRAWS_MAX; i++) {
        struct simnet_machine *machine = simnet_population_draw(
            application->world, &application->stream, config->first, config->count);
        if (machine != NULL && machine->is_honest && machine->node != NULL)
            return machine;
    }
    return NULL;
}

static void tell_made(struct simnet_application *application, struct simnet_client *client)
{
    if (application->watch.made != NULL)
        application->watch.made(application->watch.ctx, client);
}

// ---- publishers ----

// The next one begins.
static void publish(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_application *application = ctx;
    struct simnet_machine *machine = draw(application);
    if (machine == NULL) {
        simnet_world_at(world, simnet_world_now(world) + AGAIN_US, publish, application, number);
        return;
    }
    uint32_t next = application->begun_count;
    struct simnet_publisher *publisher =
        simnet_publisher_new(machine, next, simnet_world_now(world), &application->config.habits);
    application->publishers[next] = publisher;
    application->begun_count++;
    tell_made(application, publisher->client);
    if (application->is_calm)
        simnet_publisher_calm(publisher);
}

// ---- probes ----

static void swap(struct simnet_application *application, uint32_t a, uint32_t b)
{
    struct simnet_probe *probe = application->probes[a];
    application->probes[a] = application->probes[b];
    application->probes[b] = probe;
    application->probes[a]->place = a;
    application->probes[b]->place = b;
}

static void keep(struct simnet_application_lookup *lookup, const struct simnet_probe *probe)
{
    lookup->first_us = probe->first_us < 0 ? -1 : probe->first_us - probe->asked_us;
    lookup->end_us = probe->end_us - probe->asked_us;
    lookup->asked = probe->end.asked;
    lookup->answered = probe->end.answered;
    lookup->hops = (uint16_t)probe->end.hops;
    lookup->outcome = (uint8_t)probe->outcome;
    lookup->manner = (uint8_t)probe->shown;
    lookup->is_cached = probe->first_us >= 0 && probe->source != CONTROL_SOURCE_DHT;
    lookup->is_stale = simnet_probe_is_stale(probe);
}

static void probe_ended(void *ctx, struct simnet_probe *probe)
{
    struct simnet_application *application = ctx;
    keep(&application->lookups[probe->plan.number], probe);
    if (application->watch.ended != NULL)
        application->watch.ended(application->watch.ctx, probe);
    swap(application, probe->place, --application->busy_count);
}

static void probe_heard(void *ctx, const struct simnet_probe *probe,
                        const struct simnet_client_answer *answer)
{
    struct simnet_application *application = ctx;
    if (probe->plan.number == application->traced && application->tracer.answered != NULL)
        application->tracer.answered(application->tracer.ctx, answer->kind, answer->fields);
}

static struct simnet_probe *take_probe(struct simnet_application *application)
{
    if (application->busy_count < application->probe_count)
        return application->probes[application->busy_count++];
    if (application->probe_count == application->probe_capacity) {
        application->probe_capacity = 2 * application->probe_capacity + 16;
        application->probes = simnet_world_need(realloc(
            application->probes, application->probe_capacity * sizeof(struct simnet_probe *)));
    }
    struct simnet_probe *probe = simnet_probe_new(application->world);
    probe->heard = probe_heard;
    probe->ended = probe_ended;
    probe->ctx = application;
    probe->place = application->probe_count;
    application->probes[application->probe_count++] = probe;
    application->busy_count++;
    tell_made(application, probe->client);
    return probe;
}

// ---- lookups ----

// Who asks: not the publisher, which need not.
static struct simnet_machine *draw_asker(struct simnet_application *application,
                                         const struct simnet_publisher *publisher)
{
    struct simnet_machine *machine = draw(application);
    for (int i = 0;
         i < OTHERS && publisher != NULL && machine != NULL && machine == publisher->machine; i++)
        machine = draw(application);
    return machine;
}

static void draw_manners(struct simnet_application *application, struct simnet_probe_plan *plan)
{
    const struct simnet_application_config *config = &application->config;
    struct simnet_stream *stream = &application->stream;
    if (config->any_wait)
        plan->wait = (enum control_wait)simnet_stream_below(stream, CONTROL_WAIT_COUNT);
    if (simnet_stream_chance(stream, config->rude_share)) {
        plan->manner =
            1 + (enum simnet_probe_manner)simnet_stream_below(stream, SIMNET_PROBE_MANNERS - 1);
        plan->manner_us = (int64_t)simnet_stream_below(stream, (uint64_t)config->rude_us);
    }
    if (simnet_stream_chance(stream, config->cut_share))
        plan->cut = &application->cut;
}

// Notes that a lookup of that name is asked for now; nobody does yet.
static uint32_t note(struct simnet_application *application, uint32_t name, uint8_t phase)
{
    assert(application->lookup_count < application->planned_count);
    uint32_t number = application->lookup_count++;
    application->lookups[number] = (struct simnet_application_lookup){
        .asked_us = simnet_world_now(application->world),
        .first_us = -1,
        .end_us = -1,
        .name = name,
        .machine = SIMNET_APPLICATION_NONE,
        .outcome = SIMNET_APPLICATION_NOBODY,
        .phase = phase,
    };
    return number;
}

static void ask(struct simnet_application *application, const struct simnet_probe_plan *plan)
{
    struct simnet_application_lookup *lookup = &application->lookups[plan->number];
    if (plan->machine == NULL)
        return;
    lookup->machine = plan->machine->number;
    lookup->outcome = SIMNET_APPLICATION_WAITING;
    struct simnet_probe *probe = take_probe(application);
    if (plan->number == application->traced && application->tracer.begun != NULL)
        application->tracer.begun(application->tracer.ctx, lookup, plan->publisher);
    simnet_probe_run(probe, plan);
}

// One of those that are drawn.
static void look_up(struct simnet_world *world, void *ctx, uint64_t ignored)
{
    struct simnet_application *application = ctx;
    const struct simnet_application_config *config = &application->config;
    uint32_t name = SIMNET_APPLICATION_NONE;
    (void)world;
    (void)ignored;
    if (application->begun_count > 0)
        name = (uint32_t)simnet_stream_below(&application->stream, application->begun_count);
    uint32_t number = note(application, name, 0);
    if (name == SIMNET_APPLICATION_NONE)
        return;
    struct simnet_probe_plan plan = {
        .publisher = application->publishers[name],
        .wait = config->wait,
        .timeout_ms = config->timeout_ms,
        .trace = config->trace,
        .number = number,
    };
    plan.machine = draw_asker(application, plan.publisher);
    if (plan.machine != NULL)
        draw_manners(application, &plan);
    ask(application, &plan);
}

static void look_up_planned(struct simnet_world *world, void *ctx, uint64_t ignored)
{
    const struct planned *planned = ctx;
    const struct simnet_application_plan *wanted = &planned->plan;
    struct simnet_application *application = planned->application;
    uint32_t number = note(application, wanted->name, wanted->phase);
    bool is_nobodys = wanted->name == SIMNET_APPLICATION_NONE;
    (void)world;
    (void)ignored;
    application->lookups[number].is_nobodys = is_nobodys;
    if (!is_nobodys && wanted->name >= application->begun_count)
        return;
    struct simnet_probe_plan plan = {
        .machine = wanted->machine,
        .publisher = is_nobodys ? NULL : application->publishers[wanted->name],
        .wait = wanted->wait,
        .timeout_ms = application->config.timeout_ms,
        .trace = wanted->trace,
        .number = number,
    };
    memcpy(plan.key, wanted->key, sizeof plan.key);
    if (plan.machine == NULL)
        plan.machine = draw_asker(application, plan.publisher);
    ask(application, &plan);
}

static void expect(struct simnet_application *application, uint32_t count)
{
    application->planned_count += count;
    if (application->planned_count <= application->lookup_capacity)
        return;
    uint32_t half = application->lookup_capacity / 2;
    application->lookup_capacity = application->planned_count + half;
    application->lookups = simnet_world_need(realloc(
        application->lookups, (size_t)application->lookup_capacity * sizeof *application->lookups));
}

void simnet_application_plan(struct simnet_application *application,
                             const struct simnet_application_plan *plan)
{
    struct planned *planned = simnet_world_need(malloc(sizeof *planned));
    *planned = (struct planned){application, *plan, application->planned};
    application->planned = planned;
    expect(application, 1);
    simnet_world_at(application->world, plan->at_us, look_up_planned, planned, 0);
}

// ---- life ----

// Time number `place` of `count` in a span.
static int64_t spread(int64_t begin_us, int64_t span_us, uint64_t place, uint64_t count)
{
    return begin_us + (int64_t)((double)span_us * (double)place / (double)count);
}

static void plan_all(struct simnet_application *application)
{
    const struct simnet_application_config *config = &application->config;
    struct simnet_stream times;
    simnet_stream_init(&times, simnet_world_seed(application->world), "lookup times", 0);
    for (uint32_t i = 0; i < config->publishers; i++)
        simnet_world_at(application->world,
                        spread(config->publish_us, config->publish_over_us, i, config->publishers),
                        publish, application, i);
    for (uint32_t i = 0; i < config->lookups; i++) {
        int64_t at_us = spread(config->resolve_us, config->resolve_over_us, i, config->lookups);
        if (config->at_random)
            at_us = config->resolve_us +
                    (int64_t)simnet_stream_below(&times, (uint64_t)config->resolve_over_us + 1);
        simnet_world_at(application->world, at_us, look_up, application, 0);
    }
}

struct simnet_application *simnet_application_new(struct simnet_world *world,
                                                  const struct simnet_application_config *config)
{
    assert(config->count > 0);
    struct simnet_application *application = simnet_world_need(calloc(1, sizeof *application));
    application->world = world;
    application->config = *config;
    application->traced = SIMNET_APPLICATION_NONE;
    application->publishers =
        simnet_world_need(calloc((size_t)config->publishers + 1, sizeof *application->publishers));
    expect(application, config->lookups);
    // An older name than that of the file. Another one would draw other chances, and so change the
    // trace of every scenario and seed.
    simnet_stream_init(&application->stream, simnet_world_seed(world), "workload", 0);
    simnet_stream_init(&application->cut, simnet_world_seed(world), "cut", 0);
    plan_all(application);
    return application;
}

void simnet_application_free(struct simnet_application *application)
{
    if (application == NULL)
        return;
    for (uint32_t i = 0; i < application->begun_count; i++)
        simnet_publisher_free(application->publishers[i]);
    for (uint32_t i = 0; i < application->probe_count; i++)
        simnet_probe_free(application->probes[i]);
    while (application->planned != NULL) {
        struct planned *planned = application->planned;
        application->planned = planned->next;
        free(planned);
    }
    free(application->publishers);
    free(application->lookups);
    free(application->probes);
    free(application);
}

void simnet_application_calm(struct simnet_application *application)
{
    application->is_calm = true;
    for (uint32_t i = 0; i < application->begun_count; i++)
        simnet_publisher_calm(application->publishers[i]);
}

uint32_t simnet_application_unsettled(const struct simnet_application *application)
{
    uint32_t count = application->config.publishers - application->begun_count;
    for (uint32_t i = 0; i < application->begun_count; i++)
        count += !application->publishers[i]->is_settled;
    return count;
}

void simnet_application_watch(struct simnet_application *application,
                              const struct simnet_application_watch *watch)
{
    application->watch = *watch;
    for (uint32_t i = 0; i < application->begun_count; i++)
        tell_made(application, application->publishers[i]->client);
    for (uint32_t i = 0; i < application->probe_count; i++)
        tell_made(application, application->probes[i]->client);
}

void simnet_application_trace(struct simnet_application *application, uint32_t lookup,
                              const struct simnet_application_tracer *tracer)
{
    application->traced = lookup;
    application->tracer = *tracer;
}

// ---- looking in ----

uint32_t simnet_application_begun(const struct simnet_application *application)
{
    return application->begun_count;
}

struct simnet_publisher *simnet_application_publisher(const struct simnet_application *application,
                                                      uint32_t number)
{
    assert(number < application->begun_count);
    return application->publishers[number];
}

uint32_t simnet_application_planned(const struct simnet_application *application)
{
    return application->planned_count;
}

uint32_t simnet_application_lookups(const struct simnet_application *application)
{
    return application->lookup_count;
}

const struct simnet_application_lookup *
simnet_application_lookup(const struct simnet_application *application, uint32_t number)
{
    assert(number < application->lookup_count);
    return &application->lookups[number];
}
