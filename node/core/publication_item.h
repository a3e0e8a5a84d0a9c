// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_PUBLICATION_ITEM_H
#define PNR_CORE_PUBLICATION_ITEM_H

// The record of a publication, on its way from what a round has read to the item that it stores:
// what stands, with our own part put in or taken out, encoded and signed. docs/record.md, section
// 7, says how machines with one key merge.

#include "node/core/publication.h"

// Whether others have written anything since what ours was merged with. Then that is what stands,
// be ours the newer one: its writer did not know ours, or it would not be there, and nor did ours
// know it. What is older was left behind.
bool core_publication_item_others_stand(const struct core_publication *publication);

// Makes publication->record the one that stands, without what has expired: that of others, or ours,
// or a fresh one where there is none that can be read. False where what stands there is not ours to
// replace.
bool core_publication_item_read_standing(struct node *node, struct core_publication *publication);

// Puts our own part into the record, or takes it out. It can be encoded then.
enum core_record_error core_publication_item_merge(struct node *node,
                                                   struct core_publication *publication);

// Why that failed, for the user.
const char *core_publication_item_refusal_text(enum core_record_error error);

// The record as an item, with the last signature. It points into value and publication.
struct dht_item core_publication_item_own(const struct core_publication *publication,
                                          uint8_t value[DHT_VALUE_LEN_MAX]);
// What was read of somebody else's record, as it was. It points into publication.
struct dht_item core_publication_item_foreign(const struct core_publication *publication);

// Signs item, which is core_publication_item_own(). False where the key is not held any more.
bool core_publication_item_sign(struct node *node, struct core_publication *publication,
                                struct dht_item *item);

#endif
