// SPDX-License-Identifier: MIT
#include "node/daemon/restore.h"

#include "tests/daemon/unit.h"

#define NAME_32 "abcdefghijklmnopqrstuvwxyz012345"
#define TARGET  "\4tttttttttttttttttttt" // of an item: family and target

// What goes is what has the name of a cloud that is none of ours, and nothing else.
static const struct row {
    const char *name;
    enum daemon_state_kind kind;
    const char *key;
    bool stays;
} rows[] = {
    {"contact of Global_", DAEMON_STATE_CONTACT, "\4\1", true},
    {"contact of ours", DAEMON_STATE_CONTACT, "\4\1lab", true},
    {"contact of another", DAEMON_STATE_CONTACT, "\4\1red", false},
    {"contact of one that begins like ours", DAEMON_STATE_CONTACT, "\4\1lab2", false},
    {"contact of the longest name", DAEMON_STATE_CONTACT, "\4\1" NAME_32, false},
    {"contact of no name", DAEMON_STATE_CONTACT, "\4\1" NAME_32 "6", true},
    {"contact too short", DAEMON_STATE_CONTACT, "\4", true},
    {"item of Global_", DAEMON_STATE_ITEM, TARGET, true},
    {"item of ours", DAEMON_STATE_ITEM, TARGET "lab", true},
    {"item of another", DAEMON_STATE_ITEM, TARGET "red", false},
    {"item of another's link", DAEMON_STATE_ITEM, TARGET "red%eth0", false},
    {"item too short", DAEMON_STATE_ITEM, "\4ttttttred", true},
    {"publication of another", DAEMON_STATE_PUBLICATION, TARGET "red", true},
    {"sequence number", DAEMON_STATE_SEQUENCE, TARGET "red", true},
    {"of itself", DAEMON_STATE_META, "\4\1red", true},
};

static bool is_there[UNIT_COUNT(rows)];
static enum daemon_state_kind kind_walked;

static bool note(void *ctx, struct dht_span key, struct dht_span value)
{
    (void)ctx;
    (void)value;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++)
        if (rows[i].kind == kind_walked && strlen(rows[i].key) == key.len &&
            memcmp(rows[i].key, key.data, key.len) == 0)
            is_there[i] = true;
    return true;
}

static bool owns(void *ctx, struct dht_span cloud)
{
    (*(int *)ctx)++;
    return (cloud.len == 7 && memcmp(cloud.data, "Global_", 7) == 0) ||
           (cloud.len == 3 && memcmp(cloud.data, "lab", 3) == 0);
}

static void check(struct daemon_state *state)
{
    memset(is_there, 0, sizeof is_there);
    for (int kind = DAEMON_STATE_PUBLICATION; kind <= DAEMON_STATE_META; kind++) {
        kind_walked = (enum daemon_state_kind)kind;
        assert_true(daemon_state_load(state, kind_walked, note, NULL, NULL));
    }
    for (size_t i = 0; i < UNIT_COUNT(rows); i++)
        if (is_there[i] != rows[i].stays)
            fail_msg("%s: %s", rows[i].name, is_there[i] ? "is there" : "is gone");
}

static void test_forget(void **state)
{
    struct daemon_state_options options = {.dir = unit_path("state")};
    struct daemon_state *rows_of = daemon_state_open(&options, NULL);
    struct daemon_error why;
    uint64_t count = 0;
    uint64_t wanted = 0;
    int asked = 0;
    (void)state;
    assert_non_null(rows_of);
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct dht_span key = {(const uint8_t *)rows[i].key, strlen(rows[i].key)};
        struct daemon_state_row row = {.kind = rows[i].kind, .key = key, .value = key};
        assert_int_equal(daemon_state_write(rows_of, 0, false, &row), DAEMON_STATE_TAKEN);
        wanted += !rows[i].stays;
    }
    // What waits to be written counts.
    assert_true(daemon_restore_forget(rows_of, owns, &asked, &count, &why));
    assert_int_equal(count, wanted);
    assert_true(asked > 0);
    check(rows_of);
    assert_true(daemon_restore_forget(rows_of, owns, &asked, &count, &why));
    assert_int_equal(count, 0);
    daemon_state_close(rows_of);
    rows_of = daemon_state_open(&options, NULL);
    check(rows_of);
    daemon_state_close(rows_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_forget, unit_dir_make, unit_dir_remove),
    };
    return unit_run(tests);
}
