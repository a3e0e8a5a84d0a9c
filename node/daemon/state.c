// SPDX-License-Identifier: MIT
#include "node/daemon/state.h"

#include "node/daemon/log.h"
#include "node/daemon/state_dir.h"
#include "node/daemon/thread.h"
#include "node/daemon/wake.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_MAX_DEFAULT 4096
#define BYTES_MAX_DEFAULT ((size_t)16 << 20)

struct slot {
    uint64_t id;
    struct daemon_state_row row; // spans into bytes
    uint8_t *bytes;              // owned; NULL once written
    bool durable;
    bool ok;
};

// The slots are a ring. Counted from the first write ever, taken <= written <= queued, and
// queued - taken <= slot_count: [taken, written) are completions, [written, queued) wait. The
// writer reads the rows of a batch and sets their ok without the mutex: nobody else touches a slot
// between its queueing and its completion.
struct daemon_state {
    pthread_mutex_t mutex; // guards the ring's counts, counters, why, failing, stop
    pthread_cond_t wake;   // there is something to write, or stop
    pthread_cond_t idle;   // all that was queued is written
    pthread_t thread;
    bool has_thread;
    bool stop;
    bool failing;
    struct daemon_error why;
    struct daemon_state_counters counters;
    struct slot *slots;
    uint64_t slot_count;
    uint64_t taken;
    uint64_t written;
    uint64_t queued;
    size_t bytes; // of the rows that wait
    size_t bytes_max;
    int lock_fd;
    int done_fds[2];          // of a wake, rung where there are completions
    pthread_mutex_t db_mutex; // guards db
    struct daemon_state_db *db;
};

static struct slot *slot_at(struct daemon_state *state, uint64_t number)
{
    return &state->slots[number % state->slot_count];
}

static size_t row_bytes(const struct daemon_state_row *row)
{
    return row->key.len + (row->is_delete ? 0 : row->value.len);
}

// Writes the batch [first, first + count) and sets its slots' ok. Returns whether all went well.
static bool write_batch(struct daemon_state *state, uint64_t first, size_t count,
                        struct daemon_state_counters *counters, struct daemon_error *ret_why)
{
    struct daemon_state_row rows[DAEMON_STATE_BATCH];
    bool durable = false;
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = slot_at(state, first + i);
        rows[i] = slot->row;
        durable = durable || slot->durable;
    }
    pthread_mutex_lock(&state->db_mutex);
    bool ok = daemon_state_db_apply(state->db, rows, count, durable, ret_why);
    counters->commits += ok;
    counters->commits_durable += ok && durable;
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = slot_at(state, first + i);
        slot->ok = ok;
        if (!ok && slot->durable && count > 1) {
            slot->ok = daemon_state_db_apply(state->db, &rows[i], 1, true, ret_why);
            counters->commits += slot->ok;
            counters->commits_durable += slot->ok;
        }
        *(slot->ok ? &counters->written : &counters->failed) += 1;
    }
    pthread_mutex_unlock(&state->db_mutex);
    return ok;
}

// Logs the change from working to failing and back, not every failure.
static void log_change(bool was_failing, bool failing, const struct daemon_error *why)
{
    if (failing && !was_failing)
        daemon_log(DAEMON_LOG_ERROR, "state is not written: %s", why->text);
    else if (!failing && was_failing)
        daemon_log(DAEMON_LOG_WARN, "state is written again");
}

// Makes the completions [first, first + count) known. Called and returns with the mutex held.
static void complete(struct daemon_state *state, uint64_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = slot_at(state, first + i);
        state->bytes -= row_bytes(&slot->row);
        free(slot->bytes);
        slot->bytes = NULL;
    }
    state->written += count;
    if (state->written == state->queued)
        pthread_cond_broadcast(&state->idle);
    daemon_wake_ring(state->done_fds[1]);
}

// Writes the next batch. Called and returns with the mutex held, which it lets go meanwhile.
static void work(struct daemon_state *state)
{
    uint64_t first = state->written;
    uint64_t waiting = state->queued - first;
    size_t count = waiting > DAEMON_STATE_BATCH ? DAEMON_STATE_BATCH : (size_t)waiting;
    struct daemon_state_counters counters = {0};
    struct daemon_error why = {.text = ""};
    pthread_mutex_unlock(&state->mutex);
    bool ok = write_batch(state, first, count, &counters, &why);
    log_change(state->failing, !ok, &why); // only this thread changes it
    pthread_mutex_lock(&state->mutex);
    state->failing = !ok;
    if (!ok)
        state->why = why;
    state->counters.written += counters.written;
    state->counters.failed += counters.failed;
    state->counters.commits += counters.commits;
    state->counters.commits_durable += counters.commits_durable;
    complete(state, first, count);
}

static void *writer(void *arg)
{
    struct daemon_state *state = arg;
    pthread_mutex_lock(&state->mutex);
    while (!state->stop || state->written < state->queued) {
        if (state->written < state->queued)
            work(state);
        else
            pthread_cond_wait(&state->wake, &state->mutex);
    }
    pthread_mutex_unlock(&state->mutex);
    return NULL;
}

static bool start_writer(struct daemon_state *state)
{
    state->has_thread = daemon_thread_start(&state->thread, writer, state);
    return state->has_thread;
}

// Makes a state with nothing open yet.
static struct daemon_state *make(const struct daemon_state_options *options)
{
    struct daemon_state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return NULL;
    pthread_mutex_init(&state->mutex, NULL);
    pthread_mutex_init(&state->db_mutex, NULL);
    pthread_cond_init(&state->wake, NULL);
    pthread_cond_init(&state->idle, NULL);
    state->lock_fd = -1;
    state->done_fds[0] = -1;
    state->done_fds[1] = -1;
    state->slot_count = options->write_max == 0 ? WRITE_MAX_DEFAULT : options->write_max;
    state->bytes_max = options->bytes_max == 0 ? BYTES_MAX_DEFAULT : options->bytes_max;
    state->slots = calloc(state->slot_count, sizeof *state->slots);
    return state;
}

struct daemon_state *daemon_state_open(const struct daemon_state_options *options,
                                       struct daemon_error *ret_error)
{
    struct daemon_state *state = make(options);
    if (state == NULL || state->slots == NULL || !daemon_wake_open(state->done_fds)) {
        daemon_error_set(ret_error, "no memory or no descriptor for the state");
        daemon_state_close(state);
        return NULL;
    }
    state->lock_fd = daemon_state_dir_hold(options->dir, ret_error);
    if (state->lock_fd >= 0)
        state->db = daemon_state_db_open(options->dir, ret_error);
    bool ok = state->db != NULL;
    if (ok && !options->synchronous && !start_writer(state)) {
        daemon_error_set(ret_error, "cannot start a thread that writes the state");
        ok = false;
    }
    if (!ok) {
        daemon_state_close(state);
        return NULL;
    }
    return state;
}

void daemon_state_close(struct daemon_state *state)
{
    if (state == NULL)
        return;
    if (state->has_thread) {
        pthread_mutex_lock(&state->mutex);
        state->stop = true;
        pthread_cond_signal(&state->wake);
        pthread_mutex_unlock(&state->mutex);
        pthread_join(state->thread, NULL);
    }
    daemon_state_db_close(state->db);
    daemon_state_dir_release(state->lock_fd);
    for (int i = 0; i < 2; i++)
        daemon_wake_close(state->done_fds[i]);
    free(state->slots);
    pthread_mutex_destroy(&state->mutex);
    pthread_mutex_destroy(&state->db_mutex);
    pthread_cond_destroy(&state->wake);
    pthread_cond_destroy(&state->idle);
    free(state);
}

bool daemon_state_load(struct daemon_state *state, enum daemon_state_kind kind,
                       daemon_state_row_fn fn, void *ctx, struct daemon_error *ret_error)
{
    pthread_mutex_lock(&state->db_mutex);
    bool ok = daemon_state_db_load(state->db, kind, fn, ctx, ret_error);
    pthread_mutex_unlock(&state->db_mutex);
    return ok;
}

bool daemon_state_sift(struct daemon_state *state, enum daemon_state_kind kind,
                       daemon_state_keep_fn keep, void *ctx, uint64_t *ret_count,
                       struct daemon_error *ret_error)
{
    daemon_state_flush(state);
    pthread_mutex_lock(&state->db_mutex);
    bool ok = daemon_state_db_sift(state->db, kind, keep, ctx, ret_count, ret_error);
    pthread_mutex_unlock(&state->db_mutex);
    return ok;
}

// Whether there is room for one more row of so many bytes. Called with the mutex held.
static bool has_room(const struct daemon_state *state, bool durable, size_t bytes)
{
    uint64_t slots = state->slot_count;
    size_t bytes_max = state->bytes_max;
    if (!durable) {
        slots -= slots / 4;
        bytes_max -= bytes_max / 4;
    }
    return state->queued - state->taken < slots && bytes <= bytes_max - state->bytes &&
           state->bytes <= bytes_max;
}

// Copies row into a slot's bytes. False where memory is short.
static bool fill_slot(struct slot *slot, const struct daemon_state_row *row)
{
    size_t value_len = row->is_delete ? 0 : row->value.len;
    uint8_t *bytes = malloc(row->key.len + value_len + 1);
    if (bytes == NULL)
        return false;
    if (row->key.len > 0)
        memcpy(bytes, row->key.data, row->key.len);
    if (value_len > 0)
        memcpy(bytes + row->key.len, row->value.data, value_len);
    slot->bytes = bytes;
    slot->row = *row;
    slot->row.key.data = bytes;
    slot->row.value = (struct dht_span){bytes + row->key.len, value_len};
    return true;
}

enum daemon_state_taken daemon_state_write(struct daemon_state *state, uint64_t id, bool durable,
                                           const struct daemon_state_row *row)
{
    assert(row->kind >= DAEMON_STATE_PUBLICATION && row->kind <= DAEMON_STATE_META);
    bool fits = row->key.len <= DAEMON_STATE_KEY_MAX &&
                (row->is_delete || row->value.len <= DAEMON_STATE_VALUE_MAX);
    pthread_mutex_lock(&state->mutex);
    bool ok = fits && has_room(state, durable, row_bytes(row));
    if (ok) {
        struct slot *slot = slot_at(state, state->queued);
        *slot = (struct slot){.id = id, .durable = durable};
        ok = fill_slot(slot, row);
    }
    enum daemon_state_taken taken = DAEMON_STATE_TAKEN;
    if (ok) {
        state->queued++;
        state->bytes += row_bytes(row);
        if (state->has_thread)
            pthread_cond_signal(&state->wake);
        else
            work(state);
    } else {
        taken = durable || !fits ? DAEMON_STATE_REFUSED : DAEMON_STATE_DROPPED;
        *(taken == DAEMON_STATE_REFUSED ? &state->counters.refused : &state->counters.dropped) += 1;
    }
    pthread_mutex_unlock(&state->mutex);
    return taken;
}

int daemon_state_fd(const struct daemon_state *state)
{
    return state->done_fds[0];
}

bool daemon_state_next(struct daemon_state *state, struct daemon_state_done *ret_done)
{
    bool found = false;
    pthread_mutex_lock(&state->mutex);
    while (!found && state->taken < state->written) {
        const struct slot *slot = slot_at(state, state->taken++);
        found = slot->id != 0;
        if (found)
            *ret_done = (struct daemon_state_done){slot->id, slot->ok};
    }
    if (!found) // all are taken, and no new one can come meanwhile
        daemon_wake_hush(state->done_fds[0]);
    pthread_mutex_unlock(&state->mutex);
    return found;
}

void daemon_state_flush(struct daemon_state *state)
{
    pthread_mutex_lock(&state->mutex);
    while (state->written < state->queued)
        pthread_cond_wait(&state->idle, &state->mutex);
    pthread_mutex_unlock(&state->mutex);
}

void daemon_state_counters(struct daemon_state *state, struct daemon_state_counters *ret_counters)
{
    pthread_mutex_lock(&state->mutex);
    *ret_counters = state->counters;
    pthread_mutex_unlock(&state->mutex);
}

bool daemon_state_failing(struct daemon_state *state, struct daemon_error *ret_why)
{
    pthread_mutex_lock(&state->mutex);
    bool failing = state->failing;
    if (failing && ret_why != NULL)
        *ret_why = state->why;
    pthread_mutex_unlock(&state->mutex);
    return failing;
}
