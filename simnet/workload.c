// SPDX-License-Identifier: MIT
#include "simnet/workload.h"

#include "simnet/population.h"

#include <assert.h>
#include <stdlib.h>

#define PUBLISH_MARGIN_US (20 * SIMNET_SECOND_US) // between the last publication and t0
#define CANCEL_WITHIN_US  (SIMNET_SECOND_US / 2)

// A probe that is used for one lookup after the other.
struct asker {
    struct simnet_workload *workload;
    struct simnet_probe *probe;
    struct simnet_client_watch watch;
    struct asker *next_spare;
};

struct simnet_workload {
    struct simnet_world *world;
    struct simnet_workload_plan plan;
    struct simnet_stream stream;
    struct simnet_workload_name *names;
    struct simnet_workload_lookup *lookups;
    uint32_t name_count, lookup_count, lookup_capacity;
    struct asker **askers;
    struct asker *spare;
    uint32_t asker_count, asker_capacity;
    struct simnet_workload_watch watch;
    struct simnet_workload_tracer tracer;
    uint32_t traced; // the lookup; SIMNET_WORKLOAD_NONE
};

const char *simnet_workload_outcome_name(int outcome)
{
    assert(outcome >= 0 && outcome < SIMNET_WORKLOAD_OUTCOMES);
    return outcome == SIMNET_WORKLOAD_NOBODY ? "nobody asked"
           : outcome == SIMNET_WORKLOAD_WAITING
               ? "waiting"
               : simnet_probe_word((enum simnet_probe_outcome)outcome);
}

static struct simnet_machine *draw(struct simnet_workload *workload)
{
    for (int i = 0; i < 64; i++) {
        struct simnet_machine *machine = simnet_population_draw(
            workload->world, &workload->stream, workload->plan.first, workload->plan.count);
        if (machine != NULL && machine->is_honest && machine->node != NULL)
            return machine;
    }
    return NULL;
}

// ---- publications ----

static void see_publication(void *ctx, struct simnet_client *client,
                            const struct simnet_client_answer *answer)
{
    struct simnet_workload_name *name = ctx;
    struct simnet_answer_final final;
    (void)client;
    if (answer->request == NULL || answer->request->kind != CONTROL_REQUEST_PUBLISH ||
        (answer->kind != CONTROL_ANSWER_DONE && answer->kind != CONTROL_ANSWER_ERROR) ||
        !simnet_answer_final(answer->kind, answer->fields, &final))
        return;
    name->stored = final.stored;
    name->targets = final.targets;
}

static void publish(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_workload *workload = ctx;
    struct simnet_workload_name *name = &workload->names[number];
    struct simnet_machine *machine = draw(workload);
    struct simnet_publisher_habits habits = {.change_us =
                                                 workload->plan.scenario->publish.change_us};
    assert(number == workload->name_count);
    workload->name_count++;
    if (machine == NULL)
        return;
    name->publisher =
        simnet_publisher_new(machine, (uint32_t)number, simnet_world_now(world), &habits);
    name->watch = (struct simnet_client_watch){NULL, see_publication, NULL, name, NULL};
    simnet_client_watch(name->publisher->client, &name->watch);
    if (workload->watch.made != NULL)
        workload->watch.made(workload->watch.ctx, name->publisher->client);
}

// ---- lookups ----

static void see_traced(void *ctx, struct simnet_client *client,
                       const struct simnet_client_answer *answer)
{
    struct asker *asker = ctx;
    struct simnet_workload *workload = asker->workload;
    (void)client;
    if (asker->probe->is_busy && asker->probe->plan.number == workload->traced &&
        workload->tracer.answered != NULL && answer->request != NULL &&
        answer->request->kind == CONTROL_REQUEST_RESOLVE)
        workload->tracer.answered(workload->tracer.ctx, answer->kind, answer->fields);
}

static void end_lookup(void *ctx, struct simnet_probe *probe)
{
    struct asker *asker = ctx;
    struct simnet_workload *workload = asker->workload;
    struct simnet_workload_lookup *lookup = &workload->lookups[probe->plan.number];
    lookup->first_us = probe->first_us < 0 ? -1 : probe->first_us - probe->asked_us;
    lookup->end_us = probe->end_us - probe->asked_us;
    lookup->asked = probe->end.asked;
    lookup->answered = probe->end.answered;
    lookup->hops = (uint16_t)probe->end.hops;
    lookup->outcome = (uint8_t)probe->outcome;
    lookup->is_cached = probe->first_us >= 0 && probe->source != CONTROL_SOURCE_DHT;
    lookup->is_stale = probe->outcome == SIMNET_PROBE_FOUND && probe->version < probe->acked;
    if (workload->watch.ended != NULL)
        workload->watch.ended(workload->watch.ctx, probe);
    asker->next_spare = workload->spare;
    workload->spare = asker;
}

static struct asker *take_asker(struct simnet_workload *workload)
{
    struct asker *asker = workload->spare;
    if (asker != NULL) {
        workload->spare = asker->next_spare;
        return asker;
    }
    if (workload->asker_count == workload->asker_capacity) {
        workload->asker_capacity =
            workload->asker_capacity == 0 ? 64 : 2 * workload->asker_capacity;
        workload->askers = simnet_world_need(
            realloc(workload->askers, workload->asker_capacity * sizeof(struct asker *)));
    }
    asker = simnet_world_need(calloc(1, sizeof *asker));
    workload->askers[workload->asker_count++] = asker;
    asker->workload = workload;
    asker->probe = simnet_probe_new(workload->world);
    asker->probe->ended = end_lookup;
    asker->probe->ctx = asker;
    asker->watch = (struct simnet_client_watch){NULL, see_traced, NULL, asker, NULL};
    simnet_client_watch(asker->probe->client, &asker->watch);
    if (workload->watch.made != NULL)
        workload->watch.made(workload->watch.ctx, asker->probe->client);
    return asker;
}

static uint32_t draw_name(struct simnet_workload *workload)
{
    for (int i = 0; i < 64 && workload->name_count > 0; i++) {
        uint32_t number = (uint32_t)simnet_stream_below(&workload->stream, workload->name_count);
        if (workload->names[number].publisher != NULL)
            return number;
    }
    return SIMNET_WORKLOAD_NONE;
}

// Who asks: not the publisher, which need not.
static struct simnet_machine *draw_asker(struct simnet_workload *workload,
                                         const struct simnet_publisher *publisher)
{
    struct simnet_machine *machine = draw(workload);
    for (int i = 0; i < 16 && machine != NULL && machine == publisher->machine; i++)
        machine = draw(workload);
    return machine;
}

static void set_manner(struct simnet_workload *workload, struct simnet_probe_plan *plan)
{
    if (!simnet_stream_chance(&workload->stream, workload->plan.scenario->resolve.cancel))
        return;
    plan->manner = simnet_stream_below(&workload->stream, 2) == 0 ? SIMNET_PROBE_CANCELS
                                                                  : SIMNET_PROBE_HANGS_UP;
    plan->manner_us = (int64_t)simnet_stream_below(&workload->stream, CANCEL_WITHIN_US);
}

static void ask(struct simnet_workload *workload, uint32_t number)
{
    const struct simnet_scenario *scenario = workload->plan.scenario;
    struct simnet_workload_lookup *lookup = &workload->lookups[number];
    const struct simnet_workload_name *name = &workload->names[lookup->name];
    struct simnet_probe_plan plan = {
        .machine = draw_asker(workload, name->publisher),
        .publisher = name->publisher,
        .wait = lookup->is_healed ? CONTROL_WAIT_ALL : (enum control_wait)scenario->resolve.wait,
        .timeout_ms = (uint32_t)(scenario->resolve.timeout_us / 1000),
        .trace = lookup->is_healed || number == workload->traced,
        .number = number,
    };
    if (plan.machine == NULL)
        return;
    // Who is content with the first answer would not hear of the hops that led to it.
    if (number == workload->traced && plan.wait == CONTROL_WAIT_FIRST)
        plan.wait = CONTROL_WAIT_SETTLED;
    if (!lookup->is_healed)
        set_manner(workload, &plan);
    lookup->machine = plan.machine->number;
    lookup->outcome = SIMNET_WORKLOAD_WAITING;
    struct asker *asker = take_asker(workload);
    if (number == workload->traced && workload->tracer.begun != NULL)
        workload->tracer.begun(workload->tracer.ctx, lookup, name);
    simnet_probe_run(asker->probe, &plan);
}

// what: the name to look up in the healed network, or all ones for a lookup of one that is drawn.
static void look_up(struct simnet_world *world, void *ctx, uint64_t what)
{
    struct simnet_workload *workload = ctx;
    bool is_healed = what != UINT64_MAX;
    assert(workload->lookup_count < workload->lookup_capacity);
    uint32_t number = workload->lookup_count++;
    struct simnet_workload_lookup *lookup = &workload->lookups[number];
    *lookup = (struct simnet_workload_lookup){
        .asked_us = simnet_world_now(world),
        .first_us = -1,
        .end_us = -1,
        .name = is_healed ? (uint32_t)what : draw_name(workload),
        .machine = SIMNET_WORKLOAD_NONE,
        .outcome = SIMNET_WORKLOAD_NOBODY,
        .is_healed = is_healed,
    };
    if (lookup->name != SIMNET_WORKLOAD_NONE && workload->names[lookup->name].publisher != NULL)
        ask(workload, number);
}

// ---- life ----

// Time number `place` of `count` in a span.
static int64_t spread(int64_t begin_us, int64_t span_us, uint64_t place, uint64_t count)
{
    return begin_us + (int64_t)((double)span_us * (double)place / (double)count);
}

static void plan_all(struct simnet_workload *workload)
{
    const struct simnet_workload_plan *plan = &workload->plan;
    const struct simnet_scenario *scenario = plan->scenario;
    uint64_t names = (uint64_t)scenario->publish.names;
    uint64_t lookups = (uint64_t)scenario->resolve.count;
    int64_t publish_us = plan->t0_us - PUBLISH_MARGIN_US - scenario->publish.over_us;
    int64_t resolve_us = plan->t0_us + scenario->resolve.at_us;
    for (uint64_t i = 0; i < names; i++)
        simnet_world_at(workload->world, spread(publish_us, scenario->publish.over_us, i, names),
                        publish, workload, i);
    for (uint64_t i = 0; i < lookups; i++)
        simnet_world_at(workload->world, spread(resolve_us, scenario->resolve.for_us, i, lookups),
                        look_up, workload, UINT64_MAX);
    for (uint64_t i = 0; i < names && plan->healed_us != 0; i++)
        simnet_world_at(workload->world, spread(plan->healed_us, plan->healed_for_us, i, names),
                        look_up, workload, i);
}

struct simnet_workload *simnet_workload_new(struct simnet_world *world,
                                            const struct simnet_workload_plan *plan)
{
    struct simnet_workload *workload = simnet_world_need(calloc(1, sizeof *workload));
    size_t names = (size_t)plan->scenario->publish.names;
    size_t lookups = (size_t)plan->scenario->resolve.count + (plan->healed_us != 0 ? names : 0);
    workload->world = world;
    workload->plan = *plan;
    workload->traced = SIMNET_WORKLOAD_NONE;
    workload->lookup_capacity = (uint32_t)lookups;
    workload->names = simnet_world_need(calloc(names + 1, sizeof *workload->names));
    workload->lookups = simnet_world_need(calloc(lookups + 1, sizeof *workload->lookups));
    simnet_stream_init(&workload->stream, simnet_world_seed(world), "workload", 0);
    plan_all(workload);
    return workload;
}

void simnet_workload_free(struct simnet_workload *workload)
{
    if (workload == NULL)
        return;
    for (uint32_t i = 0; i < workload->asker_count; i++) {
        simnet_probe_free(workload->askers[i]->probe);
        free(workload->askers[i]);
    }
    for (uint32_t i = 0; i < workload->name_count; i++)
        if (workload->names[i].publisher != NULL)
            simnet_publisher_free(workload->names[i].publisher);
    free(workload->askers);
    free(workload->names);
    free(workload->lookups);
    free(workload);
}

void simnet_workload_calm(struct simnet_workload *workload)
{
    for (uint32_t i = 0; i < workload->name_count; i++)
        if (workload->names[i].publisher != NULL)
            simnet_publisher_calm(workload->names[i].publisher);
}

void simnet_workload_watch(struct simnet_workload *workload,
                           const struct simnet_workload_watch *watch)
{
    workload->watch = *watch;
}

void simnet_workload_trace(struct simnet_workload *workload, uint32_t lookup,
                           const struct simnet_workload_tracer *tracer)
{
    workload->traced = lookup;
    workload->tracer = *tracer;
}

// ---- looking in ----

uint32_t simnet_workload_planned(const struct simnet_workload *workload)
{
    return workload->lookup_capacity;
}

uint32_t simnet_workload_lookups(const struct simnet_workload *workload)
{
    return workload->lookup_count;
}

const struct simnet_workload_lookup *simnet_workload_lookup(const struct simnet_workload *workload,
                                                            uint32_t number)
{
    assert(number < workload->lookup_count);
    return &workload->lookups[number];
}

uint32_t simnet_workload_names(const struct simnet_workload *workload)
{
    return workload->name_count;
}

const struct simnet_workload_name *simnet_workload_name(const struct simnet_workload *workload,
                                                        uint32_t number)
{
    assert(number < workload->name_count);
    return &workload->names[number];
}
