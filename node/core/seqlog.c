// SPDX-License-Identifier: MIT
#include "node/core/seqlog.h"

#include "dht/id.h"

#include <stdlib.h>
#include <string.h>

void core_seqlog_fini(struct core_seqlog *log)
{
    free(log->entries);
    dht_index_clear(&log->index);
    *log = (struct core_seqlog){0};
}

static uint32_t hash_of(const struct dht_id *target)
{
    uint32_t hash;
    memcpy(&hash, target->bytes, sizeof hash);
    return hash;
}

static uint32_t slot_of(const struct core_seqlog *log, const struct dht_id *target)
{
    uint32_t cursor = DHT_INDEX_START;
    uint32_t slot;
    while ((slot = dht_index_next(&log->index, hash_of(target), &cursor)) != DHT_INDEX_NONE)
        if (dht_id_equal(&log->entries[slot].target, target))
            break;
    return slot;
}

int64_t core_seqlog_last(const struct core_seqlog *log, const struct dht_id *target)
{
    uint32_t slot = slot_of(log, target);
    return slot != DHT_INDEX_NONE ? log->entries[slot].seq : DHT_SEQ_NONE;
}

static bool grow(struct core_seqlog *log)
{
    if (log->count == CORE_SEQLOG_MAX || !dht_index_reserve(&log->index, CORE_SEQLOG_MAX))
        return false;
    if (log->count < log->capacity)
        return true;
    uint32_t capacity = log->capacity == 0 ? 8 : log->capacity * 2;
    void *entries = realloc(log->entries, capacity * sizeof *log->entries);
    if (entries == NULL)
        return false;
    log->entries = entries;
    log->capacity = capacity;
    return true;
}

bool core_seqlog_note(struct core_seqlog *log, const struct dht_id *target, int64_t seq)
{
    uint32_t slot = slot_of(log, target);
    if (slot == DHT_INDEX_NONE) {
        if (!grow(log))
            return false;
        slot = log->count++;
        log->entries[slot].target = *target;
        log->entries[slot].seq = seq;
        dht_index_add(&log->index, hash_of(target), slot);
    }
    if (seq > log->entries[slot].seq)
        log->entries[slot].seq = seq;
    return true;
}
