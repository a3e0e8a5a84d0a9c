// SPDX-License-Identifier: MIT
#include "dht/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct dht_addr parse(const char *text)
{
    struct dht_addr addr;
    if (!dht_addr_from_text(text, &addr)) {
        fail_msg("%s: not read", text);
    }
    return addr;
}

struct text_row {
    const char *text;
    const char *printed; // NULL: the text is invalid
    uint8_t ip[16];
    uint16_t port;
    uint8_t ip_len;
};

static const struct text_row text_rows[] = {
    // IPv4
    {"192.0.2.1:6881", "192.0.2.1:6881", {192, 0, 2, 1}, 6881, 4},
    {"0.0.0.0:0", "0.0.0.0:0", {0}, 0, 4},
    {"255.255.255.255:65535", "255.255.255.255:65535", {255, 255, 255, 255}, 65535, 4},
    {"10.20.30.40:1", "10.20.30.40:1", {10, 20, 30, 40}, 1, 4},
    // IPv6: RFC 5952's rules
    {"[::]:1", "[::]:1", {0}, 1, 16},
    {"[::1]:80", "[::1]:80", {[15] = 1}, 80, 16},
    {"[1::]:80", "[1::]:80", {0, 1}, 80, 16},
    {"[2001:db8::1]:6881", "[2001:db8::1]:6881", {0x20, 1, 0xd, 0xb8, [15] = 1}, 6881, 16},
    {"[2001:DB8::ABCD]:6881",
     "[2001:db8::abcd]:6881",
     {0x20, 1, 0xd, 0xb8, [14] = 0xab, [15] = 0xcd},
     6881,
     16},
    {"[2001:0db8:0000:0000:0000:0000:0000:0001]:9",
     "[2001:db8::1]:9",
     {0x20, 1, 0xd, 0xb8, [15] = 1},
     9,
     16},
    {"[2001:db8:0:1:1:1:1:1]:9",
     "[2001:db8:0:1:1:1:1:1]:9",
     {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1},
     9,
     16},
    {"[2001:db8::1:1:1:1:1]:9",
     "[2001:db8:0:1:1:1:1:1]:9",
     {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1},
     9,
     16},
    {"[2001:0:0:1:0:0:0:1]:9",
     "[2001:0:0:1::1]:9",
     {0x20, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1},
     9,
     16},
    {"[2001:db8:0:0:1:0:0:1]:9",
     "[2001:db8::1:0:0:1]:9",
     {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1},
     9,
     16},
    {"[1:2:3:4:5:6:7::]:9",
     "[1:2:3:4:5:6:7:0]:9",
     {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7},
     9,
     16},
    {"[::2:3:4:5:6:7:8]:9",
     "[0:2:3:4:5:6:7:8]:9",
     {0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8},
     9,
     16},
    {"[1:2:3:4:5:6::]:9", "[1:2:3:4:5:6::]:9", {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6}, 9, 16},
    {"[::ffff:192.0.2.1]:9",
     "[::ffff:192.0.2.1]:9",
     {[10] = 255, [11] = 255, [12] = 192, [14] = 2, [15] = 1},
     9,
     16},
    {"[::ffff:c000:201]:9",
     "[::ffff:192.0.2.1]:9",
     {[10] = 255, [11] = 255, [12] = 192, [14] = 2, [15] = 1},
     9,
     16},
    {"[64:ff9b::192.0.2.33]:9",
     "[64:ff9b::c000:221]:9",
     {0, 0x64, 0xff, 0x9b, [12] = 192, [14] = 2, [15] = 33},
     9,
     16},
    {"[1:2:3:4:5:6:1.2.3.4]:9",
     "[1:2:3:4:5:6:102:304]:9",
     {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1, 2, 3, 4},
     9,
     16},
    {"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
     {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
     65535,
     16},
    // Not addresses
    {.text = ""},
    {.text = ":"},
    {.text = "192.0.2.1"},
    {.text = "192.0.2.1:"},
    {.text = "192.0.2.1:65536"},
    {.text = "192.0.2.1:4294967297"},
    {.text = "192.0.2.1:99999999999999999999"},
    {.text = "192.0.2.1:06881"},
    {.text = "192.0.2.1:+80"},
    {.text = "192.0.2.1:80 "},
    {.text = " 192.0.2.1:80"},
    {.text = "192.0.2.1:80x"},
    {.text = "192.0.2:80"},
    {.text = "192.0.2.1.5:80"},
    {.text = "192.0.2.256:80"},
    {.text = "192.0.02.1:80"},
    {.text = "192.0..1:80"},
    {.text = "0xc0.0.2.1:80"},
    {.text = "3221225985:80"},
    {.text = "example.org:80"},
    {.text = "2001:db8::1"},
    {.text = "2001:db8::1:6881"},
    {.text = "[2001:db8::1]"},
    {.text = "[2001:db8::1]6881"},
    {.text = "[2001:db8::1]:"},
    {.text = "[2001:db8::1:6881"},
    {.text = "[]:1"},
    {.text = "[:]:1"},
    {.text = "[:::]:1"},
    {.text = "[::1::]:1"},
    {.text = "[1::2::3]:1"},
    {.text = "[:1:2:3:4:5:6:7]:1"},
    {.text = "[1:2:3:4:5:6:7:]:1"},
    {.text = "[1:2:3:4:5:6:7]:1"},
    {.text = "[1:2:3:4:5:6:7:8:9]:1"},
    {.text = "[1:2:3:4:5:6:7:8::]:1"},
    {.text = "[::1:2:3:4:5:6:7:8]:1"},
    {.text = "[1:2:3:4::5:6:7:8]:1"},
    {.text = "[12345::]:1"},
    {.text = "[g::]:1"},
    {.text = "[::1%eth0]:1"},
    {.text = "[fe80::1%2]:1"},
    {.text = "[::1.2.3]:1"},
    {.text = "[::1.2.3.4.5]:1"},
    {.text = "[1.2.3.4::]:1"},
    {.text = "[1.2.3.4:1::]:1"},
    {.text = "[1:2:3:4:5:6:7:1.2.3.4]:1"},
    {.text = "[192.0.2.1]:1"},
    {.text = "[::1]:1]"},
};

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(text_rows); i++) {
        const struct text_row *row = &text_rows[i];
        // On the heap, so that the sanitizer sees any read past the NUL.
        size_t size = strlen(row->text) + 1;
        char *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, row->text, size);
        struct dht_addr addr = {.ip_len = 99};
        bool ok = dht_addr_from_text(copy, &addr);
        free(copy);
        if (ok != (row->printed != NULL) || (!ok && addr.ip_len != 99)) {
            fail_msg("%s: read %d", row->text, ok);
        }
        if (!ok) {
            continue;
        }
        if (addr.ip_len != row->ip_len || addr.port != row->port ||
            memcmp(addr.ip, row->ip, 16) != 0) {
            fail_msg("%s: another address", row->text);
        }
        char text[DHT_ADDR_TEXT_MAX];
        size_t len = dht_addr_to_text(&addr, text);
        if (strcmp(text, row->printed) != 0 || len != strlen(text)) {
            fail_msg("%s: printed %s", row->text, text);
        }
    }
}

static void test_text_unset(void **state)
{
    (void)state;
    struct dht_addr addr = {.ip_len = 0};
    char text[DHT_ADDR_TEXT_MAX] = "x";
    assert_int_equal(dht_addr_to_text(&addr, text), 0);
    assert_string_equal(text, "");
}

struct kind_row {
    const char *text;
    bool martian;
    bool local;
};

static const struct kind_row kind_rows[] = {
    {"1.0.0.0:1", false, false},
    {"8.8.8.8:0", true, false},
    {"0.0.0.0:1", true, false},
    {"0.255.255.255:1", true, false},
    {"9.255.255.255:1", false, false},
    {"10.0.0.0:1", false, true},
    {"10.255.255.255:1", false, true},
    {"11.0.0.0:1", false, false},
    {"100.63.255.255:1", false, false},
    {"100.64.0.0:1", false, true},
    {"100.127.255.255:1", false, true},
    {"100.128.0.0:1", false, false},
    {"126.255.255.255:1", false, false},
    {"127.0.0.1:1", true, true},
    {"127.255.255.255:1", true, true},
    {"128.0.0.0:1", false, false},
    {"169.253.255.255:1", false, false},
    {"169.254.0.0:1", false, true},
    {"169.255.0.0:1", false, false},
    {"172.15.255.255:1", false, false},
    {"172.16.0.0:1", false, true},
    {"172.31.255.255:1", false, true},
    {"172.32.0.0:1", false, false},
    {"192.167.255.255:1", false, false},
    {"192.168.0.0:1", false, true},
    {"192.169.0.0:1", false, false},
    {"223.255.255.255:1", false, false},
    {"224.0.0.0:1", true, false},
    {"255.255.255.255:1", true, false},
    {"[::]:1", true, false},
    {"[::1]:1", true, true},
    {"[::2]:1", false, false},
    {"[1::1]:1", false, false},
    {"[2001:db8::1]:1", false, false},
    {"[2001:db8::1]:0", true, false},
    {"[::ffff:8.8.8.8]:1", true, false},
    {"[::fffe:8.8.8.8]:1", false, false},
    {"[fbff::1]:1", false, false},
    {"[fc00::1]:1", false, true},
    {"[fdff::1]:1", false, true},
    {"[fe00::1]:1", false, false},
    {"[fe7f::1]:1", false, false},
    {"[fe80::1]:1", true, true},
    {"[febf::1]:1", true, true},
    {"[fec0::1]:1", false, false},
    {"[ff00::1]:1", true, false},
    {"[ffff::1]:1", true, false},
};

static void test_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kind_rows); i++) {
        struct dht_addr addr = parse(kind_rows[i].text);
        if (dht_addr_is_martian(&addr) != kind_rows[i].martian) {
            fail_msg("%s: martian or not", kind_rows[i].text);
        }
        if (dht_addr_is_local(&addr) != kind_rows[i].local) {
            fail_msg("%s: local or not", kind_rows[i].text);
        }
    }
    struct dht_addr unset = {.port = 1};
    assert_true(dht_addr_is_martian(&unset));
    assert_false(dht_addr_is_local(&unset));
}

struct pair_row {
    const char *name;
    const char *a;
    const char *b;
    bool equal;
    bool equal_ip;
    bool equal_prefix;
    bool equal_wide_prefix;
};

static const struct pair_row pair_rows[] = {
    {"same", "1.2.3.4:5", "1.2.3.4:5", true, true, true, true},
    {"other port", "1.2.3.4:5", "1.2.3.4:6", false, true, true, true},
    {"other host", "1.2.3.4:5", "1.2.3.5:5", false, false, true, true},
    {"other /24", "1.2.3.4:5", "1.2.4.4:5", false, false, false, true},
    {"other /16", "1.2.3.4:5", "1.3.3.4:5", false, false, false, false},
    {"same in IPv6", "[1::2]:5", "[1::2]:5", true, true, true, true},
    {"other last byte", "[1::2]:5", "[1::3]:5", false, false, true, true},
    {"other seventh byte", "[1:2:3::]:5", "[1:2:3:100::]:5", false, false, true, true},
    {"other /48", "[1:2:3::]:5", "[1:2:4::]:5", false, false, false, true},
    {"other /32", "[1:2:3::]:5", "[1:3:3::]:5", false, false, false, false},
    {"other family", "0.0.0.0:5", "[::]:5", false, false, false, false},
    {"other family, like bytes", "1.2.0.0:5", "[102::]:5", false, false, false, false},
};

static void test_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pair_rows); i++) {
        const struct pair_row *row = &pair_rows[i];
        struct dht_addr a = parse(row->a);
        struct dht_addr b = parse(row->b);
        if (dht_addr_equal(&a, &b) != row->equal || dht_addr_equal_ip(&a, &b) != row->equal_ip) {
            fail_msg("%s: equal or not", row->name);
        }
        if ((dht_addr_prefix(&a) == dht_addr_prefix(&b)) != row->equal_prefix ||
            (dht_addr_wide_prefix(&a) == dht_addr_wide_prefix(&b)) != row->equal_wide_prefix) {
            fail_msg("%s: prefixes", row->name);
        }
    }
}

static void test_compact(void **state)
{
    (void)state;
    struct dht_addr addr = parse("1.2.3.4:258");
    uint8_t compact[DHT_ADDR_COMPACT_MAX];
    assert_int_equal(dht_addr_compact_len(&addr), 6);
    assert_int_equal(dht_addr_to_compact(&addr, compact), 6);
    assert_memory_equal(compact, "\x01\x02\x03\x04\x01\x02", 6);
    struct dht_addr back;
    assert_true(dht_addr_from_compact(compact, 6, &back));
    assert_true(dht_addr_equal(&addr, &back));

    addr = parse("[102:304::f]:65535");
    assert_int_equal(dht_addr_compact_len(&addr), 18);
    assert_int_equal(dht_addr_to_compact(&addr, compact), 18);
    assert_memory_equal(compact, "\x01\x02\x03\x04\0\0\0\0\0\0\0\0\0\0\0\x0f\xff\xff", 18);
    assert_true(dht_addr_from_compact(compact, 18, &back));
    assert_true(dht_addr_equal(&addr, &back));

    for (size_t len = 0; len <= DHT_ADDR_COMPACT_MAX; len++) {
        if (len != 6 && len != 18) {
            assert_false(dht_addr_from_compact(compact, len, &back));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),    cmocka_unit_test(test_text_unset),
        cmocka_unit_test(test_kind),    cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_compact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
