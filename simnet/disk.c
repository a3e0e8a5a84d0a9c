// SPDX-License-Identifier: MIT
#include "simnet/disk.h"

#include "simnet/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_MAX_DEFAULT 4096
#define BYTES_MAX_DEFAULT (UINT64_C(16) << 20)
// SQLite copies its log into the file, with syncs, whenever it is 1,000 pages long.
#define CHECKPOINT_BYTES (UINT64_C(1000) * 4096)

enum phase {
    IDLE,
    COMMITTING,
    RETRYING, // the durable rows of a transaction that failed, one by one
};

struct slot {
    struct simnet_row *row; // NULL once it was written
    uint64_t write_id;
    uint32_t size;
    bool durable;
    bool ok;
};

// How to take a committed row back: `put` out of the table, and `old` into it. Either may be NULL.
struct undo {
    struct simnet_row *put, *old;
    bool is_last; // of its transaction
};

// A first in, first out of slots, freed when empty: most machines write once in their life.
struct line {
    struct slot *slots;
    uint32_t first, end, capacity;
};

struct simnet_disk {
    struct simnet_row_table table;     // what is committed
    struct simnet_disk_config *config; // NULL: all zero
    struct undo *undos;                // of what is committed and not synced, in order
    uint32_t undo_count, undo_capacity;
    uint32_t batch; // slots of the transaction under way, the first of those that wait
    uint8_t phase;  // enum phase
    struct line waiting;
    struct line done;
    uint64_t waiting_bytes;
    uint64_t unsynced_bytes;
    int64_t begun_us, due_us, stuck_until_us;
    struct simnet_stream stream;
    struct simnet_disk_counters counters;
};

void simnet_disk_config_init(struct simnet_disk_config *config)
{
    *config =
        (struct simnet_disk_config){.sync_median_us = 2000, .sync_sigma = 1.0, .commit_us = 100};
}

struct simnet_disk *simnet_disk_new(const struct simnet_disk_config *config, uint64_t seed,
                                    uint64_t number)
{
    struct simnet_disk *disk = simnet_world_need(calloc(1, sizeof *disk));
    simnet_stream_init(&disk->stream, seed, "disk", number);
    disk->due_us = INT64_MAX;
    simnet_disk_configure(disk, config);
    return disk;
}

static uint32_t line_len(const struct line *line)
{
    return line->end - line->first;
}

static void line_fini(struct line *line)
{
    for (uint32_t i = line->first; i < line->end; i++)
        free(line->slots[i].row);
    free(line->slots);
    *line = (struct line){0};
}

static void forget_undos(struct simnet_disk *disk)
{
    for (uint32_t i = 0; i < disk->undo_count; i++)
        free(disk->undos[i].old);
    free(disk->undos);
    disk->undos = NULL;
    disk->undo_count = disk->undo_capacity = 0;
    disk->unsynced_bytes = 0;
}

void simnet_disk_free(struct simnet_disk *disk)
{
    if (disk == NULL)
        return;
    line_fini(&disk->waiting);
    line_fini(&disk->done);
    forget_undos(disk);
    simnet_row_table_fini(&disk->table);
    free(disk->config);
    free(disk);
}

void simnet_disk_configure(struct simnet_disk *disk, const struct simnet_disk_config *config)
{
    if (config == NULL) {
        free(disk->config);
        disk->config = NULL;
        return;
    }
    if (disk->config == NULL)
        disk->config = simnet_world_need(malloc(sizeof *disk->config));
    *disk->config = *config;
}

struct simnet_disk_config simnet_disk_config(const struct simnet_disk *disk)
{
    return disk->config == NULL ? (struct simnet_disk_config){0} : *disk->config;
}

void simnet_disk_stick(struct simnet_disk *disk, int64_t until_us)
{
    disk->stuck_until_us = until_us;
}

// ---- lines ----

static void push(struct line *line, const struct slot *slot)
{
    if (line->end == line->capacity && line->first > line->capacity / 2) {
        memmove(line->slots, line->slots + line->first, line_len(line) * sizeof *line->slots);
        line->end -= line->first;
        line->first = 0;
    } else if (line->end == line->capacity) {
        line->capacity = line->capacity == 0 ? 4 : 2 * line->capacity;
        line->slots = simnet_world_need(realloc(line->slots, line->capacity * sizeof *line->slots));
    }
    line->slots[line->end++] = *slot;
}

static struct slot pop(struct line *line)
{
    struct slot slot = line->slots[line->first++];
    if (line->first == line->end)
        line_fini(line);
    return slot;
}

// Whether there is room for one more row of so many bytes.
static bool has_room(const struct simnet_disk *disk, bool durable, uint64_t bytes)
{
    struct simnet_disk_config config = simnet_disk_config(disk);
    uint64_t rows = config.write_max != 0 ? config.write_max : WRITE_MAX_DEFAULT;
    uint64_t bytes_max = config.bytes_max != 0 ? config.bytes_max : BYTES_MAX_DEFAULT;
    if (!durable) {
        rows -= rows / 4;
        bytes_max -= bytes_max / 4;
    }
    return simnet_disk_waiting(disk) < rows && disk->waiting_bytes + bytes <= bytes_max;
}

bool simnet_disk_write(struct simnet_disk *disk, const struct node_out *out)
{
    uint64_t bytes = out->write.key.len + out->write.value.len;
    if (!has_room(disk, out->write.durable, bytes)) {
        *(out->write.durable ? &disk->counters.refused : &disk->counters.dropped) += 1;
        return false;
    }
    push(&disk->waiting,
         &(struct slot){simnet_row_new(out->write.kind, out->write.key, out->write.value),
                        out->write.write_id, (uint32_t)bytes, out->write.durable, false});
    disk->waiting_bytes += bytes;
    return true;
}

// ---- transactions ----

static void note_undo(struct simnet_disk *disk, const struct undo *undo)
{
    if (disk->undo_count == disk->undo_capacity) {
        disk->undo_capacity = disk->undo_capacity == 0 ? 8 : 2 * disk->undo_capacity;
        disk->undos =
            simnet_world_need(realloc(disk->undos, disk->undo_capacity * sizeof *disk->undos));
    }
    disk->undos[disk->undo_count++] = *undo;
}

static void take_back(struct simnet_disk *disk)
{
    struct undo undo = disk->undos[--disk->undo_count];
    if (undo.put != NULL)
        free(simnet_row_remove(&disk->table, undo.put));
    if (undo.old != NULL)
        simnet_row_insert(&disk->table, undo.old);
}

// Takes back the transactions behind the first `kept` of those not synced.
static void take_back_to(struct simnet_disk *disk, uint32_t kept)
{
    uint32_t end = 0;
    while (kept > 0 && end < disk->undo_count)
        kept -= disk->undos[end++].is_last;
    while (disk->undo_count > end) {
        disk->counters.lost++;
        take_back(disk);
    }
}

static void write_row(struct simnet_disk *disk, struct slot *slot)
{
    struct undo undo = {NULL, simnet_row_remove(&disk->table, slot->row), false};
    if (slot->row->value_len > 0) {
        undo.put = slot->row;
        simnet_row_insert(&disk->table, slot->row);
        slot->row = NULL;
    }
    note_undo(disk, &undo);
}

// Takes back what a transaction under way has done; the rows go back to their slots, which may be
// tried again.
static void roll_back(struct simnet_disk *disk, struct slot *slots, uint32_t undo_count)
{
    while (disk->undo_count > undo_count) {
        uint32_t last = disk->undo_count - 1;
        struct undo *undo = &disk->undos[last];
        if (undo->put != NULL)
            slots[last - undo_count].row = simnet_row_remove(&disk->table, undo->put);
        undo->put = NULL;
        take_back(disk);
    }
}

// Commits `count` slots that wait, from `first` on, in one transaction: all or none.
static bool commit(struct simnet_disk *disk, uint32_t first, uint32_t count, bool durable)
{
    struct simnet_disk_config config = simnet_disk_config(disk);
    uint64_t before = disk->table.bytes;
    uint32_t undo_count = disk->undo_count;
    struct slot *slots = disk->waiting.slots + disk->waiting.first + first;
    if (simnet_stream_chance(&disk->stream, config.fail_share))
        return false;
    for (uint32_t i = 0; i < count; i++)
        write_row(disk, &slots[i]);
    if (config.capacity != 0 && disk->table.bytes > config.capacity && disk->table.bytes > before) {
        disk->counters.full++;
        roll_back(disk, slots, undo_count);
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        disk->unsynced_bytes += slots[i].size;
    disk->undos[disk->undo_count - 1].is_last = true;
    disk->counters.commits++;
    disk->counters.commits_durable += durable;
    if (durable || disk->unsynced_bytes > CHECKPOINT_BYTES || disk->config == NULL)
        forget_undos(disk);
    return true;
}

static bool is_durable(const struct simnet_disk *disk)
{
    const struct slot *slots = disk->waiting.slots + disk->waiting.first;
    for (uint32_t i = 0; i < disk->batch; i++)
        if (slots[i].durable)
            return true;
    return false;
}

static int64_t duration_of(struct simnet_disk *disk, bool durable)
{
    struct simnet_disk_config config = simnet_disk_config(disk);
    if (!durable)
        return config.commit_us;
    if (config.sync_median_us <= 0)
        return 0;
    return (int64_t)simnet_stream_lognormal(&disk->stream, config.sync_median_us,
                                            config.sync_sigma);
}

static void begin(struct simnet_disk *disk, int64_t now_us)
{
    uint32_t waiting = line_len(&disk->waiting);
    // The writer's thread takes what is there when it wakes up: all of it, or the first few.
    if (disk->config != NULL && simnet_stream_next(&disk->stream) % 2 == 0)
        waiting = 1 + (uint32_t)simnet_stream_below(&disk->stream, waiting);
    disk->batch = waiting < SIMNET_DISK_BATCH ? waiting : SIMNET_DISK_BATCH;
    disk->phase = COMMITTING;
    disk->begun_us = now_us;
    disk->due_us = now_us + duration_of(disk, is_durable(disk));
}

// Tells of the first slots that wait, which are written or have failed.
static void complete(struct simnet_disk *disk)
{
    for (; disk->batch > 0; disk->batch--) {
        struct slot *first = &disk->waiting.slots[disk->waiting.first];
        *(first->ok ? &disk->counters.written : &disk->counters.failed) += 1;
        struct slot slot = pop(&disk->waiting);
        disk->waiting_bytes -= slot.size;
        free(slot.row);
        slot.row = NULL;
        if (slot.write_id != 0)
            push(&disk->done, &slot);
    }
    disk->phase = IDLE;
    disk->due_us = INT64_MAX;
}

static void begin_retries(struct simnet_disk *disk)
{
    const struct slot *slots = disk->waiting.slots + disk->waiting.first;
    disk->phase = RETRYING;
    disk->begun_us = disk->due_us;
    for (uint32_t i = 0; i < disk->batch; i++)
        if (slots[i].durable)
            disk->due_us += duration_of(disk, true);
}

// The first `count` of the durable rows are tried one by one.
static void retry(struct simnet_disk *disk, uint32_t count)
{
    for (uint32_t i = 0; i < disk->batch && count > 0; i++) {
        struct slot *slot = &disk->waiting.slots[disk->waiting.first + i];
        if (!slot->durable)
            continue;
        slot->ok = commit(disk, i, 1, true);
        count--;
    }
}

// What is under way is over.
static void finish(struct simnet_disk *disk)
{
    if (disk->phase == RETRYING) {
        retry(disk, disk->batch);
        complete(disk);
        return;
    }
    bool durable = is_durable(disk);
    bool ok = commit(disk, 0, disk->batch, durable);
    for (uint32_t i = 0; i < disk->batch; i++)
        disk->waiting.slots[disk->waiting.first + i].ok = ok;
    if (!ok && durable && disk->batch > 1)
        begin_retries(disk);
    else
        complete(disk);
}

void simnet_disk_run(struct simnet_disk *disk, int64_t now_us)
{
    while (disk->phase != IDLE || line_len(&disk->waiting) > 0) {
        if (disk->phase == IDLE)
            begin(disk, now_us);
        if (simnet_disk_due(disk) > now_us)
            return;
        finish(disk);
    }
}

int64_t simnet_disk_due(const struct simnet_disk *disk)
{
    if (disk->phase == IDLE)
        return INT64_MAX;
    return disk->due_us > disk->stuck_until_us ? disk->due_us : disk->stuck_until_us;
}

bool simnet_disk_next(struct simnet_disk *disk, uint64_t *ret_write_id, bool *ret_ok)
{
    if (line_len(&disk->done) == 0)
        return false;
    struct slot slot = pop(&disk->done);
    *ret_write_id = slot.write_id;
    *ret_ok = slot.ok;
    return true;
}

// ---- ends ----

// Whether what is under way got as far as the file, which is drawn; then it is committed.
static bool land(struct simnet_disk *disk, int64_t now_us)
{
    uint64_t commits = disk->counters.commits;
    if (disk->phase == IDLE || now_us <= disk->begun_us)
        return false;
    if (disk->phase == RETRYING)
        retry(disk, (uint32_t)simnet_stream_below(&disk->stream, disk->batch + 1));
    else if (simnet_stream_next(&disk->stream) % 2 == 0)
        commit(disk, 0, disk->batch, is_durable(disk));
    return disk->counters.commits > commits;
}

static void write_all(struct simnet_disk *disk, int64_t now_us)
{
    while (disk->phase != IDLE || line_len(&disk->waiting) > 0) {
        if (disk->phase == IDLE)
            begin(disk, now_us);
        finish(disk);
    }
    forget_undos(disk); // closing the file syncs it
}

static void cut(struct simnet_disk *disk, int64_t now_us)
{
    struct simnet_disk_config config = simnet_disk_config(disk);
    uint32_t unsynced = 0;
    if (!config.loses_all && land(disk, now_us) && disk->undo_count == 0)
        return; // its sync took all before it along
    for (uint32_t i = 0; i < disk->undo_count; i++)
        unsynced += disk->undos[i].is_last;
    take_back_to(disk, config.loses_all
                           ? 0
                           : (uint32_t)simnet_stream_below(&disk->stream, unsynced + UINT64_C(1)));
    forget_undos(disk);
}

void simnet_disk_end(struct simnet_disk *disk, enum simnet_disk_end how, int64_t now_us)
{
    // A process that waits for a disk that is stuck is killed in the end.
    if (how == SIMNET_DISK_STOPPED && disk->stuck_until_us > now_us)
        how = SIMNET_DISK_KILLED;
    if (how == SIMNET_DISK_STOPPED)
        write_all(disk, now_us);
    else if (how == SIMNET_DISK_KILLED)
        land(disk, now_us);
    else
        cut(disk, now_us);
    for (uint32_t i = disk->waiting.first; i < disk->waiting.end; i++)
        disk->counters.lost += disk->waiting.slots[i].row != NULL;
    line_fini(&disk->waiting);
    line_fini(&disk->done);
    disk->waiting_bytes = 0;
    disk->batch = 0;
    disk->phase = IDLE;
    disk->due_us = INT64_MAX;
}

void simnet_disk_restore(const struct simnet_disk *disk, struct node *node)
{
    struct simnet_row **rows = simnet_row_sorted(&disk->table);
    for (uint32_t i = 0; i < disk->table.count; i++)
        node_restore(node, (enum node_row_kind)rows[i]->kind, simnet_row_key(rows[i]),
                     simnet_row_value(rows[i]));
    free(rows);
}

void simnet_disk_wipe(struct simnet_disk *disk)
{
    forget_undos(disk);
    simnet_row_table_fini(&disk->table);
}

// ---- looking in ----

const struct simnet_disk_counters *simnet_disk_counters(const struct simnet_disk *disk)
{
    return &disk->counters;
}

uint32_t simnet_disk_rows(const struct simnet_disk *disk)
{
    return disk->table.count;
}

uint64_t simnet_disk_bytes(const struct simnet_disk *disk)
{
    return disk->table.bytes;
}

uint32_t simnet_disk_waiting(const struct simnet_disk *disk)
{
    return line_len(&disk->waiting) + line_len(&disk->done);
}

struct dht_span simnet_disk_find(const struct simnet_disk *disk, enum node_row_kind kind,
                                 struct dht_span key)
{
    struct simnet_row *like = simnet_row_new(kind, key, (struct dht_span){NULL, 0});
    const struct simnet_row *row = simnet_row_find(&disk->table, like);
    free(like);
    return row == NULL ? (struct dht_span){NULL, 0} : simnet_row_value(row);
}
