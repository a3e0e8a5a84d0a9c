// SPDX-License-Identifier: MIT
#include "simnet/checker.h"

#include "dht/id.h"
#include "simnet/checker_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX 512

void simnet_checker_config_init(struct simnet_checker_config *config)
{
    *config = (struct simnet_checker_config){
        .parts = SIMNET_CHECKER_ANSWERS | SIMNET_CHECKER_BOUNDS | SIMNET_CHECKER_SEQUENCE |
                 SIMNET_CHECKER_CLOSEST,
        .sample_us = 4 * SIMNET_SECOND_US,
        .sample = 256,
        .slack_us = 5 * SIMNET_SECOND_US,
        .other_us = 5 * SIMNET_MINUTE_US,
    };
}

// ---- failures ----

void simnet_checker_fail(struct simnet_checker *checker, const struct simnet_machine *machine,
                         const char *format, ...)
{
    if (checker->failures++ >= SIMNET_CHECKER_LINES_MAX)
        return;
    char line[LINE_MAX];
    int len = snprintf(line, sizeof line, "seed %llu, %.3f s, ",
                       (unsigned long long)simnet_world_seed(checker->world),
                       (double)simnet_world_now(checker->world) / 1e6);
    if (machine != NULL)
        len += snprintf(line + len, sizeof line - (size_t)len, "machine %u: ", machine->number);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + len, sizeof line - (size_t)len, format, arguments);
    va_end(arguments);
    char *copy = simnet_world_need(malloc(strlen(line) + 1));
    memcpy(copy, line, strlen(line) + 1);
    checker->lines[checker->failures - 1] = copy;
}

uint64_t simnet_checker_failures(const struct simnet_checker *checker)
{
    return checker->failures;
}

const char *simnet_checker_line(const struct simnet_checker *checker, uint64_t number)
{
    bool has_line = number < checker->failures && number < SIMNET_CHECKER_LINES_MAX;
    return has_line ? checker->lines[number] : NULL;
}

// ---- watching ----

uint64_t simnet_checker_life(const struct simnet_machine *machine)
{
    return simnet_stream_pair(1, machine->number, machine->starts);
}

static void see(void *ctx, struct simnet_world *world, enum simnet_tap_event event,
                const struct simnet_machine *machine, const struct simnet_element *element,
                const struct simnet_packet *packet)
{
    (void)world;
    (void)element;
    // What adversaries send breaks what rules it likes.
    if (event != SIMNET_TAP_DROPPED && machine->is_honest && machine->actor == NULL)
        simnet_checker_traffic_see(ctx, event, machine, packet);
}

static void see_out(void *ctx, struct simnet_world *world, struct simnet_machine *machine,
                    const struct node_out *out)
{
    (void)world;
    if (out->type == NODE_OUT_BYTES)
        simnet_checker_answers_bytes(ctx, machine, out->session);
}

static void sample(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_checker *checker = ctx;
    (void)number;
    simnet_checker_answers_sample(checker);
    simnet_checker_bounds_sample(checker);
    simnet_world_at(world, simnet_world_now(world) + checker->config.sample_us, sample, checker, 0);
}

struct simnet_checker *simnet_checker_new(struct simnet_world *world,
                                          const struct simnet_checker_config *config)
{
    struct simnet_checker *checker = simnet_world_need(calloc(1, sizeof *checker));
    checker->world = world;
    checker->config = *config;
    checker->truth = simnet_truth_new(world, DHT_IPV4);
    simnet_ledger_init(&checker->closed, sizeof(int64_t));
    simnet_checker_traffic_init(checker);
    simnet_stream_init(&checker->stream, simnet_world_seed(world), "checker", 0);
    checker->tap = (struct simnet_tap){.see = see, .see_out = see_out, .ctx = checker};
    simnet_world_tap(world, &checker->tap);
    if (config->sample_us > 0)
        simnet_world_at(world, simnet_world_now(world) + config->sample_us, sample, checker, 0);
    return checker;
}

void simnet_checker_free(struct simnet_checker *checker)
{
    if (checker == NULL)
        return;
    while (checker->clients != NULL) {
        struct simnet_checker_client *client = checker->clients;
        checker->clients = client->next;
        free(client);
    }
    for (int i = 0; i < SIMNET_CHECKER_LINES_MAX; i++)
        free(checker->lines[i]);
    simnet_ledger_fini(&checker->closed);
    simnet_ledger_fini(&checker->puts);
    simnet_ledger_fini(&checker->sources);
    simnet_ledger_fini(&checker->handouts);
    simnet_ledger_fini(&checker->prefixes);
    simnet_tally_free(&checker->recall[0]);
    simnet_tally_free(&checker->recall[1]);
    simnet_truth_free(checker->truth);
    free(checker);
}

void simnet_checker_heal(struct simnet_checker *checker)
{
    checker->is_healed = true;
}

void simnet_checker_finish(struct simnet_checker *checker)
{
    simnet_checker_answers_sample(checker);
    simnet_checker_bounds_sample(checker);
}

const struct simnet_tally *simnet_checker_recall(const struct simnet_checker *checker, bool healed)
{
    return &checker->recall[healed];
}

// ---- lookups ----

// Whether what was found is what was to be found.
static void judge_found(struct simnet_checker *checker, const struct simnet_probe *probe)
{
    const struct simnet_publisher *publisher = probe->plan.publisher;
    const struct simnet_machine *machine = probe->plan.machine;
    const char *outcome = simnet_probe_word(probe->outcome);
    if (publisher == NULL)
        return;
    // What was under way while it looked may be found or not.
    if (!probe->was_settled || !publisher->is_settled || probe->acked != publisher->acked)
        return;
    if (!probe->was_wanted && probe->outcome != SIMNET_PROBE_WITHDRAWN)
        simnet_checker_fail(checker, machine, "name %u was withdrawn, and is %s (version %u of %u)",
                            publisher->number, outcome, probe->version, publisher->version);
    if (probe->was_wanted && probe->outcome != SIMNET_PROBE_FOUND)
        simnet_checker_fail(checker, machine, "name %u of machine %u, version %u: %s",
                            publisher->number, publisher->machine->number, publisher->acked,
                            outcome);
    else if (probe->was_wanted && probe->version != probe->acked)
        simnet_checker_fail(checker, machine, "name %u of machine %u: found version %u, not %u",
                            publisher->number, publisher->machine->number, probe->version,
                            probe->acked);
}

// How many of the closest nodes a lookup missed: nearer to the target than the last of those that
// it settled on, and never asked. One that was asked and is farther away than the lookup waits was
// not missed.
static size_t missed(const struct simnet_checker *checker, const struct simnet_probe *probe,
                     const struct simnet_truth_lookup *lookup)
{
    struct simnet_truth_node closest[DHT_CLOSEST_MAX];
    const struct simnet_probe_ids *asked = &probe->asked;
    size_t count =
        simnet_truth_closest(checker->truth, &probe->target, lookup->except, lookup->k, closest);
    size_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        if (probe->answered.count >= lookup->k &&
            dht_id_compare(&probe->target, &closest[i].id, &probe->answered.ids[lookup->k - 1]) > 0)
            break;
        size_t at = 0;
        while (at < asked->count && !dht_id_equal(&asked->ids[at], &closest[i].id))
            at++;
        missing += at == asked->count;
    }
    return missing;
}

// Only a lookup that finds nothing is told of closer nodes by all that it asks: a hit that goes to
// somebody unproven carries none (docs/security.md). Of others the recall is a figure alone.
static void judge_closest(struct simnet_checker *checker, const struct simnet_probe *probe)
{
    const struct simnet_machine *machine = probe->plan.machine;
    struct simnet_truth_lookup lookup = {&probe->target, machine->number,
                                         machine->profile->engine.lookup_width};
    simnet_truth_take(checker->truth);
    double recall =
        simnet_truth_recall(checker->truth, &lookup, probe->answered.ids, probe->answered.count);
    simnet_tally_add(&checker->recall[checker->is_healed], (uint64_t)(recall * 10000 + 0.5));
    if (!checker->is_healed || probe->plan.publisher != NULL)
        return;
    size_t missing = missed(checker, probe, &lookup);
    if (missing > 0)
        simnet_checker_fail(checker, machine,
                            "a lookup of %.6s... missed %zu of the closest %zu (%zu answered)",
                            probe->name, missing, lookup.k, probe->answered.count);
}

void simnet_checker_probe(struct simnet_checker *checker, const struct simnet_probe *probe)
{
    int parts = checker->config.parts;
    if (probe->outcome == SIMNET_PROBE_WRONG && (parts & SIMNET_CHECKER_ANSWERS) != 0)
        simnet_checker_fail(checker, probe->plan.machine, "%.6s...: found what was never published",
                            probe->name);
    bool is_whole = probe->outcome == SIMNET_PROBE_FOUND ||
                    probe->outcome == SIMNET_PROBE_NOT_FOUND ||
                    probe->outcome == SIMNET_PROBE_WITHDRAWN;
    if ((parts & SIMNET_CHECKER_CLOSEST) == 0 || probe->plan.wait != CONTROL_WAIT_ALL)
        return;
    if (checker->is_healed)
        judge_found(checker, probe);
    if (probe->plan.trace && is_whole)
        judge_closest(checker, probe);
}

static void client_made(void *ctx, struct simnet_client *client)
{
    simnet_checker_client(ctx, client);
}

static void probe_ended(void *ctx, const struct simnet_probe *probe)
{
    simnet_checker_probe(ctx, probe);
}

void simnet_checker_application(struct simnet_checker *checker,
                                struct simnet_application *application)
{
    simnet_application_watch(application,
                             &(struct simnet_application_watch){client_made, probe_ended, checker});
}
