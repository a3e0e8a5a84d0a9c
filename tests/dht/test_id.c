// SPDX-License-Identifier: MIT
#include "dht/id.h"

#include "dht/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct dht_addr parse_addr(const char *text)
{
    struct dht_addr addr;
    if (!dht_addr_from_text(text, &addr)) {
        fail_msg("%s: not read", text);
    }
    return addr;
}

static struct dht_id parse_id(const char *hex)
{
    struct dht_id id;
    assert_int_equal(strlen(hex), 2 * DHT_ID_LEN);
    for (size_t i = 0; i < DHT_ID_LEN; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        id.bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return id;
}

static void test_crc32c(void **state)
{
    (void)state;
    static const uint8_t zeros[32];
    uint8_t ones[32];
    memset(ones, 0xff, sizeof(ones));
    assert_int_equal(dht_id_crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
    assert_int_equal(dht_id_crc32c(zeros, sizeof(zeros)), 0x8a9136aa);
    assert_int_equal(dht_id_crc32c(ones, sizeof(ones)), 0x62a8ab43);
    assert_int_equal(dht_id_crc32c(zeros, 0), 0);
}

struct fit_row {
    const char *addr;
    const char *id;
    bool fits;
};

static const struct fit_row fit_rows[] = {
    // The table of BEP 42.
    {"124.31.75.21:1", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401", true},
    {"21.75.31.124:1", "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256", true},
    {"65.23.51.170:1", "a5d43220bc8f112a3d426c84764f8c2a1150e616", true},
    {"84.124.73.14:1", "1b0321dd1bb1fe518101ceef99462b947a01ff41", true},
    {"43.213.53.83:1", "e56f6cbf5b7c4be0237986d5243b87aa6d51305a", true},
    // It has none of IPv6; these were computed by its formula, twice.
    {"[2001:db8:85a3:8d3::1]:1", "8113d8000000000000000000000000000000ff01", true},
    {"[2001:4860:4860::8888]:1", "dd2a5f000000000000000000000000000000ff56", true},
    {"[2a00:1450:4001:81b::200e]:1", "a15ee0000000000000000000000000000000ff16", true},
    // The 21st bit counts, the 22nd does not.
    {"124.31.75.21:1", "5fbfb7f10c5d6a4ec8a88e4c6ab4c28b95eee401", false},
    {"124.31.75.21:1", "5fbfbbf10c5d6a4ec8a88e4c6ab4c28b95eee401", true},
    {"124.31.75.21:1", "dfbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401", false},
    // The last byte counts by its low 3 bits, the port and what the mask hides do not.
    {"124.31.75.21:1", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee402", false},
    {"124.31.75.21:1", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee409", true},
    {"124.31.75.21:9", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401", true},
    {"128.31.75.21:1", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401", true},
    {"125.31.75.21:1", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401", false},
    {"124.31.75.22:1", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401", false},
    {"[2001:db8:85a3:8d3::2]:1", "8113d8000000000000000000000000000000ff01", true},
    {"[2001:db8:85a3:8d4::1]:1", "8113d8000000000000000000000000000000ff01", false},
    // Exempt.
    {"10.1.2.3:1", "ffffffffffffffffffffffffffffffffffffffff", true},
    {"172.16.2.3:1", "ffffffffffffffffffffffffffffffffffffffff", true},
    {"192.168.2.3:1", "ffffffffffffffffffffffffffffffffffffffff", true},
    {"169.254.2.3:1", "ffffffffffffffffffffffffffffffffffffffff", true},
    {"127.0.0.1:1", "ffffffffffffffffffffffffffffffffffffffff", true},
    {"[::1]:1", "ffffffffffffffffffffffffffffffffffffffff", true},
    {"[fe80::1]:1", "ffffffffffffffffffffffffffffffffffffffff", true},
    {"[fd00::1]:1", "ffffffffffffffffffffffffffffffffffffffff", true},
    {"100.64.0.1:1", "ffffffffffffffffffffffffffffffffffffffff", false},
    {"8.8.8.8:1", "ffffffffffffffffffffffffffffffffffffffff", false},
    {"[2001:db8::1]:1", "ffffffffffffffffffffffffffffffffffffffff", false},
};

static void test_fits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fit_rows); i++) {
        struct dht_addr addr = parse_addr(fit_rows[i].addr);
        struct dht_id id = parse_id(fit_rows[i].id);
        if (dht_id_fits(&id, &addr) != fit_rows[i].fits) {
            fail_msg("%s and %s", fit_rows[i].addr, fit_rows[i].id);
        }
    }
}

// An id made from the random bytes of a vector is the vector itself.
static void test_make(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        struct dht_addr addr = parse_addr(fit_rows[i].addr);
        struct dht_id expected = parse_id(fit_rows[i].id);
        struct dht_id random = expected;
        random.bytes[0] ^= 0xff;
        random.bytes[1] ^= 0xff;
        random.bytes[2] ^= 0xf8;
        struct dht_id id;
        dht_id_make(&addr, random.bytes, &id);
        if (!dht_id_equal(&id, &expected)) {
            fail_msg("%s", fit_rows[i].addr);
        }
    }
    // Exempt addresses get an id by the same formula.
    struct dht_addr local = parse_addr("10.1.2.3:1");
    struct dht_addr public_addr = parse_addr("14.1.2.3:1");
    struct dht_id random = parse_id("000102030405060708090a0b0c0d0e0f10111213");
    struct dht_id id;
    dht_id_make(&local, random.bytes, &id);
    // 10 and 14 are alike under the mask of the first byte, 3.
    assert_true(dht_id_fits(&id, &public_addr));
}

static void test_compare(void **state)
{
    (void)state;
    static const char target[] = "0000000000000000000000000000000000000000";
    static const struct {
        const char *name;
        const char *target;
        const char *a;
        const char *b;
        int order;
    } rows[] = {
        {"equal", target, "0100000000000000000000000000000000000000",
         "0100000000000000000000000000000000000000", 0},
        {"first byte", target, "0100000000000000000000000000000000000000",
         "0200000000000000000000000000000000000000", -1},
        {"first byte, high bit", target, "8000000000000000000000000000000000000000",
         "7f00000000000000000000000000000000000000", 1},
        {"byte 7", target, "0000000000000001000000000000000000000000",
         "0000000000000000ffffffffffffffffffffffff", 1},
        {"byte 8", target, "0000000000000000000000000000000000000000",
         "0000000000000000010000000000000000000000", -1},
        {"byte 16", target, "0000000000000000000000000000000080000000",
         "000000000000000000000000000000007fffffff", 1},
        {"last byte", target, "0000000000000000000000000000000000000001",
         "0000000000000000000000000000000000000002", -1},
        {"by XOR, not by value", "ffffffffffffffffffffffffffffffffffffffff",
         "8000000000000000000000000000000000000000", "0100000000000000000000000000000000000000",
         -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dht_id to = parse_id(rows[i].target);
        struct dht_id a = parse_id(rows[i].a);
        struct dht_id b = parse_id(rows[i].b);
        int there = dht_id_compare(&to, &a, &b);
        int back = dht_id_compare(&to, &b, &a);
        if ((there > 0) - (there < 0) != rows[i].order ||
            (back > 0) - (back < 0) != -rows[i].order) {
            fail_msg("%s: %d, %d", rows[i].name, there, back);
        }
    }
}

// For each bit: two ids that first differ there.
static void test_common_bits(void **state)
{
    (void)state;
    struct dht_id a;
    memset(a.bytes, 0x5a, sizeof(a.bytes));
    assert_int_equal(dht_id_common_bits(&a, &a), 160);
    assert_int_equal(dht_id_distance64(&a, &a), 0);
    for (uint32_t bit = 0; bit < 160; bit++) {
        struct dht_id b = a;
        b.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        // Whatever comes after makes no difference.
        b.bytes[19] ^= bit < 152 ? 0xff : 0;
        if (dht_id_common_bits(&a, &b) != bit) {
            fail_msg("bit %u: %u", bit, dht_id_common_bits(&a, &b));
        }
        uint64_t distance = bit < 64 ? UINT64_C(1) << (63 - bit) : 0;
        if (dht_id_distance64(&a, &b) != distance) {
            fail_msg("bit %u: distance", bit);
        }
    }
}

static void test_is_zero(void **state)
{
    (void)state;
    struct dht_id id = {{0}};
    assert_true(dht_id_is_zero(&id));
    for (size_t i = 0; i < DHT_ID_LEN; i++) {
        struct dht_id other = id;
        other.bytes[i] = 1;
        assert_false(dht_id_is_zero(&other));
        assert_false(dht_id_equal(&id, &other));
    }
    assert_true(dht_id_equal(&id, &id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c),      cmocka_unit_test(test_fits),
        cmocka_unit_test(test_make),        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_common_bits), cmocka_unit_test(test_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
