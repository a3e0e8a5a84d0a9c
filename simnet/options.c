// SPDX-License-Identifier: MIT
#include "simnet/options.h"

#include <stdlib.h>
#include <string.h>

static bool refuse(char *error, const char *format, const char *what)
{
    char shown[80];
    size_t i = 0;
    for (; what[i] != '\0' && i + 1 < sizeof shown; i++)
        shown[i] = (unsigned char)what[i] < 0x20 || what[i] == 0x7f ? '?' : what[i];
    shown[i] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(error, SIMNET_OPTIONS_ERROR_MAX, format, shown);
#pragma GCC diagnostic pop
    return false;
}

static bool read_number(const char *text, int64_t *ret_number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] != '\0')
        return false;
    *ret_number = strtoll(text, NULL, 10);
    return true;
}

static bool add_setting(struct simnet_options *options, const char *option, const char *text,
                        char *error)
{
    if (options->settings.count == SIMNET_SCENARIO_SETTINGS_MAX)
        return refuse(error, "too many settings, at %s", text);
    options->settings.list[options->settings.count++] =
        (struct simnet_scenario_setting){.text = text, .option = option};
    return true;
}

// ---- options ----

static bool take_nodes(struct simnet_options *options, const char *value, char *error)
{
    snprintf(options->nodes, sizeof options->nodes, "network.nodes=%.40s", value);
    return add_setting(options, "--nodes", options->nodes, error);
}

static bool take_seed(struct simnet_options *options, const char *value, char *error)
{
    snprintf(options->seed, sizeof options->seed, "network.seed=%.40s", value);
    return add_setting(options, "--seed", options->seed, error);
}

static bool take_setting(struct simnet_options *options, const char *value, char *error)
{
    return add_setting(options, NULL, value, error);
}

static bool take_report(struct simnet_options *options, const char *value, char *error)
{
    options->report = value;
    return value[0] != '\0' || refuse(error, "--report: the folder's name is empty%s", "");
}

static bool take_pcap(struct simnet_options *options, const char *value, char *error)
{
    options->pcap = value;
    return value[0] != '\0' || refuse(error, "--pcap: the file's name is empty%s", "");
}

static bool take_machine(struct simnet_options *options, const char *value, char *error)
{
    return read_number(value, &options->machine) ||
           refuse(error, "--machine: expected a machine's number, from 0, not %s", value);
}

static bool take_lookup(struct simnet_options *options, const char *value, char *error)
{
    return read_number(value, &options->lookup) ||
           refuse(error, "--lookup: expected a lookup's number, from 0, not %s", value);
}

static bool take_json(struct simnet_options *options, const char *value, char *error)
{
    (void)value;
    (void)error;
    options->json = true;
    return true;
}

static bool take_quiet(struct simnet_options *options, const char *value, char *error)
{
    (void)value;
    (void)error;
    options->quiet = true;
    return true;
}

static bool take_help(struct simnet_options *options, const char *value, char *error)
{
    (void)value;
    (void)error;
    options->help = true;
    return true;
}

static bool take_version(struct simnet_options *options, const char *value, char *error)
{
    (void)value;
    (void)error;
    options->version = true;
    return true;
}

static const struct option {
    const char *name;
    const char *letter; // NULL: none
    bool has_value;
    bool (*take)(struct simnet_options *options, const char *value, char *error);
} table[] = {
    {"--nodes", NULL, true, take_nodes},      {"--seed", NULL, true, take_seed},
    {"--set", NULL, true, take_setting},      {"--report", NULL, true, take_report},
    {"--pcap", NULL, true, take_pcap},        {"--machine", NULL, true, take_machine},
    {"--lookup", NULL, true, take_lookup},    {"--json", NULL, false, take_json},
    {"--quiet", "-q", false, take_quiet},     {"--help", "-h", false, take_help},
    {"--version", "-V", false, take_version},
};

// Finds the option that word is, with or without "=VALUE".
static const struct option *find_option(const char *word, const char **ret_value)
{
    size_t len = strcspn(word, "=");
    *ret_value = word[len] == '=' ? word + len + 1 : NULL;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strlen(table[i].name) == len && memcmp(table[i].name, word, len) == 0)
            return &table[i];
        if (table[i].letter != NULL && strcmp(table[i].letter, word) == 0)
            return &table[i];
    }
    return NULL;
}

// Takes the option at argv[*at], and its value.
static bool take_option(int argc, char *const argv[], int *at, struct simnet_options *options,
                        char *error)
{
    const char *value;
    const struct option *option = find_option(argv[*at], &value);
    if (option == NULL)
        return refuse(error, "there is no option %s", argv[*at]);
    if (!option->has_value && value != NULL)
        return refuse(error, "%s takes no value", option->name);
    if (option->has_value && value == NULL) {
        if (*at + 1 == argc)
            return refuse(error, "%s needs a value", option->name);
        value = argv[++*at];
    }
    return option->take(options, value, error);
}

// ---- words ----

static bool take_word(struct simnet_options *options, const char *word, char *error)
{
    static const char *const words[] = {
        [SIMNET_OPTIONS_RUN] = "run",
        [SIMNET_OPTIONS_TRACE] = "trace",
        [SIMNET_OPTIONS_SHOW] = "show",
        [SIMNET_OPTIONS_HELP] = "help",
    };
    if (options->command == SIMNET_OPTIONS_NONE) {
        for (int i = SIMNET_OPTIONS_RUN; i <= SIMNET_OPTIONS_HELP; i++)
            if (strcmp(words[i], word) == 0)
                options->command = (enum simnet_options_command)i;
        if (strcmp(word, "replay") == 0)
            return refuse(error, "%s comes first: expected simnet replay FILE [--json] [-q]", word);
        return options->command != SIMNET_OPTIONS_NONE ||
               refuse(error, "there is no command %s: expected run, trace, show, replay or help",
                      word);
    }
    if (options->command == SIMNET_OPTIONS_HELP)
        return true;
    if (options->path != NULL)
        return refuse(error, "one scenario at a time: what is %s?", word);
    options->path = word;
    return word[0] != '\0' || refuse(error, "which scenario? its name is empty%s", "");
}

static bool check(const struct simnet_options *options, char *error)
{
    bool runs = options->command == SIMNET_OPTIONS_RUN || options->command == SIMNET_OPTIONS_TRACE;
    if (options->help || options->version || options->command == SIMNET_OPTIONS_HELP)
        return true;
    if (options->command == SIMNET_OPTIONS_NONE)
        return refuse(error, "which command? expected run, trace, show, replay or help%s", "");
    if (options->path == NULL)
        return refuse(error, "which scenario? expected a file%s", "");
    if ((options->pcap != NULL) != (options->machine >= 0))
        return refuse(error, "--pcap and --machine go together%s", "");
    if (options->pcap != NULL && !runs)
        return refuse(error, "--pcap is for run and trace%s", "");
    if (options->report != NULL && options->command != SIMNET_OPTIONS_RUN)
        return refuse(error, "--report is for run%s", "");
    if ((options->lookup >= 0) != (options->command == SIMNET_OPTIONS_TRACE))
        return refuse(error,
                      options->lookup >= 0 ? "--lookup is for trace%s"
                                           : "which lookup? expected --lookup N%s",
                      "");
    if (options->json && options->command != SIMNET_OPTIONS_RUN)
        return refuse(error, "--json is for run%s", "");
    return true;
}

bool simnet_options_parse(int argc, char *const argv[], struct simnet_options *ret_options,
                          char ret_error[SIMNET_OPTIONS_ERROR_MAX])
{
    bool ended = false;
    *ret_options = (struct simnet_options){.machine = -1, .lookup = -1};
    for (int i = 1; i < argc; i++) {
        if (!ended && strcmp(argv[i], "--") == 0) {
            ended = true;
            continue;
        }
        bool is_option = !ended && argv[i][0] == '-' && argv[i][1] != '\0';
        if (is_option ? !take_option(argc, argv, &i, ret_options, ret_error)
                      : !take_word(ret_options, argv[i], ret_error))
            return false;
    }
    return check(ret_options, ret_error);
}
