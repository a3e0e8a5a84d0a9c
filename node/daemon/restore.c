// SPDX-License-Identifier: MIT
#include "node/daemon/restore.h"

#include "node/daemon/log.h"

#include <string.h>

struct restoring {
    struct daemon_record *record;
    enum node_row_kind kind;
    const char *cloud; // whose rows alone are wanted; NULL: all
    size_t key_len;    // of a row's key before the name of its cloud
    uint64_t refused;
};

// How long a row's key is before the name of its cloud (node/core/snapshot.c). Of Global_ there is
// no name.
static size_t key_len_of(enum node_row_kind kind)
{
    return kind == NODE_ROW_CONTACT ? 2 : 1 + DHT_ID_LEN;
}

// The cloud that the row is of; empty where its key says nothing of that.
static struct dht_span cloud_of(struct dht_span key, size_t key_len)
{
    if (key.len == key_len)
        return (struct dht_span){(const uint8_t *)NODE_CLOUD_GLOBAL, strlen(NODE_CLOUD_GLOBAL)};
    if (key.len < key_len || key.len > key_len + NODE_CLOUD_NAME_MAX)
        return (struct dht_span){0};
    return (struct dht_span){key.data + key_len, key.len - key_len};
}

static bool is_wanted(const struct restoring *restoring, struct dht_span key)
{
    if (restoring->cloud == NULL)
        return true;
    struct dht_span cloud = cloud_of(key, restoring->key_len);
    return strlen(restoring->cloud) == cloud.len &&
           memcmp(restoring->cloud, cloud.data, cloud.len) == 0;
}

static bool restore_row(void *ctx, struct dht_span key, struct dht_span value)
{
    struct restoring *restoring = ctx;
    if (is_wanted(restoring, key))
        restoring->refused +=
            !daemon_record_restore(restoring->record, restoring->kind, key, value);
    return true;
}

// Sequence numbers come before the publications that need them.
bool daemon_restore(struct daemon_state *state, struct daemon_record *record, const char *cloud,
                    struct daemon_error *ret_error)
{
    static const enum node_row_kind kinds[] = {
        NODE_ROW_META, NODE_ROW_SEQUENCE, NODE_ROW_PUBLICATION, NODE_ROW_CONTACT, NODE_ROW_ITEM};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bool is_contact = kinds[i] == NODE_ROW_CONTACT;
        struct restoring restoring = {
            .record = record, .kind = kinds[i], .cloud = cloud, .key_len = key_len_of(kinds[i])};
        if (cloud != NULL && !is_contact && kinds[i] != NODE_ROW_ITEM)
            continue;
        if (!daemon_state_load(state, (enum daemon_state_kind)kinds[i], restore_row, &restoring,
                               ret_error))
            return false;
        // Contacts and items of other clouds are for when those are added.
        bool is_late = kinds[i] == NODE_ROW_CONTACT || kinds[i] == NODE_ROW_ITEM;
        if (restoring.refused > 0 && !is_late)
            daemon_log(DAEMON_LOG_WARN, "rows of the state not used kind=%d count=%llu",
                       (int)kinds[i], (unsigned long long)restoring.refused);
    }
    return true;
}

struct forgetting {
    size_t key_len; // of a row's key before the name of its cloud
    daemon_restore_owns_fn owns;
    void *ctx;
};

static bool is_kept(void *ctx, struct dht_span key)
{
    const struct forgetting *forgetting = ctx;
    struct dht_span cloud = cloud_of(key, forgetting->key_len);
    return cloud.len == 0 || forgetting->owns(forgetting->ctx, cloud);
}

bool daemon_restore_forget(struct daemon_state *state, daemon_restore_owns_fn owns, void *ctx,
                           uint64_t *ret_count, struct daemon_error *ret_error)
{
    static const enum node_row_kind kinds[] = {NODE_ROW_CONTACT, NODE_ROW_ITEM};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct forgetting forgetting = {key_len_of(kinds[i]), owns, ctx};
        uint64_t count;
        if (!daemon_state_sift(state, (enum daemon_state_kind)kinds[i], is_kept, &forgetting,
                               &count, ret_error))
            return false;
        sum += count;
    }
    *ret_count = sum;
    return true;
}
