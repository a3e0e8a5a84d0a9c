// SPDX-License-Identifier: MIT
#include "nsp/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define BUF         16

struct both {
    const char *name;
    WCHAR units[8];
    size_t count;
    const char *utf8;
};

static const struct both boths[] = {
    {"nothing", {0}, 0, ""},
    {"ASCII", {'a', 'b'}, 2, "ab"},
    {"last of one byte", {0x7f}, 1, "\x7f"},
    {"first of two bytes", {0x80}, 1, "\xc2\x80"},
    {"last of two bytes", {0x7ff}, 1, "\xdf\xbf"},
    {"first of three bytes", {0x800}, 1, "\xe0\xa0\x80"},
    {"before the surrogates", {0xd7ff}, 1, "\xed\x9f\xbf"},
    {"behind the surrogates", {0xe000}, 1, "\xee\x80\x80"},
    {"last of three bytes", {0xffff}, 1, "\xef\xbf\xbf"},
    {"first pair", {0xd800, 0xdc00}, 2, "\xf0\x90\x80\x80"},
    {"a face", {0xd83d, 0xde00}, 2, "\xf0\x9f\x98\x80"},
    {"last pair", {0xdbff, 0xdfff}, 2, "\xf4\x8f\xbf\xbf"},
    {"mixed", {'x', 0x20ac, 0xd83d, 0xde00, 'y'}, 5, "x\xe2\x82\xac\xf0\x9f\x98\x80y"},
};

static void test_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(boths); i++) {
        char utf8[BUF];
        WCHAR units[BUF];
        size_t len = strlen(boths[i].utf8);
        if (nsp_text_to_utf8(boths[i].units, boths[i].count, utf8, BUF) != len ||
            strcmp(utf8, boths[i].utf8) != 0) {
            fail_msg("%s: to UTF-8", boths[i].name);
        }
        if (nsp_text_to_utf16(utf8, len, units, BUF) != boths[i].count ||
            memcmp(units, boths[i].units, boths[i].count * sizeof(WCHAR)) != 0 ||
            units[boths[i].count] != 0) {
            fail_msg("%s: to UTF-16", boths[i].name);
        }
    }
}

// Exactly as long as the text and its NUL is enough, one less is not.
static void test_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(boths); i++) {
        size_t len = strlen(boths[i].utf8);
        char *utf8 = malloc(len + 1);
        WCHAR *units = malloc((boths[i].count + 1) * sizeof(WCHAR));
        if (nsp_text_to_utf8(boths[i].units, boths[i].count, utf8, len + 1) != len ||
            nsp_text_to_utf8(boths[i].units, boths[i].count, utf8, len) != NSP_TEXT_BAD) {
            fail_msg("%s: bytes", boths[i].name);
        }
        if (nsp_text_to_utf16(boths[i].utf8, len, units, boths[i].count + 1) != boths[i].count ||
            nsp_text_to_utf16(boths[i].utf8, len, units, boths[i].count) != NSP_TEXT_BAD) {
            fail_msg("%s: units", boths[i].name);
        }
        free(units);
        free(utf8);
    }
}

struct bad_units {
    const char *name;
    WCHAR units[4];
    size_t count;
};

static const struct bad_units bad_units[] = {
    {"high half at the end", {'a', 0xd800}, 2},
    {"high half before a letter", {0xdbff, 'a'}, 2},
    {"two high halves", {0xd83d, 0xd83d, 0xde00}, 3},
    {"low half first", {0xde00, 0xd83d}, 2},
    {"low half alone", {0xdfff}, 1},
    {"the other half lies behind the end", {'a', 0xd83d, 0xde00}, 2},
    {"NUL inside", {'a', 0, 'b'}, 3},
};

static void test_bad_units(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_units); i++) {
        char utf8[BUF];
        if (nsp_text_to_utf8(bad_units[i].units, bad_units[i].count, utf8, BUF) != NSP_TEXT_BAD) {
            fail_msg("%s", bad_units[i].name);
        }
    }
}

struct bad_bytes {
    const char *name;
    const char *bytes;
    size_t len;
};

static const struct bad_bytes bad_bytes[] = {
    {"no first byte", "\x80", 1},
    {"cut short, of two", "\xc3", 1},
    {"cut short, of four", "\xf0\x9f\x98", 3},
    {"broken off by a letter",
     "\xe2\x82"
     "a",
     3},
    {"overlong, of two", "\xc1\xbf", 2},
    {"overlong, of three", "\xe0\x9f\xbf", 3},
    {"overlong, of four", "\xf0\x8f\xbf\xbf", 4},
    {"overlong NUL", "\xc0\x80", 2},
    {"a surrogate", "\xed\xa0\x80", 3},
    {"last surrogate", "\xed\xbf\xbf", 3},
    {"beyond the last character", "\xf4\x90\x80\x80", 4},
    {"five bytes", "\xf8\x88\x80\x80\x80", 5},
    {"NUL inside", "a\0b", 3},
};

static void test_bad_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_bytes); i++) {
        WCHAR units[BUF];
        char *copy = malloc(bad_bytes[i].len); // so that reading on is found out
        memcpy(copy, bad_bytes[i].bytes, bad_bytes[i].len);
        if (nsp_text_to_utf16(copy, bad_bytes[i].len, units, BUF) != NSP_TEXT_BAD) {
            fail_msg("%s", bad_bytes[i].name);
        }
        free(copy);
    }
}

static void test_take(void **state)
{
    (void)state;
    static const WCHAR text[] = u"abc";
    WCHAR buf[8];
    size_t units = 99;
    assert_int_equal(nsp_text_take(text, buf, 4, &units), 0);
    assert_int_equal(units, 3);
    assert_memory_equal(buf, text, sizeof text);
    units = 99;
    assert_int_equal(nsp_text_take(text, buf, 3, &units), WSAEINVAL);
    assert_int_equal(units, 99);
    // At an odd address, across a page.
    static char pages[3 * 4096];
    char *at = pages + 4096 - (uintptr_t)pages % 4096 + 4096 - 3;
    memcpy(at, text, sizeof text);
    assert_int_equal(nsp_text_take((const void *)at, buf, 4, &units), 0);
    assert_int_equal(units, 3);
    assert_memory_equal(buf, text, sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways), cmocka_unit_test(test_room),
        cmocka_unit_test(test_bad_units), cmocka_unit_test(test_bad_bytes),
        cmocka_unit_test(test_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
