// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_DESCRIPTION_H
#define PNR_CORE_DESCRIPTION_H

// What the publishers of an unsecured name on one node say of themselves, as `pnr_who` carries it
// (docs/unsecured.md, section 3): a bencoded dictionary for the first, with the others in it. Their
// payloads travel beside it, laid end to end in the same order. Read without trust.

#include "dht/bencode.h"
#include "node/control/fields.h"
#include "node/core/record.h"

#define CORE_DESCRIPTION_PUBLISHERS_MAX 16 // of one name on one node
#define CORE_DESCRIPTION_PUBLISHER_LEN  16
#define CORE_DESCRIPTION_DIGEST_LEN     32

// One publisher. Of the endpoints only address and protocol are used.
struct core_description {
    struct core_record_endpoint endpoints[CORE_RECORD_ENDPOINTS_MAX];
    uint32_t endpoint_count;
    uint8_t comment[CORE_RECORD_COMMENT_MAX];
    uint16_t comment_len; // bytes
    uint8_t publisher[CORE_DESCRIPTION_PUBLISHER_LEN];
    enum core_record_payload_type payload_type; // NONE: the two below are zero
    uint16_t payload_len;
    uint8_t digest[CORE_DESCRIPTION_DIGEST_LEN]; // SHA-256 of the payload
    uint32_t ttl_s;                              // 0: not told
};

// Its endpoints as clients are told of them; returns how many.
size_t core_description_endpoints(const struct core_description *description,
                                  struct control_endpoint ret_endpoints[CONTROL_ENDPOINTS_MAX]);

// Writes count (at least 1) publishers; what does not fit sets the writer's `full`.
void core_description_write(struct dht_bencode_writer *writer,
                            const struct core_description *publishers, size_t count);

// Reads them, at most CORE_DESCRIPTION_PUBLISHERS_MAX; further ones are passed over. Returns how
// many; 0 where any of them makes no sense. ret_publishers may be half written then.
size_t
core_description_read(struct dht_span text,
                      struct core_description ret_publishers[CORE_DESCRIPTION_PUBLISHERS_MAX]);

#endif
