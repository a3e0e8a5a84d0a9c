// SPDX-License-Identifier: MIT
// SHA-256 against the vectors of FIPS 180-4, HMAC against those of RFC 4231.
#include "node/control/secret.h"
#include "node/control/sha256.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void to_hex(const uint8_t *bytes, char ret_hex[65])
{
    for (int i = 0; i < 32; i++) {
        snprintf(ret_hex + 2 * (size_t)i, 3, "%02x", bytes[i]);
    }
}

static void check(const char *name, const uint8_t *digest, const char *expected)
{
    char hex[65];
    to_hex(digest, hex);
    if (strcmp(hex, expected) != 0) {
        fail_msg("%s: %s, expected %s", name, hex, expected);
    }
}

static const struct hash_row {
    const char *name;
    const char *text;
    size_t times; // the text so many times
    const char *digest;
} hash_rows[] = {
    {"empty", "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"one block", "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"896 bits",
     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
     "lmnopqrsmnopqrstnopqrstu",
     1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {"a million a", "a", 1000000,
     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

static void hashes_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hash_rows / sizeof *hash_rows; i++) {
        const struct hash_row *row = &hash_rows[i];
        struct control_sha256 sha256;
        uint8_t digest[CONTROL_SHA256_LEN];
        control_sha256_init(&sha256);
        for (size_t n = 0; n < row->times; n++) {
            control_sha256_update(&sha256, row->text, strlen(row->text));
        }
        control_sha256_final(&sha256, digest);
        check(row->name, digest, row->digest);
    }
}

// However the bytes are cut, the hash is the same; every length crosses every padding case.
static void cuts_do_not_matter(void **state)
{
    (void)state;
    uint8_t data[200];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    for (size_t len = 0; len <= sizeof data; len++) {
        struct control_sha256 whole, cut;
        uint8_t digest_whole[32], digest_cut[32];
        control_sha256_init(&whole);
        control_sha256_update(&whole, data, len);
        control_sha256_final(&whole, digest_whole);
        control_sha256_init(&cut);
        for (size_t i = 0; i < len; i++) {
            control_sha256_update(&cut, data + i, 1);
        }
        control_sha256_final(&cut, digest_cut);
        assert_memory_equal(digest_whole, digest_cut, 32);
    }
}

// A key or text is `fill` repeated `len` times, or the string where fill is 0.
struct bytes {
    const char *text;
    int fill;
    size_t len;
};

static const struct hmac_row {
    const char *name;
    struct bytes key;
    struct bytes data;
    const char *mac;
} hmac_rows[] = {
    {"case 1",
     {0, 0x0b, 20},
     {"Hi There", 0, 8},
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"case 2",
     {"Jefe", 0, 4},
     {"what do ya want for nothing?", 0, 28},
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"case 3",
     {0, 0xaa, 20},
     {0, 0xdd, 50},
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"case 4",
     {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"
      "\x17\x18\x19",
      0, 25},
     {0, 0xcd, 50},
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {"case 6: long key",
     {0, 0xaa, 131},
     {"Test Using Larger Than Block-Size Key - Hash Key First", 0, 54},
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"case 7: long key and data",
     {0, 0xaa, 131},
     {"This is a test using a larger than block-size key and a larger than block-size data. The "
      "key needs to be hashed before being used by the HMAC algorithm.",
      0, 152},
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

static const uint8_t *lay_out(const struct bytes *bytes, uint8_t *buf)
{
    if (bytes->text != NULL) {
        memcpy(buf, bytes->text, bytes->len);
    } else {
        memset(buf, bytes->fill, bytes->len);
    }
    return buf;
}

static void hmacs_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hmac_rows / sizeof *hmac_rows; i++) {
        const struct hmac_row *row = &hmac_rows[i];
        uint8_t key[256], data[256], mac[32];
        struct control_sha256_hmac hmac;
        control_sha256_hmac_init(&hmac, lay_out(&row->key, key), row->key.len);
        control_sha256_hmac_update(&hmac, lay_out(&row->data, data), row->data.len);
        control_sha256_hmac_final(&hmac, mac);
        check(row->name, mac, row->mac);
    }
}

static void state_is_wiped(void **state)
{
    (void)state;
    static const struct control_sha256_hmac zero;
    struct control_sha256_hmac hmac;
    uint8_t mac[32];
    control_sha256_hmac_init(&hmac, "key", 3);
    control_sha256_hmac_final(&hmac, mac);
    assert_memory_equal(&hmac, &zero, sizeof hmac);
}

static void equal_compares_all(void **state)
{
    (void)state;
    uint8_t a[32] = {0}, b[32] = {0};
    assert_true(control_secret_equal(a, b, sizeof a));
    assert_true(control_secret_equal(a, b, 0));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] = 0x80;
        assert_false(control_secret_equal(a, b, sizeof a));
        b[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_match),       cmocka_unit_test(cuts_do_not_matter),
        cmocka_unit_test(hmacs_match),        cmocka_unit_test(state_is_wiped),
        cmocka_unit_test(equal_compares_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
