// SPDX-License-Identifier: MIT
#include "simnet/scenario.h"

#include "simnet/adversary.h"
#include "simnet/scenario_keys.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define INSTANCES_MAX 128 // sections that a file can hold, each with its name
#define KEYS_MAX      128
#define MTU_LEAST     576 // as simnet/mtu.h says

void simnet_scenario_init(struct simnet_scenario *scenario)
{
    memset(scenario, 0, sizeof *scenario);
    for (size_t i = 0; i < simnet_scenario_section_count; i++)
        if (simnet_scenario_sections[i].size == 0)
            simnet_scenario_keys_default(simnet_scenario_sections[i].name, scenario);
}

// ---- reading ----

// Where a key was set: a line of the file, or a setting of the command line.
struct origin {
    unsigned line;
    const char *setting;
};

// A section as it stands in the file, with its name.
struct instance {
    const struct simnet_scenario_section *section;
    size_t index; // of a repeated one
    struct origin named;
    struct origin keys[KEYS_MAX];
};

struct reading {
    FILE *stream; // NULL: there is no file
    const char *path;
    struct simnet_scenario *scenario;
    const char *setting; // of the command line, that is being read; NULL: the file is
    unsigned line;       // the line read last; inih calls us before it reads the next
    bool failed;
    char *error;
    struct instance *now; // that the file is in
    size_t instance_count;
    struct instance instances[INSTANCES_MAX];
};

__attribute__((format(printf, 3, 4))) static bool
complain(struct reading *reading, struct origin origin, const char *format, ...)
{
    char text[SIMNET_SCENARIO_ERROR_MAX * 3 / 4];
    va_list args;
    if (reading->failed)
        return false; // the first one is told
    reading->failed = true;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (origin.setting != NULL)
        snprintf(reading->error, SIMNET_SCENARIO_ERROR_MAX, "--set %.200s: %s", origin.setting,
                 text);
    else if (origin.line != 0)
        snprintf(reading->error, SIMNET_SCENARIO_ERROR_MAX, "%.200s:%u: %s", reading->path,
                 origin.line, text);
    else
        snprintf(reading->error, SIMNET_SCENARIO_ERROR_MAX, "%.200s: %s", reading->path, text);
    return false;
}

static struct origin here(const struct reading *reading)
{
    return (struct origin){reading->setting != NULL ? 0 : reading->line, reading->setting};
}

static int take(void *user, const char *section, const char *name, const char *value);

// inih says nothing of a section that has no keys, or that goes on, so its head is taken here.
static void take_head(struct reading *reading, const char *line)
{
    char section[2 * SIMNET_SCENARIO_NAME_MAX];
    size_t len = strcspn(line, "]");
    snprintf(section, sizeof section, "%.*s", (int)len - 1, line + 1);
    take(reading, section, NULL, NULL);
}

// Whether the line is nothing that inih knows. It would tell only at its end, behind the mistakes
// of later lines.
static bool is_neither(const char *line)
{
    const char *at = line;
    if (*line == '[')
        return strchr(line, ']') == NULL;
    if (strchr("#;\r\n", *line) != NULL) // or nothing at all
        return false;
    while (*at != '\0' && *at != '=' && *at != ':' &&
           !(*at == ';' && at > line && (at[-1] == ' ' || at[-1] == '\t')))
        at++;
    return *at != '=' && *at != ':';
}

// A line of the file, without what does not fit and with the spaces off its front, for values do
// not go on in a second line. False at the end of the file.
static bool take_line(struct reading *reading, char *out, int out_len)
{
    int len = 0;
    int byte = 0;
    bool is_long = false;
    bool is_text = true;
    while (byte != '\n' && (byte = getc(reading->stream)) != EOF) {
        is_text = is_text && byte != '\0';
        is_long = is_long || (len + 1 == out_len && byte != '\n');
        if (len + 1 < out_len && (len > 0 || (byte != ' ' && byte != '\t')))
            out[len++] = (char)byte;
    }
    out[len] = '\0';
    if (byte == EOF && ferror(reading->stream) != 0)
        complain(reading, (struct origin){0, NULL}, "cannot be read: %s", strerror(errno));
    if (byte == EOF && len == 0)
        return false;
    reading->line++;
    if (!is_text)
        complain(reading, here(reading), "a NUL byte: expected text");
    if (is_long)
        complain(reading, here(reading), "the line is too long: expected at most %d bytes",
                 out_len - 3);
    return true;
}

// inih's fgets.
static char *read_line(char *out, int out_len, void *stream)
{
    struct reading *reading = stream;
    if (!take_line(reading, out, out_len))
        return NULL;
    if (!reading->failed && is_neither(out))
        complain(reading, here(reading),
                 "neither a section nor a key: expected [SECTION] or KEY = VALUE");
    if (reading->failed)
        snprintf(out, (size_t)out_len, "#\n"); // the first mistake is told, so the rest is skipped
    else if (out[0] == '[')
        take_head(reading, out);
    return out;
}

static bool is_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return len >= 1 && len < SIMNET_SCENARIO_NAME_MAX && name[len] == '\0';
}

static char *base_of(struct simnet_scenario *scenario,
                     const struct simnet_scenario_section *section, size_t index)
{
    return section->size == 0 ? (char *)scenario
                              : (char *)scenario + section->array + index * section->size;
}

static struct instance *find_instance(struct reading *reading,
                                      const struct simnet_scenario_section *section,
                                      const char *name)
{
    for (size_t i = 0; i < reading->instance_count; i++) {
        struct instance *instance = &reading->instances[i];
        if (instance->section == section &&
            (section->size == 0 ||
             strcmp(base_of(reading->scenario, section, instance->index), name) == 0))
            return instance;
    }
    return NULL;
}

static struct instance *add_instance(struct reading *reading,
                                     const struct simnet_scenario_section *section,
                                     const char *name)
{
    struct instance instance = {.section = section, .named = here(reading)};
    if (section->size != 0) {
        size_t *count = (size_t *)(void *)((char *)reading->scenario + section->count);
        if (*count == SIMNET_SCENARIO_REPEATS_MAX) {
            complain(reading, here(reading), "too many of [%s NAME]: expected at most %d",
                     section->name, SIMNET_SCENARIO_REPEATS_MAX);
            return NULL;
        }
        instance.index = (*count)++;
        char *base = base_of(reading->scenario, section, instance.index);
        simnet_scenario_keys_default(section->name, base);
        snprintf(base, SIMNET_SCENARIO_NAME_MAX, "%s", name);
    }
    assert(reading->instance_count < INSTANCES_MAX);
    reading->instances[reading->instance_count] = instance;
    return &reading->instances[reading->instance_count++];
}

static void list_sections(char *out, size_t out_len)
{
    size_t used = 0;
    for (size_t i = 0; i < simnet_scenario_section_count && used < out_len; i++)
        used += (size_t)snprintf(out + used, out_len - used, "%s[%s%s]", i > 0 ? ", " : "",
                                 simnet_scenario_sections[i].name,
                                 simnet_scenario_sections[i].size == 0 ? "" : " NAME");
}

// Finds the section that "kind" or "kind NAME" means, made where it is new. NULL after a report.
static struct instance *enter(struct reading *reading, const char *text)
{
    char kind[SIMNET_SCENARIO_NAME_MAX];
    char known[512];
    size_t len = strcspn(text, " ");
    const char *name = text + len + strspn(text + len, " ");
    snprintf(kind, sizeof kind, "%.*s", (int)len, text);
    const struct simnet_scenario_section *section = simnet_scenario_section_find(kind);
    if (section == NULL) {
        list_sections(known, sizeof known);
        complain(reading, here(reading), "unknown section [%.60s]: expected one of %s", text,
                 known);
        return NULL;
    }
    if (section->size == 0 ? *name != '\0' : !is_name(name)) {
        complain(reading, here(reading), "[%.60s] %s", text,
                 section->size == 0
                     ? "takes no name: expected the word alone"
                     : "has no good name: expected letters, digits, '_' or '-' behind the word");
        return NULL;
    }
    struct instance *instance = find_instance(reading, section, name);
    return instance != NULL ? instance : add_instance(reading, section, name);
}

static void list_keys(const char *section, char *out, size_t out_len)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < simnet_scenario_key_count && used < out_len; i++)
        if (strcmp(simnet_scenario_keys[i].section, section) == 0)
            used += (size_t)snprintf(out + used, out_len - used, "%s%s", used > 0 ? ", " : "",
                                     simnet_scenario_keys[i].name);
}

static bool take_key(struct reading *reading, struct instance *instance, const char *name,
                     const char *value)
{
    const char *section = instance->section->name;
    const struct simnet_scenario_key *key = simnet_scenario_key_find(section, name);
    char text[SIMNET_SCENARIO_ERROR_MAX];
    if (key == NULL) {
        list_keys(section, text, sizeof text);
        return complain(reading, here(reading), "unknown key %.60s in [%s]: expected one of %.600s",
                        name, section, text);
    }
    struct origin *origin = &instance->keys[key - simnet_scenario_keys];
    if (reading->setting == NULL && origin->line != 0)
        return complain(reading, here(reading), "%s is given twice, in line %u and here", name,
                        origin->line);
    if (!simnet_scenario_value_read(
            key, base_of(reading->scenario, instance->section, instance->index), value)) {
        simnet_scenario_value_expected(key, text);
        return complain(reading, here(reading), "%s: \"%.60s\" does not fit: expected %.500s", name,
                        value, text);
    }
    *origin = here(reading);
    return true;
}

// inih's callback, for each section (name NULL) and key. Errors are noted here, so that it always
// goes on.
static int take(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    if (name != NULL && section[0] == '\0') {
        complain(reading, here(reading),
                 "a key before the first section: expected a line such as [network]");
    } else if (name == NULL) {
        size_t before = reading->instance_count;
        reading->now = enter(reading, section);
        if (reading->now != NULL && reading->instance_count == before)
            complain(reading, here(reading), "[%.60s] stands here twice, first in line %u", section,
                     reading->now->named.line);
    } else if (value == NULL) {
        complain(reading, here(reading), "%.60s has no value: expected KEY = VALUE", name);
    } else if (reading->now != NULL && !reading->failed) {
        take_key(reading, reading->now, name, value);
    }
    return 1;
}

// Takes SECTION.KEY=VALUE apart; a repeated section is "SECTION NAME".
static void take_setting(struct reading *reading, const char *text)
{
    char section[2 * SIMNET_SCENARIO_NAME_MAX];
    char key[SIMNET_SCENARIO_NAME_MAX];
    const char *equals = strchr(text, '=');
    const char *dot = strchr(text, '.');
    reading->setting = text;
    if (equals == NULL || dot == NULL || dot > equals || dot == text ||
        (size_t)(dot - text) >= sizeof section || (size_t)(equals - dot) > sizeof key) {
        complain(reading, here(reading),
                 "no setting: expected SECTION.KEY=VALUE, such as loss.rate=30%%");
        return;
    }
    snprintf(section, sizeof section, "%.*s", (int)(dot - text), text);
    snprintf(key, sizeof key, "%.*s", (int)(equals - dot - 1), dot + 1);
    struct instance *instance = enter(reading, section);
    if (instance != NULL)
        take_key(reading, instance, key, equals + 1);
}

// ---- what contradicts each other ----

static struct origin origin_of(struct reading *reading, const char *section, size_t index,
                               const char *name)
{
    const struct simnet_scenario_key *key = simnet_scenario_key_find(section, name);
    assert(key != NULL);
    for (size_t i = 0; i < reading->instance_count; i++) {
        const struct instance *instance = &reading->instances[i];
        if (strcmp(instance->section->name, section) != 0 || instance->index != index)
            continue;
        struct origin origin = instance->keys[key - simnet_scenario_keys];
        return origin.line != 0 || origin.setting != NULL ? origin : instance->named;
    }
    return (struct origin){0, NULL};
}

// Whether a key has another value than by default: what is written whole reads back whatever it
// has no use for.
static bool is_set(const struct reading *reading, const char *section, size_t index,
                   const char *name)
{
    char text[SIMNET_SCENARIO_TEXT_MAX];
    const struct simnet_scenario_key *key = simnet_scenario_key_find(section, name);
    assert(key != NULL);
    simnet_scenario_value_write(
        key, base_of(reading->scenario, simnet_scenario_section_find(section), index), text);
    return strcmp(text, key->standard) != 0;
}

// Refuses a key that would change nothing. where: when it does.
static bool check_use(struct reading *reading, const char *section, size_t index, const char *name,
                      const char *where)
{
    return !is_set(reading, section, index, name) ||
           complain(reading, origin_of(reading, section, index, name),
                    "%s.%s would change nothing here: it is %s", section, name, where);
}

// One partition at a time.
static bool check_partitions(struct reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    for (size_t i = 0; i < scenario->partition_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct simnet_scenario_partition *a = &scenario->partitions[i];
            const struct simnet_scenario_partition *b = &scenario->partitions[j];
            if (a->at_us < b->at_us + b->for_us && b->at_us < a->at_us + a->for_us)
                return complain(reading, origin_of(reading, "partition", i, "at"),
                                "partition %s overlaps %s: expected one at a time", a->name,
                                b->name);
        }
    return true;
}

static bool check_times(struct reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    int64_t faults_us = scenario->phases.faults_us;
    if (scenario->resolve.count > 0 &&
        scenario->resolve.at_us + scenario->resolve.for_us > faults_us)
        return complain(
            reading, origin_of(reading, "resolve", 0, "for"),
            "the lookups would go on after the faults: expected resolve.at + resolve.for "
            "of at most phases.faults");
    if (scenario->publish.names > 0 &&
        scenario->publish.over_us + INT64_C(20000000) > scenario->phases.warm_up_us)
        return complain(reading, origin_of(reading, "publish", 0, "over"),
                        "no time to publish: expected phases.warm-up to be 20s longer than "
                        "publish.over");
    for (size_t i = 0; i < scenario->partition_count; i++)
        if (scenario->partitions[i].at_us + scenario->partitions[i].for_us > faults_us)
            return complain(
                reading, origin_of(reading, "partition", i, "for"),
                "the partition would go on after the faults: expected at + for of at most "
                "phases.faults");
    for (size_t i = 0; i < scenario->event_count; i++)
        if (scenario->events[i].at_us > faults_us)
            return complain(reading, origin_of(reading, "event", i, "at"),
                            "after the end of the faults: expected at most phases.faults");
    return true;
}

// What new machines and flooders have, and others do not.
static bool check_habits(struct reading *reading, size_t i)
{
    static const char of_new[] = "of new machines, which are given by count and are no flooders";
    const struct simnet_scenario_adversary *adversary = &reading->scenario->adversaries[i];
    int families = reading->scenario->network.families;
    bool is_flooder = adversary->kind == (int)SIMNET_ADVERSARY_KINDS; // the kind behind them
    bool is_ipv6 = adversary->addresses >= (int)SIMNET_CLAIM_ANY6;
    if (adversary->share == 0 && adversary->count == 0)
        return complain(reading, origin_of(reading, "adversary", i, "share"),
                        "an adversary of nobody: expected share or count");
    if (!is_flooder && !check_use(reading, "adversary", i, "rate", "of flooders alone"))
        return false;
    if (is_flooder || adversary->count == 0)
        return check_use(reading, "adversary", i, "placement", of_new) &&
               check_use(reading, "adversary", i, "addresses", of_new);
    if (families == (is_ipv6 ? SIMNET_SCENARIO_IPV4 : SIMNET_SCENARIO_IPV6))
        return complain(reading, origin_of(reading, "adversary", i, "addresses"),
                        "nobody of the network could reach them: expected addresses of a family "
                        "that network.families has");
    return true;
}

static bool check_adversaries(struct reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    for (size_t i = 0; i < scenario->adversary_count; i++) {
        const struct simnet_scenario_adversary *adversary = &scenario->adversaries[i];
        bool is_around = adversary->placement == SIMNET_SCENARIO_AROUND_NAME;
        bool is_early = adversary->from == SIMNET_SCENARIO_FROM_PUBLISH;
        if (is_around && (is_early || scenario->publish.names == 0))
            return complain(reading, origin_of(reading, "adversary", i, "placement"),
                            "nobody can be around a name that is not published yet: expected from "
                            "= faults, and publish.names of at least 1");
        if (is_around && adversary->count == 0)
            return complain(reading, origin_of(reading, "adversary", i, "placement"),
                            "nodes that turn stay where they are: expected count, not share");
        if (is_early && adversary->at_us > 0)
            return complain(reading, origin_of(reading, "adversary", i, "at"),
                            "at counts from t0: expected from = faults");
        if (adversary->at_us > scenario->phases.faults_us)
            return complain(reading, origin_of(reading, "adversary", i, "at"),
                            "after the end of the faults: expected at most phases.faults");
        if (!check_habits(reading, i))
            return false;
    }
    return true;
}

static bool check_shares(struct reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    double nat = scenario->nat.full_cone + scenario->nat.restricted +
                 scenario->nat.port_restricted + scenario->nat.symmetric + scenario->nat.cgnat;
    if (nat + scenario->machines.unreachable > 0.95)
        return complain(reading, origin_of(reading, "nat", 0, "symmetric"),
                        "hardly anybody can be reached: expected the shares of [nat] and "
                        "machines.unreachable to be 95%% at most together");
    if (nat > 0 && scenario->network.families != SIMNET_SCENARIO_IPV4)
        return complain(reading, origin_of(reading, "network", 0, "families"),
                        "a NAT is for IPv4 alone: expected network.families = ipv4 where [nat] has "
                        "shares");
    double adversaries = 0;
    for (size_t i = 0; i < scenario->adversary_count; i++) {
        const struct simnet_scenario_adversary *adversary = &scenario->adversaries[i];
        adversaries += adversary->share;
        if (adversary->share > 0 && adversary->count > 0)
            return complain(reading, origin_of(reading, "adversary", i, "count"),
                            "share and count of an adversary: expected one of them");
        if (adversaries > 0.9)
            return complain(reading, origin_of(reading, "adversary", i, "share"),
                            "all adversaries together: expected at most 90%%");
    }
    return check_adversaries(reading);
}

static bool check_latency(struct reading *reading)
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
        return complain(reading, origin_of(reading, "latency", 0, "min"),
                        "latency.min is longer than latency.median");
    return true;
}

static bool check_events(struct reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    for (size_t i = 0; i < scenario->event_count; i++) {
        int kind = scenario->events[i].kind;
        if (kind != SIMNET_SCENARIO_LOSE && kind != SIMNET_SCENARIO_SLEEP &&
            !check_use(reading, "event", i, "for",
                       "of events that lose machines or let them sleep"))
            return false;
    }
    return true;
}

static bool check_rest(struct reading *reading)
{
    const struct simnet_scenario *scenario = reading->scenario;
    if (scenario->resolve.count > 0 && scenario->publish.names == 0)
        return complain(reading, origin_of(reading, "resolve", 0, "count"),
                        "lookups of nothing: expected publish.names of at least 1");
    if (scenario->mtu.bytes > 0 && scenario->mtu.bytes < MTU_LEAST)
        return complain(reading, origin_of(reading, "mtu", 0, "bytes"),
                        "packets too short for IPv4: expected 0, or at least %d", MTU_LEAST);
    if (scenario->network.first_bucket_size < scenario->network.bucket_size)
        return complain(reading, origin_of(reading, "network", 0, "first-bucket-size"),
                        "first-bucket-size is less than bucket-size");
    return check_latency(reading) && check_events(reading);
}

// ---- the whole ----

static void name_after(struct simnet_scenario *scenario, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t len = strlen(name);
    if (len > 4 && strcmp(name + len - 4, ".ini") == 0)
        len -= 4;
    snprintf(scenario->name, sizeof scenario->name, "%.*s",
             (int)(len < sizeof scenario->name ? len : sizeof scenario->name - 1), name);
}

static void read_all(struct reading *reading, const struct simnet_scenario_settings *settings)
{
    simnet_scenario_init(reading->scenario);
    name_after(reading->scenario, reading->path);
    if (reading->stream != NULL)
        ini_parse_stream(read_line, reading, take, reading);
    for (size_t i = 0; settings != NULL && i < settings->count && !reading->failed; i++)
        take_setting(reading, settings->list[i]);
    reading->setting = NULL;
    if (!reading->failed && check_times(reading) && check_partitions(reading) &&
        check_shares(reading))
        check_rest(reading);
}

bool simnet_scenario_read(FILE *stream, const char *path,
                          const struct simnet_scenario_settings *settings,
                          struct simnet_scenario *ret_scenario,
                          char ret_error[SIMNET_SCENARIO_ERROR_MAX])
{
    assert(simnet_scenario_key_count <= KEYS_MAX);
    struct reading *reading = calloc(1, sizeof *reading);
    struct simnet_scenario *scenario = malloc(sizeof *scenario);
    bool good = false;
    if (reading == NULL || scenario == NULL) {
        snprintf(ret_error, SIMNET_SCENARIO_ERROR_MAX, "%.200s: out of memory", path);
    } else {
        reading->stream = stream;
        reading->path = path;
        reading->scenario = scenario;
        reading->error = ret_error;
        read_all(reading, settings);
        good = !reading->failed;
        if (good)
            *ret_scenario = *scenario;
    }
    free(scenario);
    free(reading);
    return good;
}

bool simnet_scenario_load(const char *path, const struct simnet_scenario_settings *settings,
                          struct simnet_scenario *ret_scenario,
                          char ret_error[SIMNET_SCENARIO_ERROR_MAX])
{
    FILE *stream = fopen(path, "r");
    if (stream == NULL) {
        snprintf(ret_error, SIMNET_SCENARIO_ERROR_MAX, "%.200s: cannot be opened: %s", path,
                 strerror(errno));
        return false;
    }
    bool good = simnet_scenario_read(stream, path, settings, ret_scenario, ret_error);
    fclose(stream);
    return good;
}

int64_t simnet_scenario_t0(const struct simnet_scenario *scenario)
{
    return scenario->network.join_us + scenario->phases.warm_up_us;
}

int64_t simnet_scenario_end(const struct simnet_scenario *scenario)
{
    return simnet_scenario_t0(scenario) + scenario->phases.faults_us + scenario->phases.healing_us;
}
