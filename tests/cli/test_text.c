// SPDX-License-Identifier: MIT
#include "node/cli/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

// ---- UTF-16 ----

struct wide {
    const char *name;
    const char *text;
    size_t units; // SIZE_MAX: refused
    const char *hex;
};

static const struct wide wides[] = {
    {"empty", "", 0, ""},
    {"ASCII", "ab", 2, "61006200"},
    {"two bytes", "\xc3\xa4", 1, "e400"},
    {"three bytes", "\xe2\x82\xac", 1, "ac20"},
    {"the last below the surrogates", "\xed\x9f\xbf", 1, "ffd7"},
    {"a pair", "\xf0\x9f\x92\xbb", 2, "3dd8bbdc"},
    {"the last code point", "\xf4\x8f\xbf\xbf", 2, "ffdbffdf"},
    {"past the last", "\xf4\x90\x80\x80", SIZE_MAX, NULL},
    {"a surrogate", "\xed\xa0\x80", SIZE_MAX, NULL},
    {"overlong", "\xc0\x80", SIZE_MAX, NULL},
    {"overlong, three bytes", "\xe0\x80\x80", SIZE_MAX, NULL},
    {"cut off", "a\xe2\x82", SIZE_MAX, NULL},
    {"a byte alone", "\x80", SIZE_MAX, NULL},
};

static void test_utf16(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(wides); i++) {
        const struct wide *row = &wides[i];
        uint8_t data[64];
        char hex[129];
        char back[64];
        size_t back_len;
        size_t units = cli_text_utf16_units(row->text, strlen(row->text));
        if (units != row->units) {
            fail_msg("%s: %zu units", row->name, units);
        }
        if (units == SIZE_MAX) {
            continue;
        }
        size_t len = cli_text_to_utf16(row->text, strlen(row->text), data);
        if (len != 2 * units || strcmp(cli_text_hex(data, len, hex), row->hex) != 0) {
            fail_msg("%s: written as %s", row->name, hex);
        }
        if (!cli_text_from_utf16(data, len, back, sizeof back, &back_len) ||
            back_len != strlen(row->text) || strcmp(back, row->text) != 0) {
            fail_msg("%s: read back wrong", row->name);
        }
    }
}

static const struct broken {
    const char *name;
    uint8_t data[4];
    size_t len;
    size_t room;
} brokens[] = {
    {"odd", {0x61, 0, 0x62}, 3, 64},
    {"a high surrogate at the end", {0x00, 0xd8}, 2, 64},
    {"a high surrogate and a letter", {0x00, 0xd8, 0x61, 0}, 4, 64},
    {"a low surrogate first", {0x00, 0xdc, 0x00, 0xd8}, 4, 64},
    {"no room for the NUL", {0x61, 0, 0x62, 0}, 4, 2},
};

static void test_broken_utf16(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(brokens); i++) {
        char text[64];
        size_t len;
        if (cli_text_from_utf16(brokens[i].data, brokens[i].len, text, brokens[i].room, &len)) {
            fail_msg("%s: taken", brokens[i].name);
        }
    }
}

static void test_comment(void **state)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklm"; // 39
    (void)state;
    uint8_t data[PNR_COMMENT_MAX];
    char why[CLI_TEXT_WHY_MAX];
    char text[64];
    size_t len = 0;
    assert_true(cli_text_comment(letters, data, &len, why));
    assert_int_equal(len, 78);
    snprintf(text, sizeof text, "%sn", letters);
    assert_false(cli_text_comment(text, data, &len, why));
    assert_string_equal(why, "the comment has 40 UTF-16 units, at most 39");
    // A pair counts as the two units that it is.
    snprintf(text, sizeof text, "%.38s\xf0\x9f\x92\xbb", letters);
    assert_false(cli_text_comment(text, data, &len, why));
    assert_false(cli_text_comment("\xff", data, &len, why));
    assert_string_equal(why, "the comment is not valid UTF-8");
}

// ---- endpoints ----

static const struct endpoint {
    const char *name;
    const char *typed;
    const char *canonical; // NULL: refused
} endpoints[] = {
    {"TCP", "tcp:192.0.2.7:443", "tcp:192.0.2.7:443"},
    {"UDP over IPv6", "udp:[2001:db8::1]:53", "udp:[2001:db8::1]:53"},
    {"bare", "192.0.2.7:443", "tcp:192.0.2.7:443"},
    {"bare IPv6", "[2001:db8:0:0::1]:443", "tcp:[2001:db8::1]:443"},
    {"a number", "132:192.0.2.7:9", "sctp:192.0.2.7:9"},
    {"a number without a name", "254:192.0.2.7:9", "254:192.0.2.7:9"},
    {"0", "0:192.0.2.7:9", "any:192.0.2.7:9"},
    {"any", "any:[::1]:9", "any:[::1]:9"},
    {"upper case", "TCP:192.0.2.7:443", "tcp:192.0.2.7:443"},
    {"port 0", "192.0.2.7:0", "tcp:192.0.2.7:0"},
    {"the last port", "192.0.2.7:65535", "tcp:192.0.2.7:65535"},
    {"mapped", "udp:[::ffff:192.0.2.7]:1", "udp:[::ffff:192.0.2.7]:1"},
    {"past the last port", "192.0.2.7:65536", NULL},
    {"no port", "192.0.2.7", NULL},
    {"an empty port", "192.0.2.7:", NULL},
    {"a signed port", "192.0.2.7:+1", NULL},
    {"words behind the port", "192.0.2.7:1x", NULL},
    {"IPv6 without brackets", "2001:db8::1:443", NULL},
    {"IPv4 in brackets", "[192.0.2.7]:443", NULL},
    {"an open bracket", "[2001:db8::1:443", NULL},
    {"a zone", "[fe80::1%eth0]:443", NULL},
    {"a host's name", "tcp:example.com:443", NULL},
    {"an unknown protocol", "quic:192.0.2.7:443", NULL},
    {"protocol 256", "256:192.0.2.7:443", NULL},
    {"a protocol alone", "tcp:", NULL},
    {"empty", "", NULL},
    {"an address too long", "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1", NULL},
};

static void test_scopes(void **state)
{
    (void)state;
    struct pnr_endpoint endpoint = {
        .ip = {0xfe, 0x80, [15] = 1}, .ip_len = 16, .proto = 6, .port = 443, .scope_id = 3};
    struct cli_text text;
    assert_string_equal(cli_text_endpoint(&endpoint, &text), "tcp:[fe80::1%3]:443");
    // The longest fits.
    memset(endpoint.ip + 2, 0xee, 14);
    endpoint.proto = 132;
    endpoint.port = 65535;
    endpoint.scope_id = UINT32_MAX;
    assert_string_equal(cli_text_endpoint(&endpoint, &text),
                        "sctp:[fe80:eeee:eeee:eeee:eeee:eeee:eeee:eeee%4294967295]:65535");
}

static void test_endpoints(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(endpoints); i++) {
        const struct endpoint *row = &endpoints[i];
        struct pnr_endpoint endpoint;
        struct pnr_endpoint again;
        struct cli_text text;
        char why[CLI_TEXT_WHY_MAX] = "";
        bool good = cli_text_parse_endpoint(row->typed, &endpoint, why);
        if (good != (row->canonical != NULL) || (!good && why[0] == '\0')) {
            fail_msg("%s: %s (%s)", row->name, good ? "taken" : "refused", why);
        }
        if (!good) {
            continue;
        }
        if (strcmp(cli_text_endpoint(&endpoint, &text), row->canonical) != 0) {
            fail_msg("%s: shown as %s", row->name, text.text);
        }
        if (!cli_text_parse_endpoint(text.text, &again, why) ||
            memcmp(&again, &endpoint, sizeof again) != 0) {
            fail_msg("%s: not read again", row->name);
        }
    }
}

// ---- names ----

static const struct label {
    const char *name;
    const char *label;
    bool good;
} labels[] = {
    {"letters", "laptop", true},
    {"all kinds", "a-0-z-9", true},
    {"00", "00", true},
    {"32 characters", "abcdefghijklmnopqrstuvwxyzabcdef", true},
    {"33 characters", "abcdefghijklmnopqrstuvwxyzabcdefg", false},
    {"empty", "", false},
    {"0", "0", false},
    {"upper case", "Laptop", false},
    {"a dot", "a.b", false},
    {"an underscore", "a_b", false},
    {"a key", "yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no", false},
    {"a short form", "0123456789abcdef0123456789abcdef01234567", false},
};

static void test_labels(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(labels); i++) {
        char why[CLI_TEXT_WHY_MAX] = "";
        bool good = cli_text_check_label(labels[i].label, why);
        if (good != labels[i].good || good != (why[0] == '\0')) {
            fail_msg("%s: %s (%s)", labels[i].name, good ? "taken" : "refused", why);
        }
    }
}

static const struct name {
    const char *name;
    const char *text;
    bool good;
    const char *shortened;
} names[] = {
    {"a label", "laptop", true, "laptop"},
    {"a label and a classifier", "laptop.web.x", true, "laptop.web.x"},
    {"a key", "yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no.web", true,
     "yg4gxe\xe2\x80\xa6r5no.web"},
    {"a short form", "0123456789abcdef0123456789abcdef01234567", true,
     "012345\xe2\x80\xa6"
     "4567"},
    {"a URI", "pk:yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no", true, NULL},
    {"unsecured", "0.printer", true, "0.printer"},
    {"unsecured, nothing behind", "0", true, "0"},
    {"no authority", ".web", false, NULL},
    {"empty", "", false, NULL},
    {"no label", "Lap top.web", false, NULL},
};

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(names); i++) {
        char why[CLI_TEXT_WHY_MAX] = "";
        char text[PNR_NAME_MAX];
        if (cli_text_check_name(names[i].text, why) != names[i].good) {
            fail_msg("%s: judged wrong (%s)", names[i].name, why);
        }
        if (names[i].shortened != NULL &&
            strcmp(cli_text_short_name(names[i].text, text), names[i].shortened) != 0) {
            fail_msg("%s: shortened to %s", names[i].name, text);
        }
    }
}

// ---- durations and counts ----

static const struct typed_duration {
    const char *text;
    uint32_t ms; // 0: refused
} typed_durations[] = {
    {"5", 5000},
    {"1.5", 1500},
    {"0.5s", 500},
    {"500ms", 500},
    {"2m", 120000},
    {"2min", 120000},
    {"1h", 3600000},
    {"1d", 86400000},
    {"7.25", 7250},
    {"1.", 1000},
    {"0", 0},
    {"", 0},
    {"-1", 0},
    {"+1", 0},
    {"1e3", 0},
    {"0x10", 0},
    {"1.2.3", 0},
    {".5", 0},
    {"5 s", 0},
    {"5x", 0},
    {"nan", 0},
    {"50d", 0},
    {"99999999999", 0},
    {"0.4ms", 0},
    {"4294967294ms", 4294967294u},
};

static void test_typed_durations(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(typed_durations); i++) {
        uint32_t ms = 0;
        bool good = cli_text_parse_duration(typed_durations[i].text, &ms);
        if (good != (typed_durations[i].ms != 0) || ms != typed_durations[i].ms) {
            fail_msg("'%s': %u ms", typed_durations[i].text, ms);
        }
    }
}

static const struct shown {
    int64_t number;
    const char *text;
} durations[] =
    {
        {-1, "?"},
        {0, "0 ms"},
        {40, "0.04 ms"},
        {400, "0.4 ms"},
        {142800, "143 ms"},
        {999499, "999 ms"},
        {1000000, "1 s"},
        {1234000, "1.2 s"},
        {42000000, "42 s"},
        {119000000, "119 s"},
        {120000000, "2 min"},
        {2820000000, "47 min"},
        {7200000000, "2 h"},
        {11520000000, "3 h 12 min"},
        {187200000000, "2 d 4 h"},
        {864000000000, "10 d"},
},
  counts[] = {
      {0, "0"},          {9999, "9999"},     {12345, "12.3 k"},
      {123456, "123 k"}, {9812345, "9.8 M"}, {3000000000, "3.0 G"},
};

static void test_shown(void **state)
{
    (void)state;
    struct cli_text text;
    for (size_t i = 0; i < ROWS(durations); i++) {
        if (strcmp(cli_text_duration(durations[i].number, &text), durations[i].text) != 0) {
            fail_msg("%lld us: %s", (long long)durations[i].number, text.text);
        }
    }
    assert_string_equal(cli_text_seconds(0, &text), "0 s");
    assert_string_equal(cli_text_seconds(300, &text), "5 min");
    assert_string_equal(cli_text_seconds(-1, &text), "?");
    assert_string_equal(cli_text_seconds(INT64_MAX, &text), "26687997 d 19 h");
    for (size_t i = 0; i < ROWS(counts); i++) {
        if (strcmp(cli_text_count(counts[i].number, &text), counts[i].text) != 0) {
            fail_msg("%lld: %s", (long long)counts[i].number, text.text);
        }
    }
}

// ---- what is written by strangers ----

static const struct printable {
    const char *name;
    const char *text;
    const char *shown;    // in 24 bytes
    const char *repaired; // for JSON
} printables[] = {
    {"plain", "l\xc3\xa4ptop", "l\xc3\xa4ptop", "l\xc3\xa4ptop"},
    {"an escape", "\033[31m", "\\x1b[31m", "\033[31m"},
    {"a line end", "a\nb", "a\\x0ab", "a\nb"},
    {"C1", "\xc2\x9b", "\\xc2\\x9b", "\xc2\x9b"},
    {"an Arabic mark", "\xd8\x9c", "\\xd8\\x9c", "\xd8\x9c"},
    {"a turn", "\xe2\x80\xae", "\\xe2\\x80\\xae", "\xe2\x80\xae"},
    {"no UTF-8", "a\xff", "a\\xff", "a\xef\xbf\xbd"},
    {"too long", "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrst\xe2\x80\xa6",
     "abcdefghijklmnopqrstuvwxyz"},
};

static void test_printable(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(printables); i++) {
        const struct printable *row = &printables[i];
        char shown[24];
        char repaired[128];
        cli_text_printable(row->text, strlen(row->text), shown, sizeof shown);
        cli_text_repair(row->text, strlen(row->text), repaired);
        if (strcmp(shown, row->shown) != 0 || strcmp(repaired, row->repaired) != 0) {
            fail_msg("%s: shown as %s", row->name, shown);
        }
    }
    assert_int_equal(cli_text_columns("l\xc3\xa4p\xe2\x80\xa6"), 4);
}

// RFC 4648, section 10.
static void test_base64(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < ROWS(pairs); i++) {
        char text[16];
        cli_text_base64((const uint8_t *)pairs[i][0], strlen(pairs[i][0]), text);
        assert_string_equal(text, pairs[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf16),     cmocka_unit_test(test_broken_utf16),
        cmocka_unit_test(test_comment),   cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_endpoints), cmocka_unit_test(test_labels),
        cmocka_unit_test(test_names),     cmocka_unit_test(test_typed_durations),
        cmocka_unit_test(test_shown),     cmocka_unit_test(test_printable),
        cmocka_unit_test(test_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
