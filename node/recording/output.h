// SPDX-License-Identifier: MIT
#ifndef PNR_RECORDING_OUTPUT_H
#define PNR_RECORDING_OUTPUT_H

// What a recording keeps of one output of the brain: enough to name it, and a digest that tells
// whether another is the same. The texts of secret keys are in neither: of NODE_OUT_KEY the length
// of the PEM text counts alone.

#include "node/recording/coder.h"

struct recording_output {
    enum node_out_type type;
    uint8_t detail;  // engine; of a write the row's kind; of a key the verb; of an event 1: warning
    uint64_t number; // session; write_id; key_request; else 0
    struct dht_addr addr; // where a datagram goes; else not set
    uint32_t len;         // of the datagram, bytes, row's key, label or event's text
    uint32_t value_len;   // of the row's value or the PEM text; else 0
    uint64_t digest;      // of all the bytes that have a length here, less the PEM text's
};

struct recording_output recording_output_of(const struct node_out *out);
bool recording_output_equal(const struct recording_output *a, const struct recording_output *b);

// Says what an output is, in a few words: "datagram of 103 bytes to 192.0.2.1:6881".
#define RECORDING_OUTPUT_TEXT_MAX 160
void recording_output_to_text(const struct recording_output *output,
                              char ret_text[RECORDING_OUTPUT_TEXT_MAX]);

// A digest of bytes, as outputs and what is signed have it. It finds differences, and proves
// nothing.
uint64_t recording_output_digest(const void *data, size_t len);
// The digest of what is signed, or, with sig, of what is verified.
uint64_t recording_output_digest_signed(const uint8_t key[DHT_KEY_LEN], const uint8_t *sig,
                                        struct dht_span msg);

// Its part of a payload.
void recording_output_code(struct recording_coder *coder, struct recording_output *output);

#endif
