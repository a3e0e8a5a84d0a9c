// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_ROW_H
#define PNR_SIMNET_ROW_H

// Rows of a simulated machine's state, as NODE_OUT_WRITE names them, and a table of them by kind
// and key. A row belongs to whoever holds its pointer; a table owns the rows in it.

#include "pnr/node.h"

struct simnet_row {
    uint32_t value_len; // 0: the row is to be deleted
    uint16_t key_len;
    uint8_t kind;    // enum node_row_kind
    uint8_t bytes[]; // key, then value
};

// A table of hashes; empty when all zero.
struct simnet_row_table {
    struct simnet_row **slots;
    uint32_t count, capacity;
    uint64_t bytes; // of all keys and values
};

struct simnet_row *simnet_row_new(enum node_row_kind kind, struct dht_span key,
                                  struct dht_span value);
struct dht_span simnet_row_key(const struct simnet_row *row);
struct dht_span simnet_row_value(const struct simnet_row *row);
size_t simnet_row_size(const struct simnet_row *row); // of key and value

void simnet_row_table_fini(struct simnet_row_table *table);
// The row of the same kind and key; NULL where there is none.
struct simnet_row *simnet_row_find(const struct simnet_row_table *table,
                                   const struct simnet_row *like);
// Puts a row that is no deletion into the table, which has none of its kind and key.
void simnet_row_insert(struct simnet_row_table *table, struct simnet_row *row);
// Takes the row of the same kind and key out; NULL where there is none.
struct simnet_row *simnet_row_remove(struct simnet_row_table *table, const struct simnet_row *like);
// All rows in the order in which pnrd restores them: by kind, sequence numbers before the
// publications that need them, and within a kind by key. The array is the caller's to free; NULL
// where the table is empty.
struct simnet_row **simnet_row_sorted(const struct simnet_row_table *table);

#endif
