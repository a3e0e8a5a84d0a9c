// SPDX-License-Identifier: MIT
#include "node/daemon/options.h"

#include "dht/addr.h"
#include "node/daemon/paths.h"
#include "tests/daemon/words_helper.h"

#include <unistd.h>

static bool parse(const char *words, struct daemon_options *ret_options,
                  struct daemon_error *ret_error)
{
    struct words *all = words_of(words);
    return daemon_options_parse(all->argc, all->argv, ret_options, ret_error);
}

// The same, with a configuration in which nothing stands before them.
static bool parse_bare(const char *words, struct daemon_options *ret_options)
{
    char all[512];
    unit_write(unit_path("bare"), "");
    snprintf(all, sizeof all, "--config %s %s", unit_path("bare"), words);
    return parse(all, ret_options, NULL);
}

static const struct bad_row {
    const char *words;
    const char *why;
} bad_rows[] = {
    {"--nonsense", "--nonsense is no option"},
    {"word", "word is no option"},
    {"--state", "--state needs a value"},
    {"--listen 1.2.3", "--listen 1.2.3"},
    {"--listen 1.2.3.4:5 --listen 1.2.3.4:6 --listen 1.2.3.4:7", "--listen 1.2.3.4:7"},
    {"--seed 12", "--seed 12"},
    {"--seed 000000000000000000000000000000000000000000000000000000000000000g", "--seed 0"},
    {"--wall-offset soon", "--wall-offset soon"},
    {"--testnet 0", "--testnet 0"},
    {"--testnet 3 --record file", "--record is of a node"},
    {"--record", "--record needs a value"},
    {"--testnet 10001", "--testnet 10001"},
    {"--testnet 3x", "--testnet 3x"},
    {"--port 65536", "--port 65536"},
    {"--control unix:", "--control unix:"},
    {"--control tcp:192.0.2.1:9000", "with the loopback address 127.0.0.1 as HOST"},
    {"--control tcp:0.0.0.0:9000", "with the loopback address 127.0.0.1 as HOST"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(bad_rows); i++) {
        struct daemon_options options;
        struct daemon_error why;
        if (parse(bad_rows[i].words, &options, &why))
            fail_msg("row %s: taken", bad_rows[i].words);
        unit_has(bad_rows[i].words, why.text, bad_rows[i].why);
    }
}

static const struct listen_row {
    const char *words;
    const char *addr;
} listen_rows[] = {
    {"--listen 127.0.0.1:3540", "127.0.0.1:3540"},
    {"--listen 127.0.0.1", "127.0.0.1:0"},
    {"--listen ::1", "[::1]:0"},
    {"--listen [::1]:7", "[::1]:7"},
};

static void test_listen(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(listen_rows); i++) {
        const struct listen_row *row = &listen_rows[i];
        struct daemon_options options;
        char text[DHT_ADDR_TEXT_MAX] = "";
        if (!parse(row->words, &options, NULL) || options.listen.count != 1)
            fail_msg("row %s: not taken", row->words);
        dht_addr_to_text(&options.listen.list[0], text);
        if (strcmp(text, row->addr) != 0)
            fail_msg("row %s: %s", row->words, text);
    }
}

static void test_values(void **state)
{
    struct daemon_options options;
    (void)state;
    assert_true(parse("--testnet 20 --port 4000 --public --unlimited --wall-offset -60 --seed "
                      "0102030405060708091011121314151617181920212223242526272829303aFf",
                      &options, NULL));
    assert_int_equal(options.action, DAEMON_OPTIONS_TESTNET);
    assert_int_equal(options.testnet_nodes, 20);
    assert_int_equal(options.testnet_port, 4000);
    assert_true(options.is_public && options.unlimited && options.has_seed && !options.lab);
    assert_int_equal(options.wall_offset_us, -60000000);
    assert_int_equal(options.seed[0], 1);
    assert_int_equal(options.seed[31], 0xff);
    assert_true(parse("--record file", &options, NULL));
    assert_string_equal(options.record_path, "file");
    assert_true(parse("--dump-config", &options, NULL));
    assert_int_equal(options.action, DAEMON_OPTIONS_DUMP_CONFIG);
    assert_true(parse("", &options, NULL));
    assert_int_equal(options.action, DAEMON_OPTIONS_RUN);
}

// A path as the system names it in whole.
static const char *whole(const char *path)
{
    static char text[UNIT_PATH_MAX];
    struct daemon_error why;
    assert_true(daemon_paths_make_absolute(path, text, sizeof text, &why));
    return text;
}

static void ignore(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

// Options go before the file, and the file before the defaults.
static void test_config(void **state)
{
    struct daemon_options options;
    struct daemon_config config;
    struct control_address controls[DAEMON_OPTIONS_CONTROLS_MAX];
    char words[400];
    (void)state;
    unit_write(unit_path("conf"),
               "[node]\nstate-dir = /one\nlog-level = warn\ncontrol = unix:/a, unix:/b\n");
    snprintf(words, sizeof words,
             "--config %s --state /two --lab --bootstrap a.example:1 --listen 10.0.0.1:9",
             unit_path("conf"));
    assert_true(parse(words, &options, NULL));
    assert_true(daemon_options_config(&options, ignore, NULL, &config, NULL));
    assert_string_equal(config.state_dir.text, whole("/two"));
    assert_int_equal(config.log_level, 1); // warn, of the file
    assert_int_equal(config.clouds[0].bootstrap.count, 1);
    assert_string_equal(config.clouds[0].bootstrap.list[0].host, "a.example");
    assert_int_equal(config.clouds[0].listen.list[0].port, 9);
    assert_true(daemon_config_cloud_is_lab(&config.clouds[0]));
    assert_int_equal(daemon_options_controls(&options, &config, controls), 2);
    assert_string_equal(controls[1].path, "/b");
    options.control_count = 1;
    assert_true(control_address_parse("unix:/c", &options.controls[0]));
    assert_int_equal(daemon_options_controls(&options, &config, controls), 1);
    assert_string_equal(controls[0].path, "/c");
}

static void test_bad_config(void **state)
{
    struct daemon_options options;
    struct daemon_config config;
    struct daemon_error why;
    char words[200];
    (void)state;
    unit_write(unit_path("conf"), "[node]\nnonsense = 1\n");
    snprintf(words, sizeof words, "--config %s", unit_path("conf"));
    assert_true(parse(words, &options, NULL));
    assert_false(daemon_options_config(&options, ignore, NULL, &config, &why));
    unit_has("file", why.text, "is not used");
    assert_true(parse_bare("--log loud", &options));
    assert_false(daemon_options_config(&options, ignore, NULL, &config, &why));
    unit_has("log", why.text, "log-level");
    assert_true(parse_bare("--listen 127.0.0.1:1 --listen 127.0.0.1:2", &options));
    assert_false(daemon_options_config(&options, ignore, NULL, &config, &why));
    unit_has("listen", why.text, "two addresses of one family");
}

// A fixed port has its file in a state directory that is not the default one; there is one at most.
static void test_port(void **state)
{
    struct daemon_options options;
    struct daemon_config config;
    struct control_address controls[DAEMON_OPTIONS_CONTROLS_MAX];
    struct daemon_error why;
    char file[UNIT_PATH_MAX + 24];
    (void)state;
    assert_true(parse_bare("--state /two --control tcp:127.0.0.1:9000 --control /s", &options));
    assert_true(daemon_options_config(&options, ignore, NULL, &config, NULL));
    assert_int_equal(daemon_options_controls(&options, &config, controls), 2);
    assert_int_equal(controls[0].port, 9000);
    snprintf(file, sizeof file, "%s/control.rendezvous", whole("/two"));
    assert_string_equal(controls[0].path, file);
    assert_string_equal(controls[1].path, "/s");
    assert_true(parse_bare("--set node.control=tcp:127.0.0.1:1,tcp:localhost:2", &options));
    assert_false(daemon_options_config(&options, ignore, NULL, &config, &why));
    unit_has("two", why.text, "more than one control address");
}

// A relative state directory becomes an absolute one, or is refused where that is too long.
static void test_relative_state(void **state)
{
    struct daemon_options options;
    struct daemon_config config;
    struct daemon_error why;
    char here[4096];
    char words[400];
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(unit_dir), 0);
    assert_true(parse_bare("--state some/dir", &options));
    bool ok = daemon_options_config(&options, ignore, NULL, &config, NULL);
    assert_int_equal(chdir(here), 0);
    assert_true(ok);
    assert_string_equal(config.state_dir.text, whole(unit_path("some/dir")));
    snprintf(words, sizeof words, "--state %0*d", DAEMON_CONFIG_TEXT_MAX - 1, 0);
    assert_true(parse_bare(words, &options));
    assert_false(daemon_options_config(&options, ignore, NULL, &config, &why));
    unit_has("long", why.text, "too long");
}

static const struct set_row {
    const char *setting;
    const char *wanted; // part of the report; NULL: taken
} set_rows[] = {
    {"node.keys-max=7", NULL},
    {"publish.ttl=1h", NULL},
    {"cloud.role=client", NULL},
    {"cloud Global_.role=client", NULL},
    {"cloud lab.net.listen=127.0.0.1:9", NULL},
    {"cloud.bootstrap=", NULL},
    {"node.keys-max", "--set node.keys-max: no setting: expected SECTION.KEY=VALUE"},
    {"keys-max=7", "--set keys-max=7: no setting: expected SECTION.KEY=VALUE"},
    {"=", "no setting"},
    {"", "no setting"},
    {".=1", "no setting"},
    {"node.keys-max=0", "--set node.keys-max=0: keys-max: \"0\" does not fit: expected a number, "
                        "from 1 to 100000"},
    {"node.=1", "unknown key : expected one of state-dir"},
    {"node.nonsense=1", "unknown key nonsense: expected one of state-dir"},
    {"nodes.keys-max=1", "unknown section [nodes]: expected [node], [publish] or [cloud NAME]"},
    {"cloud a/b.role=client", "is no name of a cloud"},
    {"cloud lab.role=client", "the options: cloud lab listens nowhere"},
    {"cloud.role=\x1b[2J", "no setting"},
};

static void keep_text(void *ctx, const char *text)
{
    snprintf(ctx, 2048, "%s", text);
}

static void test_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(set_rows); i++) {
        const struct set_row *row = &set_rows[i];
        struct daemon_options options;
        struct daemon_config config;
        char told[2048] = "";
        assert_true(parse_bare("", &options));
        options.config_path = NULL;
        options.settings.list[options.settings.count++] = row->setting;
        bool ok = daemon_options_config(&options, keep_text, told, &config, NULL);
        if (ok != (row->wanted == NULL))
            fail_msg("row %s: %s", row->setting, ok ? "taken" : told);
        if (!ok)
            unit_has(row->setting, told, row->wanted);
    }
}

// The last setting counts, all go before the file, and the other options before them.
static void test_set_order(void **state)
{
    struct daemon_options options;
    struct daemon_config config;
    char words[400];
    (void)state;
    unit_write(unit_path("conf"),
               "[node]\nkeys-max = 3\ncache-max = 4\n[cloud Global_]\nbootstrap = a:1\n"
               "[cloud lab]\nlisten = 127.0.0.1:9\n");
    snprintf(
        words, sizeof words,
        "--config %s --set node.keys-max=5 --set node.keys-max=6 --set cloud.bootstrap=b:2,c:3 "
        "--set node.log-level=debug --log warn --read-only",
        unit_path("conf"));
    assert_true(parse(words, &options, NULL));
    assert_true(daemon_options_config(&options, ignore, NULL, &config, NULL));
    assert_int_equal(config.keys_max, 6);
    assert_int_equal(config.cache_max, 4);
    assert_int_equal(config.log_level, 1); // warn
    assert_int_equal(config.clouds[0].bootstrap.count, 2);
    assert_string_equal(config.clouds[0].bootstrap.list[0].host, "b");
    assert_int_equal(config.cloud_count, 2);
    assert_int_equal(config.clouds[0].role, DHT_ROLE_CLIENT);
    assert_int_equal(config.clouds[1].role, DHT_ROLE_CLIENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_listen),
        cmocka_unit_test(test_values),
        cmocka_unit_test_setup_teardown(test_set, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_relative_state, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_port, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_set_order, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_config, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_bad_config, unit_dir_make, unit_dir_remove),
    };
    return unit_run(tests);
}
