// SPDX-License-Identifier: MIT
#include "node/cli/options.h"

#include <stdio.h>
#include <string.h>

#define GUESS_LEN_MAX 32 // longest word that is compared
#define TTL_MIN_S     300u
#define TTL_MAX_S     86400u

// Takes an option's value, NULL where it has none. False: why says what is wrong with it.
typedef bool (*cli_options_take)(struct cli_options *options, const char *value,
                                 char why[CLI_OPTIONS_WHY_MAX]);

struct option {
    enum cli_option bit;
    const char *name; // with its dashes
    char letter;      // '\0': none
    bool has_value;
    cli_options_take take; // NULL: that it stands there is all it says
};

static bool refuse(char why[CLI_OPTIONS_WHY_MAX], const char *option, const char *what)
{
    snprintf(why, CLI_OPTIONS_WHY_MAX, "%s: %s", option, what);
    return false;
}

// ---- values ----

static bool take_control(struct cli_options *options, const char *value,
                         char why[CLI_OPTIONS_WHY_MAX])
{
    options->control = value;
    return value[0] != '\0' || refuse(why, "--control", "the address is empty");
}

static bool take_node(struct cli_options *options, const char *value, char why[CLI_OPTIONS_WHY_MAX])
{
    return cli_text_parse_number(value, 0, INT32_MAX, &options->node) ||
           refuse(why, "--node", "expected a node's number, from 0");
}

static bool take_json(struct cli_options *options, const char *value, char why[CLI_OPTIONS_WHY_MAX])
{
    (void)value;
    (void)why;
    options->json = true;
    return true;
}

static bool take_color(struct cli_options *options, const char *value,
                       char why[CLI_OPTIONS_WHY_MAX])
{
    static const char *const words[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, words[i]) == 0) {
            options->color = (enum cli_color)i;
            return true;
        }
    }
    return refuse(why, "--color", "expected auto, always or never");
}

static bool take_quiet(struct cli_options *options, const char *value,
                       char why[CLI_OPTIONS_WHY_MAX])
{
    (void)value;
    (void)why;
    options->verbosity = -1;
    return true;
}

static bool take_verbose(struct cli_options *options, const char *value,
                         char why[CLI_OPTIONS_WHY_MAX])
{
    (void)value;
    (void)why;
    options->verbosity = 1;
    return true;
}

static bool take_timeout(struct cli_options *options, const char *value,
                         char why[CLI_OPTIONS_WHY_MAX])
{
    uint32_t timeout_ms;
    if (!cli_text_parse_duration(value, &timeout_ms) || timeout_ms > CLI_OPTIONS_TIMEOUT_MS_MAX) {
        return refuse(why, "--timeout",
                      "expected a duration such as 5, 500ms or 2m, at most 10 minutes");
    }
    options->timeout_ms = timeout_ms;
    return true;
}

static bool take_endpoint(struct cli_options *options, const char *value,
                          char why[CLI_OPTIONS_WHY_MAX])
{
    return cli_options_add_endpoint(options, value, why);
}

static bool take_comment(struct cli_options *options, const char *value,
                         char why[CLI_OPTIONS_WHY_MAX])
{
    return cli_text_comment(value, options->comment, &options->comment_len, why);
}

static bool take_payload(struct cli_options *options, const char *value,
                         char why[CLI_OPTIONS_WHY_MAX])
{
    options->payload = value;
    return value[0] != '\0' || refuse(why, "--payload", "the file's name is empty");
}

static bool take_payload_type(struct cli_options *options, const char *value,
                              char why[CLI_OPTIONS_WHY_MAX])
{
    if (strcmp(value, "binary") == 0) {
        options->payload_type = PNR_PAYLOAD_BINARY;
    } else if (strcmp(value, "string") == 0) {
        options->payload_type = PNR_PAYLOAD_STRING;
    } else {
        return refuse(why, "--payload-type", "expected binary or string");
    }
    return true;
}

static bool take_ttl(struct cli_options *options, const char *value, char why[CLI_OPTIONS_WHY_MAX])
{
    uint32_t ttl_ms;
    if (!cli_text_parse_duration(value, &ttl_ms) || ttl_ms < TTL_MIN_S * 1000 ||
        ttl_ms > TTL_MAX_S * 1000) {
        return refuse(why, "--ttl", "expected 300 seconds to a day, such as 300, 10m or 1d");
    }
    options->ttl_s = ttl_ms / 1000;
    return true;
}

static bool take_wait(struct cli_options *options, const char *value, char why[CLI_OPTIONS_WHY_MAX])
{
    static const struct word {
        const char *word;
        enum pnr_wait wait;
    } words[] = {{"cache", PNR_WAIT_CACHE},
                 {"first", PNR_WAIT_FIRST},
                 {"settled", PNR_WAIT_SETTLED},
                 {"all", PNR_WAIT_ALL}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(value, words[i].word) == 0) {
            options->wait = words[i].wait;
            return true;
        }
    }
    return refuse(why, "--wait", "expected cache, first, settled or all");
}

static bool take_listen(struct cli_options *options, const char *value,
                        char why[CLI_OPTIONS_WHY_MAX])
{
    options->listen = value;
    return value[0] != '\0' || refuse(why, "--listen", "the address is empty");
}

static bool take_port(struct cli_options *options, const char *value, char why[CLI_OPTIONS_WHY_MAX])
{
    uint32_t port;
    options->port = value;
    return cli_text_parse_number(value, 1, 65535, &port) ||
           refuse(why, "--port", "expected a port from 1 to 65535");
}

static bool take_trace(struct cli_options *options, const char *value,
                       char why[CLI_OPTIONS_WHY_MAX])
{
    (void)value;
    (void)why;
    options->trace = true;
    return true;
}

static bool take_count(struct cli_options *options, const char *value,
                       char why[CLI_OPTIONS_WHY_MAX])
{
    return cli_text_parse_number(value, 1, INT32_MAX, &options->count) ||
           refuse(why, "--count", "expected a number of changes, from 1");
}

static bool take_criteria(struct cli_options *options, const char *value,
                          char why[CLI_OPTIONS_WHY_MAX])
{
    static const struct word {
        const char *word;
        enum pnr_criteria criteria;
    } words[] = {{"any", PNR_CRITERIA_ANY},
                 {"remote", PNR_CRITERIA_REMOTE},
                 {"nearest", PNR_CRITERIA_NEAREST},
                 {"nearest-remote", PNR_CRITERIA_NEAREST_REMOTE}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(value, words[i].word) == 0) {
            options->criteria = words[i].criteria;
            return true;
        }
    }
    return refuse(why, "--criteria", "expected any, remote, nearest or nearest-remote");
}

static bool take_hint(struct cli_options *options, const char *value, char why[CLI_OPTIONS_WHY_MAX])
{
    options->hint_len = cli_text_parse_ip(value, options->hint);
    return options->hint_len > 0 || refuse(why, "--hint", "expected an IPv4 or IPv6 address");
}

static bool take_max(struct cli_options *options, const char *value, char why[CLI_OPTIONS_WHY_MAX])
{
    return cli_text_parse_number(value, 1, 1000000, &options->max) ||
           refuse(why, "--max", "expected a number of results, from 1");
}

static bool take_cloud(struct cli_options *options, const char *value,
                       char why[CLI_OPTIONS_WHY_MAX])
{
    options->cloud = value;
    return value[0] != '\0' || refuse(why, "--cloud", "the name is empty");
}

static bool take_watch(struct cli_options *options, const char *value,
                       char why[CLI_OPTIONS_WHY_MAX])
{
    (void)value;
    (void)why;
    options->watch = true;
    return true;
}

static const struct option table[] = {
    {CLI_OPTION_CONTROL, "--control", '\0', true, take_control},
    {CLI_OPTION_NODE, "--node", '\0', true, take_node},
    {CLI_OPTION_JSON, "--json", '\0', false, take_json},
    {CLI_OPTION_COLOR, "--color", '\0', true, take_color},
    {CLI_OPTION_QUIET, "--quiet", 'q', false, take_quiet},
    {CLI_OPTION_VERBOSE, "--verbose", 'v', false, take_verbose},
    {CLI_OPTION_TIMEOUT, "--timeout", '\0', true, take_timeout},
    {CLI_OPTION_HELP, "--help", 'h', false, NULL},
    {CLI_OPTION_VERSION, "--version", 'V', false, NULL},
    {CLI_OPTION_ENDPOINT, "--endpoint", '\0', true, take_endpoint},
    {CLI_OPTION_COMMENT, "--comment", '\0', true, take_comment},
    {CLI_OPTION_PAYLOAD, "--payload", '\0', true, take_payload},
    {CLI_OPTION_PAYLOAD_TYPE, "--payload-type", '\0', true, take_payload_type},
    {CLI_OPTION_TTL, "--ttl", '\0', true, take_ttl},
    {CLI_OPTION_WAIT, "--wait", '\0', true, take_wait},
    {CLI_OPTION_LISTEN, "--listen", '\0', true, take_listen},
    {CLI_OPTION_PORT, "--port", '\0', true, take_port},
    {CLI_OPTION_TRACE, "--trace", '\0', false, take_trace},
    {CLI_OPTION_COUNT, "--count", '\0', true, take_count},
    {CLI_OPTION_CRITERIA, "--criteria", '\0', true, take_criteria},
    {CLI_OPTION_HINT, "--hint", '\0', true, take_hint},
    {CLI_OPTION_MAX, "--max", '\0', true, take_max},
    {CLI_OPTION_CLOUD, "--cloud", '\0', true, take_cloud},
    {CLI_OPTION_WATCH, "--watch", '\0', false, take_watch},
};

#define OPTION_COUNT (sizeof table / sizeof table[0])

// ---- parsing ----

bool cli_options_add_endpoint(struct cli_options *options, const char *text,
                              char ret_why[CLI_OPTIONS_WHY_MAX])
{
    char why[CLI_TEXT_WHY_MAX];
    char shown[64];
    struct pnr_endpoint endpoint;
    if (!cli_text_parse_endpoint(text, &endpoint, why)) {
        cli_text_printable(text, strlen(text), shown, sizeof shown);
        snprintf(ret_why, CLI_OPTIONS_WHY_MAX, "endpoint '%s': %s", shown, why);
        return false;
    }
    if (options->endpoint_count == PNR_ENDPOINTS_MAX) {
        options->endpoints_over++;
    } else {
        options->endpoints[options->endpoint_count++] = endpoint;
    }
    return true;
}

static const struct option *find_long(const char *arg, size_t name_len)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strlen(table[i].name) == name_len && strncmp(table[i].name, arg, name_len) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static const struct option *find_letter(char letter)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (table[i].letter != '\0' && table[i].letter == letter) {
            return &table[i];
        }
    }
    return NULL;
}

static bool refuse_unknown(const char *arg, char why[CLI_OPTIONS_WHY_MAX])
{
    const char *names[OPTION_COUNT + 1] = {NULL};
    char shown[64];
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        names[i] = table[i].name;
    }
    const char *guess = cli_options_guess(arg, names);
    cli_text_printable(arg, strcspn(arg, "="), shown, sizeof shown);
    snprintf(why, CLI_OPTIONS_WHY_MAX, "there is no option %s%s%s%s", shown,
             guess != NULL ? "; did you mean " : "", guess != NULL ? guess : "",
             guess != NULL ? "?" : "");
    return false;
}

static bool take(struct cli_options *options, const struct option *option, const char *value,
                 char why[CLI_OPTIONS_WHY_MAX])
{
    options->used |= option->bit;
    return option->take == NULL || option->take(options, value, why);
}

// Reads "--name", "--name=value" or "--name value"; *at moves over a value of its own.
static bool parse_long(struct cli_options *options, int argc, char *const argv[], int *at,
                       char why[CLI_OPTIONS_WHY_MAX])
{
    const char *arg = argv[*at];
    size_t name_len = strcspn(arg, "=");
    const char *value = arg[name_len] == '=' ? arg + name_len + 1 : NULL;
    const struct option *option = find_long(arg, name_len);
    if (option == NULL) {
        return refuse_unknown(arg, why);
    }
    if (!option->has_value && value != NULL) {
        return refuse(why, option->name, "takes no value");
    }
    if (option->has_value && value == NULL) {
        if (*at + 1 >= argc) {
            return refuse(why, option->name, "needs a value");
        }
        value = argv[++*at];
    }
    return take(options, option, value, why);
}

// Reads "-q" or "-qv"; options with letters have no values.
static bool parse_letters(struct cli_options *options, const char *arg,
                          char why[CLI_OPTIONS_WHY_MAX])
{
    for (const char *letter = arg + 1; *letter != '\0'; letter++) {
        const struct option *option = find_letter(*letter);
        if (option == NULL) {
            return refuse_unknown(arg, why);
        }
        if (!take(options, option, NULL, why)) {
            return false;
        }
    }
    return true;
}

static bool parse_word(struct cli_options *options, const char *word, char why[CLI_OPTIONS_WHY_MAX])
{
    if (options->arg_count == CLI_OPTIONS_ARGS_MAX) {
        snprintf(why, CLI_OPTIONS_WHY_MAX, "too many arguments");
        return false;
    }
    options->args[options->arg_count++] = word;
    return true;
}

bool cli_options_parse(int argc, char *const argv[], struct cli_options *ret_options,
                       char ret_why[CLI_OPTIONS_WHY_MAX])
{
    bool options_ended = false;
    bool good = true;
    memset(ret_options, 0, sizeof *ret_options);
    ret_options->payload_type = PNR_PAYLOAD_BINARY;
    for (int at = 1; at < argc && good; at++) {
        const char *arg = argv[at];
        if (options_ended || arg[0] != '-' || arg[1] == '\0') {
            good = parse_word(ret_options, arg, ret_why);
        } else if (strcmp(arg, "--") == 0) {
            options_ended = true;
        } else if (arg[1] == '-') {
            good = parse_long(ret_options, argc, argv, &at, ret_why);
        } else {
            good = parse_letters(ret_options, arg, ret_why);
        }
    }
    return good;
}

const char *cli_options_name(unsigned set)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if ((set & table[i].bit) != 0) {
            return table[i].name;
        }
    }
    return NULL;
}

// ---- guesses ----

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Levenshtein's distance: letters to insert, remove or change.
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[GUESS_LEN_MAX + 1];
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t changed = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = least(least(row[j] + 1, row[j - 1] + 1), changed);
        }
    }
    return row[b_len];
}

const char *cli_options_guess(const char *typed, const char *const words[])
{
    const char *best = NULL;
    size_t best_distance = 3; // more than two slips is another word
    size_t typed_len = strcspn(typed, "=");
    if (typed_len > GUESS_LEN_MAX) {
        return NULL;
    }
    for (size_t i = 0; words[i] != NULL; i++) {
        size_t len = strlen(words[i]);
        if (len > GUESS_LEN_MAX) {
            continue;
        }
        size_t d = distance(typed, typed_len, words[i], len);
        if (d < best_distance && d * 2 < len) {
            best = words[i];
            best_distance = d;
        }
    }
    return best;
}
