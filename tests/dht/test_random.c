// SPDX-License-Identifier: MIT
#include "dht/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void parse_hex(const char *hex, uint8_t *ret_bytes, size_t len)
{
    assert_int_equal(strlen(hex), 2 * len);
    for (size_t i = 0; i < len; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        ret_bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

struct block_row {
    const char *name;
    const char *seed;
    uint64_t block;
    const char *stream;
};

#define ZERO_SEED "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE_SEED  "0000000000000000000000000000000000000000000000000000000000000001"
#define FF_SEED   "00ff000000000000000000000000000000000000000000000000000000000000"
#define STEP_SEED "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const struct block_row block_rows[] = {
    {"RFC 8439 A.1 #1", ZERO_SEED, 0,
     "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
     "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
    {"RFC 8439 A.1 #2", ZERO_SEED, 1,
     "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
     "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
    {"RFC 8439 A.1 #3", ONE_SEED, 1,
     "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
     "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0"},
    {"RFC 8439 A.1 #4", FF_SEED, 2,
     "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca"
     "13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096"},
    {"the last block of 32 bits", STEP_SEED, UINT32_MAX,
     "1ce0deb8925fccea2d5587e850054559edcbbeb1a6c8e1c02c1e89abba08b01c"
     "ad6048fe5ab5242ed6befbef6b4040fcb666a5f3858d942a912c4e8800301a42"},
    {"the block after it", STEP_SEED, UINT64_C(1) << 32,
     "d838fb09536e2e3a10e8f23f486273a69f42d8e640d781ede384793c34c32564"
     "fc4361e5d5c5b620583b0528192f4c6109f23a0e14398ee6537cdcf2cd610ea2"},
};

static struct dht_random random_of(const char *seed_hex)
{
    uint8_t seed[32];
    parse_hex(seed_hex, seed, sizeof(seed));
    struct dht_random random;
    dht_random_init(&random, seed);
    return random;
}

static void test_blocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(block_rows); i++) {
        uint8_t expected[64];
        uint8_t stream[64];
        parse_hex(block_rows[i].stream, expected, sizeof(expected));
        struct dht_random random = random_of(block_rows[i].seed);
        random.block = block_rows[i].block;
        dht_random_bytes(&random, stream, sizeof(stream));
        if (memcmp(stream, expected, sizeof(stream)) != 0) {
            fail_msg("%s", block_rows[i].name);
        }
    }
}

// The same bytes come, however the calls cut the stream.
static void test_cuts(void **state)
{
    (void)state;
    uint8_t whole[300];
    struct dht_random random = random_of(STEP_SEED);
    dht_random_bytes(&random, whole, sizeof(whole));
    for (size_t step = 1; step <= 130; step++) {
        uint8_t pieces[300];
        random = random_of(STEP_SEED);
        for (size_t at = 0; at < sizeof(pieces); at += step) {
            size_t left = sizeof(pieces) - at;
            dht_random_bytes(&random, pieces + at, step < left ? step : left);
        }
        if (memcmp(whole, pieces, sizeof(whole)) != 0) {
            fail_msg("steps of %zu", step);
        }
    }
}

static void test_numbers(void **state)
{
    (void)state;
    struct dht_random random = random_of(ZERO_SEED);
    assert_int_equal(dht_random_u32(&random), 0xade0b876);
    assert_int_equal(dht_random_u64(&random), UINT64_C(0xe56a5d40903df1a0));
    dht_random_bytes(&random, NULL, 0);
    assert_int_equal(dht_random_u32(&random), 0x28bd8653);
}

static void test_below(void **state)
{
    (void)state;
    struct dht_random random = random_of(STEP_SEED);
    static const uint64_t bounds[] = {1, 2, 3, 7, 256, UINT64_C(1) << 40, UINT64_MAX};
    for (size_t i = 0; i < COUNT(bounds); i++) {
        for (int draw = 0; draw < 200; draw++) {
            if (dht_random_below(&random, bounds[i]) >= bounds[i]) {
                fail_msg("%llu", (unsigned long long)bounds[i]);
            }
        }
    }
}

// Of 3 * 2^62 numbers a plain remainder would give the lowest third twice as often as the rest.
static void test_below_unbiased(void **state)
{
    (void)state;
    struct dht_random random = random_of(STEP_SEED);
    uint32_t counts[3] = {0};
    for (int draw = 0; draw < 30000; draw++) {
        counts[dht_random_below(&random, UINT64_C(3) << 62) >> 62]++;
    }
    for (size_t i = 0; i < 3; i++) {
        // The standard deviation is 82; the seed is fixed, so this never changes.
        assert_in_range(counts[i], 9600, 10400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),         cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_numbers),        cmocka_unit_test(test_below),
        cmocka_unit_test(test_below_unbiased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
