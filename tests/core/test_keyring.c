// SPDX-License-Identifier: MIT
#include "node/core/keyring.h"

#include "tests/core/crypto_helper.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

static bool add(struct core_keyring *keyring, const char *label, uint8_t number, const char *path)
{
    struct dht_crypto crypto = helper_crypto(NULL);
    uint8_t key[DHT_KEY_LEN];
    memset(key, number, sizeof key);
    return core_keyring_add(keyring, &crypto, label, key, path);
}

static void test_labels(void **state)
{
    static const struct {
        const char *label;
        bool good;
    } rows[] = {
        {"alice", true},
        {"a", true},
        {"0a-", true},
        {"", false},
        {"0", false},
        {"Alice", false},
        {"alice.web", false},
        {"a_b", false},
        {"0123456789abcdef0123456789abcdef", true},
        {"0123456789abcdef0123456789abcdef0", false},
        {"47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct core_keyring keyring = {.count_max = 1};
        if (add(&keyring, rows[i].label, 1, "/k") != rows[i].good)
            fail_msg("%s", rows[i].label);
        core_keyring_fini(&keyring);
    }
}

static void test_found_by_every_authority(void **state)
{
    struct dht_crypto crypto = helper_crypto(NULL);
    struct core_keyring keyring = {.count_max = 100};
    char label[16];
    (void)state;
    for (uint8_t i = 0; i < 100; i++) {
        snprintf(label, sizeof label, "k%u", (i * 37u) % 100);
        assert_true(add(&keyring, label, i, label));
    }
    for (uint8_t i = 0; i < 100; i++) {
        struct core_name name = {.kind = CORE_NAME_KEY};
        snprintf(label, sizeof label, "k%u", (i * 37u) % 100);
        memset(name.key, i, sizeof name.key);
        const struct core_key *key = core_keyring_by_name(&keyring, &name);
        assert_non_null(key);
        assert_string_equal(key->label, label);
        assert_string_equal(key->path, label);
        core_name_key_hash(&crypto, name.key, name.hash);
        name.kind = CORE_NAME_HASH;
        assert_ptr_equal(core_keyring_by_name(&keyring, &name), key);
        memcpy(name.label, label, sizeof label);
        name.kind = CORE_NAME_LABEL;
        assert_ptr_equal(core_keyring_by_name(&keyring, &name), key);
        name.kind = CORE_NAME_UNSECURED;
        assert_null(core_keyring_by_name(&keyring, &name));
    }
    for (uint32_t i = 1; i < keyring.count; i++)
        assert_true(strcmp(keyring.keys[i - 1].label, keyring.keys[i].label) < 0);
    core_keyring_remove(&keyring, "k50");
    core_keyring_remove(&keyring, "nobody");
    assert_null(core_keyring_by_label(&keyring, "k50"));
    assert_int_equal(keyring.count, 99);
    core_keyring_fini(&keyring);
}

static void test_bound(void **state)
{
    struct core_keyring keyring = {.count_max = 3};
    (void)state;
    assert_true(add(&keyring, "a", 1, "/a"));
    assert_true(add(&keyring, "b", 2, "/b"));
    assert_true(add(&keyring, "c", 3, "/c"));
    assert_false(add(&keyring, "d", 4, "/d"));
    assert_int_equal(keyring.count, 3);
    // A label that is there already takes no room.
    assert_true(add(&keyring, "b", 5, "/other"));
    assert_int_equal(keyring.count, 3);
    assert_int_equal(core_keyring_by_label(&keyring, "b")->key[0], 5);
    assert_string_equal(core_keyring_by_label(&keyring, "b")->path, "/other");
    core_keyring_fini(&keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_found_by_every_authority),
        cmocka_unit_test(test_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
