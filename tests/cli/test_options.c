// SPDX-License-Identifier: MIT
#include "node/cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table)    (sizeof(table) / sizeof((table)[0]))
#define LINE_WORDS_MAX 40

// A command line cut at its spaces. argv[0] is the program.
struct line {
    char text[512];
    char *argv[LINE_WORDS_MAX + 1];
    int argc;
};

static void cut(const char *text, struct line *ret_line)
{
    snprintf(ret_line->text, sizeof ret_line->text, "pnr %s", text);
    ret_line->argc = 0;
    for (char *word = strtok(ret_line->text, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(ret_line->argc < LINE_WORDS_MAX);
        ret_line->argv[ret_line->argc++] = word;
    }
    ret_line->argv[ret_line->argc] = NULL;
}

static bool parse(const char *text, struct line *line, struct cli_options *ret_options,
                  char ret_why[CLI_OPTIONS_WHY_MAX])
{
    cut(text, line);
    return cli_options_parse(line->argc, line->argv, ret_options, ret_why);
}

static void test_everywhere(void **state)
{
    static const char *const texts[] = {
        "--control /a --node 3 --json --timeout 1.5 resolve x --wait=all",
        "resolve --control=/a x --node=3 --wait all --timeout=1500ms --json",
        "resolve x --wait first --wait all --json --node 3 --timeout 1.5s --control /a",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(texts); i++) {
        struct line line;
        struct cli_options options;
        char why[CLI_OPTIONS_WHY_MAX];
        if (!parse(texts[i], &line, &options, why)) {
            fail_msg("'%s': %s", texts[i], why);
        }
        assert_string_equal(options.control, "/a");
        assert_int_equal(options.node, 3);
        assert_int_equal(options.wait, PNR_WAIT_ALL);
        assert_int_equal(options.timeout_ms, 1500);
        assert_true(options.json);
        assert_int_equal(options.arg_count, 2);
        assert_string_equal(options.args[1], "x");
        assert_int_equal(options.used, CLI_OPTION_CONTROL | CLI_OPTION_NODE | CLI_OPTION_JSON |
                                           CLI_OPTION_TIMEOUT | CLI_OPTION_WAIT);
    }
}

static void test_words(void **state)
{
    struct line line;
    struct cli_options options;
    char why[CLI_OPTIONS_WHY_MAX];
    (void)state;
    assert_true(parse("key import a - -qv -- --json -q", &line, &options, why));
    assert_int_equal(options.arg_count, 6);
    assert_string_equal(options.args[3], "-");
    assert_string_equal(options.args[4], "--json");
    assert_false(options.json);
    assert_int_equal(options.verbosity, 1); // the last one counts
    assert_true(parse("-h", &line, &options, why));
    assert_int_equal(options.used, CLI_OPTION_HELP);
    assert_true(parse("--version", &line, &options, why));
    assert_int_equal(options.used, CLI_OPTION_VERSION);
}

static const struct refusal {
    const char *name;
    const char *text;
    const char *why; // part of it
} refusals[] = {
    {"unknown", "--jsn", "did you mean --json?"},
    {"unknown and far off", "--frobnicate", "there is no option --frobnicate"},
    {"unknown letter", "-qx", "there is no option -qx"},
    {"no value", "resolve x --wait", "--wait: needs a value"},
    {"a value too many", "--json=1", "--json: takes no value"},
    {"node", "--node -1", "--node: expected"},
    {"node empty", "--node=", "--node: expected"},
    {"color", "--color maybe", "expected auto, always or never"},
    {"wait", "--wait long", "expected cache, first, settled or all"},
    {"timeout", "--timeout soon", "--timeout: expected a duration"},
    {"timeout too long", "--timeout 601", "--timeout: expected a duration"},
    {"ttl below a second", "--ttl 10ms", "--ttl: expected 300 seconds to a day"},
    {"ttl too short", "--ttl 299", "--ttl: expected 300 seconds to a day"},
    {"ttl too long", "--ttl 86401", "--ttl: expected 300 seconds to a day"},
    {"endpoint", "--endpoint 192.0.2.7", "endpoint '192.0.2.7': expected"},
    {"payload type", "--payload-type xml", "expected binary or string"},
    {"port", "--port 0", "expected a port"},
    {"empty control", "--control=", "the address is empty"},
    {"words",
     "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33",
     "too many arguments"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(refusals); i++) {
        struct line line;
        struct cli_options options;
        char why[CLI_OPTIONS_WHY_MAX] = "";
        if (parse(refusals[i].text, &line, &options, why)) {
            fail_msg("%s: taken", refusals[i].name);
        }
        if (strstr(why, refusals[i].why) == NULL) {
            fail_msg("%s: %s", refusals[i].name, why);
        }
    }
}

static void test_endpoint_bound(void **state)
{
    struct line line;
    struct cli_options options;
    char why[CLI_OPTIONS_WHY_MAX];
    (void)state;
    assert_true(parse("--endpoint tcp:192.0.2.7:1", &line, &options, why));
    for (size_t i = 1; i < PNR_ENDPOINTS_MAX; i++) {
        assert_true(cli_options_add_endpoint(&options, "192.0.2.7:2", why));
    }
    assert_int_equal(options.endpoint_count, PNR_ENDPOINTS_MAX);
    assert_int_equal(options.endpoints_over, 0);
    assert_true(cli_options_add_endpoint(&options, "192.0.2.7:3", why));
    assert_int_equal(options.endpoint_count, PNR_ENDPOINTS_MAX);
    assert_int_equal(options.endpoints_over, 1); // publish refuses it, with an exit code of its own
    assert_false(cli_options_add_endpoint(&options, "192.0.2.7", why));
    assert_int_equal(options.endpoints_over, 1);
}

static const struct guess {
    const char *typed;
    const char *guessed;
} guesses[] = {
    {"publsh", "publish"},
    {"pubilsh", "publish"},
    {"staus", "status"},
    {"pong", "ping"},
    {"xyz", NULL},
    {"p", NULL},
    {"", NULL},
    {"resolved", "resolve"},
    {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", NULL},
};

static void test_guesses(void **state)
{
    static const char *const words[] = {"publish", "resolve", "status", "ping", "key", NULL};
    (void)state;
    for (size_t i = 0; i < ROWS(guesses); i++) {
        const char *guessed = cli_options_guess(guesses[i].typed, words);
        bool same = guesses[i].guessed == NULL
                        ? guessed == NULL
                        : guessed != NULL && strcmp(guessed, guesses[i].guessed) == 0;
        if (!same) {
            fail_msg("'%s': %s", guesses[i].typed, guessed != NULL ? guessed : "nothing");
        }
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(cli_options_name(CLI_OPTION_WAIT), "--wait");
    assert_string_equal(cli_options_name(CLI_OPTION_TTL | CLI_OPTION_PORT), "--ttl");
    assert_null(cli_options_name(0));
    assert_int_equal(CLI_OPTIONS_GLOBAL & CLI_OPTION_ENDPOINT, 0);
    assert_int_equal(CLI_OPTIONS_GLOBAL & CLI_OPTION_VERSION, CLI_OPTION_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everywhere), cmocka_unit_test(test_words),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_endpoint_bound),
        cmocka_unit_test(test_guesses),    cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
