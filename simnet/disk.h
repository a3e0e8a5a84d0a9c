// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_DISK_H
#define PNR_SIMNET_DISK_H

// The disk of a simulated machine: what pnrd's state (node/daemon/state.h) and SQLite behind it do
// with rows, in virtual time. A writer takes what waits, in the order of the writes and up to
// SIMNET_DISK_BATCH rows in one transaction, which is whole or not at all. One durable row makes
// its transaction durable: it takes as long as a sync does, and all that was committed before is
// durable with it. A transaction without one is committed fast and is lost in a power cut, unless a
// later sync or checkpoint took it along.
//
//     write --> waiting --> under way --> committed, not synced --> durable
//
// - the process is killed: what is committed stays; what waits is lost; what is under way is either
//   (drawn).
// - power is cut: what is durable stays, and of the transactions after it the first few (drawn, or
//   none): SQLite's write-ahead log is read up to the first frame that is broken, so what survives
//   is always a beginning, and never a part of a transaction.
// - an orderly end: all that waits is written.
//
// A transaction that fails is tried again row by row for its durable rows, as pnrd does; its others
// have failed. What waits is bounded (write_max, bytes_max), and rows that are not durable have
// three quarters of it.
//
// Time and chance are the caller's: now_us may not go back. Owned by the machine's host.

#include "simnet/row.h"
#include "simnet/stream.h"

#define SIMNET_DISK_BATCH 256 // rows in a transaction: DAEMON_STATE_BATCH

// All zero: no write takes time or fails, and each is durable at once.
struct simnet_disk_config {
    double sync_median_us; // of the time that a durable transaction takes: lognormal
    double sync_sigma;     // deviation of its logarithm
    int64_t commit_us;     // the time of one that is not durable
    double fail_share;     // of transactions; 1: broken
    uint64_t capacity;     // bytes of keys and values; what would grow it beyond fails. 0: no end
    uint32_t write_max;    // rows between write and completion; 0: 4,096, as pnrd
    uint64_t bytes_max;    // and bytes of them; 0: 16 MiB
    bool loses_all;        // a power cut takes all that was not durable: no drawing
};

// What an SSD of a home computer does: syncs of about 2 ms, one in a hundred above 20 ms.
void simnet_disk_config_init(struct simnet_disk_config *config);

enum simnet_disk_end {
    SIMNET_DISK_STOPPED, // in order: all that waits is written first
    SIMNET_DISK_KILLED,  // the process is gone, the machine goes on
    SIMNET_DISK_CUT,     // power is gone
};

// Everything countable. X-macro: name, meaning.
#define SIMNET_DISK_COUNTERS(X)                                                                    \
    X(written, "rows written")                                                                     \
    X(failed, "rows that could not be written")                                                    \
    X(dropped, "rows dropped, too much waiting")                                                   \
    X(refused, "durable rows refused, too much waiting")                                           \
    X(commits, "transactions committed")                                                           \
    X(commits_durable, "of these, transactions made durable")                                      \
    X(full, "transactions that failed because the disk was full")                                  \
    X(lost, "rows that an end took, waiting or not durable")

struct simnet_disk_counters {
#define SIMNET_DISK_COUNTER_FIELD(name, meaning) uint64_t name;
    SIMNET_DISK_COUNTERS(SIMNET_DISK_COUNTER_FIELD)
#undef SIMNET_DISK_COUNTER_FIELD
};

struct simnet_disk;

// config is copied; NULL: all zero. seed, number: of its chances.
struct simnet_disk *simnet_disk_new(const struct simnet_disk_config *config, uint64_t seed,
                                    uint64_t number);
void simnet_disk_free(struct simnet_disk *disk);

// What it does from the next transaction on. config is copied; NULL: all zero.
void simnet_disk_configure(struct simnet_disk *disk, const struct simnet_disk_config *config);
// As it is now.
struct simnet_disk_config simnet_disk_config(const struct simnet_disk *disk);
// No transaction ends before that time.
void simnet_disk_stick(struct simnet_disk *disk, int64_t until_us);

// Takes a NODE_OUT_WRITE. False where too much waits: the row is lost, and the brain is to be told
// that it failed.
bool simnet_disk_write(struct simnet_disk *disk, const struct node_out *out);
// Ends what is due and begins what waits.
void simnet_disk_run(struct simnet_disk *disk, int64_t now_us);
// When the transaction under way ends; INT64_MAX where none is.
int64_t simnet_disk_due(const struct simnet_disk *disk);
// Takes the oldest completion that somebody waits for. False where there is none.
bool simnet_disk_next(struct simnet_disk *disk, uint64_t *ret_write_id, bool *ret_ok);

// The process is gone: what is left is what simnet_disk_restore() will find.
void simnet_disk_end(struct simnet_disk *disk, enum simnet_disk_end how, int64_t now_us);

// Hands every row to the brain, in pnrd's order.
void simnet_disk_restore(const struct simnet_disk *disk, struct node *node);
// Forgets all rows: another disk.
void simnet_disk_wipe(struct simnet_disk *disk);

// ---- looking in ----

const struct simnet_disk_counters *simnet_disk_counters(const struct simnet_disk *disk);
uint32_t simnet_disk_rows(const struct simnet_disk *disk); // committed
uint64_t simnet_disk_bytes(const struct simnet_disk *disk);
uint32_t simnet_disk_waiting(const struct simnet_disk *disk); // rows between write and completion
// The value of a committed row; its len is 0 where there is none. Borrowed until the next call.
struct dht_span simnet_disk_find(const struct simnet_disk *disk, enum node_row_kind kind,
                                 struct dht_span key);

#endif
