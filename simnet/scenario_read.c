// SPDX-License-Identifier: MIT
// Of the reading of a scenario: the lines of a file, and settings.
#include "simnet/scenario_part.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <string.h>

void simnet_scenario_in_one_line(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == '\x7f')
            *text = '?';
}

// Where something stands, as people gave it: a file and its line, or an option and its value.
static void name_origin(const struct simnet_scenario_reading *reading,
                        struct simnet_scenario_origin origin, char *out, size_t out_len)
{
    const struct simnet_scenario_setting *setting = origin.setting;
    if (setting != NULL && setting->option != NULL)
        snprintf(out, out_len, "%s %.200s", setting->option, strchr(setting->text, '=') + 1);
    else if (setting != NULL)
        snprintf(out, out_len, "--set %.200s", setting->text);
    else if (origin.line != 0)
        snprintf(out, out_len, "%.200s:%u", reading->path, origin.line);
    else
        snprintf(out, out_len, "%.200s", reading->path);
}

bool simnet_scenario_complain(struct simnet_scenario_reading *reading,
                              struct simnet_scenario_origin origin, const char *format, ...)
{
    char place[SIMNET_SCENARIO_ERROR_MAX / 4];
    char text[SIMNET_SCENARIO_ERROR_MAX * 3 / 4 - 2];
    va_list args;
    if (reading->failed)
        return false; // the first one is told
    reading->failed = true;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    name_origin(reading, origin, place, sizeof place);
    snprintf(reading->error, SIMNET_SCENARIO_ERROR_MAX, "%s: %s", place, text);
    simnet_scenario_in_one_line(reading->error);
    return false;
}

static struct simnet_scenario_origin here(const struct simnet_scenario_reading *reading)
{
    return (struct simnet_scenario_origin){reading->setting != NULL ? 0 : reading->line,
                                           reading->setting};
}

static int take(void *user, const char *section, const char *name, const char *value);

// inih says nothing of a section that has no keys, or that goes on, so its head is taken here.
static void take_head(struct simnet_scenario_reading *reading, const char *line)
{
    char section[2 * SIMNET_SCENARIO_NAME_MAX];
    size_t len = strcspn(line, "]");
    snprintf(section, sizeof section, "%.*s", (int)len - 1, line + 1);
    take(reading, section, NULL, NULL);
}

// Whether the line is nothing that inih knows. It would tell only at its end, behind the mistakes
// of later lines, and of what stands behind a section's head never.
static bool is_neither(const char *line)
{
    if (*line == '[') {
        const char *end = strchr(line, ']');
        return end == NULL || end[1 + strspn(end + 1, " \t\r\n")] != '\0';
    }
    return strchr("#;\r\n", *line) == NULL && strpbrk(line, "=:") == NULL; // or nothing at all
}

// Takes off a comment behind something else: inih knows those of ';' alone.
static void cut_comment(char *line)
{
    for (char *at = line; *at != '\0'; at++)
        if ((*at == '#' || *at == ';') && at > line && (at[-1] == ' ' || at[-1] == '\t'))
            *at = '\0';
}

// Takes off a byte order mark, which some editors put before the first line, and the spaces behind.
static void cut_mark(char *line)
{
    static const char mark[] = "\xEF\xBB\xBF";
    size_t len = sizeof mark - 1;
    if (strncmp(line, mark, len) != 0)
        return;
    len += strspn(line + len, " \t");
    memmove(line, line + len, strlen(line + len) + 1);
}

// A line of the file, without what does not fit and with the spaces off its front, for values do
// not go on in a second line. False at the end of the file.
static bool take_line(struct simnet_scenario_reading *reading, char *out, int out_len)
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
        simnet_scenario_complain(reading, (struct simnet_scenario_origin){0, NULL},
                                 "cannot be read: %s", strerror(errno));
    if (byte == EOF && len == 0)
        return false;
    if (reading->line++ == 0)
        cut_mark(out);
    if (!is_text)
        simnet_scenario_complain(reading, here(reading), "a NUL byte: expected text");
    if (is_long)
        simnet_scenario_complain(reading, here(reading),
                                 "the line is too long: expected at most %d bytes", out_len - 3);
    return true;
}

// inih's fgets.
static char *read_line(char *out, int out_len, void *stream)
{
    struct simnet_scenario_reading *reading = stream;
    if (!take_line(reading, out, out_len))
        return NULL;
    cut_comment(out);
    if (!reading->failed && is_neither(out))
        simnet_scenario_complain(reading, here(reading),
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

char *simnet_scenario_base(struct simnet_scenario *scenario,
                           const struct simnet_scenario_section *section, size_t index)
{
    return section->size == 0 ? (char *)scenario
                              : (char *)scenario + section->array + index * section->size;
}

static struct simnet_scenario_instance *find_instance(struct simnet_scenario_reading *reading,
                                                      const struct simnet_scenario_section *section,
                                                      const char *name)
{
    for (size_t i = 0; i < reading->instance_count; i++) {
        struct simnet_scenario_instance *instance = &reading->instances[i];
        if (instance->section == section &&
            (section->size == 0 ||
             strcmp(simnet_scenario_base(reading->scenario, section, instance->index), name) == 0))
            return instance;
    }
    return NULL;
}

static struct simnet_scenario_instance *add_instance(struct simnet_scenario_reading *reading,
                                                     const struct simnet_scenario_section *section,
                                                     const char *name)
{
    struct simnet_scenario_instance instance = {.section = section, .named = here(reading)};
    if (section->size != 0) {
        size_t *count = (size_t *)(void *)((char *)reading->scenario + section->count);
        if (*count == SIMNET_SCENARIO_REPEATS_MAX) {
            simnet_scenario_complain(reading, here(reading),
                                     "too many of [%s NAME]: expected at most %d", section->name,
                                     SIMNET_SCENARIO_REPEATS_MAX);
            return NULL;
        }
        instance.index = (*count)++;
        char *base = simnet_scenario_base(reading->scenario, section, instance.index);
        simnet_scenario_keys_default(section->name, base);
        snprintf(base, SIMNET_SCENARIO_NAME_MAX, "%s", name);
    }
    assert(reading->instance_count < SIMNET_SCENARIO_INSTANCES_MAX);
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
static struct simnet_scenario_instance *enter(struct simnet_scenario_reading *reading,
                                              const char *text)
{
    char kind[SIMNET_SCENARIO_NAME_MAX];
    char known[512];
    size_t len = strcspn(text, " ");
    const char *name = text + len + strspn(text + len, " ");
    snprintf(kind, sizeof kind, "%.*s", (int)len, text);
    const struct simnet_scenario_section *section = simnet_scenario_section_find(kind);
    if (section == NULL) {
        list_sections(known, sizeof known);
        simnet_scenario_complain(reading, here(reading),
                                 "unknown section [%.60s]: expected one of %s", text, known);
        return NULL;
    }
    if (section->size == 0 ? *name != '\0' : !is_name(name)) {
        simnet_scenario_complain(
            reading, here(reading), "[%.60s] %s", text,
            section->size == 0
                ? "takes no name: expected the word alone"
                : "has no good name: expected letters, digits, '_' or '-' behind the word");
        return NULL;
    }
    struct simnet_scenario_instance *instance = find_instance(reading, section, name);
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

static bool take_key(struct simnet_scenario_reading *reading,
                     struct simnet_scenario_instance *instance, const char *name, const char *value)
{
    const char *section = instance->section->name;
    const struct simnet_scenario_key *key = simnet_scenario_key_find(section, name);
    char text[SIMNET_SCENARIO_ERROR_MAX];
    if (key == NULL) {
        list_keys(section, text, sizeof text);
        return simnet_scenario_complain(reading, here(reading),
                                        "unknown key %.60s in [%s]: expected one of %.600s", name,
                                        section, text);
    }
    struct simnet_scenario_origin *origin = &instance->keys[key - simnet_scenario_keys];
    if (reading->setting == NULL && origin->line != 0)
        return simnet_scenario_complain(
            reading, here(reading), "%s is given twice, in line %u and here", name, origin->line);
    if (!simnet_scenario_value_read(
            key, simnet_scenario_base(reading->scenario, instance->section, instance->index),
            value)) {
        simnet_scenario_value_expected(key, text);
        return simnet_scenario_complain(reading, here(reading),
                                        "%s: \"%.60s\" does not fit: expected %.500s", name, value,
                                        text);
    }
    *origin = here(reading);
    return true;
}

// inih's callback, for each section (name NULL) and key. Errors are noted here, so that it always
// goes on.
static int take(void *user, const char *section, const char *name, const char *value)
{
    struct simnet_scenario_reading *reading = user;
    if (name != NULL && section[0] == '\0') {
        simnet_scenario_complain(
            reading, here(reading),
            "a key before the first section: expected a line such as [network]");
    } else if (name == NULL) {
        size_t before = reading->instance_count;
        reading->now = enter(reading, section);
        if (reading->now != NULL && reading->instance_count == before)
            simnet_scenario_complain(reading, here(reading),
                                     "[%.60s] stands here twice, first in line %u", section,
                                     reading->now->named.line);
    } else if (value == NULL) {
        simnet_scenario_complain(reading, here(reading), "%.60s has no value: expected KEY = VALUE",
                                 name);
    } else if (reading->now != NULL && !reading->failed) {
        take_key(reading, reading->now, name, value);
    }
    return 1;
}

// Copies what stands from begin to end, without the blanks around it. False: it does not fit.
static bool copy_part(const char *begin, const char *end, char *out, size_t out_len)
{
    while (begin < end && (*begin == ' ' || *begin == '\t'))
        begin++;
    while (begin < end && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if ((size_t)(end - begin) >= out_len)
        return false;
    snprintf(out, out_len, "%.*s", (int)(end - begin), begin);
    return true;
}

// Takes SECTION.KEY=VALUE apart; a repeated section is "SECTION NAME".
void simnet_scenario_read_setting(struct simnet_scenario_reading *reading,
                                  const struct simnet_scenario_setting *setting)
{
    char section[2 * SIMNET_SCENARIO_NAME_MAX];
    char key[SIMNET_SCENARIO_NAME_MAX];
    char value[SIMNET_SCENARIO_TEXT_MAX];
    const char *text = setting->text;
    const char *equals = strchr(text, '=');
    const char *dot = strchr(text, '.');
    reading->setting = setting;
    if (equals == NULL || dot == NULL || dot > equals || dot == text) {
        simnet_scenario_complain(reading, here(reading),
                                 "no setting: expected SECTION.KEY=VALUE, such as loss.rate=30%%");
        return;
    }
    if (!copy_part(text, dot, section, sizeof section) ||
        !copy_part(dot + 1, equals, key, sizeof key) ||
        !copy_part(equals + 1, text + strlen(text), value, sizeof value)) {
        simnet_scenario_complain(reading, here(reading),
                                 "too long: expected a section of at most %zu bytes, a key of %zu, "
                                 "a value of %zu",
                                 sizeof section - 1, sizeof key - 1, sizeof value - 1);
        return;
    }
    struct simnet_scenario_instance *instance = enter(reading, section);
    if (instance != NULL)
        take_key(reading, instance, key, value);
}

void simnet_scenario_read_file(struct simnet_scenario_reading *reading)
{
    ini_parse_stream(read_line, reading, take, reading);
}
