// SPDX-License-Identifier: MIT
#include "tests/daemon/unit.h"

#include "node/daemon/ed25519.h"

#include <openssl/evp.h>

#ifdef PNR_HAVE_SODIUM
#include <sodium.h>
#endif

static const struct library {
    const char *name;
    daemon_ed25519_fn verify;
} libraries[] = {
    {"OpenSSL", daemon_ed25519_openssl},
#ifdef PNR_HAVE_SODIUM
    {"libsodium", daemon_ed25519_sodium},
#endif
};

static void read_hex(const char *hex, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    assert_int_equal(hex[2 * len], '\0');
}

// Made with a program of its own from the curve's definition: "equation holds" is [S]B = R + [k]A,
// "with the cofactor only" is 8 times that.
static const struct row {
    const char *name;
    const char *key;
    const char *sig;
    const char *msg;
    bool good;
} rows[] = {
    {"RFC 8032 7.1 test 2", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
     "r", true},
    {"honest", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "0e3c048aa10cab67778feac5faa3bfa46fd9f119549e679b0f6ad24bd6bb8b71"
     "026f9521b295306beac37a4045b611b9bb51bbe302b7f40117f92c032fb86e07",
     "honest", true},
    {"another message", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "0e3c048aa10cab67778feac5faa3bfa46fd9f119549e679b0f6ad24bd6bb8b71"
     "026f9521b295306beac37a4045b611b9bb51bbe302b7f40117f92c032fb86e07",
     "honesty", false},
    {"S + L", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "0e3c048aa10cab67778feac5faa3bfa46fd9f119549e679b0f6ad24bd6bb8b71"
     "ef428b7eccf842c3c06072e323b0f0cdbb51bbe302b7f40117f92c032fb86e17",
     "honest", false},
    {"S + 8 L", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "0e3c048aa10cab67778feac5faa3bfa46fd9f119549e679b0f6ad24bd6bb8b71"
     "6a0e440985aec32b9daa37583a850960bc51bbe302b7f40117f92c032fb86e87",
     "honest", false},
    {"empty message", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "0e3c048aa10cab67778feac5faa3bfa46fd9f119549e679b0f6ad24bd6bb8b71"
     "2e7bf4362809626c748d4d2e843e3b01578ec7807c26c04a43bbce408390340e",
     "", true},
    {"S = L", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "0e3c048aa10cab67778feac5faa3bfa46fd9f119549e679b0f6ad24bd6bb8b71"
     "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
     "x", false},
    {"S = L - 1", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "0e3c048aa10cab67778feac5faa3bfa46fd9f119549e679b0f6ad24bd6bb8b71"
     "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
     "x", false},
    {"S of ones", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "0e3c048aa10cab67778feac5faa3bfa46fd9f119549e679b0f6ad24bd6bb8b71"
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "x", false},
    {"key neutral", "0100000000000000000000000000000000000000000000000000000000000000",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "small key 0", false},
    {"key order 8 (a)", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "small key 18", false},
    {"key order 4 (a)", "0000000000000000000000000000000000000000000000000000000000000080",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "small key 0", false},
    {"key order 8 (b)", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "small key 15", false},
    {"key order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "small key 1", false},
    {"key order 8 (c)", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "small key 12", false},
    {"key order 4 (b)", "0000000000000000000000000000000000000000000000000000000000000000",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "small key 1", false},
    {"key order 8 (d)", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "small key 0", false},
    {"key neutral, minus zero", "0100000000000000000000000000000000000000000000000000000000000080",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "odd key 0", false},
    {"key order 2, minus zero", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "odd key 1", false},
    {"key y = p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "odd key 1", false},
    {"key y = p, x odd", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "odd key 1", false},
    {"key y = p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "odd key 0", false},
    {"key y = p + 1, minus zero",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "6c1245816cd5f18e8801c891242e138cfcaae57703718e507c7f379c91be3bc3"
     "697a000000000000000000000000000000000000000000000000000000000000",
     "odd key 0", false},
    {"key y = p + 3", "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df"
     "0500000000000000000000000000000000000000000000000000000000000000",
     "x", false},
    {"key y = p + 18", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df"
     "0500000000000000000000000000000000000000000000000000000000000000",
     "x", false},
    {"key y = 2^255 - 1, x odd", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df"
     "0500000000000000000000000000000000000000000000000000000000000000",
     "x", false},
    {"nonce neutral", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "0100000000000000000000000000000000000000000000000000000000000000"
     "9ee2ef2378218d15b2862f53d4f06354d6f68c149731369b801dee41276a3700",
     "small nonce 0", false},
    {"nonce order 8 (a)", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
     "d460926570c6b04c5f0613b4e1470df298facb2fd11193a55b857b72633d5907",
     "small nonce 0", false},
    {"nonce order 2", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "a618b33903d89eab2793293d2fce7026149d29f5b6d654c39f6ad87b9ac84002",
     "small nonce 0", false},
    {"nonce order 4 (b)", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "0000000000000000000000000000000000000000000000000000000000000000"
     "9a40632ad35d5c4f612a8ef3654b52a8a959663684a2655599c4434080cd8702",
     "small nonce 0", false},
    {"nonce neutral, minus zero",
     "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "0100000000000000000000000000000000000000000000000000000000000080"
     "b355397f2bcf962c71624b77ffa9190d9ef09526eb7ab3e7e3364f5d9ad5290e",
     "x", false},
    {"nonce y = p + 1", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "812f034a81be65b894696427777844fbe019770ee664fe3ee35d14f034cc9a05",
     "x", false},
    {"key and nonce neutral, S = 0",
     "0100000000000000000000000000000000000000000000000000000000000000",
     "0100000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "anything", false},
    {"mixed key, equation holds",
     "6a84d583f06569edb3f5ed77df65544b27d6948b4f0b2cb76f33dd8413b20719",
     "7db0dc9222f3c183457ddde4c708de8e5ea6bf3d5c4404cca14b32729a05c32a"
     "87ea15d6a986b33233a9ee33a9137f87e562e7a96150f8ef8bf113daf6064f04",
     "mixed key 3", true},
    {"mixed key, equation holds with the cofactor only",
     "6a84d583f06569edb3f5ed77df65544b27d6948b4f0b2cb76f33dd8413b20719",
     "7db0dc9222f3c183457ddde4c708de8e5ea6bf3d5c4404cca14b32729a05c32a"
     "481c862d7c282c129db5d5682baa2ce26192b13d721c5f8d4882b12e47cbf501",
     "mixed key 0", false},
    {"mixed nonce, equation holds with the cofactor only",
     "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "1c354c4c7a6de4bcb4fd275f391333dd9bf17d38b41332753f60cf56d5ef4fcc"
     "ea8e128e6043640fde51f2025ecfefc401e2eb598ec5a8dd25c79113de5e4b0a",
     "x", false},
    {"mixed key and nonce, equation holds",
     "6a84d583f06569edb3f5ed77df65544b27d6948b4f0b2cb76f33dd8413b20719",
     "7676328db227e18c7e8bd8fc83933f364c73891a355a03e70b5f49efadbd0ae6"
     "6b0c727c57c5a812845aed8f861c3ae992f3f7708e8e7583701562f8b14b5805",
     "both mixed 1", true},
    {"key not on the curve", "0200000000000000000000000000000000000000000000000000000000000000",
     "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df"
     "0500000000000000000000000000000000000000000000000000000000000000",
     "x", false},
    {"nonce not on the curve", "7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572",
     "0200000000000000000000000000000000000000000000000000000000000000"
     "0500000000000000000000000000000000000000000000000000000000000000",
     "x", false},
};

// The rule gives one verdict with either library, and it is the documented one. What the libraries
// say without it is printed, for it changes with their versions.
static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        uint8_t key[DHT_KEY_LEN];
        uint8_t sig[DHT_SIG_LEN];
        struct dht_span msg = {(const uint8_t *)rows[i].msg, strlen(rows[i].msg)};
        read_hex(rows[i].key, key, sizeof key);
        read_hex(rows[i].sig, sig, sizeof sig);
        bool strict = daemon_ed25519_strict(key, sig);
        print_message("row %s: rules 1 and 2 %s", rows[i].name, strict ? "pass" : "fail");
        for (size_t j = 0; j < UNIT_COUNT(libraries); j++) {
            bool own = libraries[j].verify(key, sig, msg);
            print_message(", %s alone %s", libraries[j].name, own ? "accepts" : "refuses");
            if ((strict && own) != rows[i].good)
                fail_msg("row %s: %s", rows[i].name, libraries[j].name);
        }
        print_message("\n");
        if (daemon_ed25519_verify(key, sig, msg) != rows[i].good)
            fail_msg("row %s", rows[i].name);
    }
}

// Rule 1 holds by our own check, whatever the libraries do.
static void test_s_below_order(void **state)
{
    (void)state;
    static const struct row_s {
        const char *name;
        const char *s;
        bool strict;
    } s_rows[] = {
        {"0", "0000000000000000000000000000000000000000000000000000000000000000", true},
        {"L - 1", "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", true},
        {"L", "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", false},
        {"L + 1", "eed3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", false},
        {"2^252", "0000000000000000000000000000000000000000000000000000000000000010", true},
        {"2^253", "0000000000000000000000000000000000000000000000000000000000000020", false},
    };
    uint8_t key[DHT_KEY_LEN];
    uint8_t sig[DHT_SIG_LEN];
    read_hex(rows[0].key, key, sizeof key);
    read_hex(rows[0].sig, sig, sizeof sig);
    for (size_t i = 0; i < UNIT_COUNT(s_rows); i++) {
        read_hex(s_rows[i].s, sig + 32, 32);
        if (daemon_ed25519_strict(key, sig) != s_rows[i].strict)
            fail_msg("row %s", s_rows[i].name);
    }
}

// A cheap repeatable source of bits (a 64-bit linear congruential generator's upper half).
static uint32_t next_random(uint64_t *random)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*random >> 32);
}

// Signs a random message, breaks the signature in one of several ways or not at all, and expects
// the libraries to agree under the rule.
static void test_random(void **state)
{
    (void)state;
    uint64_t random = 20;
    uint8_t seed[32];
    uint8_t msg_bytes[40];
    size_t accepted = 0;
    enum { ROUNDS = 2000 };
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t key[DHT_KEY_LEN];
        uint8_t sig[DHT_SIG_LEN];
        size_t len = sizeof key;
        for (size_t i = 0; i < sizeof seed; i++)
            seed[i] = (uint8_t)next_random(&random);
        for (size_t i = 0; i < sizeof msg_bytes; i++)
            msg_bytes[i] = (uint8_t)next_random(&random);
        struct dht_span msg = {msg_bytes, next_random(&random) % sizeof msg_bytes};
        EVP_PKEY *secret = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        assert_int_equal(EVP_PKEY_get_raw_public_key(secret, key, &len), 1);
        len = sizeof sig;
        assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, secret), 1);
        assert_int_equal(EVP_DigestSign(ctx, sig, &len, msg.data, msg.len), 1);
        EVP_MD_CTX_free(ctx);
        EVP_PKEY_free(secret);
        uint32_t breakage = next_random(&random) % 4;
        uint8_t *broken = breakage == 1 ? key : sig;
        if (breakage != 0)
            broken[next_random(&random) % 32 + (breakage == 2 ? 32 : 0)] ^=
                (uint8_t)(1u << next_random(&random) % 8);
        for (size_t i = 0; i < UNIT_COUNT(libraries); i++) {
            bool good = daemon_ed25519_strict(key, sig) && libraries[i].verify(key, sig, msg);
            if (good != (breakage == 0))
                fail_msg("round %d: %s", round, libraries[i].name);
        }
        accepted += breakage == 0;
    }
    assert_in_range(accepted, 1, ROUNDS - 1);
}

// Each bit of a key and of a signature counts.
static void test_every_bit(void **state)
{
    (void)state;
    uint8_t key[DHT_KEY_LEN];
    uint8_t sig[DHT_SIG_LEN];
    struct dht_span msg = {(const uint8_t *)rows[0].msg, strlen(rows[0].msg)};
    read_hex(rows[0].key, key, sizeof key);
    read_hex(rows[0].sig, sig, sizeof sig);
    for (size_t bit = 0; bit < 8 * (sizeof key + sizeof sig); bit++) {
        uint8_t *byte = bit / 8 < sizeof key ? &key[bit / 8] : &sig[bit / 8 - sizeof key];
        *byte ^= (uint8_t)(1u << bit % 8);
        if (daemon_ed25519_verify(key, sig, msg))
            fail_msg("bit %zu", bit);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(daemon_ed25519_verify(key, sig, msg));
}

static int start_libraries(void **state)
{
    (void)state;
#ifdef PNR_HAVE_SODIUM
    return sodium_init() < 0;
#else
    return 0;
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_s_below_order),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_every_bit),
    };
    return cmocka_run_group_tests_name("daemon/ed25519", tests, start_libraries, NULL);
}
