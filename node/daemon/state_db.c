// SPDX-License-Identifier: MIT
#include "node/daemon/state_db.h"

#include "node/daemon/file.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPLICATION_ID 0x706e7231 // "pnr1"

struct daemon_state_db {
    sqlite3 *sql; // NULL: to be opened anew
    sqlite3_stmt *put;
    sqlite3_stmt *del;
    bool synced; // whether synchronous=FULL is set
    char path[DAEMON_FILE_PATH_MAX];
};

// The schema's history: step N brings a file of version N to N + 1. The rows are a table with an
// index, not an index alone (WITHOUT ROWID): that keeps at most a quarter of a page of each row
// together and puts the rest of an item on a page of its own, which made files four times as large.
static const char *const schema_steps[DAEMON_STATE_SCHEMA] = {
    "CREATE TABLE state (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, key BLOB NOT NULL,"
    " value BLOB NOT NULL);"
    "CREATE UNIQUE INDEX state_key ON state (kind, key)",
};

static bool run(struct daemon_state_db *db, const char *text)
{
    return sqlite3_exec(db->sql, text, NULL, NULL, NULL) == SQLITE_OK;
}

// The integer that a statement gives; -1 where it gives none.
static int64_t ask_number(struct daemon_state_db *db, const char *text)
{
    sqlite3_stmt *stmt = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(db->sql, text, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return number;
}

static void report_damage(const struct daemon_state_db *db, const char *what,
                          struct daemon_error *ret_error)
{
    daemon_error_set(ret_error,
                     "%.200s is damaged (%.80s); remedy: restore it from a backup, or move it "
                     "aside to start without it: publications made here are then forgotten, and "
                     "sequence numbers go by the clock and by what the network shows",
                     db->path, what);
}

// Says what went wrong with the file, from SQLite's code.
static void report(const struct daemon_state_db *db, const char *doing,
                   struct daemon_error *ret_error)
{
    int code = sqlite3_errcode(db->sql) & 0xff;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        report_damage(db, sqlite3_errmsg(db->sql), ret_error);
        return;
    }
    int system_code = sqlite3_system_errno(db->sql);
    char reason[DAEMON_ERROR_REASON_MAX];
    daemon_error_set(ret_error, "cannot %s %.200s: %.100s%s%.60s", doing, db->path,
                     sqlite3_errmsg(db->sql), system_code != 0 ? ": " : "",
                     system_code != 0 ? daemon_error_reason(system_code, reason) : "");
}

// Closes SQLite's side, so that the next use opens it anew.
static void shut(struct daemon_state_db *db)
{
    sqlite3_finalize(db->put);
    sqlite3_finalize(db->del);
    sqlite3_close(db->sql);
    db->put = NULL;
    db->del = NULL;
    db->sql = NULL;
}

// SQLite would make the file with whatever the umask leaves; its WAL takes the file's mode over.
static bool make_file(const struct daemon_state_db *db, struct daemon_error *ret_error)
{
    struct daemon_error why;
    if (daemon_file_make_private(db->path, &why))
        return true;
    daemon_error_set(ret_error, "cannot open %.200s for writing: %.200s", db->path, why.text);
    return false;
}

static bool connect_file(struct daemon_state_db *db, struct daemon_error *ret_error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    bool ok = sqlite3_open_v2(db->path, &db->sql, flags, NULL) == SQLITE_OK;
    if (db->sql == NULL) {
        daemon_error_set(ret_error, "no memory for %.200s", db->path);
        return false;
    }
    sqlite3_extended_result_codes(db->sql, 1);
    sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    // EXCLUSIVE needs no shared memory beside the file and keeps others from holding our writes up.
    ok = ok && run(db, "PRAGMA trusted_schema=OFF") && run(db, "PRAGMA locking_mode=EXCLUSIVE") &&
         run(db, "PRAGMA journal_mode=WAL") && run(db, "PRAGMA synchronous=FULL") &&
         run(db, "PRAGMA journal_size_limit=16777216") && run(db, "BEGIN IMMEDIATE; COMMIT");
    if (!ok)
        report(db, "open", ret_error);
    db->synced = true;
    return ok;
}

// Makes or updates the schema in one transaction.
static bool update_schema(struct daemon_state_db *db, int64_t version,
                          struct daemon_error *ret_error)
{
    char text[64];
    bool ok = run(db, "BEGIN IMMEDIATE");
    for (int64_t step = version; ok && step < DAEMON_STATE_SCHEMA; step++)
        ok = run(db, schema_steps[step]);
    snprintf(text, sizeof text, "PRAGMA application_id=%d", APPLICATION_ID);
    ok = ok && run(db, text);
    snprintf(text, sizeof text, "PRAGMA user_version=%d", DAEMON_STATE_SCHEMA);
    ok = ok && run(db, text) && run(db, "COMMIT");
    if (!ok)
        report(db, "write", ret_error);
    return ok;
}

static bool check_schema(struct daemon_state_db *db, struct daemon_error *ret_error)
{
    int64_t version = ask_number(db, "PRAGMA user_version");
    int64_t application = ask_number(db, "PRAGMA application_id");
    int64_t tables = ask_number(db, "SELECT count(*) FROM sqlite_schema");
    if (version < 0 || tables < 0) {
        report(db, "read", ret_error);
        return false;
    }
    bool fresh = version == 0 && application == 0 && tables == 0;
    if (!fresh && application != APPLICATION_ID) {
        daemon_error_set(ret_error,
                         "%.200s is another program's database; remedy: move it aside, or choose "
                         "another state-dir",
                         db->path);
        return false;
    }
    if (version > DAEMON_STATE_SCHEMA) {
        daemon_error_set(ret_error,
                         "%.200s was written by a newer pnr (schema %lld, this one knows up to "
                         "%d); remedy: update pnr, or choose another state-dir",
                         db->path, (long long)version, DAEMON_STATE_SCHEMA);
        return false;
    }
    return version == DAEMON_STATE_SCHEMA || update_schema(db, version, ret_error);
}

// SQLite's own check of the file's structure: about a millisecond for each megabyte.
static bool check_integrity(struct daemon_state_db *db, struct daemon_error *ret_error)
{
    sqlite3_stmt *stmt = NULL;
    bool ok = false;
    if (sqlite3_prepare_v2(db->sql, "PRAGMA quick_check(1)", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        const char *verdict = (const char *)sqlite3_column_text(stmt, 0);
        ok = verdict != NULL && strcmp(verdict, "ok") == 0;
        if (!ok)
            report_damage(db, verdict == NULL ? "no verdict" : verdict, ret_error);
    } else {
        report(db, "check", ret_error);
    }
    sqlite3_finalize(stmt);
    return ok;
}

static bool prepare(struct daemon_state_db *db, struct daemon_error *ret_error)
{
    static const char put[] = "INSERT INTO state (kind, key, value) VALUES (?1, ?2, ?3)"
                              " ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value";
    static const char del[] = "DELETE FROM state WHERE kind = ?1 AND key = ?2";
    bool ok = sqlite3_prepare_v3(db->sql, put, -1, SQLITE_PREPARE_PERSISTENT, &db->put, NULL) ==
                  SQLITE_OK &&
              sqlite3_prepare_v3(db->sql, del, -1, SQLITE_PREPARE_PERSISTENT, &db->del, NULL) ==
                  SQLITE_OK;
    if (!ok)
        report(db, "use", ret_error);
    return ok;
}

struct daemon_state_db *daemon_state_db_open(const char *dir, struct daemon_error *ret_error)
{
    struct daemon_state_db *db = calloc(1, sizeof *db);
    if (db == NULL) {
        daemon_error_set(ret_error, "no memory for the state");
        return NULL;
    }
    int len = snprintf(db->path, sizeof db->path, "%s/state.db", dir);
    if (len >= (int)sizeof db->path) {
        daemon_error_set(ret_error, "the state directory's path is too long");
    } else if (make_file(db, ret_error) && connect_file(db, ret_error) &&
               check_schema(db, ret_error) && check_integrity(db, ret_error) &&
               prepare(db, ret_error)) {
        return db;
    }
    daemon_state_db_close(db);
    return NULL;
}

void daemon_state_db_close(struct daemon_state_db *db)
{
    if (db == NULL)
        return;
    shut(db);
    free(db);
}

static bool reopen(struct daemon_state_db *db, struct daemon_error *ret_error)
{
    if (make_file(db, ret_error) && connect_file(db, ret_error) && check_schema(db, ret_error) &&
        prepare(db, ret_error))
        return true;
    shut(db);
    return false;
}

// Binds bytes; an empty span is an empty blob, not NULL.
static bool bind_span(sqlite3_stmt *stmt, int index, struct dht_span span)
{
    const void *data = span.len == 0 ? "" : (const void *)span.data;
    return sqlite3_bind_blob64(stmt, index, data, span.len, SQLITE_STATIC) == SQLITE_OK;
}

static bool write_row(struct daemon_state_db *db, const struct daemon_state_row *row)
{
    sqlite3_stmt *stmt = row->is_delete ? db->del : db->put;
    bool ok = sqlite3_bind_int(stmt, 1, (int)row->kind) == SQLITE_OK &&
              bind_span(stmt, 2, row->key) && (row->is_delete || bind_span(stmt, 3, row->value)) &&
              sqlite3_step(stmt) == SQLITE_DONE;
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return ok;
}

// synchronous can only change between transactions: FULL syncs the WAL at each commit.
static bool set_synced(struct daemon_state_db *db, bool synced)
{
    if (db->synced == synced)
        return true;
    if (!run(db, synced ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"))
        return false;
    db->synced = synced;
    return true;
}

bool daemon_state_db_apply(struct daemon_state_db *db, const struct daemon_state_row *rows,
                           size_t row_count, bool durable, struct daemon_error *ret_error)
{
    if (db->sql == NULL && !reopen(db, ret_error))
        return false;
    bool ok = set_synced(db, durable) && run(db, "BEGIN IMMEDIATE");
    for (size_t i = 0; ok && i < row_count; i++)
        ok = write_row(db, &rows[i]);
    if (ok && run(db, "COMMIT"))
        return true;
    int code = sqlite3_errcode(db->sql) & 0xff;
    report(db, "write", ret_error);
    if (!sqlite3_get_autocommit(db->sql))
        run(db, "ROLLBACK");
    // A full disk leaves the connection sound. After any other trouble nothing is taken for
    // granted.
    if (code != SQLITE_FULL)
        shut(db);
    return false;
}

// A span of a row's column, borrowed until the next step.
static struct dht_span column_span(sqlite3_stmt *stmt, int column)
{
    const uint8_t *data = sqlite3_column_blob(stmt, column);
    return (struct dht_span){data, (size_t)sqlite3_column_bytes(stmt, column)};
}

bool daemon_state_db_load(struct daemon_state_db *db, enum daemon_state_kind kind,
                          daemon_state_row_fn fn, void *ctx, struct daemon_error *ret_error)
{
    static const char text[] = "SELECT key, value FROM state WHERE kind = ?1 ORDER BY key";
    if (db->sql == NULL && !reopen(db, ret_error))
        return false;
    sqlite3_stmt *stmt = NULL;
    int result = sqlite3_prepare_v2(db->sql, text, -1, &stmt, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int(stmt, 1, (int)kind);
    if (result == SQLITE_OK)
        result = SQLITE_ROW;
    bool more = true;
    while (more && result == SQLITE_ROW) {
        result = sqlite3_step(stmt);
        if (result == SQLITE_ROW)
            more = fn(ctx, column_span(stmt, 0), column_span(stmt, 1));
    }
    bool ok = result == SQLITE_DONE || result == SQLITE_ROW;
    if (!ok)
        report(db, "read", ret_error);
    sqlite3_finalize(stmt);
    return ok;
}

// Deletes within a transaction. Returns how many, or -1.
static int64_t sift(struct daemon_state_db *db, sqlite3_stmt *stmt, enum daemon_state_kind kind,
                    daemon_state_keep_fn keep, void *ctx)
{
    int64_t count = 0;
    int result = sqlite3_bind_int(stmt, 1, (int)kind);
    if (result == SQLITE_OK)
        result = SQLITE_ROW;
    while (result == SQLITE_ROW && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct daemon_state_row row = {
            .kind = kind, .key = column_span(stmt, 0), .is_delete = true};
        if (keep(ctx, row.key))
            continue;
        if (!write_row(db, &row))
            return -1;
        count++;
    }
    return result == SQLITE_DONE ? count : -1;
}

bool daemon_state_db_sift(struct daemon_state_db *db, enum daemon_state_kind kind,
                          daemon_state_keep_fn keep, void *ctx, uint64_t *ret_count,
                          struct daemon_error *ret_error)
{
    static const char text[] = "SELECT key FROM state WHERE kind = ?1";
    if (db->sql == NULL && !reopen(db, ret_error))
        return false;
    sqlite3_stmt *stmt = NULL;
    int64_t count = -1;
    if (set_synced(db, false) && run(db, "BEGIN IMMEDIATE") &&
        sqlite3_prepare_v2(db->sql, text, -1, &stmt, NULL) == SQLITE_OK)
        count = sift(db, stmt, kind, keep, ctx);
    if (count < 0)
        report(db, "write", ret_error);
    sqlite3_finalize(stmt);
    if (count >= 0 && !run(db, "COMMIT")) {
        report(db, "write", ret_error);
        count = -1;
    }
    if (count < 0 && !sqlite3_get_autocommit(db->sql))
        run(db, "ROLLBACK");
    if (count < 0)
        return false;
    *ret_count = (uint64_t)count;
    return true;
}
