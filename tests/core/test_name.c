// SPDX-License-Identifier: MIT
#include "node/core/name.h"

#include "tests/core/crypto_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define KEY     "47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy"
#define KEY_UP  "47PJOYCNSRFMXIKM95JH13Y88E8QNHZU5KUNGJPXYEPGT7A8KRPY"
#define HASH    "5b27aa5589179770e47575b162a1ded97b8bfc6d"
#define HASH_UP "5B27AA5589179770E47575B162A1DED97B8BFC6D"
#define TEN(s)  s s s s s s s s s s
#define A149    TEN("aaaaaaaaaaaaaa") "aaaaaaaaa"
#define EURO149                                                                                    \
    TEN(TEN("\xe2\x82\xac"))                                                                       \
    TEN("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac")                                        \
    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"                                                         \
    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"                                                         \
    "\xe2\x82\xac\xe2\x82"                                                                         \
    "\xac\xe2\x82\xac"
#define FACE   "\xf0\x9f\x98\x80" // U+1F600, two units
#define FACE74 TEN(FACE FACE FACE FACE FACE FACE FACE) FACE FACE FACE FACE

static const uint8_t key[32] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
                                0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
                                0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

struct good {
    const char *name;
    const char *text;
    enum core_name_kind kind;
    const char *printed;
};

static const struct good goods[] = {
    {"key", KEY, CORE_NAME_KEY, KEY},
    {"key, upper case", KEY_UP, CORE_NAME_KEY, KEY},
    {"key with dot", KEY ".", CORE_NAME_KEY, KEY},
    {"key with classifier", KEY ".chat", CORE_NAME_KEY, KEY ".chat"},
    {"classifier keeps its case", KEY_UP ".Chat", CORE_NAME_KEY, KEY ".Chat"},
    {"classifier with dots", KEY ".a.b..c.", CORE_NAME_KEY, KEY ".a.b..c."},
    {"classifier with spaces", KEY ". a b\n", CORE_NAME_KEY, KEY ". a b\n"},
    {"URI", "pk:" KEY, CORE_NAME_KEY, KEY},
    {"URI, upper case", "PK:" KEY_UP ".x", CORE_NAME_KEY, KEY ".x"},
    {"URI of a hash", "pk:" HASH, CORE_NAME_HASH, HASH},
    {"hash", HASH ".x", CORE_NAME_HASH, HASH ".x"},
    {"hash, upper case", HASH_UP, CORE_NAME_HASH, HASH},
    {"unsecured", "0.chat", CORE_NAME_UNSECURED, "0.chat"},
    {"unsecured, odd classifier", "0.0", CORE_NAME_UNSECURED, "0.0"},
    {"label", "home.chat", CORE_NAME_LABEL, "home.chat"},
    {"label alone", "home", CORE_NAME_LABEL, "home"},
    {"label of digits", "00", CORE_NAME_LABEL, "00"},
    {"label pk", "pk.x", CORE_NAME_LABEL, "pk.x"},
    {"label of 32", "abcdefghijklmnopqrstuvwxyz-01234.x", CORE_NAME_LABEL,
     "abcdefghijklmnopqrstuvwxyz-01234.x"},
    {"149 units of one byte", "0." A149, CORE_NAME_UNSECURED, "0." A149},
    {"149 units of three bytes", "0." EURO149, CORE_NAME_UNSECURED, "0." EURO149},
    {"149 units with pairs", "0.a" FACE74, CORE_NAME_UNSECURED, "0.a" FACE74},
    {"not normalised", "0.e\xcc\x81\xc3\xa9", CORE_NAME_UNSECURED, "0.e\xcc\x81\xc3\xa9"},
    {"last scalar value", "0.\xf4\x8f\xbf\xbf", CORE_NAME_UNSECURED, "0.\xf4\x8f\xbf\xbf"},
};

static void test_good_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
        struct core_name name;
        struct core_name again;
        struct core_name_fault fault;
        char text[CORE_NAME_TEXT_LEN_MAX + 1];
        size_t len = strlen(goods[i].text);
        if (core_name_parse(goods[i].text, len, &name, &fault) != CORE_NAME_OK) {
            fail_msg("%s: %s", goods[i].name, core_name_error_text(&fault, text));
        }
        size_t printed = core_name_print(&name, text);
        if (name.kind != goods[i].kind || printed != strlen(goods[i].printed) ||
            strcmp(text, goods[i].printed) != 0) {
            fail_msg("%s: printed %s", goods[i].name, text);
        }
        assert_int_equal(core_name_parse(text, printed, &again, NULL), CORE_NAME_OK);
        if (!core_name_equal(&name, &again)) {
            fail_msg("%s: not equal when read again", goods[i].name);
        }
    }
}

struct bad {
    const char *name;
    const char *text;
    enum core_name_error error;
    uint32_t offset;
    const char *says;
};

static const struct bad bads[] = {
    {"empty", "", CORE_NAME_EMPTY, 0, "name has no authority"},
    {"dot", ".", CORE_NAME_EMPTY, 0, "name has no authority"},
    {"classifier alone", ".chat", CORE_NAME_EMPTY, 0, "name has no authority"},
    {"bare URI", "pk:", CORE_NAME_EMPTY, 3, "name has no authority"},
    {"URI of a label", "pk:home", CORE_NAME_URI_AUTHORITY, 3,
     "pk: is followed by 4 characters, a key has 52, its hash 40"},
    {"URI of unsecured", "pk:0.chat", CORE_NAME_URI_AUTHORITY, 3,
     "pk: is followed by 1 characters, a key has 52, its hash 40"},
    {"unsecured alone", "0", CORE_NAME_CLASSIFIER_MISSING, 1,
     "unsecured name needs a classifier after 0."},
    {"unsecured with dot", "0.", CORE_NAME_CLASSIFIER_MISSING, 2,
     "unsecured name needs a classifier after 0."},
    {"33 characters", "abcdefghijklmnopqrstuvwxyz-012345.x", CORE_NAME_AUTHORITY_LENGTH, 0,
     "authority has 33 characters, a label at most 32, a key 52, its hash 40"},
    {"51 characters", "7pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy.x",
     CORE_NAME_AUTHORITY_LENGTH, 0,
     "authority has 51 characters, a label at most 32, a key 52, its hash 40"},
    {"label in upper case", "Home.x", CORE_NAME_AUTHORITY_CHAR, 0,
     "authority is a label, which may hold a-z, 0-9 and - only"},
    {"label with a space", "ho me.x", CORE_NAME_AUTHORITY_CHAR, 2,
     "authority is a label, which may hold a-z, 0-9 and - only"},
    {"key with an l", "l7pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy", CORE_NAME_KEY_CHAR, 0,
     "authority has 52 characters, but is not a key in z-base-32"},
    {"key's last", "47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpb", CORE_NAME_KEY_LAST, 51,
     "authority has 52 characters, but a key's last one is y or o"},
    {"hash with a g", "5b27aa5589179770e47575b162a1ded97b8bfc6g", CORE_NAME_HASH_CHAR, 39,
     "authority has 40 characters, but not all are hex digits"},
    {"150 units", "0.b" A149, CORE_NAME_CLASSIFIER_LENGTH, 151,
     "classifier has 150 UTF-16 units, at most 149"},
    {"151 units", "0." A149 FACE, CORE_NAME_CLASSIFIER_LENGTH, 151,
     "classifier has 151 UTF-16 units, at most 149"},
    {"lone lead byte", "0.a\xc3", CORE_NAME_CLASSIFIER_UTF8, 3, "classifier is not valid UTF-8"},
    {"lone follower", "0.\x80", CORE_NAME_CLASSIFIER_UTF8, 2, "classifier is not valid UTF-8"},
    {"overlong slash", "0.\xc0\xaf", CORE_NAME_CLASSIFIER_UTF8, 2, "classifier is not valid UTF-8"},
    {"overlong of 3", "0.\xe0\x80\xaf", CORE_NAME_CLASSIFIER_UTF8, 2,
     "classifier is not valid UTF-8"},
    {"overlong of 4", "0.\xf0\x80\x80\xaf", CORE_NAME_CLASSIFIER_UTF8, 2,
     "classifier is not valid UTF-8"},
    {"beyond U+10FFFF", "0.\xf4\x90\x80\x80", CORE_NAME_CLASSIFIER_UTF8, 2,
     "classifier is not valid UTF-8"},
    {"5 bytes", "0.\xf8\x88\x80\x80\x80", CORE_NAME_CLASSIFIER_UTF8, 2,
     "classifier is not valid UTF-8"},
    {"lone surrogate", "0.ab\xed\xa0\x80", CORE_NAME_CLASSIFIER_SURROGATE, 4,
     "classifier has a lone surrogate"},
    {"surrogates in a pair", "0.\xed\xa0\xbd\xed\xb8\x80", CORE_NAME_CLASSIFIER_SURROGATE, 2,
     "classifier has a lone surrogate"},
};

static void test_bad_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        struct core_name name;
        struct core_name_fault fault = {0};
        char text[CORE_NAME_ERROR_TEXT_MAX];
        enum core_name_error error =
            core_name_parse(bads[i].text, strlen(bads[i].text), &name, &fault);
        if (error != bads[i].error || fault.error != error || fault.offset != bads[i].offset) {
            fail_msg("%s: error %d at %u", bads[i].name, error, fault.offset);
        }
        if (strcmp(core_name_error_text(&fault, text), bads[i].says) != 0) {
            fail_msg("%s: says %s", bads[i].name, text);
        }
        assert_int_equal(core_name_parse(bads[i].text, strlen(bads[i].text), &name, NULL), error);
    }
    struct core_name name;
    assert_int_equal(core_name_parse("0.a\0b", 5, &name, NULL), CORE_NAME_CLASSIFIER_NUL);
}

static void test_equal(void **state)
{
    (void)state;
    static const char *const texts[] = {KEY,   KEY ".a", KEY ".b", HASH,   HASH ".a",
                                        "0.a", "0.b",    "home.a", "home", "house.a"};
    size_t count = sizeof(texts) / sizeof(texts[0]);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            struct core_name a;
            struct core_name b;
            assert_int_equal(core_name_parse(texts[i], strlen(texts[i]), &a, NULL), CORE_NAME_OK);
            assert_int_equal(core_name_parse(texts[j], strlen(texts[j]), &b, NULL), CORE_NAME_OK);
            if (core_name_equal(&a, &b) != (i == j)) {
                fail_msg("%s and %s", texts[i], texts[j]);
            }
        }
    }
}

struct place {
    const char *name;
    const char *classifier;
    const char *salt;   // hex
    const char *target; // hex
};

static const struct place places[] = {
    {"none", "", "", HASH},
    {"short", "foobar", "666f6f626172", "1d0d2903ea3da4e9595d74a68025d60c21f35690"},
    {"64 bytes", "0123456789012345678901234567890123456789012345678901234567890123",
     "30313233343536373839303132333435363738393031323334353637383930313233343536373839"
     "303132333435363738393031323334353637383930313233",
     "d0d15ba7a5c028159e828fde77e4e6e262b771d7"},
    {"65 bytes", "01234567890123456789012345678901234567890123456789012345678901234",
     "52774b57c10e45040a61c14d35c1c8ebefe880082313aa0a21ebb077734cd067",
     "56a545359a63a641966875bd01660f914a19f67e"},
};

static void test_places(void **state)
{
    (void)state;
    struct dht_crypto crypto = helper_crypto(NULL);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct dht_span classifier = {(const uint8_t *)places[i].classifier,
                                      strlen(places[i].classifier)};
        uint8_t salt[DHT_SALT_LEN_MAX];
        char hex[2 * DHT_SALT_LEN_MAX + 1];
        struct dht_id target;
        size_t salt_len = core_name_salt(&crypto, classifier, salt);
        helper_hex(salt, salt_len, hex);
        if (strcmp(hex, places[i].salt) != 0) {
            fail_msg("%s: salt %s", places[i].name, hex);
        }
        core_name_target(&crypto, key, (struct dht_span){salt, salt_len}, &target);
        helper_hex(target.bytes, DHT_ID_LEN, hex);
        if (strcmp(hex, places[i].target) != 0) {
            fail_msg("%s: target %s", places[i].name, hex);
        }
    }
}

// BEP 44's own vector for a salted target.
static void test_bep44_target(void **state)
{
    (void)state;
    struct dht_crypto crypto = helper_crypto(NULL);
    uint8_t bep_key[32];
    uint8_t hash[DHT_ID_LEN];
    char hex[2 * DHT_ID_LEN + 1];
    struct dht_id target;
    helper_unhex("77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548", bep_key, 32);
    core_name_target(&crypto, bep_key, (struct dht_span){(const uint8_t *)"foobar", 6}, &target);
    assert_string_equal(helper_hex(target.bytes, DHT_ID_LEN, hex),
                        "411eba73b6f087ca51a3795d9c8c938d365e32c1");
    core_name_key_hash(&crypto, bep_key, hash);
    assert_string_equal(helper_hex(hash, DHT_ID_LEN, hex),
                        "4a533d47ec9c7d95b1ad75f576cffc641853b750");
}

static void test_infohash(void **state)
{
    (void)state;
    struct dht_crypto crypto = helper_crypto(NULL);
    struct core_name name;
    struct dht_id info_hash;
    char hex[2 * DHT_ID_LEN + 1];
    assert_int_equal(core_name_parse("0.chat", 6, &name, NULL), CORE_NAME_OK);
    core_name_infohash(&crypto, &name, &info_hash);
    assert_string_equal(helper_hex(info_hash.bytes, DHT_ID_LEN, hex),
                        "393e4abe1c2d5e2c7e90a3bdba3291857cca01e9");
}

// Whatever bytes come: an answer, and one that holds when it is printed and read again.
static void test_random_texts(void **state)
{
    (void)state;
    static const char pieces[] = "0.pk:ayo-F\xc3\xa9\xed\xa0\x80\xf0";
    uint64_t random = 2;
    for (int i = 0; i < 20000; i++) {
        char text[600];
        size_t len = helper_below(&random, i % 2 == 0 ? 12 : 600);
        for (size_t c = 0; c < len; c++) {
            text[c] = i % 3 == 0 ? (char)helper_random(&random)
                                 : pieces[helper_below(&random, sizeof(pieces) - 1)];
        }
        struct core_name name;
        struct core_name again;
        char printed[CORE_NAME_TEXT_LEN_MAX + 1];
        if (core_name_parse(text, len, &name, NULL) == CORE_NAME_OK) {
            size_t printed_len = core_name_print(&name, printed);
            assert_int_equal(core_name_parse(printed, printed_len, &again, NULL), CORE_NAME_OK);
            assert_true(core_name_equal(&name, &again));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_names),   cmocka_unit_test(test_bad_names),
        cmocka_unit_test(test_equal),        cmocka_unit_test(test_places),
        cmocka_unit_test(test_bep44_target), cmocka_unit_test(test_infohash),
        cmocka_unit_test(test_random_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
