// SPDX-License-Identifier: MIT
#include "node/daemon/service_options.h"

#include "tests/daemon/words_helper.h"

static bool parse(const char *words, struct daemon_service_options *ret_options,
                  struct daemon_error *ret_error)
{
    struct words *all = words_of(words);
    assert_true(daemon_service_options_are(all->argc, all->argv));
    return daemon_service_options_parse(all->argc, all->argv, ret_options, ret_error);
}

static void test_bad(void **state)
{
    static const struct row {
        const char *words;
        const char *why;
    } rows[] = {
        {"service", "needs a verb"},
        {"service remove", "remove is no verb"},
        {"service start now", "now is no option of service start"},
        {"service status --config /f", "--config is no option of service status"},
        {"service install --name", "--name needs a value"},
        {"service install --name=", "--name  is no name"},
        {"service install --name ..", "--name .. is no name"},
        {"service install --name a\\b", "--name a\\b is no name"},
        {"service install --name 3rd", "--name 3rd is no name"},
        {"service install --nonsense", "--nonsense is no option"},
        {"service install --config f", "f is no full path"},
        {"service install --state ../s", "../s is no full path"},
        {"service install --record r", "r is no full path"},
        {"service install --control tcp:f", "f is no full path"},
        {"service install --testnet 3", "neither --testnet"},
        {"service install --check-config", "what only prints"},
        {"service install --purge", "--purge goes with"},
        {"service run --config f", "f is no full path"},
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_service_options options;
        struct daemon_error why = {.text = ""};
        if (parse(rows[i].words, &options, &why) || strstr(why.text, rows[i].why) == NULL)
            fail_msg("row %s: \"%s\"", rows[i].words, why.text);
    }
}

static void test_good(void **state)
{
    static const struct row {
        const char *words;
        enum daemon_service_verb verb;
        const char *name;
        bool purge;
        const char *kept; // pnrd's own options
    } rows[] = {
        {"service install", DAEMON_SERVICE_INSTALL, "pnrd", false, ""},
        {"service uninstall", DAEMON_SERVICE_UNINSTALL, "pnrd", false, ""},
        {"service uninstall --purge", DAEMON_SERVICE_UNINSTALL, "pnrd", true, ""},
        {"service start --name two", DAEMON_SERVICE_START, "two", false, ""},
        {"service stop --name=two-2_B", DAEMON_SERVICE_STOP, "two-2_B", false, ""},
        {"service status --pnrp-name", DAEMON_SERVICE_STATUS, "pnrpsvc", false, ""},
        {"service reload", DAEMON_SERVICE_RELOAD, "pnrd", false, ""},
        {"service --help", DAEMON_SERVICE_HELP, "pnrd", false, ""},
        {"service start --help", DAEMON_SERVICE_HELP, "pnrd", false, ""},
        {"service install --config /f --name two --lab", DAEMON_SERVICE_INSTALL, "two", false,
         " --config /f --lab"},
        {"service install --control tcp:127.0.0.1:70", DAEMON_SERVICE_INSTALL, "pnrd", false,
         " --control tcp:127.0.0.1:70"},
        {"service run --name pnrpsvc --state=/s", DAEMON_SERVICE_RUN, "pnrpsvc", false,
         " --state=/s"},
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_service_options options;
        struct daemon_error why = {.text = ""};
        char kept[512] = "";
        if (!parse(rows[i].words, &options, &why))
            fail_msg("row %s: %s", rows[i].words, why.text);
        assert_string_equal(options.words[0], "pnrd");
        assert_null(options.words[options.word_count]);
        for (int j = 1; j < options.word_count; j++)
            snprintf(kept + strlen(kept), sizeof kept - strlen(kept), " %s", options.words[j]);
        if (options.verb != rows[i].verb || strcmp(options.name, rows[i].name) != 0 ||
            options.purge != rows[i].purge || strcmp(kept, rows[i].kept) != 0)
            fail_msg("row %s: verb %d, name %s, kept%s", rows[i].words, options.verb, options.name,
                     kept);
    }
}

// As many words as there may be, and one more.
static void test_many(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct daemon_service_options options;
        struct daemon_error why = {.text = ""};
        char words[512] = "service install";
        for (int i = 0; i < DAEMON_SERVICE_OPTIONS_WORDS_MAX + more; i++)
            snprintf(words + strlen(words), sizeof words - strlen(words), " --lab");
        assert_int_equal(parse(words, &options, &why), !more);
        if (more)
            assert_string_equal(why.text, "more than 64 words");
    }
}

static void test_others(void **state)
{
    char *none[] = {"pnrd", NULL};
    char *option[] = {"pnrd", "--lab", "service", NULL};
    (void)state;
    assert_false(daemon_service_options_are(1, none));
    assert_false(daemon_service_options_are(3, option));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_others),
    };
    return unit_run(tests);
}
