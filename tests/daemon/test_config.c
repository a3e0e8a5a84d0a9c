// SPDX-License-Identifier: MIT
#include "tests/daemon/config_helper.h"

#include "node/daemon/log.h"
#include "node/daemon/paths.h"

static void test_table(void **state)
{
    (void)state;
    struct daemon_config config;
    char path[DAEMON_PATHS_MAX];
    daemon_config_init(&config); // asserts that each default fits its own type and bounds
    for (size_t i = 0; i < daemon_config_key_count; i++) {
        const struct daemon_config_key *key = &daemon_config_keys[i];
        if (daemon_config_key_find(key->section, key->name) != key)
            fail_msg("row %s: twice", key->name);
        const char *standard = daemon_paths_standard(key->standard, path);
        if (strcmp(value_of(&config, key->section, key->name, 0), standard) != 0)
            fail_msg("row %s: the default is %s, not %s", key->name,
                     value_of(&config, key->section, key->name, 0), standard);
        if (key->what[strlen(key->what) - 1] != '.')
            fail_msg("row %s: what has no end", key->name);
    }
    assert_int_equal(config.log_level, DAEMON_LOG_INFO);
    assert_int_equal(config.clouds[0].role, DHT_ROLE_AUTO);
    assert_int_equal(config.clouds[0].lab, DAEMON_CONFIG_LAB_AUTO);
    assert_true(config.clouds[0].enabled);
    assert_string_equal(config.clouds[0].name, "Global_");
}

static const struct value_row {
    const char *section;
    const char *key;
    const char *value;
    const char *wanted; // NULL: refused
} value_rows[] = {
    {"node", "state-dir", "/srv/pnr", "/srv/pnr"},
    {"node", "state-dir", "/srv/p n r", "/srv/p n r"},
    {"node", "state-dir", "srv", NULL},
    {"node", "state-dir", "", NULL},
    {"node", "keys-dir", "", ""},
    {"node", "control", "", ""},
    {"node", "control", "unix:/a tcp:/b", "unix:/a, tcp:/b"},
    {"node", "control", "/a", "/a"},
    {"node", "control", "unix:a", NULL},
    {"node", "control", "tcp:127.0.0.1:9", "tcp:127.0.0.1:9"},
    {"node", "control", "tcp:192.0.2.1:9", NULL},
    {"node", "control",
     "unix:/23456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/"
     "123456789/1234567890",
     NULL},
    {"node", "control", "/a,/b,/c,/d,/e", NULL},
    {"node", "control-group", "pnr-admins", "pnr-admins"},
    {"node", "control-group", "a b", NULL},
    {"node", "log-level", "debug", "debug"},
    {"node", "log-level", "Debug", NULL},
    {"node", "log-level", "", NULL},
    {"node", "keys-max", "1", "1"},
    {"node", "keys-max", "0", NULL},
    {"node", "keys-max", "100001", NULL},
    {"node", "keys-max", "-1", NULL},
    {"node", "keys-max", "1K", NULL},
    {"node", "keys-max", "9999999999999999999", NULL},
    {"node", "client-bytes-max", "1048576", "1M"},
    {"node", "client-bytes-max", "65537", "65537"},
    {"node", "client-bytes-max", "65k", "65K"},
    {"node", "client-bytes-max", "1G", "1G"},
    {"node", "client-bytes-max", "2G", NULL},
    {"node", "client-bytes-max", "63K", NULL},
    {"node", "cache-max", "0", "0"},
    {"node", "snapshot", "0", "0s"},
    {"node", "snapshot", "0s", "0s"},
    {"node", "client-bytes-max", "1 M", NULL},
    {"node", "client-bytes-max", "1MB", NULL},
    {"node", "client-bytes-max", "999999999999999999G", NULL},
    {"publish", "ttl", "300s", "5m"},
    {"publish", "ttl", "90m", "90m"},
    {"publish", "ttl", "2H", "2h"},
    {"publish", "ttl", "301s", "301s"},
    {"publish", "ttl", "299s", NULL},
    {"publish", "ttl", "600", NULL},
    {"publish", "ttl", "1d", NULL},
    {"publish", "ttl", "h", NULL},
    {"cloud", "enabled", "no", "no"},
    {"cloud", "enabled", "0", NULL},
    {"cloud", "listen", "127.0.0.1:0", "127.0.0.1:0"},
    {"cloud", "listen", "[::1]:5,10.0.0.1:6", "[::1]:5, 10.0.0.1:6"},
    {"cloud", "listen", "10.0.0.1:6 10.0.0.2:6", NULL},
    {"cloud", "listen", "localhost:6", NULL},
    {"cloud", "listen", "10.0.0.1", NULL},
    {"cloud", "listen", "::1:5", NULL},
    {"cloud", "bootstrap", "", ""},
    {"cloud", "bootstrap", "a.example:1, 192.0.2.1:2 ,[2001:db8::1]:3,",
     "a.example:1, 192.0.2.1:2, [2001:db8::1]:3"},
    {"cloud", "bootstrap", "a.example", NULL},
    {"cloud", "bootstrap", "a.example:0", NULL},
    {"cloud", "bootstrap", "a.example:65536", NULL},
    {"cloud", "bootstrap", "a.example:1x", NULL},
    {"cloud", "bootstrap", ":1", NULL},
    {"cloud", "bootstrap", "2001:db8::1:3", NULL},
    {"cloud", "bootstrap", "[x]:3", NULL},
    {"cloud", "bootstrap", "a/b:3", NULL},
    {"cloud", "role", "client", "client"},
    {"cloud", "lookup-width", "33", NULL},
    {"cloud", "scope", "site", "site"},
    {"cloud", "scope", "planet", NULL},
    {"cloud", "families", "ipv6", "ipv6"},
    {"cloud", "families", "ipv5", NULL},
    {"cloud", "port", "65536", NULL},
    {"cloud", "interface", "eth0", "eth0"},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(value_rows); i++) {
        struct daemon_config config;
        char errors[8192];
        char text[512];
        snprintf(text, sizeof text, "[%s%s]\n%s = %s\n", value_rows[i].section,
                 strcmp(value_rows[i].section, "cloud") == 0 ? " Global_" : "", value_rows[i].key,
                 value_rows[i].value);
        bool ok = read_text(text, &config, errors);
        if (ok != (value_rows[i].wanted != NULL))
            fail_msg("row %s = %s: %s", value_rows[i].key, value_rows[i].value,
                     ok ? "taken" : errors);
        if (ok && strcmp(value_of(&config, value_rows[i].section, value_rows[i].key, 0),
                         value_rows[i].wanted) != 0)
            fail_msg("row %s = %s: became %s", value_rows[i].key, value_rows[i].value,
                     value_of(&config, value_rows[i].section, value_rows[i].key, 0));
        if (!ok) {
            unit_has(value_rows[i].value, errors, "pnr.conf:2: ");
            unit_has(value_rows[i].value, errors, value_rows[i].key);
            unit_has(value_rows[i].value, errors, ": expected ");
        }
    }
}

static const struct file_row {
    const char *name;
    const char *text;
    const char *wanted; // part of the reports; NULL: the file is good
} file_rows[] = {
    {"empty", "", NULL},
    {"comments", "# a\n; b\n\n[node]\n# c\nlog-level = warn ; d\n", NULL},
    {"byte order mark", "\xef\xbb\xbf[node]\nlog-level = warn\n", NULL},
    {"line ends of DOS", "[node]\r\nlog-level = warn\r\n", NULL},
    {"no last line end", "[node]\nlog-level = warn", NULL},
    {"colon", "[node]\nlog-level: warn\n", NULL},
    {"a section twice", "[node]\nlog-level = warn\n[node]\nkeys-max = 5\n", NULL},
    {"list on several lines",
     "[cloud Global_]\nbootstrap = a.example:1,\n  b.example:2\n\tc.example:3\n", NULL},
    {"unknown key", "[node]\n\nlog_level = warn\n",
     "pnr.conf:3: unknown key log_level: expected one of state-dir, keys-dir, control,"},
    {"key of another section", "[publish]\nlisten = 1.2.3.4:5\n",
     "pnr.conf:2: unknown key listen: expected one of ttl, renew, lifetime"},
    {"unknown section", "[nodes]\nlog-level = warn\n",
     "pnr.conf:2: unknown section [nodes]: expected [node], [publish] or [cloud NAME]"},
    {"no section", "log-level = warn\n", "pnr.conf:1: unknown section []"},
    {"no key", "[node]\nlog-level\n", "pnr.conf:2: neither a section nor a key: expected"},
    {"open section", "[node\n", "pnr.conf:1: neither a section nor a key"},
    {"key twice", "[node]\nlog-level = warn\nlog-level = warn\n",
     "pnr.conf:3: log-level is given twice"},
    {"key twice over sections", "[node]\nkeys-max = 1\n[publish]\n[node]\nkeys-max = 1\n",
     "pnr.conf:5: keys-max is given twice"},
    {"list twice", "[cloud Global_]\nbootstrap = a:1\nbootstrap = b:2\n", "given twice"},
    {"indented, no list", "[node]\nlog-level = warn\n  keys-max = 5\n",
     "pnr.conf:3: an indented line goes on with log-level, which is no list"},
    {"indented, bad element", "[cloud Global_]\nbootstrap = a:1\n  b\n",
     "pnr.conf:3: bootstrap: \"b\" does not fit"},
    {"control character", "[node]\nstate-dir = /a\x1b[2J\n", "pnr.conf:2: a control character"},
    {"bad cloud name", "[cloud a/b]\nrole = auto\n", "is no name of a cloud"},
    {"no cloud name", "[cloud ]\nrole = auto\n", "is no name of a cloud"},
    {"long cloud name", "[cloud abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJK]\nrole = auto\n",
     "is no name of a cloud"},
    {"cloud without an address", "[cloud lab]\nlab = yes\n",
     "pnr.conf:2: cloud lab listens nowhere"},
    {"disabled cloud without an address", "[cloud lab]\nenabled = no\n", NULL},
    {"same address", "\n[cloud lab]\nlisten = 0.0.0.0:3540\n",
     "pnr.conf:3: clouds Global_ and lab listen at the same address"},
    {"same address, one disabled",
     "[cloud lab]\nlisten = 0.0.0.0:3540\n[cloud Global_]\nenabled = no\n", NULL},
    {"too many clouds",
#define OFF(name) "[cloud " name "]\nenabled=no\n"
#define OFFS(name)                                                                                 \
    OFF(name "1")                                                                                  \
    OFF(name "2")                                                                                  \
    OFF(name "3") OFF(name "4") OFF(name "5") OFF(name "6") OFF(name "7") OFF(name "8")
     OFFS("a") OFFS("b") OFFS("c") OFFS("d"), "pnr.conf:64: too many clouds"},
    {"a port alone", "[cloud lab]\nport = 4000\n", NULL},
    {"a port alone, the same as another's", "[cloud lab]\nport = 3540\n",
     "clouds Global_ and lab listen at the same address"},
    {"families that leave nothing", "[cloud lab]\nlisten = 0.0.0.0:4000\nfamilies = ipv6\n",
     "cloud lab listens nowhere"},
    {"families that leave one", "[cloud lab]\nport = 4000\nfamilies = ipv6\n", NULL},
    {"a link", "[cloud lan]\nscope = link\ninterface = eth0\n", NULL},
    {"all links", "[cloud lan]\nscope = link\nfamilies = ipv6\nport = 3540\n", NULL},
    {"a link with an address", "[cloud lan]\nscope = link\nlisten = 10.0.0.1:1\n",
     "pnr.conf:2: cloud lan is of a link"},
    {"a link with bootstrap", "[cloud lan]\nscope = link\nbootstrap = a:1\n",
     "cloud lan is of a link"},
};

static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(file_rows); i++) {
        struct daemon_config config;
        char errors[8192];
        memset(&config, 0x5a, sizeof config);
        bool ok = read_text(file_rows[i].text, &config, errors);
        if (ok != (file_rows[i].wanted == NULL))
            fail_msg("row %s: %s", file_rows[i].name, ok ? "taken" : errors);
        if (!ok)
            unit_has(file_rows[i].name, errors, file_rows[i].wanted);
        if (!ok) // untouched
            assert_int_equal(config.state_dir.text[0], 0x5a);
    }
}

// What only follows from a bad line is not told as well.
static void test_no_consequences(void **state)
{
    struct daemon_config config;
    char errors[8192];
    (void)state;
    assert_false(read_text("[cloud Global_]\nlisten = nowhere\n", &config, errors));
    unit_has("the bad line", errors, "pnr.conf:2: listen: \"nowhere\" does not fit");
    assert_null(strstr(errors, "listens nowhere"));
    assert_ptr_equal(strchr(errors, '\n'), errors + strlen(errors) - 1);
    assert_false(read_text("\n[cloud Global_]\nlisten =\n", &config, errors));
    assert_string_equal(errors, "pnr.conf:3: cloud Global_ listens nowhere: expected listen = "
                                "ADDRESS:PORT\n");
}

static void test_lists_and_clouds(void **state)
{
    (void)state;
    struct daemon_config config;
    char errors[8192];
    assert_true(read_text("[cloud lab]\nlisten = 127.0.0.1:4000\nlab = yes\n"
                          "[cloud Global_]\nbootstrap = a.example:1,\n  b.example:2\n"
                          "\tc.example:3 [2001:db8::1]:4\n"
                          "[cloud lab]\nstore-width = 3\n",
                          &config, errors));
    assert_int_equal(config.cloud_count, 2);
    assert_string_equal(config.clouds[1].name, "lab");
    assert_string_equal(value_of(&config, "cloud", "bootstrap", 0),
                        "a.example:1, b.example:2, c.example:3, [2001:db8::1]:4");
    assert_string_equal(value_of(&config, "cloud", "bootstrap", 1), "");
    assert_int_equal(config.clouds[1].store_width, 3);
    assert_int_equal(config.clouds[0].store_width, 20);
}

// A line of 197 bytes is taken with any line end; a longer one is not cut in two.
static void test_line_length(void **state)
{
    (void)state;
    static const struct row {
        const char *name;
        size_t len;
        const char *end;
        bool ok;
    } rows[] = {
        {"longest", 197, "\n", true},         {"longest, DOS", 197, "\r\n", true},
        {"longest, no end", 197, "", true},   {"too long", 199, "\n", false},
        {"too long, no end", 200, "", false},
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_config config;
        char errors[8192];
        char text[256] = "";
        memset(text, '#', rows[i].len);
        snprintf(text + rows[i].len, 32, "%s[node]\nx = 1\n", rows[i].end);
        if (rows[i].end[0] == '\0')
            text[rows[i].len] = '\0';
        bool ok = read_text(text, &config, errors);
        bool too_long = strstr(errors, "pnr.conf:1: the line is too long") != NULL;
        if (too_long == rows[i].ok)
            fail_msg("row %s: %s", rows[i].name, errors);
        if (rows[i].end[0] != '\0') // the lines after it keep their numbers
            unit_has(rows[i].name, errors, "pnr.conf:3: unknown key x");
        assert_int_equal(ok, rows[i].ok && rows[i].end[0] == '\0');
    }
}

static void test_nul_and_many_errors(void **state)
{
    (void)state;
    static const char nul[] = "[node]\nstate-dir = /a\0b";
    static char many[4096];
    struct daemon_config config;
    char errors[8192];
    assert_false(read_bytes(nul, sizeof nul - 1, &config, errors));
    unit_has("NUL", errors, "pnr.conf:2: a control character");
    strcat(many, "[node]\n");
    for (int i = 0; i < 50; i++)
        strcat(many, "x = 1\n");
    assert_false(read_text(many, &config, errors));
    size_t lines = 0;
    for (const char *at = errors; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, DAEMON_CONFIG_ERRORS_MAX);
    errors[0] = '\0';
    assert_false(daemon_config_read("/nowhere/pnr.conf", &config, append_text, errors));
    unit_has("no file", errors, "/nowhere/pnr.conf: cannot be opened");
}

static void dump(const struct daemon_config *config, char *out, size_t out_len)
{
    struct daemon_error why;
    FILE *stream = daemon_file_create(unit_path("dump"), &why);
    assert_non_null(stream);
    daemon_config_dump(config, stream);
    assert_int_equal(ferror(stream), 0);
    fclose(stream);
    unit_read(unit_path("dump"), out, out_len);
    daemon_file_remove(unit_path("dump"));
}

// What is dumped reads back as the same, and dumps as the same.
static void test_dump(void **state)
{
    (void)state;
    static char host[DAEMON_CONFIG_TEXT_MAX];
    static char first[65536];
    static char second[65536];
    static char changed[8192];
    char errors[8192];
    char path[DAEMON_PATHS_MAX];
    char text[DAEMON_PATHS_MAX + 16];
    struct daemon_config config;
    daemon_config_init(&config);
    dump(&config, first, sizeof first);
    assert_true(read_text(first, &config, errors));
    dump(&config, second, sizeof second);
    assert_string_equal(first, second);
    snprintf(text, sizeof text, "\nstate-dir = %s\n", daemon_paths_standard("/var/lib/pnr", path));
    unit_has("dump", first, text);
    unit_has("dump", first, "\n# Where publications, sequence numbers");

    memset(host, 'h', sizeof host - 1); // the longest values that fit
    snprintf(changed, sizeof changed,
             "[node]\nstate-dir = /%.158s\ncontrol =\nlog-level = debug\n[publish]\nttl = 301s\n"
             "[cloud lab]\nlisten = [::1]:9\nlab = yes\nitems-bytes-max = 3G\n"
             "[cloud Global_]\nbootstrap = %s:65535\n  %s:1\n [2001:db8::1]:2\n",
             host, host, host);
    if (!read_text(changed, &config, errors))
        fail_msg("%s", errors);
    dump(&config, first, sizeof first);
    struct daemon_config again;
    if (!read_text(first, &again, errors))
        fail_msg("%s", errors);
    dump(&again, second, sizeof second);
    assert_string_equal(first, second);
    assert_int_equal(again.clouds[0].bootstrap.count, 3);
    assert_int_equal(again.control.count, 0);
    assert_int_equal(again.clouds[1].items_bytes_max, INT64_C(3) << 30);
}

static void test_reload(void **state)
{
    (void)state;
    struct daemon_config config;
    struct daemon_config fresh;
    char errors[8192];
    char told[8192] = "";
    char path[DAEMON_PATHS_MAX];
    daemon_config_init(&config);
    assert_true(read_text("[node]\nlog-level = debug\nstate-dir = /new\n[publish]\nttl = 1h\n"
                          "[cloud Global_]\nbootstrap = a:1\nrole = client\n"
                          "[cloud lab]\nlisten = 127.0.0.1:1\n",
                          &fresh, errors));
    daemon_config_reload(&config, &fresh, NULL, append_text, told);
    assert_string_equal(told, "node: state-dir\n");
    assert_string_equal(value_of(&config, "node", "log-level", 0), "debug");
    assert_string_equal(value_of(&config, "publish", "ttl", 0), "1h");
    assert_string_equal(value_of(&config, "cloud", "bootstrap", 0), "a:1");
    assert_string_equal(value_of(&config, "node", "state-dir", 0),
                        daemon_paths_standard("/var/lib/pnr", path));
    // Clouds may change, come and go.
    assert_string_equal(value_of(&config, "cloud", "role", 0), "client");
    assert_int_equal(config.cloud_count, 2);
    told[0] = '\0';
    daemon_config_init(&config);
    daemon_config_reload(&config, &fresh, append_text, NULL, told);
    assert_string_equal(told, "node: log-level\npublish: ttl\ncloud Global_: bootstrap\n"
                              "cloud Global_: role\ncloud lab\n");
    struct daemon_config other = config;
    assert_true(daemon_config_cloud_equal(&other.clouds[0], &config.clouds[0]));
    other.clouds[0].bootstrap.count = 0; // does not count
    assert_true(daemon_config_cloud_equal(&other.clouds[0], &config.clouds[0]));
    other.clouds[0].items_max++;
    assert_false(daemon_config_cloud_equal(&other.clouds[0], &config.clouds[0]));
    told[0] = '\0';
    daemon_config_reload(&config, &config, append_text, append_text, told);
    assert_string_equal(told, "");
}

static void test_lab(void **state)
{
    (void)state;
    static const struct row {
        const char *name;
        const char *lines;
        bool lab;
    } rows[] = {
        {"the public network", "", false},
        {"loopback", "listen = 127.0.0.1:1\nbootstrap =\n", true},
        {"loopback, local hosts", "listen = [::1]:1\nbootstrap = 127.0.0.1:2 [::1]:3\n", true},
        {"loopback, whoever is asked", "listen = 127.0.0.1:1 [::1]:1\n", true},
        {"loopback of one family", "listen = 127.0.0.1:1 [2001:db8::1]:1\n", false},
        {"private, localhost", "listen = 10.0.0.1:1\nbootstrap = localhost:2\n", true},
        {"private, behind a router", "listen = 192.168.1.5:3540\n", false},
        {"private, public host", "listen = 10.0.0.1:1\nbootstrap = 8.8.8.8:1\n", false},
        {"private, a name", "listen = 10.0.0.1:1\nbootstrap = ten.example:1\n", false},
        {"wildcard", "listen = 0.0.0.0:1\nbootstrap = 10.0.0.1:1\n", false},
        {"public address", "listen = 8.8.8.8:1\nbootstrap =\n", false},
        {"asked for", "listen = 8.8.8.8:1\nlab = yes\n", true},
        {"asked not to", "listen = 127.0.0.1:1\nbootstrap =\nlab = no\n", false},
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_config config;
        struct dht_config engine = {.items_max = 1};
        char text[256];
        char errors[8192];
        snprintf(text, sizeof text, "[cloud Global_]\n%s", rows[i].lines);
        if (!read_text(text, &config, errors))
            fail_msg("row %s: %s", rows[i].name, errors);
        daemon_config_cloud_apply(&config.clouds[0], &engine);
        if (engine.lab != rows[i].lab)
            fail_msg("row %s", rows[i].name);
        assert_int_equal(engine.items_max, 100000);
        assert_int_equal(engine.item_lifetime_us, INT64_C(7200000000));
    }
}

// Who listens on loopback alone does not ask the internet, but asks whom the file names.
static void test_hosts(void **state)
{
    (void)state;
    static const struct row {
        const char *name;
        const char *lines;
        size_t count;
    } rows[] = {
        {"the default", "", 6},
        {"loopback", "listen = 127.0.0.1:1\n", 0},
        {"loopback of both", "listen = 127.0.0.9:1 [::1]:1\n", 0},
        {"loopback, hosts of the file", "listen = 127.0.0.1:1\nbootstrap = a.example:1\n", 1},
        {"private", "listen = 10.0.0.1:1\n", 6},
        {"loopback of one family", "listen = 127.0.0.1:1 [2001:db8::1]:1\n", 6},
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_config config;
        struct daemon_config_hosts hosts;
        char text[256];
        char errors[8192];
        snprintf(text, sizeof text, "[cloud Global_]\n%s", rows[i].lines);
        if (!read_text(text, &config, errors))
            fail_msg("row %s: %s", rows[i].name, errors);
        daemon_config_cloud_hosts(&config.clouds[0], &hosts);
        if (hosts.count != rows[i].count)
            fail_msg("row %s: %zu", rows[i].name, hosts.count);
    }
}

static void no_sha(void *ctx, const struct dht_span *parts, size_t part_count, uint8_t *ret_digest)
{
    (void)ctx;
    (void)parts;
    (void)part_count;
    (void)ret_digest;
}

// Whether the engine takes what a key's bound makes of its configuration.
static bool engine_takes(const struct daemon_config_key *key, int64_t bound)
{
    struct daemon_config config;
    struct dht_config engine;
    struct dht_crypto crypto = {.sha1 = no_sha, .sha256 = no_sha};
    static const uint8_t seed[32] = {1};
    daemon_config_init(&config);
    memcpy((char *)&config.clouds[0] + key->offset, &bound, sizeof bound);
    dht_config_init(&engine, DHT_IPV4);
    daemon_config_cloud_apply(&config.clouds[0], &engine);
    struct dht *dht = dht_new(&engine, &crypto, seed, 0);
    dht_free(dht);
    return dht != NULL;
}

// Whatever the table allows is a configuration that the engine takes.
static void test_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < daemon_config_key_count; i++) {
        const struct daemon_config_key *key = &daemon_config_keys[i];
        if (strcmp(key->section, "cloud") != 0 || key->type < DAEMON_CONFIG_COUNT)
            continue;
        if (!engine_takes(key, key->min) || !engine_takes(key, key->max))
            fail_msg("row %s: allowed, and refused by the engine", key->name);
    }
}

// The defaults told here are the ones that the brain and its engine have by themselves.
static void test_defaults_agree(void **state)
{
    (void)state;
    struct daemon_config config;
    struct dht_config own;
    struct dht_config engine;
    struct node_config node;
    struct node_config brain;
    daemon_config_init(&config);
    dht_config_init(&own, DHT_IPV4);
    memcpy(&engine, &own, sizeof engine); // with its padding
    daemon_config_cloud_apply(&config.clouds[0], &engine);
    assert_memory_equal(&engine, &own, sizeof engine);
    memset(&node, 0, sizeof node);
    node_config_init(&brain);
    daemon_config_node_apply(&config, &node);
    assert_int_equal(node.sessions_max, brain.sessions_max);
    assert_int_equal(node.session_out_max, brain.session_out_max);
    assert_int_equal(node.requests_max, brain.requests_max);
    assert_int_equal(node.resolves_max, brain.resolves_max);
    assert_int_equal(node.watches_max, brain.watches_max);
    assert_int_equal(node.publications_max, brain.publications_max);
    assert_int_equal(node.publishing_max, brain.publishing_max);
    assert_int_equal(node.keys_max, brain.keys_max);
    assert_int_equal(node.cache_max, brain.cache_max);
    assert_int_equal(node.negative_ttl_s, brain.negative_ttl_s);
    assert_int_equal(node.ttl_s, brain.ttl_s);
    assert_int_equal(node.renew_us, brain.renew_us);
    assert_int_equal(node.lifetime_us, brain.lifetime_us);
    assert_int_equal(node.snapshot_us, brain.snapshot_us);
    assert_int_equal(node.keep_items, brain.keep_items);
    // What the provider leaves room for (nsp/link.h).
    assert_int_equal(brain.requests_max, 256);
}

// docs/config.md says what the table says. To make it anew: test_daemon_config --docs
// >docs/config.md
static void test_docs(void **state)
{
    (void)state;
    static char wanted[65536];
    static char found[65536];
    struct daemon_error why;
    FILE *stream = daemon_file_create(unit_path("docs"), &why);
    assert_non_null(stream);
    daemon_config_print_docs(stream);
    fclose(stream);
    unit_read(unit_path("docs"), wanted, sizeof wanted);
    unit_read(PNR_SOURCE_DIR "/docs/config.md", found, sizeof found);
    assert_string_equal(found, wanted);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--docs") == 0) {
        daemon_config_print_docs(stdout);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        IN_DIR(test_table),       IN_DIR(test_values),
        IN_DIR(test_files),       IN_DIR(test_lists_and_clouds),
        IN_DIR(test_line_length), IN_DIR(test_nul_and_many_errors),
        IN_DIR(test_dump),        IN_DIR(test_reload),
        IN_DIR(test_lab),         IN_DIR(test_defaults_agree),
        IN_DIR(test_docs),        IN_DIR(test_no_consequences),
        IN_DIR(test_bounds),      IN_DIR(test_hosts),
    };
    return unit_run(tests);
}
