// SPDX-License-Identifier: MIT
#include "node/core/standing.h"

#include "dht/bencode.h"

#include <string.h>

static bool is_equal(const struct core_standing_item *a, const struct dht_item *b)
{
    return a->seq == b->seq && a->value_len == b->value.len &&
           memcmp(a->value, b->value.data, b->value.len) == 0;
}

void core_standing_note(struct core_standing *standing, const struct dht_item *item)
{
    uint32_t at = 0;
    if (!item->is_mutable || item->value.len > DHT_VALUE_LEN_MAX)
        return;
    for (uint32_t i = 0; i < standing->count; i++) {
        if (is_equal(&standing->items[i], item)) {
            standing->items[i].copies++;
            return;
        }
        at += standing->items[i].seq >= item->seq;
    }
    if (at == CORE_STANDING_MAX)
        return;
    uint32_t kept = standing->count < CORE_STANDING_MAX ? standing->count : CORE_STANDING_MAX - 1;
    memmove(&standing->items[at + 1], &standing->items[at],
            (kept - at) * sizeof standing->items[0]);
    standing->count = kept + 1;
    struct core_standing_item *place = &standing->items[at];
    place->seq = item->seq;
    place->copies = 1;
    place->value_len = (uint16_t)item->value.len;
    memcpy(place->value, item->value.data, item->value.len);
}

static const struct core_record_entry *entry_of(const struct core_record *record,
                                                const uint8_t machine[CORE_RECORD_MACHINE_LEN])
{
    for (uint32_t i = 0; i < record->entry_count; i++)
        if (memcmp(record->entries[i].machine, machine, CORE_RECORD_MACHINE_LEN) == 0)
            return &record->entries[i];
    return NULL;
}

static void add_entry(struct core_record *record, const struct core_record *from, uint32_t index)
{
    struct core_record_endpoint endpoints[CORE_RECORD_ENDPOINTS_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < from->endpoint_count; i++)
        if (from->endpoints[i].entry == index)
            endpoints[count++] = from->endpoints[i];
    // One for which there is no room stays out: its machine is told when it renews.
    (void)core_record_replace(record, &from->entries[index], endpoints, count);
}

static void add_missing(struct core_record *record, const struct core_record *other)
{
    for (uint32_t i = 0; i < other->entry_count; i++) {
        const struct core_record_entry *theirs = &other->entries[i];
        const struct core_record_entry *has = entry_of(record, theirs->machine);
        if (has == NULL || has->signed_until_s < theirs->signed_until_s)
            add_entry(record, other, i);
    }
}

static bool read_item(const struct core_standing_item *item, const uint8_t key[DHT_KEY_LEN],
                      struct core_record *ret_record)
{
    struct dht_span string;
    struct dht_bencode_cursor cursor =
        dht_bencode_cursor((struct dht_span){item->value, item->value_len});
    return dht_bencode_string(&cursor, &string) && cursor.at == cursor.end &&
           core_record_decode(key, string, ret_record) == CORE_RECORD_OK;
}

void core_standing_merge(const struct core_standing *standing, const uint8_t key[DHT_KEY_LEN],
                         int64_t after_seq, struct core_record *record)
{
    struct core_record other;
    // The first is the newest mostly; but of two with one number, record may be the other.
    for (uint32_t i = 0; i < standing->count; i++) {
        const struct core_standing_item *item = &standing->items[i];
        bool is_spread = item->copies * 2 >= standing->items[0].copies;
        if (item->seq > after_seq && is_spread && read_item(item, key, &other))
            add_missing(record, &other);
    }
}
