// SPDX-License-Identifier: MIT
#include "dht/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_US (60 * INT64_C(1000000))

static const struct dht_addr home = {.ip = {192, 0, 2, 1}, .port = 6881, .ip_len = 4};
static const struct dht_id target = {"abcdefghij0123456789"};

struct presented {
    struct dht_addr addr;
    struct dht_id target;
    uint8_t token[DHT_TOKEN_LEN + 1];
    size_t len;
};

static void same(struct presented *given)
{
    (void)given;
}

static void other_port(struct presented *given)
{
    given->addr.port++;
}

static void swapped_port(struct presented *given)
{
    given->addr.port = (uint16_t)(given->addr.port << 8 | given->addr.port >> 8);
}

static void other_ip(struct presented *given)
{
    given->addr.ip[3]++;
}

static void other_family(struct presented *given)
{
    given->addr.ip_len = 16;
}

static void beyond_ip_len(struct presented *given)
{
    given->addr.ip[15] = 1;
}

static void other_target(struct presented *given)
{
    given->target.bytes[DHT_ID_LEN - 1] ^= 1;
}

static void truncated(struct presented *given)
{
    given->len--;
}

static void lengthened(struct presented *given)
{
    given->len++;
}

static void empty(struct presented *given)
{
    given->len = 0;
}

static void first_bit(struct presented *given)
{
    given->token[0] ^= 1;
}

static void last_bit(struct presented *given)
{
    given->token[DHT_TOKEN_LEN - 1] ^= 0x80;
}

static void zeroed(struct presented *given)
{
    memset(given->token, 0, sizeof(given->token));
}

static const struct {
    const char *name;
    void (*change)(struct presented *given);
    bool good;
} changes[] = {
    {"the right token", same, true},
    {"another port", other_port, false},
    {"the port's bytes swapped", swapped_port, false},
    {"another ip", other_ip, false},
    {"the same bytes as an IPv6 address", other_family, false},
    {"what lies behind an IPv4 address", beyond_ip_len, true},
    {"another target", other_target, false},
    {"truncated", truncated, false},
    {"a byte too long", lengthened, false},
    {"empty", empty, false},
    {"first bit turned", first_bit, false},
    {"last bit turned", last_bit, false},
    {"all zero", zeroed, false},
};

static void init(struct dht_token *token, struct dht_random *random, int64_t now_us)
{
    static const uint8_t seed[32] = "the seed of the token test";
    dht_random_init(random, seed);
    dht_token_init(token, random, now_us);
}

static void test_what_a_token_is_bound_to(void **state)
{
    (void)state;
    struct dht_token token;
    struct dht_random random;
    init(&token, &random, 0);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct presented given = {home, target, {0}, DHT_TOKEN_LEN};
        dht_token_make(&token, &home, &target, given.token);
        changes[i].change(&given);
        struct dht_span span = {given.token, given.len};
        if (dht_token_check(&token, &given.addr, &given.target, span) != changes[i].good) {
            fail_msg("%s", changes[i].name);
        }
    }
}

// Secrets are taken at 0, and where asked to rotate at these minutes; a token is made at minute
// `made` and presented at minute `presented`, both after the rotation of that minute.
static const struct {
    const char *name;
    int rotations[4]; // minutes; 0: none
    int made;
    int presented;
    bool good;
} ages[] = {
    {"at once", {0}, 0, 0, true},
    {"no rotation", {0}, 0, 9, true},
    {"one rotation", {10}, 0, 10, true},
    {"just before the second", {10}, 0, 19, true},
    {"two rotations", {10, 20}, 0, 20, false},
    {"made before the first, 10 minutes on", {10}, 9, 19, true},
    {"made after the first", {10, 20}, 10, 29, true},
    {"made after the first, gone at the third", {10, 20, 30}, 10, 30, false},
    {"asked too early to rotate", {5, 9}, 0, 9, true},
    {"late rotation: 10 minutes hold", {19, 28}, 18, 28, true},
    {"late rotation: then gone", {19, 29}, 18, 29, false},
    {"very late rotation", {500}, 499, 509, true},
};

static void test_how_long_a_token_is_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
        struct dht_token token;
        struct dht_random random;
        init(&token, &random, 0);
        uint8_t bytes[DHT_TOKEN_LEN] = {0};
        for (int minute = 0, next = 0; minute <= ages[i].presented; minute++) {
            if (next < 4 && ages[i].rotations[next] == minute && minute > 0) {
                dht_token_rotate(&token, &random, minute * MINUTE_US);
                next++;
            }
            if (minute == ages[i].made) {
                dht_token_make(&token, &home, &target, bytes);
            }
        }
        struct dht_span span = {bytes, sizeof(bytes)};
        if (dht_token_check(&token, &home, &target, span) != ages[i].good) {
            fail_msg("%s", ages[i].name);
        }
    }
}

// Rotated exactly when dht_token_rotate() asks for it, a token is good for 10 minutes from wherever
// it was made, and for no more than 20.
static void test_ten_to_twenty_minutes(void **state)
{
    (void)state;
    struct dht_token token;
    struct dht_random random;
    for (int64_t made_us = 0; made_us <= 25 * MINUTE_US; made_us += MINUTE_US / 4) {
        init(&token, &random, 7);
        int64_t due_us = dht_token_rotate(&token, &random, 7);
        uint8_t bytes[DHT_TOKEN_LEN] = {0};
        struct dht_span span = {bytes, sizeof(bytes)};
        for (int64_t now_us = 7; now_us <= 7 + made_us + 21 * MINUTE_US; now_us += MINUTE_US / 4) {
            if (now_us >= due_us) {
                due_us = dht_token_rotate(&token, &random, now_us);
                assert_true(due_us > now_us);
            }
            int64_t age_us = now_us - 7 - made_us;
            if (age_us == 0) {
                dht_token_make(&token, &home, &target, bytes);
            }
            bool good = dht_token_check(&token, &home, &target, span);
            assert_true(age_us < 0 || age_us > 10 * MINUTE_US || good);
            assert_false(age_us >= 20 * MINUTE_US && good);
        }
    }
}

// 10,000 random operations against a list of the tokens made with the secrets still held.
static void test_random_operations(void **state)
{
    (void)state;
    struct made {
        uint16_t port;
        int rotation;
        uint8_t bytes[DHT_TOKEN_LEN];
    } made[256] = {0};
    struct dht_token token;
    struct dht_random random;
    struct dht_random dice;
    static const uint8_t seed[32] = "dice of the token test";
    dht_random_init(&dice, seed);
    int64_t now_us = 1;
    int64_t rotated_us = now_us;
    int rotation = 2; // made[] of zeros is then of no secret held
    init(&token, &random, now_us);
    for (int i = 0; i < 20000; i++) {
        now_us += (int64_t)dht_random_below(&dice, MINUTE_US);
        if (dht_random_below(&dice, 4) == 0) {
            dht_token_rotate(&token, &random, now_us);
            if (now_us - rotated_us >= DHT_TOKEN_ROTATION_US) {
                rotated_us = now_us;
                rotation++;
            }
        }
        struct made *one = &made[dht_random_below(&dice, 256)];
        struct dht_addr addr = home;
        if (dht_random_below(&dice, 4) == 0) {
            one->port = addr.port = (uint16_t)dht_random_u32(&dice);
            one->rotation = rotation;
            dht_token_make(&token, &addr, &target, one->bytes);
            continue;
        }
        addr.port = one->port;
        struct dht_span span = {one->bytes, DHT_TOKEN_LEN};
        bool good = one->rotation > 0 && rotation - one->rotation <= 1;
        assert_int_equal(dht_token_check(&token, &addr, &target, span), good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_token_is_bound_to),
        cmocka_unit_test(test_how_long_a_token_is_good),
        cmocka_unit_test(test_ten_to_twenty_minutes),
        cmocka_unit_test(test_random_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
