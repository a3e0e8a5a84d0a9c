// SPDX-License-Identifier: MIT
#include "node/core/zbase32.h"

#include "tests/core/crypto_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct pair {
    const char *name;
    const char *hex;
    const char *text;
};

static const struct pair pairs[] = {
    {"pkarr's own", "01b467a3b7913ab27a04a8edf2f3fb074cfe0ecf4babe108d67be3853b0f26c5",
     "yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no"},
    {"RFC 8032 seed 1", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy"},
    {"zeros", "0000000000000000000000000000000000000000000000000000000000000000",
     "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"},
    {"ones", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "999999999999999999999999999999999999999999999999999o"},
};

static void test_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        uint8_t key[32];
        uint8_t decoded[32];
        char text[CORE_ZBASE32_LEN + 1];
        char upper[CORE_ZBASE32_LEN + 1];
        assert(helper_unhex(pairs[i].hex, key, 32) == 32);
        core_zbase32_encode(key, text);
        if (strcmp(text, pairs[i].text) != 0) {
            fail_msg("%s: encoded as %s", pairs[i].name, text);
        }
        for (size_t c = 0; c <= CORE_ZBASE32_LEN; c++) {
            char lower = text[c];
            upper[c] = lower >= 'a' && lower <= 'z' ? (char)(lower - 'a' + 'A') : lower;
        }
        const char *spellings[] = {text, upper};
        for (size_t s = 0; s < 2; s++) {
            if (core_zbase32_decode(spellings[s], 52, decoded) != CORE_ZBASE32_OK ||
                memcmp(decoded, key, 32) != 0) {
                fail_msg("%s: %s not decoded", pairs[i].name, spellings[s]);
            }
        }
    }
}

struct refusal {
    const char *name;
    const char *text;
    enum core_zbase32_result result;
};

static const struct refusal refusals[] = {
    {"empty", "", CORE_ZBASE32_LENGTH},
    {"51", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", CORE_ZBASE32_LENGTH},
    {"53", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", CORE_ZBASE32_LENGTH},
    {"letter l", "lyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", CORE_ZBASE32_CHARACTER},
    {"digit 0", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy0", CORE_ZBASE32_CHARACTER},
    {"8th bit", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\xc3\xa4y",
     CORE_ZBASE32_CHARACTER},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        uint8_t key[32];
        const char *text = refusals[i].text;
        if (core_zbase32_decode(text, strlen(text), key) != refusals[i].result) {
            fail_msg("%s", refusals[i].name);
        }
    }
    char zeros[CORE_ZBASE32_LEN] = {0};
    uint8_t key[32];
    assert_int_equal(core_zbase32_decode(zeros, 52, key), CORE_ZBASE32_CHARACTER);
}

// Of the 32 last characters 30 are other spellings of the same two keys.
static void test_last_character(void **state)
{
    (void)state;
    const char alphabet[] = "ybndrfg8ejkmcpqxot1uwisza345h769";
    char text[CORE_ZBASE32_LEN + 1];
    memset(text, 'b', CORE_ZBASE32_LEN);
    for (size_t i = 0; i < 32; i++) {
        uint8_t key[32];
        text[CORE_ZBASE32_LEN - 1] = alphabet[i];
        bool canonical = alphabet[i] == 'y' || alphabet[i] == 'o';
        if (core_zbase32_decode(text, 52, key) !=
            (canonical ? CORE_ZBASE32_OK : CORE_ZBASE32_LAST)) {
            fail_msg("last character %c", alphabet[i]);
        }
    }
}

static void test_random_keys(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int i = 0; i < 10000; i++) {
        uint8_t key[32];
        uint8_t decoded[32];
        char text[CORE_ZBASE32_LEN + 1];
        for (size_t b = 0; b < 32; b++) {
            key[b] = (uint8_t)helper_random(&random);
        }
        core_zbase32_encode(key, text);
        assert_int_equal(strlen(text), 52);
        assert_int_equal(core_zbase32_decode(text, 52, decoded), CORE_ZBASE32_OK);
        assert_memory_equal(key, decoded, 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_last_character),
        cmocka_unit_test(test_random_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
