// SPDX-License-Identifier: MIT
#include "simnet/row.h"

#include "simnet/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct simnet_row *simnet_row_new(enum node_row_kind kind, struct dht_span key,
                                  struct dht_span value)
{
    assert(key.len <= UINT16_MAX && value.len <= UINT32_MAX);
    struct simnet_row *row = simnet_world_need(malloc(sizeof *row + key.len + value.len));
    row->kind = (uint8_t)kind;
    row->key_len = (uint16_t)key.len;
    row->value_len = (uint32_t)value.len;
    if (key.len > 0)
        memcpy(row->bytes, key.data, key.len);
    if (value.len > 0)
        memcpy(row->bytes + key.len, value.data, value.len);
    return row;
}

struct dht_span simnet_row_key(const struct simnet_row *row)
{
    return (struct dht_span){row->bytes, row->key_len};
}

struct dht_span simnet_row_value(const struct simnet_row *row)
{
    return (struct dht_span){row->bytes + row->key_len, row->value_len};
}

size_t simnet_row_size(const struct simnet_row *row)
{
    return (size_t)row->key_len + row->value_len;
}

void simnet_row_table_fini(struct simnet_row_table *table)
{
    for (uint32_t i = 0; i < table->capacity; i++)
        free(table->slots[i]);
    free(table->slots);
    *table = (struct simnet_row_table){0};
}

static uint32_t home_of(const struct simnet_row_table *table, const struct simnet_row *row)
{
    return (uint32_t)XXH3_64bits_withSeed(row->bytes, row->key_len, row->kind) &
           (table->capacity - 1);
}

static bool is_same(const struct simnet_row *a, const struct simnet_row *b)
{
    return a->kind == b->kind && a->key_len == b->key_len &&
           memcmp(a->bytes, b->bytes, a->key_len) == 0;
}

// Where the row of that kind and key is, or would be put.
static uint32_t slot_of(const struct simnet_row_table *table, const struct simnet_row *like)
{
    uint32_t at = home_of(table, like);
    while (table->slots[at] != NULL && !is_same(table->slots[at], like))
        at = (at + 1) & (table->capacity - 1);
    return at;
}

struct simnet_row *simnet_row_find(const struct simnet_row_table *table,
                                   const struct simnet_row *like)
{
    return table->count == 0 ? NULL : table->slots[slot_of(table, like)];
}

static void grow(struct simnet_row_table *table)
{
    struct simnet_row_table old = *table;
    table->capacity = old.capacity == 0 ? 2 : 2 * old.capacity;
    table->slots = simnet_world_need(calloc(table->capacity, sizeof *table->slots));
    for (uint32_t i = 0; i < old.capacity; i++)
        if (old.slots[i] != NULL)
            table->slots[slot_of(table, old.slots[i])] = old.slots[i];
    free(old.slots);
}

void simnet_row_insert(struct simnet_row_table *table, struct simnet_row *row)
{
    // A quarter stays free. Most machines have one row: they begin with two slots.
    if (table->count + 1 > table->capacity - table->capacity / 4)
        grow(table);
    if (table->count + 1 == table->capacity)
        grow(table); // a search ends at a free slot
    uint32_t at = slot_of(table, row);
    assert(row->value_len > 0 && table->slots[at] == NULL);
    table->slots[at] = row;
    table->count++;
    table->bytes += simnet_row_size(row);
}

struct simnet_row *simnet_row_remove(struct simnet_row_table *table, const struct simnet_row *like)
{
    if (table->count == 0)
        return NULL;
    uint32_t hole = slot_of(table, like);
    struct simnet_row *found = table->slots[hole];
    if (found == NULL)
        return NULL;
    table->count--;
    table->bytes -= simnet_row_size(found);
    table->slots[hole] = NULL;
    // Those behind it whose home is not past the hole move up, so that searches find them.
    uint32_t mask = table->capacity - 1;
    for (uint32_t at = (hole + 1) & mask; table->slots[at] != NULL; at = (at + 1) & mask) {
        uint32_t home = home_of(table, table->slots[at]);
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        table->slots[hole] = table->slots[at];
        table->slots[at] = NULL;
        hole = at;
    }
    return found;
}

static int rank_of(const struct simnet_row *row)
{
    static const uint8_t ranks[] = {
        [NODE_ROW_META] = 0,    [NODE_ROW_SEQUENCE] = 1, [NODE_ROW_PUBLICATION] = 2,
        [NODE_ROW_CONTACT] = 3, [NODE_ROW_ITEM] = 4,
    };
    return ranks[row->kind];
}

static int compare(const void *one, const void *other)
{
    const struct simnet_row *a = *(struct simnet_row *const *)one;
    const struct simnet_row *b = *(struct simnet_row *const *)other;
    if (rank_of(a) != rank_of(b))
        return rank_of(a) - rank_of(b);
    size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
    int order = memcmp(a->bytes, b->bytes, len);
    return order != 0 ? order : (int)a->key_len - (int)b->key_len;
}

struct simnet_row **simnet_row_sorted(const struct simnet_row_table *table)
{
    if (table->count == 0)
        return NULL;
    struct simnet_row **sorted = simnet_world_need(calloc(table->count, sizeof *sorted));
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->capacity; i++)
        if (table->slots[i] != NULL)
            sorted[count++] = table->slots[i];
    qsort(sorted, count, sizeof *sorted, compare);
    return sorted;
}
