// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_APART_H
#define PNR_CORE_APART_H

// A payload that is kept apart from its record, put together again from its parts: immutable items
// that are looked for one after the other.

#include "node/core/record.h"

struct core_apart {
    struct dht_id parts[CORE_RECORD_PARTS_MAX];
    uint16_t len;   // of the payload; 0: none
    uint32_t part;  // the one looked for
    bool is_whole;  // bytes are all there
    bool is_missed; // a part was not found
    uint8_t *bytes; // owned
};

void core_apart_drop(struct core_apart *apart);

// Begins to put together the payload of a record, in place of any other. Where memory is short it
// is missed.
void core_apart_begin(struct core_apart *apart, const struct core_record_payload *of);
// Takes the part looked for; what has not its length is none. It goes on with the next part until
// it is whole or missed.
void core_apart_take(struct core_apart *apart, struct dht_span part);
// Takes all of it, where it is here already: as many bytes as it has.
void core_apart_fill(struct core_apart *apart, const uint8_t *bytes);

// Whether it is that payload, begun, whole or missed; and whether nothing more is looked for.
bool core_apart_is_of(const struct core_apart *apart, const struct core_record_payload *of);
bool core_apart_is_ended(const struct core_apart *apart);

// The bytes of a record's payload, which lies within it or was put together here; empty where there
// is none, or it is not here.
struct dht_span core_apart_payload(const struct core_apart *apart,
                                   const struct core_record_payload *payload);

#endif
