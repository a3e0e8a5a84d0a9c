// SPDX-License-Identifier: MIT
#include "node/control/rendezvous.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <string.h>

#define HEX "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"

static struct control_rendezvous example(void)
{
    struct control_rendezvous rendezvous = {.port = 49152, .access = CONTROL_ACCESS_CONTROL};
    for (int i = 0; i < CONTROL_SECRET_LEN; i++) {
        rendezvous.secret[i] = (uint8_t)(0x40 + i);
    }
    return rendezvous;
}

static struct dht_span span(const char *text)
{
    return (struct dht_span){(const uint8_t *)text, strlen(text)};
}

static void formats_as_documented(void **state)
{
    (void)state;
    static const char expected[] = "pnr-rendezvous 1\nport 49152\naccess control\nsecret " HEX "\n";
    struct control_rendezvous rendezvous = example(), parsed;
    char buf[160];
    size_t len = control_rendezvous_format(&rendezvous, buf, sizeof buf);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(buf, expected, len);
    assert_true(control_rendezvous_parse((struct dht_span){(uint8_t *)buf, len}, &parsed));
    assert_memory_equal(parsed.secret, rendezvous.secret, CONTROL_SECRET_LEN);
    assert_int_equal(parsed.port, 49152);
    assert_int_equal(parsed.access, CONTROL_ACCESS_CONTROL);
}

static void refuses_to_format(void **state)
{
    (void)state;
    struct control_rendezvous rendezvous = example();
    char buf[160];
    size_t whole = control_rendezvous_format(&rendezvous, buf, sizeof buf);
    for (size_t len = 0; len < whole; len++) {
        char *small = malloc(len + 1);
        assert_int_equal(control_rendezvous_format(&rendezvous, small, len), 0);
        free(small);
    }
    rendezvous.access = CONTROL_ACCESS_NONE;
    assert_int_equal(control_rendezvous_format(&rendezvous, buf, sizeof buf), 0);
    rendezvous = example();
    rendezvous.port = 0;
    assert_int_equal(control_rendezvous_format(&rendezvous, buf, sizeof buf), 0);
}

static const struct row {
    const char *name;
    const char *text;
    bool ok;
} rows[] = {
    {"plain", "pnr-rendezvous 1\nport 1\naccess resolve\nsecret " HEX "\n", true},
    {"no last newline", "pnr-rendezvous 1\nport 65535\naccess control\nsecret " HEX, true},
    {"another order", "pnr-rendezvous 1\nsecret " HEX "\naccess control\nport 9\n", true},
    {"carriage returns", "pnr-rendezvous 1\r\nport 9\r\naccess control\r\nsecret " HEX "\r\n",
     true},
    {"upper-case hex",
     "pnr-rendezvous 1\nport 9\naccess control\nsecret "
     "404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F\n",
     true},
    {"unknown lines", "pnr-rendezvous 1\n\nnode 7\n#\nport 9\naccess control\nsecret " HEX "\n",
     true},
    {"empty", "", false},
    {"another version", "pnr-rendezvous 2\nport 9\naccess control\nsecret " HEX "\n", false},
    {"no first line", "port 9\naccess control\nsecret " HEX "\n", false},
    {"no port", "pnr-rendezvous 1\naccess control\nsecret " HEX "\n", false},
    {"no access", "pnr-rendezvous 1\nport 9\nsecret " HEX "\n", false},
    {"no secret", "pnr-rendezvous 1\nport 9\naccess control\n", false},
    {"port 0", "pnr-rendezvous 1\nport 0\naccess control\nsecret " HEX "\n", false},
    {"port 65536", "pnr-rendezvous 1\nport 65536\naccess control\nsecret " HEX "\n", false},
    {"port 100000", "pnr-rendezvous 1\nport 100000\naccess control\nsecret " HEX "\n", false},
    {"port -1", "pnr-rendezvous 1\nport -1\naccess control\nsecret " HEX "\n", false},
    {"port empty", "pnr-rendezvous 1\nport \naccess control\nsecret " HEX "\n", false},
    {"port twice", "pnr-rendezvous 1\nport 9\nport 9\naccess control\nsecret " HEX "\n", false},
    {"unknown access", "pnr-rendezvous 1\nport 9\naccess root\nsecret " HEX "\n", false},
    {"secret short", "pnr-rendezvous 1\nport 9\naccess control\nsecret 4041\n", false},
    {"secret long", "pnr-rendezvous 1\nport 9\naccess control\nsecret " HEX "00\n", false},
    {"secret not hex",
     "pnr-rendezvous 1\nport 9\naccess control\nsecret "
     "g04142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f\n",
     false},
};

static void parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct control_rendezvous parsed;
        if (control_rendezvous_parse(span(rows[i].text), &parsed) != rows[i].ok) {
            fail_msg("%s: not %s", rows[i].name, rows[i].ok ? "taken" : "refused");
        }
    }
}

// Every prefix is read from a block of its own size, so that a read past it is caught.
static void survives_truncation(void **state)
{
    (void)state;
    const char *text = rows[5].text;
    size_t whole = strlen(text);
    for (size_t len = 0; len < whole - 1; len++) {
        uint8_t *copy = malloc(len + 1);
        struct control_rendezvous parsed;
        memcpy(copy + 1, text, len);
        assert_false(control_rendezvous_parse((struct dht_span){copy + 1, len}, &parsed));
        free(copy);
    }
}

static void refuses_long_text(void **state)
{
    (void)state;
    char text[CONTROL_RENDEZVOUS_LEN_MAX + 1];
    size_t len = strlen(rows[0].text);
    struct control_rendezvous parsed;
    memset(text, '\n', sizeof text);
    memcpy(text, rows[0].text, len);
    struct dht_span whole = {(uint8_t *)text, sizeof text};
    assert_false(control_rendezvous_parse(whole, &parsed));
    whole.len--;
    assert_true(control_rendezvous_parse(whole, &parsed));
}

static const struct mode_row {
    const char *name;
    enum control_access access;
    unsigned mode;
    bool ok;
} mode_rows[] = {
    {"control, as written", CONTROL_ACCESS_CONTROL, 0640, true},
    {"control, owner alone", CONTROL_ACCESS_CONTROL, 0600, true},
    {"control, others read", CONTROL_ACCESS_CONTROL, 0644, false},
    {"control, group writes", CONTROL_ACCESS_CONTROL, 0660, false},
    {"control, others write", CONTROL_ACCESS_CONTROL, 0642, false},
    {"resolve, as written", CONTROL_ACCESS_RESOLVE, 0644, true},
    {"resolve, group writes", CONTROL_ACCESS_RESOLVE, 0664, false},
    {"resolve, others write", CONTROL_ACCESS_RESOLVE, 0646, false},
};

static void trusts_by_mode(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mode_rows / sizeof *mode_rows; i++) {
        const struct mode_row *row = &mode_rows[i];
        if (control_rendezvous_trusted(row->access, row->mode) != row->ok) {
            fail_msg("%s: not %s", row->name, row->ok ? "trusted" : "refused");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_as_documented),
        cmocka_unit_test(refuses_to_format),
        cmocka_unit_test(parses),
        cmocka_unit_test(survives_truncation),
        cmocka_unit_test(refuses_long_text),
        cmocka_unit_test(trusts_by_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
