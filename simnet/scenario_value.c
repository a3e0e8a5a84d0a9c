// SPDX-License-Identifier: MIT
#include "simnet/scenario_value.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit time_units[] = {{"h", INT64_C(3600000000)},
                                         {"min", INT64_C(60000000)},
                                         {"s", INT64_C(1000000)},
                                         {"ms", INT64_C(1000)},
                                         {"us", 1},
                                         {NULL, 0}};
static const struct unit byte_units[] = {
    {"G", INT64_C(1) << 30}, {"M", INT64_C(1) << 20}, {"K", INT64_C(1) << 10}, {"", 1}, {NULL, 0}};
static const struct unit count_units[] = {{"", 1}, {NULL, 0}};

static const struct unit *units_of(const struct simnet_scenario_key *key)
{
    return key->type == SIMNET_SCENARIO_TIME    ? time_units
           : key->type == SIMNET_SCENARIO_BYTES ? byte_units
                                                : count_units;
}

static double scale_of(const struct simnet_scenario_key *key)
{
    return key->type == SIMNET_SCENARIO_TIME ? 1e6 : 1;
}

// ---- reading ----

// Digits and a unit, behind a minus where less than 0 is meant. 0 needs no unit, for it means the
// same in each.
static bool read_integer(const struct simnet_scenario_key *key, const char *text, int64_t *field)
{
    int64_t number = 0;
    bool is_negative = key->min < 0 && *text == '-';
    text += is_negative;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0)
        return false;
    for (size_t i = 0; i < digits; i++)
        if (__builtin_mul_overflow(number, INT64_C(10), &number) ||
            __builtin_add_overflow(number, (int64_t)(text[i] - '0'), &number))
            return false;
    const char *name = text + digits;
    name += strspn(name, " ");
    const struct unit *unit = units_of(key);
    while (unit->name != NULL && strcmp(unit->name, name) != 0)
        unit++;
    int64_t factor = unit->factor;
    if (unit->name == NULL) {
        if (number != 0 || *name != '\0')
            return false;
        factor = 1;
    }
    if (number > INT64_MAX / factor)
        return false;
    number *= is_negative ? -factor : factor;
    if (number < (int64_t)(key->min * scale_of(key)) ||
        number > (int64_t)(key->max * scale_of(key)))
        return false;
    *field = number;
    return true;
}

static bool read_real(const struct simnet_scenario_key *key, const char *text, double *field)
{
    bool is_share = key->type == SIMNET_SCENARIO_SHARE;
    char *end = NULL;
    if (text[strspn(text, "0123456789.")] != (is_share && strcmp(text, "0") != 0 ? '%' : '\0'))
        return false; // no signs, exponents, NaN, and no bare fraction for a percentage
    double value = strtod(text, &end);
    if (end == text || strcmp(end, *end == '%' ? "%" : "") != 0)
        return false;
    if (!(value >= key->min && value <= key->max))
        return false;
    *field = is_share ? value / 100 : value;
    return true;
}

static int find_word(const struct simnet_scenario_key *key, const char *text, size_t len)
{
    for (int i = 0; key->words[i] != NULL; i++)
        if (strlen(key->words[i]) == len && memcmp(key->words[i], text, len) == 0)
            return i;
    return -1;
}

static int all_words(const struct simnet_scenario_key *key)
{
    int all = 0;
    for (int i = 0; key->words[i] != NULL; i++)
        all |= 1 << i;
    return all;
}

static bool read_set(const struct simnet_scenario_key *key, const char *text, int *field)
{
    static const char gaps[] = ", \t";
    int set = strcmp(text, "all") == 0 ? all_words(key) : 0;
    bool is_list = strcmp(text, "all") != 0 && strcmp(text, "none") != 0;
    size_t len = 0;
    for (text += strspn(text, gaps); is_list && *text != '\0';
         text += len + strspn(text + len, gaps)) {
        len = strcspn(text, gaps);
        int word = find_word(key, text, len);
        if (word < 0)
            return false;
        set |= 1 << word;
    }
    if (is_list && len == 0)
        return false;
    *field = set;
    return true;
}

bool simnet_scenario_value_read(const struct simnet_scenario_key *key, void *base, const char *text)
{
    void *field = (char *)base + key->offset;
    int word;
    switch (key->type) {
    case SIMNET_SCENARIO_COUNT:
    case SIMNET_SCENARIO_BYTES:
    case SIMNET_SCENARIO_TIME:
        return read_integer(key, text, field);
    case SIMNET_SCENARIO_SHARE:
    case SIMNET_SCENARIO_REAL:
        return read_real(key, text, field);
    case SIMNET_SCENARIO_CHOICE:
        word = find_word(key, text, strlen(text));
        if (word < 0)
            return false;
        *(int *)field = word;
        return true;
    case SIMNET_SCENARIO_SET:
        return read_set(key, text, field);
    }
    return false;
}

// ---- writing ----

static void write_integer(const struct unit *unit, int64_t value, char *out, size_t out_len)
{
    while (unit[1].name != NULL && (llabs(value) < unit->factor || value % unit->factor != 0))
        unit++;
    snprintf(out, out_len, "%" PRId64 "%s", value / unit->factor, unit->name);
}

// The shortest of the texts that read back as the same number.
static void write_real(double value, double factor, const char *unit, char *out, size_t out_len)
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, out_len, "%.*g", digits, value * factor);
        if (strchr(out, 'e') == NULL && strtod(out, NULL) / factor == value)
            break;
    }
    if (strchr(out, 'e') != NULL)
        snprintf(out, out_len, "%.9f", value * factor);
    size_t used = strlen(out);
    snprintf(out + used, out_len - used, "%s", unit);
}

static void write_set(const struct simnet_scenario_key *key, int set, char *out, size_t out_len)
{
    size_t used = 0;
    snprintf(out, out_len, "%s", set == all_words(key) ? "all" : "none");
    if (set == all_words(key))
        return;
    for (int i = 0; key->words[i] != NULL; i++)
        if ((set & 1 << i) != 0 && used < out_len)
            used += (size_t)snprintf(out + used, out_len - used, "%s%s", used > 0 ? ", " : "",
                                     key->words[i]);
}

void simnet_scenario_value_write(const struct simnet_scenario_key *key, const void *base,
                                 char ret_text[SIMNET_SCENARIO_TEXT_MAX])
{
    const void *field = (const char *)base + key->offset;
    switch (key->type) {
    case SIMNET_SCENARIO_COUNT:
    case SIMNET_SCENARIO_BYTES:
    case SIMNET_SCENARIO_TIME:
        if (key->type == SIMNET_SCENARIO_TIME && *(const int64_t *)field == 0)
            snprintf(ret_text, SIMNET_SCENARIO_TEXT_MAX, "0s");
        else
            write_integer(units_of(key), *(const int64_t *)field, ret_text,
                          SIMNET_SCENARIO_TEXT_MAX);
        return;
    case SIMNET_SCENARIO_SHARE:
        write_real(*(const double *)field, 100, "%", ret_text, SIMNET_SCENARIO_TEXT_MAX);
        return;
    case SIMNET_SCENARIO_REAL:
        write_real(*(const double *)field, 1, "", ret_text, SIMNET_SCENARIO_TEXT_MAX);
        return;
    case SIMNET_SCENARIO_CHOICE:
        snprintf(ret_text, SIMNET_SCENARIO_TEXT_MAX, "%s", key->words[*(const int *)field]);
        return;
    case SIMNET_SCENARIO_SET:
        write_set(key, *(const int *)field, ret_text, SIMNET_SCENARIO_TEXT_MAX);
        return;
    }
}

void simnet_scenario_value_time(int64_t us, char ret_text[32])
{
    if (us == 0)
        snprintf(ret_text, 32, "0s");
    else
        write_integer(time_units, us, ret_text, 32);
}

// ---- what is expected ----

static void expect_words(const struct simnet_scenario_key *key, char *out)
{
    bool is_set = key->type == SIMNET_SCENARIO_SET;
    size_t used = (size_t)snprintf(out, SIMNET_SCENARIO_ERROR_MAX, "%s",
                                   is_set ? "all, none, or some of" : "one of");
    for (int i = 0; key->words[i] != NULL && used < SIMNET_SCENARIO_ERROR_MAX; i++)
        used += (size_t)snprintf(out + used, SIMNET_SCENARIO_ERROR_MAX - used, "%s %s",
                                 i > 0 ? "," : "", key->words[i]);
}

void simnet_scenario_value_expected(const struct simnet_scenario_key *key,
                                    char ret_text[SIMNET_SCENARIO_ERROR_MAX])
{
    char min[64];
    char max[64];
    const struct unit *units = units_of(key);
    write_integer(units, (int64_t)(key->min * scale_of(key)), min, sizeof min);
    write_integer(units, (int64_t)(key->max * scale_of(key)), max, sizeof max);
    switch (key->type) {
    case SIMNET_SCENARIO_COUNT:
        snprintf(ret_text, SIMNET_SCENARIO_ERROR_MAX, "a number from %s to %s", min, max);
        return;
    case SIMNET_SCENARIO_BYTES:
        snprintf(ret_text, SIMNET_SCENARIO_ERROR_MAX, "a size such as 64K, from %s to %s", min,
                 max);
        return;
    case SIMNET_SCENARIO_TIME:
        snprintf(ret_text, SIMNET_SCENARIO_ERROR_MAX,
                 "a duration in us, ms, s, min or h, from %s to %s", key->min == 0 ? "0s" : min,
                 max);
        return;
    case SIMNET_SCENARIO_SHARE:
        snprintf(ret_text, SIMNET_SCENARIO_ERROR_MAX,
                 "a percentage such as 12.5%%, from %g%% to %g%%", key->min, key->max);
        return;
    case SIMNET_SCENARIO_REAL:
        snprintf(ret_text, SIMNET_SCENARIO_ERROR_MAX, "a number such as 0.6, from %g to %g",
                 key->min, key->max);
        return;
    case SIMNET_SCENARIO_CHOICE:
    case SIMNET_SCENARIO_SET:
        expect_words(key, ret_text);
        return;
    }
}
