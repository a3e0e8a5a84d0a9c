// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_STANDING_H
#define PNR_CORE_STANDING_H

// What stands under a name where its nodes do not agree: the newest record, and others beside it,
// of writers who did not know of each other. A compare-and-swap holds for one node, so who has
// written last may have missed what most nodes held, and its writer was never refused anything.
// Whoever reads both puts them together again, or the entries of one of them would be gone until
// the next renewal.
//
// Owned by a round of publishing while it reads. Bound: CORE_STANDING_MAX records, the newest.

#include "node/core/record.h"

#define CORE_STANDING_MAX 4

struct core_standing_item {
    int64_t seq;
    uint32_t copies; // nodes that hold it
    uint16_t value_len;
    uint8_t value[DHT_VALUE_LEN_MAX]; // bencoded
};

struct core_standing {
    uint32_t count;
    struct core_standing_item items[CORE_STANDING_MAX]; // the newest first
};

// Notes that one more node holds the item, which is verified.
void core_standing_note(struct core_standing *standing, const struct dht_item *item);

// Adds to record, the newest that stands, what is missing in it of the others: entries that it does
// not have, and those that it has older. Others are those newer than after_seq that are on at least
// half as many nodes; what few hold was left behind, or its writer knows that most refused it. An
// entry that does not fit stays out.
void core_standing_merge(const struct core_standing *standing, const uint8_t key[DHT_KEY_LEN],
                         int64_t after_seq, struct core_record *record);

#endif
