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

// Whether the row is one of the cloud's (node/core/snapshot.c): its key ends in its name, or, of
// Global_, in no name.
static bool is_wanted(const struct restoring *restoring, struct dht_span key)
{
    if (restoring->cloud == NULL)
        return true;
    if (key.len <= restoring->key_len)
        return key.len == restoring->key_len && strcmp(restoring->cloud, NODE_CLOUD_GLOBAL) == 0;
    size_t name_len = key.len - restoring->key_len;
    return strlen(restoring->cloud) == name_len &&
           memcmp(restoring->cloud, key.data + restoring->key_len, name_len) == 0;
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
        struct restoring restoring = {.record = record,
                                      .kind = kinds[i],
                                      .cloud = cloud,
                                      .key_len = is_contact ? 2 : 1 + DHT_ID_LEN};
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
