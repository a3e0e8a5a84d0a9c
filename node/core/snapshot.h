// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_SNAPSHOT_H
#define PNR_CORE_SNAPSHOT_H

// What of the engines outlives a restart: now and then the contacts and, where keep_items is set,
// the items stored for others are written as rows that need not survive a power cut; and what
// earlier runs left is read back. Items are written once when they change; the row of
// an item that is not stored any more is deleted with the next snapshot.

#include "node/core/brain.h"

// The timer rang: writes what has changed since the last time.
void core_snapshot_take(struct node *node);

// Sets the timer for the first one.
void core_snapshot_start(struct node *node);

bool core_snapshot_restore_contact(struct node *node, struct dht_span key, struct dht_span value);
// An item whose cloud is not there, is disabled or has no such engine stays on disk until it
// expires.
bool core_snapshot_restore_item(struct node *node, struct dht_span key, struct dht_span value);

#endif
