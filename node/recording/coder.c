// SPDX-License-Identifier: MIT
#include "node/recording/coder.h"

#include <string.h>

struct recording_coder recording_coder_reader(struct dht_span span)
{
    return (struct recording_coder){.ok = true, .from = span.data, .left = span.len};
}

struct recording_coder recording_coder_writer(uint8_t *buf, size_t buf_len)
{
    return (struct recording_coder){.is_writing = true, .ok = true, .to = buf, .left = buf_len};
}

void recording_coder_fail(struct recording_coder *coder, const char *why)
{
    if (coder->ok)
        coder->why = why;
    coder->ok = false;
}

void recording_coder_check(struct recording_coder *coder, bool good, const char *why)
{
    if (!good)
        recording_coder_fail(coder, why);
}

// Whether len more bytes are there, or fit.
static bool has(struct recording_coder *coder, size_t len)
{
    if (coder->ok && len > coder->left)
        recording_coder_fail(coder, coder->is_writing ? "too long to be written"
                                                      : "the entry ends too early");
    return coder->ok;
}

void recording_coder_bytes(struct recording_coder *coder, void *bytes, size_t len)
{
    if (!has(coder, len) || len == 0)
        return;
    if (coder->is_writing) {
        memcpy(coder->to, bytes, len);
        coder->to += len;
    } else {
        memcpy(bytes, coder->from, len);
        coder->from += len;
    }
    coder->left -= len;
}

// An unsigned number of len bytes.
static void number(struct recording_coder *coder, uint64_t *value, size_t len)
{
    uint8_t bytes[8] = {0};
    for (size_t i = 0; coder->is_writing && i < len; i++)
        bytes[i] = (uint8_t)(*value >> 8 * (len - 1 - i));
    recording_coder_bytes(coder, bytes, len);
    if (coder->is_writing || !coder->ok)
        return;
    *value = 0;
    for (size_t i = 0; i < len; i++)
        *value = *value << 8 | bytes[i];
}

void recording_coder_u8(struct recording_coder *coder, uint8_t *value)
{
    recording_coder_bytes(coder, value, 1);
}

void recording_coder_u16(struct recording_coder *coder, uint16_t *value)
{
    uint64_t wide = *value;
    number(coder, &wide, 2);
    *value = (uint16_t)wide;
}

void recording_coder_u32(struct recording_coder *coder, uint32_t *value)
{
    uint64_t wide = *value;
    number(coder, &wide, 4);
    *value = (uint32_t)wide;
}

void recording_coder_u64(struct recording_coder *coder, uint64_t *value)
{
    number(coder, value, 8);
}

void recording_coder_i64(struct recording_coder *coder, int64_t *value)
{
    uint64_t wide = (uint64_t)*value;
    number(coder, &wide, 8);
    memcpy(value, &wide, sizeof wide); // two's complement, without a cast that may not fit
}

void recording_coder_time(struct recording_coder *coder, int64_t *value_us)
{
    int64_t value = *value_us;
    recording_coder_i64(coder, &value);
    if (coder->ok && (value < -RECORDING_TIME_MAX || value > RECORDING_TIME_MAX))
        recording_coder_fail(coder, "a time that cannot be");
    if (coder->ok)
        *value_us = value;
}

void recording_coder_bool(struct recording_coder *coder, bool *value)
{
    uint8_t byte = *value;
    recording_coder_u8(coder, &byte);
    if (coder->ok && byte > 1)
        recording_coder_fail(coder, "a truth that is neither 0 nor 1");
    if (coder->ok)
        *value = byte == 1;
}

void recording_coder_choice(struct recording_coder *coder, int *value, int first, int last)
{
    uint8_t byte = (uint8_t)*value;
    if (coder->is_writing && (*value < first || *value > last))
        recording_coder_fail(coder, "a choice that there is not");
    recording_coder_u8(coder, &byte);
    if (coder->ok && (byte < first || byte > last))
        recording_coder_fail(coder, "a choice that there is not");
    if (coder->ok)
        *value = byte;
}

void recording_coder_span(struct recording_coder *coder, struct dht_span *span, size_t len_max)
{
    uint32_t len = (uint32_t)span->len;
    if (coder->is_writing && span->len > len_max)
        recording_coder_fail(coder, "too long to be written");
    recording_coder_u32(coder, &len);
    if (coder->ok && len > len_max)
        recording_coder_fail(coder, "a length over its bound");
    if (!has(coder, len))
        return;
    if (coder->is_writing) {
        if (len > 0)
            memcpy(coder->to, span->data, len);
        coder->to += len;
    } else {
        *span = (struct dht_span){coder->from, len};
        coder->from += len;
    }
    coder->left -= len;
}

void recording_coder_text(struct recording_coder *coder, const char **text)
{
    struct dht_span span = {0};
    if (coder->is_writing && *text != NULL)
        span = (struct dht_span){(const uint8_t *)*text, strlen(*text) + 1};
    recording_coder_span(coder, &span, RECORDING_TEXT_MAX);
    if (coder->is_writing || !coder->ok)
        return;
    if (span.len > 0 && memchr(span.data, '\0', span.len) != span.data + span.len - 1)
        recording_coder_fail(coder, "a text that does not end where it should");
    else
        *text = span.len == 0 ? NULL : (const char *)span.data;
}

void recording_coder_addr(struct recording_coder *coder, struct dht_addr *addr)
{
    struct dht_addr value = *addr;
    recording_coder_u8(coder, &value.ip_len);
    if (coder->ok && value.ip_len != 0 && value.ip_len != 4 && value.ip_len != 16)
        recording_coder_fail(coder, "an address of no known length");
    if (!coder->ok)
        return;
    recording_coder_bytes(coder, value.ip, value.ip_len);
    if (value.ip_len == 0)
        value.port = 0;
    else
        recording_coder_u16(coder, &value.port);
    if (!coder->ok || coder->is_writing)
        return;
    memset(value.ip + value.ip_len, 0, sizeof value.ip - value.ip_len);
    *addr = value;
}
