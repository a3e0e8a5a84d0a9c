// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_SECRETS_H
#define PNR_DAEMON_SECRETS_H

// A node's secret keys as the loop sees them: signing at once, disk never. node/daemon/keys.h
// makes, reads and writes keys with the waits that a disk takes, so a worker thread does that, on a
// set of its own that it reads from the directory. The loop gets the whole new set and puts it in
// the place of the old one; no set is ever used by two threads. What is made is durable on disk
// before the loop, and so the client, hears of it. Nodes that share a directory hear of each
// other's new keys.
//
// Jobs run one after the other, and the answers come in their order. Bound: DAEMON_SECRETS_JOBS_MAX
// jobs of all nodes wait or run; more are answered CONTROL_ERROR_FULL.

#include "node/daemon/error.h"
#include "node/daemon/keys.h"
#include "pnr/node.h"

#include <event2/event.h>

#define DAEMON_SECRETS_JOBS_MAX 64

// ---- the worker ----

struct daemon_secrets_worker;

// Costs a pipe; the thread is started by the first job. NULL where there is no memory or
// descriptor.
struct daemon_secrets_worker *daemon_secrets_worker_new(struct event_base *base,
                                                        struct daemon_error *ret_error);
// Waits for the job that runs; answers no more. After all secrets that use it are closed.
void daemon_secrets_worker_free(struct daemon_secrets_worker *worker);

// ---- the secrets ----

struct daemon_secrets;

// What is told to the owner. None of them may close the secrets.
struct daemon_secrets_calls {
    void *ctx;
    // A key is there now, or is gone. path: of its file.
    void (*added)(void *ctx, const struct daemon_keys_entry *entry, const char *path);
    void (*removed)(void *ctx, const char *label);
    // The answer to daemon_secrets_do(); after `added` for a new key.
    void (*answered)(void *ctx, const struct node_key_answer *answer);
    // The answer to daemon_secrets_reload(); why is NULL where it worked.
    void (*reloaded)(void *ctx, const struct daemon_error *why);
};

struct daemon_secrets_options {
    const char *dir; // of the keys
    size_t key_max;
    const char *state_dir;  // for checkups alone; NULL: nothing is kept on disk
    int64_t wall_offset_us; // for these, too: the clock is shifted by it, for tests
    // True: the directory is looked at, and made, only when there is something to be done with it,
    // so that a thousand nodes of a testnet start at once.
    bool lazy;
};

// Reads the keys, with the waits that this takes. Tells nothing to calls yet: see
// daemon_secrets_tell(). NULL for the reasons of daemon_keys_open().
struct daemon_secrets *daemon_secrets_open(struct daemon_secrets_worker *worker,
                                           const struct daemon_secrets_options *options,
                                           const struct daemon_secrets_calls *calls,
                                           struct daemon_error *ret_error);
// Jobs that are under way end without an answer.
void daemon_secrets_close(struct daemon_secrets *secrets);

// Calls added() for each key that there is.
void daemon_secrets_tell(struct daemon_secrets *secrets);

// Signs with the secret half of key (struct dht_crypto). False where it is not one of ours.
bool daemon_secrets_sign(const struct daemon_secrets *secrets, const uint8_t key[DHT_KEY_LEN],
                         struct dht_span msg, uint8_t ret_sig[DHT_SIG_LEN]);

// What NODE_OUT_KEY asks for; out is copied. Answered later by calls.answered, never before this
// returns.
void daemon_secrets_do(struct daemon_secrets *secrets, const struct node_out *out);

// Reads the directory again: what came is added, what went is removed, and where the directory is
// not as it should be, the keys stay as they were.
void daemon_secrets_reload(struct daemon_secrets *secrets);

#endif
