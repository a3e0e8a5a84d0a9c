// SPDX-License-Identifier: MIT

// What scenario.h says of printing: a scenario as a file, and the reference.

#include "simnet/scenario.h"
#include "simnet/scenario_keys.h"

#include <string.h>

// What a report cannot do without, even as it is by default; of each repeated section one key at
// least, for it would not be there without.
static bool is_essential(const struct simnet_scenario_key *key)
{
    static const char *const essential[] = {"network.nodes", "network.seed", "event.kind",
                                            "adversary.kind", "partition.share"};
    char name[2 * SIMNET_SCENARIO_NAME_MAX];
    snprintf(name, sizeof name, "%s.%s", key->section, key->name);
    for (size_t i = 0; i < sizeof essential / sizeof *essential; i++)
        if (strcmp(essential[i], name) == 0)
            return true;
    return false;
}

static void each_key(const struct simnet_scenario_section *section, const char *full_name,
                     const void *base, simnet_scenario_see see, void *ctx, bool all)
{
    char value[SIMNET_SCENARIO_TEXT_MAX];
    for (size_t i = 0; i < simnet_scenario_key_count; i++) {
        const struct simnet_scenario_key *key = &simnet_scenario_keys[i];
        if (strcmp(key->section, section->name) != 0)
            continue;
        simnet_scenario_value_write(key, base, value);
        if (all || is_essential(key) || strcmp(value, key->standard) != 0)
            see(ctx, full_name, key->name, value);
    }
}

void simnet_scenario_each(const struct simnet_scenario *scenario, bool all, simnet_scenario_see see,
                          void *ctx)
{
    char full_name[2 * SIMNET_SCENARIO_NAME_MAX];
    for (size_t i = 0; i < simnet_scenario_section_count; i++) {
        const struct simnet_scenario_section *section = &simnet_scenario_sections[i];
        const char *bytes = (const char *)scenario;
        if (section->size == 0) {
            each_key(section, section->name, scenario, see, ctx, all);
            continue;
        }
        size_t count = *(const size_t *)(const void *)(bytes + section->count);
        for (size_t j = 0; j < count; j++) {
            const char *base = bytes + section->array + j * section->size;
            snprintf(full_name, sizeof full_name, "%s %s", section->name, base);
            each_key(section, full_name, base, see, ctx, all);
        }
    }
}

struct writing {
    FILE *out;
    char section[2 * SIMNET_SCENARIO_NAME_MAX];
};

static void write_key(void *ctx, const char *section, const char *key, const char *value)
{
    struct writing *writing = ctx;
    if (strcmp(section, writing->section) != 0) {
        fprintf(writing->out, "%s[%s]\n", writing->section[0] == '\0' ? "" : "\n", section);
        snprintf(writing->section, sizeof writing->section, "%s", section);
    }
    fprintf(writing->out, "%s = %s\n", key, value);
}

void simnet_scenario_write(const struct simnet_scenario *scenario, bool all, FILE *out)
{
    struct writing writing = {.out = out};
    simnet_scenario_each(scenario, all, write_key, &writing);
}

void simnet_scenario_print_docs(FILE *out)
{
    char expected[SIMNET_SCENARIO_ERROR_MAX];
    for (size_t i = 0; i < simnet_scenario_section_count; i++) {
        const struct simnet_scenario_section *section = &simnet_scenario_sections[i];
        fprintf(
            out,
            "### [%s%s]\n\n%s\n\n| key | default | expected | what it means |\n|---|---|---|---|\n",
            section->name, section->size == 0 ? "" : " NAME", section->what);
        for (size_t j = 0; j < simnet_scenario_key_count; j++) {
            const struct simnet_scenario_key *key = &simnet_scenario_keys[j];
            if (strcmp(key->section, section->name) != 0)
                continue;
            simnet_scenario_value_expected(key, expected);
            fprintf(out, "| `%s` | `%s` | %s | %s |\n", key->name, key->standard, expected,
                    key->what);
        }
        fputc('\n', out);
    }
}
