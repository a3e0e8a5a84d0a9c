// SPDX-License-Identifier: MIT
#include "node/core/snapshot.h"

#include "dht/addr.h"
#include "node/control/fields.h"
#include "node/core/cloud.h"
#include "node/core/publication.h"
#include "node/core/registration.h"
#include "node/core/result.h"
#include "node/core/seq.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_PAUSE_US (30 * CORE_SECOND_US)
#define CONTACTS_MAX   64    // kept from one run to the next: enough to find the rest
#define ITEMS_AT_ONCE  16384 // written in one go

// ---- clouds ----
// Keys of rows of another cloud than Global_ have its name at their end.

// Appends it. Returns the length of the whole key.
static size_t put_cloud(uint8_t *key, size_t len, const struct core_cloud *cloud)
{
    const char *name = cloud->config.name;
    if (strcmp(name, NODE_CLOUD_GLOBAL) == 0)
        return len;
    memcpy(key + len, name, strlen(name));
    return len + strlen(name);
}

// The present cloud of a key whose own part is len bytes long. NULL where there is none.
static struct core_cloud *cloud_of(const struct node *node, struct dht_span key, size_t len)
{
    struct dht_span name = {(const uint8_t *)NODE_CLOUD_GLOBAL, sizeof NODE_CLOUD_GLOBAL - 1};
    if (key.len < len)
        return NULL;
    if (key.len > len)
        name = (struct dht_span){key.data + len, key.len - len};
    struct core_cloud *cloud = core_cloud_named(node, name);
    return cloud != NULL && cloud->present ? cloud : NULL;
}

// ---- contacts: key: family, number of the place; value: id, compact address ----

#define CONTACT_KEY_LEN 2

static void write_contacts(struct node *node, const struct core_engine *engine)
{
    struct dht_contact_info *contacts = calloc(1024, sizeof *contacts);
    if (contacts == NULL)
        return;
    size_t count = dht_contacts(engine->dht, contacts, 1024);
    uint8_t place = 0;
    // From all over the table: a stride through it, for neighbours alone would lead nowhere else.
    size_t stride = count > CONTACTS_MAX ? count / CONTACTS_MAX : 1;
    for (size_t i = 0; i < count && place < CONTACTS_MAX; i += stride) {
        uint8_t key[CONTACT_KEY_LEN + NODE_CLOUD_NAME_MAX] = {(uint8_t)engine->family, place};
        size_t key_len = put_cloud(key, CONTACT_KEY_LEN, engine->cloud);
        uint8_t value[DHT_ID_LEN + DHT_ADDR_COMPACT_MAX];
        if (!contacts[i].good)
            continue;
        memcpy(value, contacts[i].id.bytes, DHT_ID_LEN);
        size_t len = DHT_ID_LEN + dht_addr_to_compact(&contacts[i].addr, value + DHT_ID_LEN);
        core_brain_write(node, NODE_ROW_CONTACT, (struct dht_span){key, key_len},
                         (struct dht_span){value, len}, false);
        place++;
    }
    free(contacts);
}

bool core_snapshot_restore_contact(struct node *node, struct dht_span key, struct dht_span value)
{
    struct dht_id id;
    struct dht_addr addr;
    struct core_cloud *cloud = cloud_of(node, key, CONTACT_KEY_LEN);
    if (cloud == NULL || value.len <= DHT_ID_LEN ||
        !dht_addr_from_compact(value.data + DHT_ID_LEN, value.len - DHT_ID_LEN, &addr))
        return false;
    memcpy(id.bytes, value.data, DHT_ID_LEN);
    struct core_engine *engine =
        core_cloud_of_family(cloud, addr.ip_len == 4 ? DHT_IPV4 : DHT_IPV6);
    if (engine != NULL)
        dht_restore_contact(engine->dht, node->now_us, &id, &addr);
    return true;
}

// ---- items: key: family and target ----

#define ITEM_KEY_LEN (1 + DHT_ID_LEN)
#define ITEM_KEY_MAX (ITEM_KEY_LEN + NODE_CLOUD_NAME_MAX)

// Writes the key, with room for ITEM_KEY_MAX. Returns its length.
static size_t item_key(const struct core_cloud *cloud, uint8_t family, const struct dht_id *target,
                       uint8_t *ret_key)
{
    ret_key[0] = family;
    memcpy(ret_key + 1, target->bytes, DHT_ID_LEN);
    return put_cloud(ret_key, ITEM_KEY_LEN, cloud);
}

static void write_item(struct node *node, const struct core_engine *engine,
                       const struct dht_item *item, int64_t expires_us)
{
    uint8_t key[ITEM_KEY_MAX];
    uint8_t row[2048];
    struct dht_bencode_writer writer = dht_bencode_writer(row, sizeof row);
    int64_t expires_wall_us = core_brain_wall_us(node) + (expires_us - node->now_us);
    size_t key_len = item_key(engine->cloud, (uint8_t)engine->family, &item->target, key);
    dht_bencode_open_dict(&writer);
    dht_bencode_pair_int(&writer, "expires", expires_wall_us);
    if (item->is_mutable) {
        dht_bencode_pair_string(&writer, "k", item->key, DHT_KEY_LEN);
        dht_bencode_pair_string(&writer, "salt", item->salt.data, item->salt.len);
        dht_bencode_pair_int(&writer, "seq", item->seq);
        dht_bencode_pair_string(&writer, "sig", item->sig, DHT_SIG_LEN);
    }
    dht_bencode_pair_string(&writer, "v", item->value.data, item->value.len);
    dht_bencode_end(&writer);
    if (!writer.full &&
        core_row_set_add(&node->item_rows, engine->cloud->number, key[0], &item->target))
        core_brain_write(node, NODE_ROW_ITEM, (struct dht_span){key, key_len},
                         (struct dht_span){row, dht_bencode_written(&writer)}, false);
}

// Those stored or refreshed since the last time; where there are very many, the newest of them.
static void write_items(struct node *node, const struct core_engine *engine)
{
    struct dht_item item;
    int64_t expires_us;
    uint32_t cursor = 0;
    uint32_t count = 0;
    while (count < ITEMS_AT_ONCE &&
           (cursor = dht_export_item(engine->dht, cursor, node->snapshot_at_us, &item,
                                     &expires_us)) != 0) {
        write_item(node, engine, &item, expires_us);
        count++;
    }
}

// Deletes the rows of items that are stored no more, or a node that runs for years would keep
// every item that it was ever given.
static void delete_item_rows(struct node *node)
{
    struct dht_item item;
    int64_t expires_us;
    struct core_row_entry gone;
    for (int i = 0; i < node->engine_count; i++) {
        const struct core_engine *engine = node->engines[i];
        uint8_t family = (uint8_t)engine->family;
        uint32_t cursor = 0;
        while ((cursor = dht_export_item(engine->dht, cursor, INT64_MIN, &item, &expires_us)) != 0)
            core_row_set_mark(&node->item_rows, engine->cloud->number, family, &item.target);
    }
    uint32_t cursor = 0;
    // Where very many went at once, the rest goes with a later snapshot.
    for (int count = 0; count < ITEMS_AT_ONCE; count++) {
        if (!core_row_set_sweep(&node->item_rows, &cursor, &gone))
            break;
        uint8_t key[ITEM_KEY_MAX];
        const struct core_cloud *cloud = core_cloud_numbered(node, gone.cloud);
        size_t key_len = item_key(cloud, gone.family, &gone.target, key);
        core_brain_write(node, NODE_ROW_ITEM, (struct dht_span){key, key_len}, (struct dht_span){0},
                         false);
    }
}

static bool read_item(struct dht_span row, struct dht_item *ret_item, int64_t *ret_expires_us)
{
    struct dht_item item = {.is_mutable = false};
    struct dht_span key;
    struct dht_span sig;
    struct control_fields_range any = {0, INT64_MAX};
    struct control_fields_range times = {0, INT64_MAX / 4}; // so that sums of them are numbers too
    if (!control_fields_check(row) || !control_fields_string(row, "v", &item.value) ||
        !control_fields_int(row, "expires", times, ret_expires_us))
        return false;
    if (control_fields_string(row, "k", &key)) {
        bool whole = key.len == DHT_KEY_LEN && control_fields_string(row, "sig", &sig) &&
                     sig.len == DHT_SIG_LEN && control_fields_int(row, "seq", any, &item.seq) &&
                     control_fields_string(row, "salt", &item.salt);
        if (!whole)
            return false;
        item.is_mutable = true;
        memcpy(item.key, key.data, DHT_KEY_LEN);
        memcpy(item.sig, sig.data, DHT_SIG_LEN);
    }
    *ret_item = item;
    return true;
}

bool core_snapshot_restore_item(struct node *node, struct dht_span key, struct dht_span value)
{
    struct dht_item item;
    int64_t expires_wall_us;
    struct core_cloud *cloud = cloud_of(node, key, ITEM_KEY_LEN);
    if (key.len < ITEM_KEY_LEN || key.len > ITEM_KEY_MAX ||
        !read_item(value, &item, &expires_wall_us))
        return false;
    memcpy(item.target.bytes, key.data + 1, DHT_ID_LEN);
    int64_t left_us = expires_wall_us - core_brain_wall_us(node);
    struct core_engine *engine =
        cloud != NULL ? core_cloud_of_family(cloud, (enum dht_family)key.data[0]) : NULL;
    if (engine == NULL && left_us > 0)
        return false; // kept for when the cloud, or its network, is back
    bool taken = left_us > 0 &&
                 dht_restore_item(engine->dht, node->now_us, &item, node->now_us + left_us) &&
                 core_row_set_add(&node->item_rows, cloud->number, key.data[0], &item.target);
    if (!taken)
        core_brain_write(node, NODE_ROW_ITEM, key, (struct dht_span){0}, false);
    return taken;
}

// ---- now and then ----

void core_snapshot_start(struct node *node)
{
    if (node->config.snapshot_us > 0)
        dht_timer_set(&node->timers, &node->snapshot_timer,
                      node->now_us + node->config.snapshot_us);
}

void core_snapshot_take(struct node *node)
{
    int64_t begun_us = node->now_us;
    for (int i = 0; i < node->engine_count; i++) {
        write_contacts(node, node->engines[i]);
        if (node->config.keep_items)
            write_items(node, node->engines[i]);
    }
    delete_item_rows(node);
    node->snapshot_at_us = begun_us;
    core_snapshot_start(node);
}

// ---- what earlier runs left ----

static bool restore_machine(struct node *node, struct dht_span key, struct dht_span value)
{
    if (key.len != 7 || memcmp(key.data, "machine", 7) != 0 || value.len != CORE_RECORD_MACHINE_LEN)
        return false;
    memcpy(node->machine, value.data, CORE_RECORD_MACHINE_LEN);
    node->has_machine = true;
    return true;
}

bool node_restore(struct node *node, enum node_row_kind kind, struct dht_span key,
                  struct dht_span value)
{
    struct dht_id target;
    int64_t seq;
    switch (kind) {
    case NODE_ROW_META:
        return restore_machine(node, key, value);
    case NODE_ROW_SEQUENCE:
        if (key.len != DHT_ID_LEN || !core_seq_read(value, &seq))
            return false;
        memcpy(target.bytes, key.data, DHT_ID_LEN);
        return core_seqlog_note(&node->seqlog, &target, seq);
    case NODE_ROW_PUBLICATION:
        if (core_registration_is_row(key))
            return core_registration_restore(node, key, value);
        return core_publication_restore(node, key, value);
    case NODE_ROW_CONTACT:
        return core_snapshot_restore_contact(node, key, value);
    case NODE_ROW_ITEM:
        return core_snapshot_restore_item(node, key, value);
    }
    return false;
}

void node_start(struct node *node, int64_t now_us)
{
    core_brain_enter(node, now_us);
    if (!node->has_machine) {
        dht_random_bytes(&node->random, node->machine, sizeof node->machine);
        node->has_machine = true;
        core_brain_write(node, NODE_ROW_META, (struct dht_span){(const uint8_t *)"machine", 7},
                         (struct dht_span){node->machine, sizeof node->machine}, true);
    }
    node->started = true;
    node->snapshot_at_us = now_us;
    core_snapshot_start(node);
    // The first one soon: a node that is killed in its first minutes finds back by it.
    if (node->config.snapshot_us > FIRST_PAUSE_US)
        dht_timer_set(&node->timers, &node->snapshot_timer, now_us + FIRST_PAUSE_US);
    core_publication_start(node);
    core_brain_settle(node);
}
