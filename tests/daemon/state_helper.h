// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DAEMON_STATE_HELPER_H
#define PNR_TESTS_DAEMON_STATE_HELPER_H

// A state in unit_dir, rows to write to it, and what it says of them.

#include "node/daemon/state.h"
#include "tests/daemon/unit.h"

#include <sqlite3.h>

static inline struct dht_span span(const char *text)
{
    return (struct dht_span){(const uint8_t *)text, strlen(text)};
}

static inline struct daemon_state *open_with(bool synchronous, uint32_t write_max)
{
    const char *dir = unit_path("state");
    struct daemon_state_options options = {
        .dir = dir, .synchronous = synchronous, .write_max = write_max};
    struct daemon_error error = {.text = ""};
    struct daemon_state *state = daemon_state_open(&options, &error);
    if (state == NULL)
        fail_msg("%s", error.text);
    return state;
}

static inline void expect_refused(const char *row, const char *wanted)
{
    struct daemon_state_options options = {.dir = unit_path("state")};
    struct daemon_error error = {.text = ""};
    struct daemon_state *state = daemon_state_open(&options, &error);
    if (state != NULL)
        fail_msg("row %s: opened", row);
    unit_has(row, error.text, wanted);
}

static inline enum daemon_state_taken put(struct daemon_state *state, uint64_t id, bool durable,
                                          const char *key, const char *value)
{
    struct daemon_state_row row = {
        .kind = DAEMON_STATE_SEQUENCE, .key = span(key), .value = span(value)};
    return daemon_state_write(state, id, durable, &row);
}

static inline struct daemon_state_counters counters_of(struct daemon_state *state)
{
    struct daemon_state_counters counters;
    daemon_state_counters(state, &counters);
    return counters;
}

static inline void expect_done(struct daemon_state *state, uint64_t id, bool ok)
{
    struct daemon_state_done done = {0};
    assert_true(daemon_state_next(state, &done));
    assert_int_equal(done.id, id);
    assert_int_equal(done.ok, ok);
}

static inline void expect_none(struct daemon_state *state)
{
    struct daemon_state_done done;
    assert_false(daemon_state_next(state, &done));
}

// Writes "key=value;" for each row.
static inline bool append_row(void *ctx, struct dht_span key, struct dht_span value)
{
    char *text = ctx;
    size_t used = strlen(text);
    snprintf(text + used, 1024 - used, "%.*s=%.*s;", (int)key.len, (const char *)key.data,
             (int)value.len, value.data == NULL ? "" : (const char *)value.data);
    return true;
}

static inline void expect_rows(struct daemon_state *state, enum daemon_state_kind kind,
                               const char *wanted)
{
    char text[1024] = "";
    assert_true(daemon_state_load(state, kind, append_row, text, NULL));
    assert_string_equal(text, wanted);
}

static inline void run_sql(const char *text)
{
    sqlite3 *sql = NULL;
    assert_int_equal(sqlite3_open(unit_path("state/state.db"), &sql), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sql, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sql);
}

#endif
