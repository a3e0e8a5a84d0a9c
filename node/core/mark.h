// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_MARK_H
#define PNR_CORE_MARK_H

// How a result is told from others without keeping it: who published it, and a mark of what it
// says. The mark changes exactly when what a user sees changes: endpoints, comment, payload; not
// with sequence numbers, lifetimes or the TTL. Both are opaque to clients, who hand them back when
// they watch a name (docs/control.md).

#include "node/control/fields.h"
#include "node/core/record.h"

#define CORE_PUBLISHER_LEN CONTROL_PUBLISHER_LEN
#define CORE_MARK_LEN      CONTROL_MARK_LEN

// Who says a result, and the mark of what he says.
struct core_mark_identity {
    uint8_t publisher[CORE_PUBLISHER_LEN];
    uint8_t mark[CORE_MARK_LEN];
};

// What one publisher of a name says.
struct core_mark_content {
    const struct control_endpoint *endpoints;
    size_t endpoint_count; // at most CONTROL_ENDPOINTS_MAX
    struct dht_span comment;
    enum core_record_payload_type payload_type;
    // The payload, or the targets of its parts, which say as much: the mark is the same.
    struct dht_span payload;
    const struct dht_id *parts; // NULL: payload it is
    size_t part_count;          // at most CORE_RECORD_PARTS_MAX
};

// The mark: the first bytes of SHA-256 of the content, bencoded.
void core_mark(const struct dht_crypto *crypto, const struct core_mark_content *content,
               uint8_t ret_mark[CORE_MARK_LEN]);

#endif
