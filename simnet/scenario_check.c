// SPDX-License-Identifier: MIT
// Of the reading of a scenario: keys that contradict each other, or have no use.
#include "simnet/scenario_part.h"

#include "simnet/adversary.h"
#include "simnet/checker.h"

#include <assert.h>
#include <string.h>

#define MTU_LEAST 576   // as simnet/mtu.h says
#define PORTS_MAX 10000 // of the few addresses, so that each machine soon finds one

static struct simnet_scenario_origin origin_of(struct simnet_scenario_reading *reading,
                                               const char *section, size_t index, const char *name)
{
    const struct simnet_scenario_key *key = simnet_scenario_key_find(section, name);
    assert(key != NULL);
    for (size_t i = 0; i < reading->instance_count; i++) {
        const struct simnet_scenario_instance *instance = &reading->instances[i];
        if (strcmp(instance->section->name, section) != 0 || instance->index != index)
            continue;
        struct simnet_scenario_origin origin = instance->keys[key - simnet_scenario_keys];
        return origin.line != 0 || origin.setting != NULL ? origin : instance->named;
    }
    return (struct simnet_scenario_origin){0, NULL};
}

// Whether a key has another value than by default: what is written whole reads back whatever it
// has no use for.
static bool is_set(const struct simnet_scenario_reading *reading, const char *section, size_t index,
                   const char *name)
{
    char text[SIMNET_SCENARIO_TEXT_MAX];
    const struct simnet_scenario_key *key = simnet_scenario_key_find(section, name);
    assert(key != NULL);
    simnet_scenario_value_write(
        key, simnet_scenario_base(reading->scenario, simnet_scenario_section_find(section), index),
        text);
    return strcmp(text, key->standard) != 0;
}

// Refuses a key that would change nothing. where: when it does.
static bool check_use(struct simnet_scenario_reading *reading, const char *section, size_t index,
                      const char *name, const char *where)
{
    return !is_set(reading, section, index, name) ||
           simnet_scenario_complain(reading, origin_of(reading, section, index, name),
                                    "%s.%s would change nothing here: it is %s", section, name,
                                    where);
}

// One partition at a time.
static bool check_partitions(struct simnet_scenario_reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    for (size_t i = 0; i < scenario->partition_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct simnet_scenario_partition *a = &scenario->partitions[i];
            const struct simnet_scenario_partition *b = &scenario->partitions[j];
            if (a->at_us < b->at_us + b->for_us && b->at_us < a->at_us + a->for_us)
                return simnet_scenario_complain(reading, origin_of(reading, "partition", i, "at"),
                                                "partition %s overlaps %s: expected one at a time",
                                                a->name, b->name);
        }
    return true;
}

static bool check_times(struct simnet_scenario_reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    int64_t faults_us = scenario->phases.faults_us;
    if (scenario->resolve.count > 0 &&
        scenario->resolve.at_us + scenario->resolve.for_us > faults_us)
        return simnet_scenario_complain(
            reading, origin_of(reading, "resolve", 0, "for"),
            "the lookups would go on after the faults: expected resolve.at + resolve.for "
            "of at most phases.faults");
    if (scenario->publish.names > 0 &&
        scenario->publish.over_us + INT64_C(20000000) > scenario->phases.warm_up_us)
        return simnet_scenario_complain(
            reading, origin_of(reading, "publish", 0, "over"),
            "no time to publish: expected phases.warm-up to be 20s longer than "
            "publish.over");
    for (size_t i = 0; i < scenario->partition_count; i++)
        if (scenario->partitions[i].at_us + scenario->partitions[i].for_us > faults_us)
            return simnet_scenario_complain(
                reading, origin_of(reading, "partition", i, "for"),
                "the partition would go on after the faults: expected at + for of at most "
                "phases.faults");
    for (size_t i = 0; i < scenario->event_count; i++)
        if (scenario->events[i].at_us > faults_us)
            return simnet_scenario_complain(
                reading, origin_of(reading, "event", i, "at"),
                "after the end of the faults: expected at most phases.faults");
    return true;
}

// What new machines and flooders have, and others do not.
static bool check_habits(struct simnet_scenario_reading *reading, size_t i)
{
    static const char of_new[] = "of new machines, which are given by count and are no flooders";
    const struct simnet_scenario_adversary *adversary = &reading->scenario->adversaries[i];
    int families = reading->scenario->network.families;
    bool is_flooder = adversary->kind == (int)SIMNET_ADVERSARY_KINDS; // the kind behind them
    bool is_few = adversary->addresses == (int)SIMNET_CLAIM_FEW;
    bool is_ipv6 = simnet_claim_ip_len((enum simnet_claim_range)adversary->addresses) == 16;
    if (adversary->share == 0 && adversary->count == 0)
        return simnet_scenario_complain(reading, origin_of(reading, "adversary", i, "share"),
                                        "an adversary of nobody: expected share or count");
    if (!is_flooder && (!check_use(reading, "adversary", i, "rate", "of flooders alone") ||
                        !check_use(reading, "adversary", i, "sends", "of flooders alone")))
        return false;
    if (adversary->sends == 0)
        return simnet_scenario_complain(reading, origin_of(reading, "adversary", i, "sends"),
                                        "a flood of nothing: expected puts, gets or junk");
    if (!is_few && !check_use(reading, "adversary", i, "few", "of addresses = few alone"))
        return false;
    if (is_few && adversary->count > adversary->few * PORTS_MAX)
        return simnet_scenario_complain(reading, origin_of(reading, "adversary", i, "count"),
                                        "more machines than ports: expected at most %d to an "
                                        "address",
                                        PORTS_MAX);
    if (is_flooder || adversary->count == 0)
        return check_use(reading, "adversary", i, "placement", of_new) &&
               check_use(reading, "adversary", i, "addresses", of_new);
    if (families == (is_ipv6 ? SIMNET_SCENARIO_IPV4 : SIMNET_SCENARIO_IPV6))
        return simnet_scenario_complain(
            reading, origin_of(reading, "adversary", i, "addresses"),
            "nobody of the network could reach them: expected addresses of a family "
            "that network.families has");
    return true;
}

static bool check_adversaries(struct simnet_scenario_reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    for (size_t i = 0; i < scenario->adversary_count; i++) {
        const struct simnet_scenario_adversary *adversary = &scenario->adversaries[i];
        bool is_around = adversary->placement == SIMNET_SCENARIO_AROUND_NAME;
        bool is_early = adversary->from == SIMNET_SCENARIO_FROM_PUBLISH;
        if (is_around && (is_early || scenario->publish.names == 0))
            return simnet_scenario_complain(
                reading, origin_of(reading, "adversary", i, "placement"),
                "nobody can be around a name that is not published yet: expected from "
                "= faults, and publish.names of at least 1");
        if (is_around && adversary->count == 0)
            return simnet_scenario_complain(
                reading, origin_of(reading, "adversary", i, "placement"),
                "nodes that turn stay where they are: expected count, not share");
        if (is_early && adversary->at_us > 0)
            return simnet_scenario_complain(reading, origin_of(reading, "adversary", i, "at"),
                                            "at counts from t0: expected from = faults");
        if (adversary->at_us > scenario->phases.faults_us)
            return simnet_scenario_complain(
                reading, origin_of(reading, "adversary", i, "at"),
                "after the end of the faults: expected at most phases.faults");
        if (!check_habits(reading, i))
            return false;
    }
    return true;
}

static double sum_of_nats(const struct simnet_scenario *scenario)
{
    return scenario->nat.full_cone + scenario->nat.restricted + scenario->nat.port_restricted +
           scenario->nat.symmetric + scenario->nat.cgnat;
}

static bool check_shares(struct simnet_scenario_reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    double nat = sum_of_nats(scenario);
    if (nat + scenario->machines.unreachable > 0.95)
        return simnet_scenario_complain(
            reading, origin_of(reading, "nat", 0, "symmetric"),
            "hardly anybody can be reached: expected the shares of [nat] and "
            "machines.unreachable to be 95%% at most together");
    if (nat > 0 && scenario->network.families != SIMNET_SCENARIO_IPV4)
        return simnet_scenario_complain(
            reading, origin_of(reading, "network", 0, "families"),
            "a NAT is for IPv4 alone: expected network.families = ipv4 where [nat] has "
            "shares");
    double adversaries = 0;
    for (size_t i = 0; i < scenario->adversary_count; i++) {
        const struct simnet_scenario_adversary *adversary = &scenario->adversaries[i];
        adversaries += adversary->share;
        if (adversary->share > 0 && adversary->count > 0)
            return simnet_scenario_complain(
                reading, origin_of(reading, "adversary", i, "count"),
                "share and count of an adversary: expected one of them");
        if (adversaries > 0.9)
            return simnet_scenario_complain(reading, origin_of(reading, "adversary", i, "share"),
                                            "all adversaries together: expected at most 90%%");
    }
    return check_adversaries(reading);
}

static bool check_latency(struct simnet_scenario_reading *reading)
{
    static const char where[] = "of the lognormal model alone";
    const struct simnet_scenario *scenario = reading->scenario;
    int model = scenario->latency.model;
    bool is_lognormal = model == SIMNET_SCENARIO_LATENCY_LOGNORMAL;
    if (!is_lognormal && (!check_use(reading, "latency", 0, "sigma", where) ||
                          !check_use(reading, "latency", 0, "min", where)))
        return false;
    if (!is_lognormal && model != SIMNET_SCENARIO_LATENCY_CONSTANT)
        return check_use(reading, "latency", 0, "median", "of the models constant and lognormal");
    if (is_lognormal && scenario->latency.min_us > scenario->latency.median_us)
        return simnet_scenario_complain(reading, origin_of(reading, "latency", 0, "min"),
                                        "latency.min is longer than latency.median");
    return true;
}

static bool has_end(int kind)
{
    return kind != SIMNET_SCENARIO_RETURN && kind != SIMNET_SCENARIO_LOSS &&
           kind != SIMNET_SCENARIO_MOVE && kind != SIMNET_SCENARIO_NAT_REBOOT;
}

static bool check_event(struct simnet_scenario_reading *reading, size_t i)
{
    const struct simnet_scenario *scenario = reading->scenario;
    const struct simnet_scenario_event *event = &scenario->events[i];
    if (!has_end(event->kind) && !check_use(reading, "event", i, "for",
                                            "of events that last, not of return, loss, move "
                                            "and nat-reboot"))
        return false;
    if (event->kind != SIMNET_SCENARIO_CLOCK_JUMP &&
        !check_use(reading, "event", i, "by", "of clock-jump alone"))
        return false;
    if (event->kind != SIMNET_SCENARIO_DISK_FAILS &&
        !check_use(reading, "event", i, "writes", "of disk-fails alone"))
        return false;
    if (event->kind == SIMNET_SCENARIO_CLOCK_JUMP && event->by_us == 0)
        return simnet_scenario_complain(reading, origin_of(reading, "event", i, "by"),
                                        "a jump to where the clock is: expected by");
    if (event->kind == SIMNET_SCENARIO_DISK_STICKS && event->for_us == 0)
        return simnet_scenario_complain(reading, origin_of(reading, "event", i, "for"),
                                        "a disk that sticks for no time: expected for");
    if (event->kind == SIMNET_SCENARIO_KILL && scenario->churn.session_us > 0)
        return simnet_scenario_complain(reading, origin_of(reading, "event", i, "kind"),
                                        "churn has to know who is gone: expected lose or stop "
                                        "where churn.session is not 0s");
    return true;
}

static bool check_events(struct simnet_scenario_reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    bool has_nats = sum_of_nats(scenario) > 0;
    bool cuts_power = scenario->churn.session_us > 0 && scenario->churn.crash > 0;
    for (size_t i = 0; i < scenario->event_count; i++) {
        if (!check_event(reading, i))
            return false;
        cuts_power |= scenario->events[i].kind == SIMNET_SCENARIO_LOSE;
        if (scenario->events[i].kind == SIMNET_SCENARIO_NAT_REBOOT && !has_nats)
            return simnet_scenario_complain(reading, origin_of(reading, "event", i, "kind"),
                                            "nobody is behind a NAT: expected shares in [nat]");
    }
    return cuts_power || check_use(reading, "machines", 0, "clock-forgets",
                                   "of machines that crash, by churn or an event");
}

// What is looked at in the healed network alone.
static bool check_healed(struct simnet_scenario_reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    bool has_closest = (scenario->check.checkers & SIMNET_CHECKER_CLOSEST) != 0;
    const char *wanted = scenario->phases.healing_us == 0 ? "phases.healing above 0s"
                         : scenario->publish.names == 0   ? "publish.names of at least 1"
                                                          : NULL;
    if (wanted == NULL || (!has_closest && !is_set(reading, "check", 0, "healed")))
        return true;
    const char *key = has_closest ? "checkers" : "healed";
    return simnet_scenario_complain(reading, origin_of(reading, "check", 0, key),
                                    "%s would check nothing: expected %s",
                                    has_closest ? "closest in checkers" : key, wanted);
}

static bool check_rest(struct simnet_scenario_reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    if (scenario->resolve.count > 0 && scenario->publish.names == 0)
        return simnet_scenario_complain(reading, origin_of(reading, "resolve", 0, "count"),
                                        "lookups of nothing: expected publish.names of at least 1");
    const char *of_changes = scenario->publish.withdraw > 0 ? "withdraw" : "rude";
    if ((scenario->publish.withdraw > 0 || scenario->publish.rude > 0) &&
        scenario->publish.change_us == 0)
        return simnet_scenario_complain(reading, origin_of(reading, "publish", 0, of_changes),
                                        "nothing changes: %s needs a publish.change above 0s",
                                        of_changes);
    if (scenario->mtu.bytes > 0 && scenario->mtu.bytes < MTU_LEAST)
        return simnet_scenario_complain(reading, origin_of(reading, "mtu", 0, "bytes"),
                                        "packets too short for IPv4: expected 0, or at least %d",
                                        MTU_LEAST);
    if (scenario->network.first_bucket_size < scenario->network.bucket_size)
        return simnet_scenario_complain(reading,
                                        origin_of(reading, "network", 0, "first-bucket-size"),
                                        "first-bucket-size is less than bucket-size");
    return check_latency(reading) && check_events(reading) && check_healed(reading);
}

// ---- sections that --set makes ----

// What says that somebody means a new section, and has not mistyped one that is there: a partition
// has no kind, and of its keys these two say what it is.
static const struct need {
    const char *section;
    const char *keys[2];
    const char *words;
} needs[] = {
    {"partition", {"at", "for"}, "at and for"},
    {"adversary", {"kind", "kind"}, "kind"},
    {"event", {"kind", "kind"}, "kind"},
};

// What a section still lacks; NULL: nothing, for the file has it, or its keys are set.
static const char *find_lack(const struct simnet_scenario_instance *instance)
{
    if (instance->named.setting == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (strcmp(needs[i].section, instance->section->name) != 0)
            continue;
        for (int j = 0; j < 2; j++) {
            const struct simnet_scenario_key *key =
                simnet_scenario_key_find(needs[i].section, needs[i].keys[j]);
            assert(key != NULL);
            if (instance->keys[key - simnet_scenario_keys].setting == NULL)
                return needs[i].words;
        }
    }
    return NULL;
}

// Writes the sections of that kind which lack nothing: ", only [event a], [event b]". What does not
// fit is three dots.
static void list_whole(const struct simnet_scenario_reading *reading,
                       const struct simnet_scenario_section *section, char *out, size_t out_len)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < reading->instance_count; i++) {
        const struct simnet_scenario_instance *instance = &reading->instances[i];
        if (instance->section != section || find_lack(instance) != NULL)
            continue;
        const char *name = simnet_scenario_base(reading->scenario, section, instance->index);
        size_t len = strlen(name) + strlen(section->name) + sizeof ", only [ ]";
        if (used + len + sizeof ", ..." > out_len) {
            snprintf(out + used, out_len - used, ", ...");
            return;
        }
        used += (size_t)snprintf(out + used, out_len - used, "%s[%s %s]",
                                 used == 0 ? ", only " : ", ", section->name, name);
    }
}

// A section that is new on the command line is made by its kind alone: a mistyped name would make
// one as well, which nobody wants.
static bool check_made(struct simnet_scenario_reading *reading)
{
    char there[400];
    for (size_t i = 0; i < reading->instance_count; i++) {
        const struct simnet_scenario_instance *instance = &reading->instances[i];
        const struct simnet_scenario_section *section = instance->section;
        const char *lack = find_lack(instance);
        if (lack == NULL)
            continue;
        list_whole(reading, section, there, sizeof there);
        return simnet_scenario_complain(
            reading, instance->named, "there is no [%s %s]%s: a new one needs %s", section->name,
            simnet_scenario_base(reading->scenario, section, instance->index), there, lack);
    }
    return true;
}

bool simnet_scenario_check(struct simnet_scenario_reading *reading)
{
    return check_made(reading) && check_times(reading) && check_partitions(reading) &&
           check_shares(reading) && check_rest(reading);
}
