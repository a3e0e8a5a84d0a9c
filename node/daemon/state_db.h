// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_STATE_DB_H
#define PNR_DAEMON_STATE_DB_H

// state.db: rows of (kind, key, value) in SQLite. One thread at a time; node/daemon/state.h puts a
// queue and a thread in front of it.
//
// The file is in WAL mode, locked for as long as it is open, 0600, and marked as pnr's by its
// application id and schema version. A damaged file is refused and not moved aside: the sequence
// numbers in it keep this machine's names from stepping back, so whether to go on without them is
// for the operator to decide. A file of a newer schema is refused too.

#include "node/daemon/error.h"
#include "pnr/dht.h"

#define DAEMON_STATE_SCHEMA 1

// What a row is about; the numbers are in the file and never change their meaning.
enum daemon_state_kind {
    DAEMON_STATE_PUBLICATION = 1,
    DAEMON_STATE_SEQUENCE = 2,
    DAEMON_STATE_CONTACT = 3,
    DAEMON_STATE_ITEM = 4,
    DAEMON_STATE_META = 5,
};

struct daemon_state_row {
    enum daemon_state_kind kind;
    struct dht_span key;
    struct dht_span value;
    bool is_delete; // the row goes, value does not count
};

struct daemon_state_db;

// Opens dir/state.db, made where it is not there, brings its schema up to date and checks it.
// NULL, with the remedy in the message, where it is damaged, newer, another program's, or cannot be
// written.
struct daemon_state_db *daemon_state_db_open(const char *dir, struct daemon_error *ret_error);
void daemon_state_db_close(struct daemon_state_db *db);

// Writes the rows in one transaction: all or none. With durable, they survive a power cut once this
// has returned true; else they survive the end of the process, and a power cut only once a later
// durable call or checkpoint took them along. After an I/O error the file is opened anew by the
// next call, so that a disk that comes back is used again.
bool daemon_state_db_apply(struct daemon_state_db *db, const struct daemon_state_row *rows,
                           size_t row_count, bool durable, struct daemon_error *ret_error);

// Is given each row's key and value, borrowed; false ends the walk.
typedef bool (*daemon_state_row_fn)(void *ctx, struct dht_span key, struct dht_span value);

// Walks all rows of a kind in the order of their keys. False where reading failed.
bool daemon_state_db_load(struct daemon_state_db *db, enum daemon_state_kind kind,
                          daemon_state_row_fn fn, void *ctx, struct daemon_error *ret_error);

// Is given a row's key, borrowed; false: the row goes.
typedef bool (*daemon_state_keep_fn)(void *ctx, struct dht_span key);

// Deletes those rows of a kind that keep does not keep, in one transaction that is not durable by
// itself. Tells how many. False where reading or writing failed: all are there still.
bool daemon_state_db_sift(struct daemon_state_db *db, enum daemon_state_kind kind,
                          daemon_state_keep_fn keep, void *ctx, uint64_t *ret_count,
                          struct daemon_error *ret_error);

#endif
