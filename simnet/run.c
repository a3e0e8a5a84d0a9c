// SPDX-License-Identifier: MIT
#include "simnet/run.h"

#include "dht/engine.h"
#include "simnet/attack.h"
#include "simnet/checker.h"
#include "simnet/figures.h"
#include "simnet/host.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES           240 // in a run, or one a second where that is fewer
#define IDLE_AFTER_US     (15 * SIMNET_SECOND_US)
#define CHECKER_LINES_MAX 20
#define PUBLISH_MARGIN_US (20 * SIMNET_SECOND_US) // between the last publication and t0
#define RUDE_US           (SIMNET_SECOND_US / 2)  // bad manners show within this
#define IDLE_LEAST_US     (10 * SIMNET_SECOND_US)

struct simnet_run {
    struct simnet_scenario scenario;
    struct simnet_world *world;
    struct simnet_network *network;
    struct simnet_application *application;
    struct simnet_faults *faults;
    struct simnet_attack *attack;
    struct simnet_checker *checker;           // NULL: nothing is checked
    int64_t begin_us, t0_us, heal_us, end_us; // of the world's clock
    int64_t sample_us, next_sample_us;
    struct simnet_run_sample *samples;
    size_t sample_count, sample_capacity;
    int64_t idle_begin_us, idle_end_us; // 0: not measured
    uint64_t idle_before, idle_after;   // packets sent
    struct simnet_run_verdict verdicts[SIMNET_RUN_VERDICTS_MAX];
    size_t verdict_count;
    struct simnet_run_counter counters[SIMNET_RUN_COUNTERS_MAX];
    size_t counter_count;
};

const char *simnet_run_phase_name(enum simnet_run_phase phase)
{
    static const char *const names[] = {"joining", "warming up", "faults", "healing", "ended"};
    return names[phase];
}

// ---- samples ----

static void take_sample(struct simnet_run *run)
{
    if (run->sample_count == run->sample_capacity) {
        run->sample_capacity = run->sample_capacity == 0 ? 64 : 2 * run->sample_capacity;
        run->samples =
            simnet_world_need(realloc(run->samples, run->sample_capacity * sizeof *run->samples));
    }
    run->samples[run->sample_count++] = (struct simnet_run_sample){
        .at_us = simnet_run_now(run),
        .up = simnet_network_up(run->network),
        .counters = *simnet_world_counters(run->world),
    };
    run->next_sample_us += run->sample_us;
}

static void note_idle(struct simnet_world *world, void *ctx, uint64_t is_end)
{
    struct simnet_run *run = ctx;
    *(is_end != 0 ? &run->idle_after : &run->idle_before) = simnet_world_counters(world)->sent;
}

// Idle is the second half of the warm-up up to the first publication, or else, where that is too
// short, what is left between the last one and t0.
static void plan_idle(struct simnet_run *run)
{
    const struct simnet_scenario *scenario = &run->scenario;
    bool publishes = scenario->publish.names > 0;
    int64_t quiet_us = run->t0_us - PUBLISH_MARGIN_US;
    int64_t before_us = publishes ? quiet_us - scenario->publish.over_us : run->t0_us;
    int64_t middle_us = run->begin_us + scenario->network.join_us + scenario->phases.warm_up_us / 2;
    run->idle_begin_us = middle_us;
    run->idle_end_us = before_us;
    if (before_us - middle_us < SIMNET_MINUTE_US) {
        run->idle_begin_us = quiet_us + PUBLISH_MARGIN_US - IDLE_AFTER_US;
        run->idle_end_us = run->t0_us;
    }
    if (scenario->phases.warm_up_us < IDLE_LEAST_US + IDLE_AFTER_US) {
        run->idle_begin_us = run->idle_end_us = 0;
        return;
    }
    simnet_world_at(run->world, run->idle_begin_us, note_idle, run, 0);
    simnet_world_at(run->world, run->idle_end_us, note_idle, run, 1);
}

// ---- life ----

// When the names are looked up once more.
static int64_t healed_us(const struct simnet_run *run)
{
    return run->heal_us + run->scenario.phases.healing_us * 4 / 5;
}

// Who publishes is there to renew what it published.
static void exempt_publishers(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_run *run = ctx;
    (void)world;
    (void)number;
    for (uint32_t i = 0; i < simnet_application_begun(run->application); i++)
        simnet_faults_exempt(run->faults,
                             simnet_application_publisher(run->application, i)->machine->number);
}

// Each name once more, in the last fifth of the healing.
static void plan_healed_lookups(struct simnet_run *run)
{
    uint32_t names = (uint32_t)run->scenario.publish.names;
    int64_t healing_us = run->scenario.phases.healing_us;
    struct simnet_application_plan plan = {
        .phase = SIMNET_RUN_HEALED, .wait = CONTROL_WAIT_ALL, .trace = true};
    for (plan.name = 0; plan.name < names && healing_us > 0; plan.name++) {
        plan.at_us = healed_us(run) + (int64_t)((double)(healing_us / 10) * plan.name / names);
        simnet_application_plan(run->application, &plan);
    }
}

static void plan_application(struct simnet_run *run)
{
    const struct simnet_scenario *scenario = &run->scenario;
    struct simnet_application_config config;
    simnet_application_config_init(&config);
    config.first = run->network->first;
    config.count = run->network->count;
    config.publishers = (uint32_t)scenario->publish.names;
    config.publish_us = run->t0_us - PUBLISH_MARGIN_US - scenario->publish.over_us;
    config.publish_over_us = scenario->publish.over_us;
    config.habits.change_us = scenario->publish.change_us;
    config.habits.withdraw_share = scenario->publish.withdraw;
    config.habits.rude_share = scenario->publish.rude;
    config.lookups = (uint32_t)scenario->resolve.count;
    config.resolve_us = run->t0_us + scenario->resolve.at_us;
    config.resolve_over_us = scenario->resolve.for_us;
    config.wait = (enum control_wait)scenario->resolve.wait;
    config.timeout_ms = (uint32_t)(scenario->resolve.timeout_us / 1000);
    config.rude_share = scenario->resolve.rude;
    config.rude_us = RUDE_US;
    run->application = simnet_application_new(run->world, &config);
    plan_healed_lookups(run);
}

static void heal(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_run *run = ctx;
    (void)world;
    (void)number;
    simnet_application_calm(run->application);
    if (run->checker != NULL)
        simnet_checker_heal(run->checker);
}

static void plan_checks(struct simnet_run *run)
{
    struct simnet_checker_config config;
    simnet_checker_config_init(&config);
    config.parts = run->scenario.check.checkers;
    if (config.parts != 0) {
        run->checker = simnet_checker_new(run->world, &config);
        simnet_checker_application(run->checker, run->application);
    }
    // The names are looked up in the last fifth of the healing: only that is held against anybody.
    if (run->scenario.phases.healing_us > 0)
        simnet_world_at(run->world, healed_us(run), heal, run, 0);
}

struct simnet_run *simnet_run_new(const struct simnet_scenario *scenario)
{
    struct simnet_run *run = simnet_world_need(calloc(1, sizeof *run));
    run->scenario = *scenario;
    run->world = simnet_world_new((uint64_t)scenario->network.seed);
    run->begin_us = simnet_world_now(run->world);
    run->t0_us = run->begin_us + simnet_scenario_t0(scenario);
    run->heal_us = run->t0_us + scenario->phases.faults_us;
    run->end_us = run->begin_us + simnet_scenario_end(scenario);
    run->sample_us = (run->end_us - run->begin_us) / SAMPLES;
    if (run->sample_us < SIMNET_SECOND_US)
        run->sample_us = SIMNET_SECOND_US;
    run->network = simnet_network_new(run->world, &run->scenario);
    run->faults = simnet_faults_new(run->network, run->t0_us, run->heal_us);
    plan_application(run);
    run->attack =
        simnet_attack_new(run->network, run->application,
                          run->t0_us - PUBLISH_MARGIN_US - scenario->publish.over_us, run->t0_us);
    if (!scenario->churn.publishers)
        simnet_world_at(run->world, run->t0_us, exempt_publishers, run, 0);
    plan_idle(run);
    plan_checks(run);
    run->next_sample_us = run->begin_us;
    take_sample(run);
    return run;
}

void simnet_run_free(struct simnet_run *run)
{
    if (run == NULL)
        return;
    simnet_world_free(run->world);
    simnet_checker_free(run->checker);
    simnet_attack_free(run->attack);
    simnet_application_free(run->application);
    simnet_faults_free(run->faults);
    simnet_network_free(run->network);
    free(run->samples);
    free(run);
}

bool simnet_run_step(struct simnet_run *run)
{
    int64_t now_us = simnet_world_now(run->world);
    if (now_us >= run->end_us)
        return false;
    int64_t until_us = now_us + SIMNET_SECOND_US;
    if (until_us > run->next_sample_us)
        until_us = run->next_sample_us;
    if (until_us > run->end_us)
        until_us = run->end_us;
    simnet_world_run(run->world, until_us);
    if (until_us == run->next_sample_us || until_us == run->end_us)
        take_sample(run);
    return true;
}

// ---- taking stock ----

__attribute__((format(printf, 4, 5))) static void judge(struct simnet_run *run, const char *name,
                                                        bool held, const char *format, ...)
{
    assert(run->verdict_count < SIMNET_RUN_VERDICTS_MAX);
    struct simnet_run_verdict *verdict = &run->verdicts[run->verdict_count++];
    va_list args;
    snprintf(verdict->name, sizeof verdict->name, "%s", name);
    verdict->held = held;
    va_start(args, format);
    vsnprintf(verdict->detail, sizeof verdict->detail, format, args);
    va_end(args);
}

static void judge_time(struct simnet_run *run, const char *name,
                       const struct simnet_figures_list *list, double share, int64_t most_us)
{
    int64_t us = simnet_figures_percentile(list, share);
    if (most_us > 0 && us < 0)
        judge(run, name, false, "nothing was answered, at most %.0f ms wanted",
              (double)most_us / 1e3);
    else if (most_us > 0)
        judge(run, name, us <= most_us, "%.0f ms, at most %.0f ms wanted", (double)us / 1e3,
              (double)most_us / 1e3);
}

// A share of lookups, named `what`, that found their names.
static void judge_share(struct simnet_run *run, const char *name,
                        const struct simnet_figures *figures, const char *what, double share)
{
    if (share > 0 && figures->counted == 0)
        judge(run, name, false, "nothing was looked up, %g%% wanted", share * 100);
    else if (share > 0)
        judge(run, name, simnet_figures_reach(figures->right, figures->counted, share),
              "%.3f%% of the %s, %g%% wanted", figures->success * 100, what, share * 100);
}

static void judge_worst(struct simnet_run *run)
{
    double share = run->scenario.check.worst;
    struct simnet_figures_interval worst;
    char length[32];
    if (share == 0)
        return;
    if (!simnet_run_worst(run, &worst)) {
        judge(run, "worst", false, "nothing was looked up, %g%% wanted", share * 100);
        return;
    }
    simnet_scenario_value_time(run->scenario.check.interval_us, length);
    judge(run, "worst", simnet_figures_reach(worst.right, worst.counted, share),
          "%.3f%% of %" PRIu64 " lookups in the worst %s, from %.0f s on, %g%% wanted",
          100.0 * (double)worst.right / (double)worst.counted, worst.counted, length,
          (double)worst.at_us / 1e6, share * 100);
}

static void judge_lookups(struct simnet_run *run)
{
    const struct simnet_scenario *scenario = &run->scenario;
    struct simnet_figures figures;
    simnet_figures_init(&figures, run->application, SIMNET_RUN_MEASURED);
    judge_share(run, "success", &figures, "lookups found their name", scenario->check.success);
    judge_worst(run);
    judge_time(run, "p50", &figures.first_us, 0.5, scenario->check.p50_us);
    judge_time(run, "p99", &figures.first_us, 0.99, scenario->check.p99_us);
    simnet_figures_fini(&figures);
    if (scenario->phases.healing_us == 0 || !simnet_run_is_whole(run))
        return;
    simnet_figures_init(&figures, run->application, SIMNET_RUN_HEALED);
    if (figures.lookups > 0)
        judge_share(run, "healed", &figures, "names were found in the healed network",
                    scenario->check.healed);
    simnet_figures_fini(&figures);
}

static void judge_checkers(struct simnet_run *run)
{
    if (run->checker == NULL)
        return;
    simnet_checker_finish(run->checker);
    uint64_t failures = simnet_checker_failures(run->checker);
    for (uint64_t i = 0; i < failures && i < CHECKER_LINES_MAX; i++)
        judge(run, "checkers", false, "%s", simnet_checker_line(run->checker, i));
    if (failures > CHECKER_LINES_MAX)
        judge(run, "checkers", false, "and %" PRIu64 " more", failures - CHECKER_LINES_MAX);
    if (failures == 0)
        judge(run, "checkers", true, "nothing was found that should never be");
}

static void count(struct simnet_run *run, const char *name, const char *meaning, uint64_t value)
{
    if (value == 0)
        return;
    assert(run->counter_count < SIMNET_RUN_COUNTERS_MAX);
    run->counters[run->counter_count++] = (struct simnet_run_counter){name, meaning, value};
}

static void sum_engine(const struct simnet_machine *machine, struct dht_counters *sum)
{
    for (int i = 0; i < machine->address_count; i++) {
        struct dht_info info;
        dht_info(node_engine(machine->node, i), &info);
#define ADD(name, meaning) sum->name += info.counters.name;
        DHT_COUNTERS(ADD)
#undef ADD
    }
}

// Of every disk, also those of machines that are off.
static void sum_disks(struct simnet_run *run)
{
    struct simnet_disk_counters disks = {0};
    for (uint32_t i = 0; i < run->network->count; i++) {
        struct simnet_machine *machine = simnet_world_machine(run->world, run->network->first + i);
        if (!simnet_host_has_disk(machine))
            continue;
#define ADD(name, meaning) disks.name += simnet_disk_counters(simnet_host_disk(machine))->name;
        SIMNET_DISK_COUNTERS(ADD)
#undef ADD
    }
#define TELL(name, meaning) count(run, "disk_" #name, "of disks: " meaning, disks.name);
    SIMNET_DISK_COUNTERS(TELL)
#undef TELL
}

static void sum_counters(struct simnet_run *run)
{
    struct dht_counters engines = {0};
    struct node_counters nodes = {0};
    for (uint32_t i = 0; i < run->network->count; i++) {
        const struct simnet_machine *machine =
            simnet_world_machine(run->world, run->network->first + i);
        if (machine->node == NULL)
            continue;
        struct node_info info;
        sum_engine(machine, &engines);
        node_info(machine->node, &info);
#define ADD(name, meaning) nodes.name += info.counters.name;
        NODE_COUNTERS(ADD)
#undef ADD
    }
    const struct simnet_mishaps_counters *faults = simnet_faults_counters(run->faults);
#define TELL(name, meaning) count(run, #name, meaning, faults->name);
    SIMNET_MISHAPS_COUNTERS(TELL)
#undef TELL
    const struct simnet_churn *churn = simnet_faults_churn(run->faults);
#define TELL(name, meaning)                                                                        \
    count(run, "churn_" #name, meaning, churn == NULL ? 0 : simnet_churn_counters(churn)->name);
    SIMNET_CHURN_COUNTERS(TELL)
#undef TELL
    sum_disks(run);
    count(run, "adversaries", "machines with another brain", simnet_attack_count(run->attack));
    count(run, "flooded", "packets that flooders sent", simnet_attack_floods(run->attack));
    count(run, "flooded_proven", "of these, puts with a token that the victim gave",
          simnet_attack_proven(run->attack));
    const struct simnet_league_counters *league = simnet_attack_counters(run->attack);
#define TELL(name, meaning) count(run, "adversaries_" #name, meaning, league->name);
    SIMNET_LEAGUE_COUNTERS(TELL)
#undef TELL
    count(run, "nat_filtered", "packets that NATs did not let in",
          simnet_homes_filtered(run->network->homes));
#define TELL(name, meaning) count(run, #name, meaning, nodes.name);
    NODE_COUNTERS(TELL)
#undef TELL
#define TELL(name, meaning) count(run, #name, meaning, engines.name);
    DHT_COUNTERS(TELL)
#undef TELL
}

void simnet_run_finish(struct simnet_run *run)
{
    if (run->samples[run->sample_count - 1].at_us != simnet_run_now(run))
        take_sample(run);
    judge_lookups(run);
    judge_checkers(run);
    sum_counters(run);
}

// ---- looking in ----

const struct simnet_scenario *simnet_run_scenario(const struct simnet_run *run)
{
    return &run->scenario;
}

struct simnet_world *simnet_run_world(const struct simnet_run *run)
{
    return run->world;
}

struct simnet_network *simnet_run_network(const struct simnet_run *run)
{
    return run->network;
}

struct simnet_application *simnet_run_application(const struct simnet_run *run)
{
    return run->application;
}

enum simnet_run_phase simnet_run_phase(const struct simnet_run *run)
{
    int64_t now_us = simnet_world_now(run->world);
    return now_us >= run->end_us                                     ? SIMNET_RUN_ENDED
           : now_us >= run->heal_us                                  ? SIMNET_RUN_HEALING
           : now_us >= run->t0_us                                    ? SIMNET_RUN_FAULTS
           : now_us >= run->begin_us + run->scenario.network.join_us ? SIMNET_RUN_WARMING_UP
                                                                     : SIMNET_RUN_JOINING;
}

int64_t simnet_run_now(const struct simnet_run *run)
{
    return simnet_world_now(run->world) - run->begin_us;
}

bool simnet_run_is_whole(const struct simnet_run *run)
{
    return simnet_world_now(run->world) >= run->end_us;
}

double simnet_run_recall(const struct simnet_run *run, bool is_healed)
{
    const struct simnet_tally *recall =
        run->checker != NULL ? simnet_checker_recall(run->checker, is_healed) : NULL;
    return recall == NULL || recall->count == 0 ? -1 : simnet_tally_mean(recall) / 10000;
}

bool simnet_run_worst(const struct simnet_run *run, struct simnet_figures_interval *ret_worst)
{
    if (!simnet_figures_worst(run->application, run->scenario.check.interval_us, ret_worst))
        return false;
    ret_worst->at_us -= run->begin_us;
    return true;
}

size_t simnet_run_samples(const struct simnet_run *run, const struct simnet_run_sample **ret_all)
{
    *ret_all = run->samples;
    return run->sample_count;
}

size_t simnet_run_verdicts(const struct simnet_run *run, const struct simnet_run_verdict **ret_all)
{
    *ret_all = run->verdicts;
    return run->verdict_count;
}

size_t simnet_run_counters(const struct simnet_run *run, const struct simnet_run_counter **ret_all)
{
    *ret_all = run->counters;
    return run->counter_count;
}

double simnet_run_idle(const struct simnet_run *run)
{
    if (run->idle_end_us == 0 || simnet_world_now(run->world) < run->idle_end_us)
        return -1;
    double minutes = (double)(run->idle_end_us - run->idle_begin_us) / (double)SIMNET_MINUTE_US;
    return (double)(run->idle_after - run->idle_before) / minutes / run->network->count;
}
