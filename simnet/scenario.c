// SPDX-License-Identifier: MIT
#include "simnet/scenario.h"

#include "simnet/scenario_part.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void simnet_scenario_init(struct simnet_scenario *scenario)
{
    memset(scenario, 0, sizeof *scenario);
    for (size_t i = 0; i < simnet_scenario_section_count; i++)
        if (simnet_scenario_sections[i].size == 0)
            simnet_scenario_keys_default(simnet_scenario_sections[i].name, scenario);
}

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

static void read_all(struct simnet_scenario_reading *reading,
                     const struct simnet_scenario_settings *settings)
{
    simnet_scenario_init(reading->scenario);
    name_after(reading->scenario, reading->path);
    if (reading->stream != NULL)
        simnet_scenario_read_file(reading);
    for (size_t i = 0; settings != NULL && i < settings->count && !reading->failed; i++)
        simnet_scenario_read_setting(reading, &settings->list[i]);
    reading->setting = NULL;
    if (!reading->failed)
        simnet_scenario_check(reading);
}

bool simnet_scenario_read(FILE *stream, const char *path,
                          const struct simnet_scenario_settings *settings,
                          struct simnet_scenario *ret_scenario,
                          char ret_error[SIMNET_SCENARIO_ERROR_MAX])
{
    assert(simnet_scenario_key_count <= SIMNET_SCENARIO_KEYS_MAX);
    struct simnet_scenario_reading *reading = calloc(1, sizeof *reading);
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
        simnet_scenario_in_one_line(ret_error);
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
