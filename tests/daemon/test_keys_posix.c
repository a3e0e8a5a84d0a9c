// SPDX-License-Identifier: MIT
// Modes of key files, and what else a file can be.
#include "tests/daemon/keys_helper.h"
#include "tests/daemon/unit_posix.h"

static void test_made(void **state)
{
    uint8_t key[DHT_KEY_LEN];
    (void)state;
    struct daemon_keys *keys = open_keys();
    assert_true(daemon_keys_create(keys, "office", key, NULL));
    assert_int_equal(unit_mode_of(unit_path("keys")), 0700);
    assert_int_equal(unit_mode_of(unit_path("keys/office.pem")), 0600);
    daemon_keys_close(keys);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct row {
        const char *name;
        mode_t mode;
        const char *wanted;
    } rows[] = {
        {"group reads", 0640, "remedy: chmod 600"},
        {"all read", 0604, "has mode 0604"},
        {"group writes", 0620, "chmod 600"},
    };
    daemon_keys_close(open_keys());
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        unit_write_mode(unit_path("keys/k.pem"), SEED_PEM, rows[i].mode);
        expect_refused(rows[i].name, rows[i].wanted);
    }
    daemon_file_remove(unit_path("keys/k.pem"));
    assert_int_equal(symlink("/dev/zero", unit_path("keys/l.pem")), 0);
    expect_refused("link", "symbolic link");
    daemon_file_remove(unit_path("keys/l.pem"));
    assert_int_equal(mkfifo(unit_path("keys/f.pem"), 0600), 0);
    expect_refused("fifo", "not a plain file");
    daemon_file_remove(unit_path("keys/f.pem"));
    unit_write_mode(unit_path("keys/README"), "not a key", 0644);
    daemon_keys_close(open_keys());
    assert_int_equal(chmod(unit_path("keys"), 0750), 0);
    expect_refused("directory", "remedy: chmod 700");
}

// Skipped where there is no openssl program.
static void test_openssl_reads_it(void **state)
{
    (void)state;
    if (system("command -v openssl >/dev/null") != 0)
        skip();
    struct daemon_keys *keys = open_keys();
    uint8_t key[DHT_KEY_LEN];
    char command[UNIT_PATH_MAX + 128];
    assert_true(daemon_keys_create(keys, "home", key, NULL));
    snprintf(command, sizeof command, "openssl pkey -in %s/keys/home.pem -noout -text", unit_dir);
    FILE *out = popen(command, "r");
    char line[256] = "";
    assert_non_null(fgets(line, sizeof line, out));
    assert_string_equal(line, "ED25519 Private-Key:\n");
    while (fgets(line, sizeof line, out) != NULL) {
    }
    assert_int_equal(pclose(out), 0);
    snprintf(command, sizeof command,
             "umask 077; openssl genpkey -algorithm ED25519 -out %s/keys/other.pem", unit_dir);
    assert_int_equal(system(command), 0);
    daemon_keys_close(keys);
    keys = open_keys();
    assert_non_null(daemon_keys_find(keys, "other"));
    daemon_keys_close(keys);
}

// Windows lets nobody remove a folder that a process has open.
static void test_folder_gone(void **state)
{
    (void)state;
    struct daemon_keys *keys = open_keys();
    struct daemon_error error = {.text = ""};
    uint8_t key[DHT_KEY_LEN];
    daemon_file_remove_folder(unit_path("keys"));
    assert_false(daemon_keys_create(keys, "home", key, &error));
    unit_has("gone", error.text, "cannot write the key file home.pem");
    assert_int_equal(error.kind, DAEMON_ERROR_FAILED);
    assert_int_equal(daemon_keys_count(keys), 0);
    daemon_keys_close(keys);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(test_made),
        IN_DIR(test_refused),
        IN_DIR(test_folder_gone),
        IN_DIR(test_openssl_reads_it),
    };
    return unit_run(tests);
}
