// SPDX-License-Identifier: MIT
#include "tests/daemon/keys_helper.h"

#include "node/daemon/ed25519.h"

#include <openssl/pem.h>

// Of SEED_HEX.
static const uint8_t seed_public[DHT_KEY_LEN] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

static void test_labels(void **state)
{
    (void)state;
    static const struct row {
        const char *label;
        bool valid;
    } rows[] = {
        {"a", true},
        {"home-server-2", true},
        {"00", true},
        {"-", true},
        {"abcdefghijklmnopqrstuvwxyz012345", true},
        {"abcdefghijklmnopqrstuvwxyz0123456", false},
        {"0", false},
        {"", false},
        {"A", false},
        {"a_b", false},
        {"a.b", false},
        {"../a", false},
        {"a b", false},
        {"\xc3\xa4", false},
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        if (daemon_keys_label_valid(rows[i].label) != rows[i].valid)
            fail_msg("row %s", rows[i].label);
    }
}

static void test_create_and_load(void **state)
{
    (void)state;
    struct daemon_keys *keys = open_keys();
    uint8_t first[DHT_KEY_LEN];
    uint8_t second[DHT_KEY_LEN];
    uint8_t sig[DHT_SIG_LEN];
    assert_int_equal(daemon_keys_count(keys), 0);
    assert_true(daemon_keys_create(keys, "office", first, NULL));
    assert_true(daemon_keys_create(keys, "home", second, NULL));
    assert_memory_not_equal(first, second, DHT_KEY_LEN);
    daemon_keys_close(keys);

    keys = open_keys();
    assert_int_equal(daemon_keys_count(keys), 2);
    assert_string_equal(daemon_keys_at(keys, 0)->label, "home");
    assert_string_equal(daemon_keys_at(keys, 1)->label, "office");
    assert_null(daemon_keys_at(keys, 2));
    assert_memory_equal(daemon_keys_find(keys, "office")->key, first, DHT_KEY_LEN);
    assert_null(daemon_keys_find(keys, "none"));
    assert_true(daemon_keys_sign(keys, first, unit_text("hello"), sig));
    assert_true(daemon_ed25519_verify(first, sig, unit_text("hello")));
    assert_false(daemon_ed25519_verify(second, sig, unit_text("hello")));
    first[0] ^= 1;
    assert_false(daemon_keys_sign(keys, first, unit_text("hello"), sig));
    daemon_keys_close(keys);
}

static void test_import_and_export(void **state)
{
    (void)state;
    struct daemon_keys *keys = open_keys();
    uint8_t key[DHT_KEY_LEN] = {0};
    char pem[DAEMON_KEY_PEM_MAX];
    assert_true(daemon_keys_import_seed(keys, "seed", unit_text(" \t" SEED_HEX "\r\n"), key, NULL));
    assert_memory_equal(key, seed_public, DHT_KEY_LEN);
    assert_true(daemon_keys_export_pem(keys, "seed", pem, NULL));
    assert_string_equal(pem, SEED_PEM);
    struct daemon_error error = {.text = ""};
    assert_false(daemon_keys_export_pem(keys, "none", pem, &error));
    assert_int_equal(error.kind, DAEMON_ERROR_NOT_FOUND);
    daemon_keys_close(keys);

    daemon_file_remove(unit_path("keys/seed.pem"));
    keys = open_keys();
    assert_true(daemon_keys_import_pem(keys, "pem", unit_text("a comment\n" SEED_PEM), key, NULL));
    assert_memory_equal(key, seed_public, DHT_KEY_LEN);
    daemon_keys_close(keys);
}

static const char x25519_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VuBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n"; // an X25519 key

static void test_import_refused(void **state)
{
    (void)state;
    static char too_long[DAEMON_KEY_FILE_MAX + 2];
    memset(too_long, '\n', sizeof too_long - 1);
    static const struct row {
        const char *name;
        const char *label;
        bool is_pem;
        const char *text;
        const char *wanted;
        enum daemon_error_kind kind;
    } rows[] = {
        {"empty", "new", true, "", "no unencrypted private key", DAEMON_ERROR_INVALID},
        {"no PEM", "new", true, "hello", "no unencrypted private key", DAEMON_ERROR_INVALID},
        {"cut off", "new", true, "-----BEGIN PRIVATE KEY-----\n" SEED_PEM_LINE,
         "no unencrypted private key", DAEMON_ERROR_INVALID},
        {"another kind", "new", true, x25519_pem, "not an Ed25519 key", DAEMON_ERROR_INVALID},
        {"too long", "new", true, too_long, "too long", DAEMON_ERROR_INVALID},
        {"label taken", "taken", false, SEED_HEX, "there is a key taken already",
         DAEMON_ERROR_TAKEN},
        {"bad label", "No", false, SEED_HEX, "not a key label", DAEMON_ERROR_INVALID},
        {"a path", "../x", true, SEED_PEM, "not a key label", DAEMON_ERROR_INVALID},
        {"short seed", "new", false, "9d61b1", "expected 64 hex digits", DAEMON_ERROR_INVALID},
        {"long seed", "new", false, SEED_HEX "00", "expected 64 hex digits", DAEMON_ERROR_INVALID},
        {"no hex", "new", false, "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f6g",
         "expected 64 hex digits", DAEMON_ERROR_INVALID},
    };
    struct daemon_keys *keys = open_keys();
    uint8_t key[DHT_KEY_LEN];
    assert_true(daemon_keys_create(keys, "taken", key, NULL));
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_error error = {.text = ""};
        struct dht_span text = unit_text(rows[i].text);
        bool ok = rows[i].is_pem ? daemon_keys_import_pem(keys, rows[i].label, text, key, &error)
                                 : daemon_keys_import_seed(keys, rows[i].label, text, key, &error);
        if (ok)
            fail_msg("row %s: taken", rows[i].name);
        check_error(rows[i].name, &error, rows[i].wanted);
        if (error.kind != rows[i].kind)
            fail_msg("row %s: kind %d", rows[i].name, (int)error.kind);
        assert_int_equal(daemon_keys_count(keys), 1);
    }
    daemon_keys_close(keys);
}

static void test_encrypted(void **state)
{
    (void)state;
    EVP_PKEY *secret = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    char password[] = "hidden";
    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(bio, secret, EVP_aes_128_cbc(), password, 6, NULL, NULL), 1);
    size_t len = (size_t)BIO_get_mem_data(bio, &text);
    struct daemon_keys *keys = open_keys();
    struct daemon_error error = {.text = ""};
    uint8_t key[DHT_KEY_LEN];
    struct dht_span pem = {(const uint8_t *)text, len};
    assert_false(daemon_keys_import_pem(keys, "new", pem, key, &error));
    unit_has("encrypted", error.text, "takes a passphrase off");
    daemon_keys_close(keys);
    BIO_free(bio);
    EVP_PKEY_free(secret);
}

static void test_bounds(void **state)
{
    (void)state;
    struct daemon_keys *keys = open_keys();
    struct daemon_error error = {.text = ""};
    uint8_t key[DHT_KEY_LEN];
    char label[8];
    assert_true(daemon_keys_import_seed(keys, "seed", unit_text(SEED_HEX), key, NULL));
    assert_false(daemon_keys_import_pem(keys, "again", unit_text(SEED_PEM), key, &error));
    unit_has("same key", error.text, "there already, as seed");
    assert_int_equal(error.kind, DAEMON_ERROR_TAKEN);
    for (int i = 1; i < KEY_MAX; i++) {
        snprintf(label, sizeof label, "k%d", i);
        assert_true(daemon_keys_create(keys, label, key, NULL));
    }
    assert_false(daemon_keys_create(keys, "more", key, &error));
    unit_has("full", error.text, "no room");
    assert_int_equal(error.kind, DAEMON_ERROR_FULL);
    assert_false(daemon_file_exists(unit_path("keys/more.pem")));
    daemon_keys_close(keys);
}

// A file that another program put there after we loaded is not overwritten.
static void test_never_overwrites(void **state)
{
    (void)state;
    struct daemon_keys *keys = open_keys();
    struct daemon_error error = {.text = ""};
    uint8_t key[DHT_KEY_LEN];
    unit_write(unit_path("keys/late.pem"), "theirs");
    assert_false(daemon_keys_create(keys, "late", key, &error));
    unit_has("late", error.text, "there already");
    assert_int_equal(error.kind, DAEMON_ERROR_TAKEN);
    unit_check_file(unit_path("keys/late.pem"), "theirs");
    assert_int_equal(daemon_keys_count(keys), 0);
    daemon_keys_close(keys);
    daemon_file_remove(unit_path("keys/late.pem"));
    unit_write(unit_path("keys/.new-1-x.pem"), "half a key");
    daemon_keys_close(open_keys());
    assert_false(daemon_file_exists(unit_path("keys/.new-1-x.pem")));
}

static void test_disk_fails(void **state)
{
    (void)state;
    unit_write(unit_path("keys"), "a file in its place");
    expect_refused("a file in its place", "the key directory");
}

static void test_files_refused(void **state)
{
    (void)state;
    static const struct row {
        const char *name;
        const char *file;
        const char *text;
        const char *wanted;
    } rows[] = {
        {"no key", "k.pem", "hello", "no unencrypted private key"},
        {"another kind", "k.pem", x25519_pem, "not an Ed25519 key"},
        {"bad label", "K.pem", SEED_PEM, "rename the file"},
        {"zero", "0.pem", SEED_PEM, "rename the file"},
        {"long label", "abcdefghijklmnopqrstuvwxyz0123456.pem", SEED_PEM, "rename"},
    };
    daemon_keys_close(open_keys());
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        char path[UNIT_PATH_MAX];
        snprintf(path, sizeof path, "%s/keys/%s", unit_dir, rows[i].file);
        unit_write(path, rows[i].text);
        expect_refused(rows[i].name, rows[i].wanted);
        daemon_file_remove(path);
    }
    unit_write(unit_path("keys/a.pem"), SEED_PEM);
    unit_write(unit_path("keys/b.pem"), SEED_PEM);
    expect_refused("same key twice", "is there already, as");
    daemon_file_remove(unit_path("keys/b.pem"));
    unit_write(unit_path("keys/README"), "not a key");
    daemon_keys_close(open_keys());
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels), IN_DIR(test_create_and_load), IN_DIR(test_import_and_export),
        IN_DIR(test_import_refused),   IN_DIR(test_encrypted),       IN_DIR(test_bounds),
        IN_DIR(test_never_overwrites), IN_DIR(test_disk_fails),      IN_DIR(test_files_refused),
    };
    return unit_run(tests);
}
