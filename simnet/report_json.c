// SPDX-License-Identifier: MIT

// What report.h says of JSON. docs/simulation.md has the schema: keys are stable, new ones may
// come.

#include "simnet/figures.h"
#include "simnet/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#define FORMAT 1

static json_t *integer(uint64_t number)
{
    return json_integer((json_int_t)number);
}

// A number that may not be there: negative ones are null.
static json_t *maybe(double number)
{
    return number < 0 ? json_null() : json_real(number);
}

static void see_option(void *ctx, const char *section, const char *key, const char *value)
{
    json_t *options = ctx;
    json_t *object = json_object_get(options, section);
    if (object == NULL) {
        object = json_object();
        json_object_set_new(options, section, object);
    }
    json_object_set_new(object, key, json_string(value));
}

static json_t *options_of(const struct simnet_run *run)
{
    json_t *options = json_object();
    simnet_scenario_each(simnet_run_scenario(run), true, see_option, options);
    return options;
}

static json_t *size_of(const struct simnet_run *run, const struct simnet_report_cost *cost)
{
    const struct simnet_counters *counters = simnet_world_counters(simnet_run_world(run));
    const struct simnet_network *network = simnet_run_network(run);
    double virtual_s = (double)simnet_run_now(run) / 1e6;
    json_t *size = json_object();
    uint32_t machines = simnet_world_machines(simnet_run_world(run));
    json_object_set_new(size, "nodes", integer(network->count));
    json_object_set_new(size, "machines", integer(machines));
    json_object_set_new(size, "nodes_up", integer(simnet_network_up(network)));
    json_object_set_new(size, "memory_bytes", integer(cost->memory_bytes));
    json_object_set_new(size, "memory_bytes_per_node",
                        json_real((double)cost->memory_bytes / network->count));
    json_object_set_new(size, "memory_bytes_per_machine",
                        json_real((double)cost->memory_bytes / machines));
    json_object_set_new(size, "virtual_s", json_real(virtual_s));
    json_object_set_new(size, "wall_s", json_real(cost->wall_s));
    json_object_set_new(size, "cpu_s", json_real(cost->cpu_s));
    json_object_set_new(size, "virtual_per_wall", json_real(virtual_s / cost->wall_s));
    json_object_set_new(size, "events", integer(counters->events));
    json_object_set_new(size, "events_per_wall_s",
                        json_real((double)counters->events / cost->wall_s));
    json_object_set_new(size, "packets_sent", integer(counters->sent));
    json_object_set_new(size, "packets_delivered", integer(counters->delivered));
    json_object_set_new(size, "packets_delivered_per_wall_s",
                        json_real((double)counters->delivered / cost->wall_s));
    json_object_set_new(size, "bytes_sent", integer(counters->sent_bytes));
    json_object_set_new(size, "bytes_delivered", integer(counters->delivered_bytes));
    return size;
}

static json_t *percentiles(const struct simnet_figures_list *list, double scale)
{
    static const struct {
        const char *name;
        double share;
    } rows[] = {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"max", 1}};
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        json_object_set_new(object, rows[i].name,
                            maybe((double)simnet_figures_percentile(list, rows[i].share) / scale));
    json_object_set_new(object, "mean", maybe(simnet_figures_mean(list) / scale));
    return object;
}

static json_t *worst_of(const struct simnet_run *run)
{
    struct simnet_figures_interval worst;
    if (!simnet_run_worst(run, &worst))
        return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "at_s", json_real((double)worst.at_us / 1e6));
    json_object_set_new(object, "for_s", json_real((double)worst.for_us / 1e6));
    json_object_set_new(object, "counted", integer(worst.counted));
    json_object_set_new(object, "success", json_real((double)worst.right / (double)worst.counted));
    return object;
}

static json_t *lookups_of(const struct simnet_run *run, bool is_healed)
{
    struct simnet_figures figures;
    json_t *lookups = json_object();
    json_t *outcomes = json_object();
    json_t *manners = json_object();
    simnet_figures_init(&figures, simnet_run_application(run),
                        is_healed ? SIMNET_RUN_HEALED : SIMNET_RUN_MEASURED);
    json_object_set_new(lookups, "made", integer(figures.lookups));
    json_object_set_new(lookups, "success", maybe(figures.success));
    json_object_set_new(lookups, "worst", is_healed ? json_null() : worst_of(run));
    json_object_set_new(lookups, "recall", maybe(simnet_run_recall(run, is_healed)));
    for (int i = 0; i < SIMNET_APPLICATION_OUTCOMES; i++)
        json_object_set_new(outcomes, simnet_application_outcome_word(i),
                            integer(figures.outcomes[i]));
    json_object_set_new(lookups, "outcomes", outcomes);
    for (int i = 1; i < SIMNET_PROBE_MANNERS; i++)
        json_object_set_new(manners, simnet_probe_manner_word((enum simnet_probe_manner)i),
                            integer(figures.manners[i]));
    json_object_set_new(lookups, "manners", manners);
    json_object_set_new(lookups, "from_cache", integer(figures.cached));
    json_object_set_new(lookups, "stale", integer(figures.stale));
    json_object_set_new(lookups, "first_answer_ms", percentiles(&figures.first_us, 1e3));
    json_object_set_new(lookups, "end_ms", percentiles(&figures.end_us, 1e3));
    json_object_set_new(lookups, "hops", percentiles(&figures.hops, 1));
    json_object_set_new(lookups, "nodes_asked", percentiles(&figures.messages, 1));
    simnet_figures_fini(&figures);
    return lookups;
}

static json_t *names_of(const struct simnet_run *run)
{
    struct simnet_figures_names names;
    simnet_figures_names(simnet_run_application(run), &names);
    json_t *object = json_object();
    json_object_set_new(object, "begun", integer(names.begun));
    json_object_set_new(object, "published", integer(names.published));
    json_object_set_new(
        object, "copies_mean",
        maybe(names.published > 0 ? (double)names.stored / (double)names.published : -1));
    json_object_set_new(object, "changes", integer(names.changes));
    json_object_set_new(object, "withdrawals", integer(names.withdrawals));
    json_object_set_new(object, "requests_broken_off", integer(names.interrupted));
    json_object_set_new(object, "requests_failed", integer(names.failed));
    return object;
}

static json_t *traffic_of(const struct simnet_run *run)
{
    const struct simnet_run_sample *samples;
    size_t count = simnet_run_samples(run, &samples);
    json_t *traffic = json_object();
    json_t *steps = json_array();
    for (size_t i = 1; i < count; i++) {
        struct simnet_report_traffic step = simnet_report_traffic(&samples[i - 1], &samples[i]);
        double minutes = step.node_minutes > 0 ? step.node_minutes : -1;
        json_t *object = json_object();
        json_object_set_new(object, "at_s", json_real((double)samples[i].at_us / 1e6));
        json_object_set_new(object, "nodes_up", integer(samples[i].up));
        json_object_set_new(object, "packets_out_per_node_minute", maybe(step.sent / minutes));
        json_object_set_new(object, "packets_in_per_node_minute", maybe(step.received / minutes));
        json_object_set_new(object, "bytes_out_per_node_minute", maybe(step.bytes_sent / minutes));
        json_object_set_new(object, "bytes_in_per_node_minute",
                            maybe(step.bytes_received / minutes));
        json_array_append_new(steps, object);
    }
    json_object_set_new(traffic, "idle_packets_out_per_node_minute", maybe(simnet_run_idle(run)));
    json_object_set_new(traffic, "steps", steps);
    return traffic;
}

static json_t *dropped_of(const struct simnet_run *run)
{
    struct simnet_element_sum sums[SIMNET_ELEMENT_NAMES_MAX];
    size_t count = simnet_element_sums(simnet_run_world(run), sums);
    json_t *elements = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();
        json_object_set_new(object, "element", json_string(sums[i].name));
        json_object_set_new(object, "packets_passed", integer(sums[i].passed));
        json_object_set_new(object, "packets_dropped", integer(sums[i].dropped));
        json_array_append_new(elements, object);
    }
    return elements;
}

static json_t *counters_of(const struct simnet_run *run)
{
    const struct simnet_run_counter *counters;
    size_t count = simnet_run_counters(run, &counters);
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new(object, counters[i].name, integer(counters[i].value));
    return object;
}

static json_t *checks_of(const struct simnet_run *run)
{
    const struct simnet_run_verdict *verdicts;
    size_t count = simnet_run_verdicts(run, &verdicts);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();
        json_object_set_new(object, "name", json_string(verdicts[i].name));
        json_object_set_new(object, "held", json_boolean(verdicts[i].held));
        json_object_set_new(object, "detail", json_string(verdicts[i].detail));
        json_array_append_new(array, object);
    }
    return array;
}

void simnet_report_json(const struct simnet_run *run, const struct simnet_report_cost *cost,
                        FILE *out)
{
    const struct simnet_scenario *scenario = simnet_run_scenario(run);
    char hash[17];
    json_t *report = json_object();
    snprintf(hash, sizeof hash, "%016" PRIx64, simnet_world_hash(simnet_run_world(run)));
    json_object_set_new(report, "format", integer(FORMAT));
    json_object_set_new(report, "version", json_string(cost->version));
    json_object_set_new(report, "scenario", json_string(scenario->name));
    json_object_set_new(report, "seed", integer((uint64_t)scenario->network.seed));
    json_object_set_new(report, "options", options_of(run));
    json_object_set_new(report, "whole", json_boolean(simnet_run_is_whole(run)));
    json_object_set_new(report, "trace_hash", json_string(hash));
    json_object_set_new(report, "size", size_of(run, cost));
    json_object_set_new(report, "names", names_of(run));
    json_object_set_new(report, "lookups", lookups_of(run, false));
    json_object_set_new(report, "healed_lookups", lookups_of(run, true));
    json_object_set_new(report, "traffic", traffic_of(run));
    json_object_set_new(report, "elements", dropped_of(run));
    json_object_set_new(report, "packets_to_nobody",
                        integer(simnet_world_counters(simnet_run_world(run))->nobody));
    json_object_set_new(report, "counters", counters_of(run));
    json_object_set_new(report, "checks", checks_of(run));
    json_dumpf(report, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    fputc('\n', out);
    json_decref(report);
}
