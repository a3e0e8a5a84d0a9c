// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_STATE_H
#define PNR_DAEMON_STATE_H

// What pnrd remembers across restarts: rows in state.db (node/daemon/state_db.h), loaded at the
// start and written off the packet path. The caller's thread, the loop's, never waits for a disk:
// daemon_state_write() copies the row into a bounded queue; a writer thread takes what waits, up to
// DAEMON_STATE_BATCH rows in one transaction, and completes it; daemon_state_fd() becomes readable,
// and daemon_state_next() tells, in the order of the writes, which are done and which failed.
//
// Durable writes (a sequence number before the first datagram that carries it) are complete when
// they would survive a power cut. One durable row makes its whole batch durable; with none in it a
// batch costs no sync, and survives the end of the process only.
//
// Where a transaction fails, its durable rows are tried again one by one, so that one row too big
// for a full disk does not fail the others. What fails completes as failed, is logged once, and
// nothing is kept for a later try: the writer knows best what is still worth writing. When writing
// works again, that is logged too.
//
// Bounds: write_max rows between write and completion, bytes_max bytes of them; rows that are not
// durable get three quarters of either, so that they cannot crowd out the durable ones.
//
// All functions but the two named in daemon_state_counters belong to one thread, the caller's.

#include "node/daemon/error.h"
#include "node/daemon/state_db.h"
#include "pnr/dht.h"

#define DAEMON_STATE_KEY_MAX   512   // bytes of a key
#define DAEMON_STATE_VALUE_MAX 65536 // bytes of a value
#define DAEMON_STATE_BATCH     256   // rows in a transaction

struct daemon_state_options {
    const char *dir;    // the state directory
    uint32_t write_max; // 0: 4,096
    size_t bytes_max;   // 0: 16 MiB
    // No thread: daemon_state_write() writes before it returns. For tests and one-off tools.
    bool synchronous;
};

struct daemon_state;

// Takes hold of the directory (node/daemon/state_dir.h), opens the file and starts the writer.
// NULL for the reasons that these name.
struct daemon_state *daemon_state_open(const struct daemon_state_options *options,
                                       struct daemon_error *ret_error);

// Writes all that waits, then lets go. Completions not taken are lost.
void daemon_state_close(struct daemon_state *state);

// Walks the rows of a kind as they are on disk: see daemon_state_db_load(). Waits for a batch that
// is being written; meant for the start.
bool daemon_state_load(struct daemon_state *state, enum daemon_state_kind kind,
                       daemon_state_row_fn fn, void *ctx, struct daemon_error *ret_error);

// Deletes rows of a kind: see daemon_state_db_sift(). Waits for all that is queued; meant for the
// start and for reloads.
bool daemon_state_sift(struct daemon_state *state, enum daemon_state_kind kind,
                       daemon_state_keep_fn keep, void *ctx, uint64_t *ret_count,
                       struct daemon_error *ret_error);

enum daemon_state_taken {
    DAEMON_STATE_TAKEN,   // will be completed
    DAEMON_STATE_DROPPED, // not durable and the queue is full; counted, never completed
    DAEMON_STATE_REFUSED, // durable and even its share is full, or the row is too big; likewise
};

// Queues a copy of row. id is told back by daemon_state_next(); 0: no completion is wanted.
enum daemon_state_taken daemon_state_write(struct daemon_state *state, uint64_t id, bool durable,
                                           const struct daemon_state_row *row);

// A descriptor to poll: readable while there may be completions.
int daemon_state_fd(const struct daemon_state *state);

struct daemon_state_done {
    uint64_t id;
    bool ok;
};

// Takes the oldest completion. False where there is none.
bool daemon_state_next(struct daemon_state *state, struct daemon_state_done *ret_done);

// Waits until all that was taken is written or has failed. Its completions still wait.
void daemon_state_flush(struct daemon_state *state);

// Everything countable. X-macro: name, meaning.
#define DAEMON_STATE_COUNTERS(X)                                                                   \
    X(written, "rows written")                                                                     \
    X(failed, "rows that could not be written")                                                    \
    X(dropped, "rows dropped, the queue being full")                                               \
    X(refused, "durable rows refused, the queue being full or the row too big")                    \
    X(commits, "transactions committed")                                                           \
    X(commits_durable, "of these, transactions made durable")

struct daemon_state_counters {
#define DAEMON_STATE_COUNTER_FIELD(name, meaning) uint64_t name;
    DAEMON_STATE_COUNTERS(DAEMON_STATE_COUNTER_FIELD)
#undef DAEMON_STATE_COUNTER_FIELD
};

// These two may be called from any thread.
void daemon_state_counters(struct daemon_state *state, struct daemon_state_counters *ret_counters);
// Whether the last batch failed, and why; false where writing works.
bool daemon_state_failing(struct daemon_state *state, struct daemon_error *ret_why);

#endif
