// SPDX-License-Identifier: MIT
#include "tests/daemon/unit.h"

#include "node/daemon/crypto.h"

static void expect_hex(const char *row, const uint8_t *bytes, size_t len, const char *hex)
{
    char text[129];
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    if (strcmp(text, hex) != 0)
        fail_msg("row %s: %s, not %s", row, text, hex);
}

// FIPS 180-4's examples, in one part and in several.
static const struct row {
    const char *name;
    const char *parts[3];
    const char *sha1;
    const char *sha256;
} rows[] = {
    {"nothing",
     {NULL},
     "da39a3ee5e6b4b0d3255bfef95601890afd80709",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"one part",
     {"abc"},
     "a9993e364706816aba3e25717850c26c9cd0d89d",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"three parts",
     {"a", "b", "c"},
     "a9993e364706816aba3e25717850c26c9cd0d89d",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"an empty part",
     {"", "abc"},
     "a9993e364706816aba3e25717850c26c9cd0d89d",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"two blocks",
     {"abcdbcdecdefdefgefghfghighij", "hijkijkljklmklmnlmnomnopnopq"},
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void test_hashes(void **state)
{
    (void)state;
    struct daemon_crypto *crypto = daemon_crypto_open(NULL, NULL);
    assert_non_null(crypto);
    struct dht_crypto table = daemon_crypto_table(crypto);
    for (int round = 0; round < 2; round++) { // a context that was used once is as good as new
        for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
            struct dht_span parts[3] = {{NULL, 0}};
            size_t count = 0;
            uint8_t digest[32];
            while (count < 3 && rows[i].parts[count] != NULL) {
                parts[count] = (struct dht_span){(const uint8_t *)rows[i].parts[count],
                                                 strlen(rows[i].parts[count])};
                count++;
            }
            table.sha1(table.ctx, parts, count, digest);
            expect_hex(rows[i].name, digest, 20, rows[i].sha1);
            table.sha256(table.ctx, parts, count, digest);
            expect_hex(rows[i].name, digest, 32, rows[i].sha256);
        }
    }
    daemon_crypto_close(crypto);
}

static void test_signatures(void **state)
{
    (void)state;
    struct daemon_keys *keys = daemon_keys_open(unit_path("keys"), 4, NULL);
    assert_non_null(keys);
    struct daemon_crypto *crypto = daemon_crypto_open(keys, NULL);
    struct daemon_crypto *keyless = daemon_crypto_open(NULL, NULL);
    struct dht_crypto table = daemon_crypto_table(crypto);
    struct dht_crypto keyless_table = daemon_crypto_table(keyless);
    struct dht_span msg = {(const uint8_t *)"3:seqi1e1:v1:x", 14};
    uint8_t key[DHT_KEY_LEN];
    uint8_t sig[DHT_SIG_LEN];
    assert_true(daemon_keys_create(keys, "home", key, NULL));
    assert_true(table.sign(table.ctx, key, msg, sig));
    assert_true(table.verify(table.ctx, key, sig, msg));
    assert_true(keyless_table.verify(keyless_table.ctx, key, sig, msg));
    assert_false(keyless_table.sign(keyless_table.ctx, key, msg, sig));
    msg.len--;
    assert_false(table.verify(table.ctx, key, sig, msg));
    key[5] ^= 1;
    assert_false(table.sign(table.ctx, key, msg, sig));
    daemon_crypto_close(crypto);
    daemon_crypto_close(keyless);
    daemon_keys_close(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashes),
        cmocka_unit_test_setup_teardown(test_signatures, unit_dir_make, unit_dir_remove),
    };
    return unit_run(tests);
}
