// SPDX-License-Identifier: MIT
#ifndef PNR_RECORDING_CODER_H
#define PNR_RECORDING_CODER_H

// Reads or writes the fields of a payload. One function says what a payload holds, and runs in
// both directions: each call here puts the field where the coder writes, and sets it where it
// reads. A reader never leaves its span. After the first error ok is false and nothing more is put
// or set, so it is enough to look once, at the end. What is read stays in the span: texts and bytes
// point into it.

#include "node/recording/format.h"

struct recording_coder {
    bool is_writing;
    bool ok;
    const uint8_t *from; // of a reader: what comes next
    uint8_t *to;         // of a writer: where the next field goes
    size_t left;         // bytes between that and the end
    const char *why;     // not ok: what is wrong, for people
};

struct recording_coder recording_coder_reader(struct dht_span span);
struct recording_coder recording_coder_writer(uint8_t *buf, size_t buf_len);

// The values are wrong: sets ok to false. The first reason stays.
void recording_coder_fail(struct recording_coder *coder, const char *why);
// Fails with why unless good.
void recording_coder_check(struct recording_coder *coder, bool good, const char *why);

void recording_coder_u8(struct recording_coder *coder, uint8_t *value);
void recording_coder_u16(struct recording_coder *coder, uint16_t *value);
void recording_coder_u32(struct recording_coder *coder, uint32_t *value);
void recording_coder_u64(struct recording_coder *coder, uint64_t *value);
void recording_coder_i64(struct recording_coder *coder, int64_t *value);
// Fails unless within +/- RECORDING_TIME_MAX.
void recording_coder_time(struct recording_coder *coder, int64_t *value_us);
// Fails where a byte is neither 0 nor 1.
void recording_coder_bool(struct recording_coder *coder, bool *value);
// An enumeration, in one byte. Fails unless first <= *value <= last.
void recording_coder_choice(struct recording_coder *coder, int *value, int first, int last);
// Fixed-size bytes, without a length.
void recording_coder_bytes(struct recording_coder *coder, void *bytes, size_t len);
void recording_coder_span(struct recording_coder *coder, struct dht_span *span, size_t len_max);
// A text; NULL is written as one of length 0. Fails where its last byte alone is not NUL.
void recording_coder_text(struct recording_coder *coder, const char **text);
// An address; ip_len may be 0.
void recording_coder_addr(struct recording_coder *coder, struct dht_addr *addr);

#endif
