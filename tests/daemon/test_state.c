// SPDX-License-Identifier: MIT
#include "tests/daemon/state_helper.h"

#include "node/control/transport.h"

// ---- rows ----

static void test_rows_survive(void **unused)
{
    (void)unused;
    struct daemon_state *state = open_with(false, 0);
    struct daemon_state_row meta = {
        .kind = DAEMON_STATE_META, .key = span("machine"), .value = {NULL, 0}};
    struct daemon_state_row gone = {
        .kind = DAEMON_STATE_SEQUENCE, .key = span("b"), .is_delete = true};
    struct daemon_state_row absent = {
        .kind = DAEMON_STATE_SEQUENCE, .key = span("never"), .is_delete = true};
    assert_int_equal(put(state, 1, true, "b", "1"), DAEMON_STATE_TAKEN);
    assert_int_equal(put(state, 2, false, "a", "2"), DAEMON_STATE_TAKEN);
    assert_int_equal(put(state, 0, false, "c", "3"), DAEMON_STATE_TAKEN);
    assert_int_equal(put(state, 3, true, "a", "4"), DAEMON_STATE_TAKEN);
    assert_int_equal(daemon_state_write(state, 4, false, &meta), DAEMON_STATE_TAKEN);
    assert_int_equal(daemon_state_write(state, 5, false, &gone), DAEMON_STATE_TAKEN);
    assert_int_equal(daemon_state_write(state, 6, true, &absent), DAEMON_STATE_TAKEN);
    daemon_state_flush(state);
    control_transport_poll(daemon_state_fd(state), CONTROL_TRANSPORT_READ, -1);
    for (uint64_t id = 1; id <= 6; id++) // 0 wanted to hear nothing
        expect_done(state, id, true);
    expect_none(state);
    assert_int_equal(counters_of(state).written, 7);
    expect_rows(state, DAEMON_STATE_SEQUENCE, "a=4;c=3;");
    daemon_state_close(state);

    state = open_with(true, 0);
    expect_rows(state, DAEMON_STATE_SEQUENCE, "a=4;c=3;");
    expect_rows(state, DAEMON_STATE_META, "machine=;");
    expect_rows(state, DAEMON_STATE_ITEM, "");
    daemon_state_close(state);
}

static void test_close_writes_all(void **unused)
{
    (void)unused;
    struct daemon_state *state = open_with(false, 0);
    char key[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(put(state, (uint64_t)i + 1, false, key, "x"), DAEMON_STATE_TAKEN);
    }
    daemon_state_close(state);
    state = open_with(true, 0);
    struct daemon_state_row probe = {
        .kind = DAEMON_STATE_SEQUENCE, .key = span("999"), .is_delete = true};
    char text[1024] = "";
    assert_true(daemon_state_load(state, DAEMON_STATE_SEQUENCE, append_row, text, NULL));
    assert_memory_equal(text, "0=x;1=x;10=x;100=x;", 19);
    assert_int_equal(daemon_state_write(state, 1, false, &probe), DAEMON_STATE_TAKEN);
    expect_done(state, 1, true); // at once: there is no thread
    daemon_state_close(state);
}

// Items of the usual size lie together in the file, which is hardly larger than they are.
static void test_size(void **unused)
{
    (void)unused;
    enum { ROWS = 1000, VALUE_LEN = 1100 };
    static char value[VALUE_LEN + 1];
    char key[24];
    struct daemon_error why;
    struct daemon_state *state = open_with(true, 0);
    memset(value, 'x', VALUE_LEN);
    for (int i = 0; i < ROWS; i++) {
        snprintf(key, sizeof key, "%020u", (unsigned)i * 2654435761u);
        put(state, 0, false, key, value);
    }
    daemon_state_close(state);
    FILE *file = daemon_file_open(unit_path("state/state.db"), &why);
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    assert_in_range(ftell(file), ROWS * VALUE_LEN, ROWS * VALUE_LEN * 3 / 2);
    fclose(file);
}

static bool stop_at_once(void *ctx, struct dht_span key, struct dht_span value)
{
    (void)key;
    (void)value;
    ++*(int *)ctx;
    return false;
}

static void test_load_stops(void **unused)
{
    (void)unused;
    struct daemon_state *state = open_with(true, 0);
    int calls = 0;
    put(state, 0, false, "a", "1");
    put(state, 0, false, "b", "2");
    assert_true(daemon_state_load(state, DAEMON_STATE_SEQUENCE, stop_at_once, &calls, NULL));
    assert_int_equal(calls, 1);
    daemon_state_close(state);
}

static void test_schema(void **unused)
{
    (void)unused;
    daemon_state_close(open_with(true, 0));
    run_sql("PRAGMA user_version=2");
    expect_refused("newer", "newer pnr (schema 2, this one knows up to 1); remedy: update");
    run_sql("PRAGMA user_version=1; PRAGMA application_id=7");
    expect_refused("another's", "another program's database");
    daemon_file_remove(unit_path("state/state.db"));
    run_sql("CREATE TABLE other (x)");
    expect_refused("another's without a mark", "another program's database");
}

// One process at a time has a folder.
static void test_held(void **unused)
{
    (void)unused;
    struct daemon_state *state = open_with(false, 0);
    expect_refused("held", "remedy: stop");
    daemon_state_close(state);
    daemon_state_close(open_with(false, 0)); // let go
    daemon_file_remove_folder(unit_path("state"));
    unit_write(unit_path("state"), "a file in its place");
    expect_refused("a file in its place", "the state directory");
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(test_rows_survive), IN_DIR(test_close_writes_all), IN_DIR(test_size),
        IN_DIR(test_load_stops),   IN_DIR(test_schema),           IN_DIR(test_held),
    };
    return unit_run(tests);
}
