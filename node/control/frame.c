// SPDX-License-Identifier: MIT
#include "node/control/frame.h"

#include "node/control/fields.h"
#include "node/control/secret.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_MIN  256
#define BUFFER_KEEP 4096 // a larger buffer is given back once its frame is read

// ---- cutting ----

void control_frame_reader_init(struct control_frame_reader *reader, size_t frame_max)
{
    memset(reader, 0, sizeof *reader);
    reader->frame_max = frame_max;
}

// Some frames hold keys, so what was in the buffer is wiped before the memory goes.
static void drop_buffer(struct control_frame_reader *reader)
{
    if (reader->buf != NULL) {
        control_secret_wipe(reader->buf, reader->capacity);
    }
    free(reader->buf);
    reader->buf = NULL;
    reader->capacity = 0;
}

void control_frame_reader_free(struct control_frame_reader *reader)
{
    drop_buffer(reader);
    memset(reader, 0, sizeof *reader);
    reader->broken = true;
}

// The bytes of the frame that begins with these 4; 0 where the length is out of bounds.
static size_t frame_len(const struct control_frame_reader *reader, const uint8_t *head)
{
    uint32_t body_len =
        (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    if (body_len == 0 || reader->frame_max < CONTROL_FRAME_HEAD ||
        body_len > reader->frame_max - CONTROL_FRAME_HEAD) {
        return 0;
    }
    return (size_t)body_len + CONTROL_FRAME_HEAD;
}

static void forget_yielded(struct control_frame_reader *reader)
{
    reader->yielded = false;
    if (reader->capacity > BUFFER_KEEP) {
        drop_buffer(reader);
    } else {
        control_secret_wipe(reader->buf, reader->len);
    }
    reader->len = 0;
}

static bool make_room(struct control_frame_reader *reader, size_t len)
{
    if (len <= reader->capacity) {
        return true;
    }
    size_t capacity = reader->capacity * 2 > len ? reader->capacity * 2 : len;
    capacity = capacity < BUFFER_MIN ? BUFFER_MIN : capacity;
    uint8_t *buf = malloc(capacity);
    if (buf == NULL) {
        return false;
    }
    if (reader->len > 0) {
        memcpy(buf, reader->buf, reader->len);
    }
    drop_buffer(reader);
    reader->buf = buf;
    reader->capacity = capacity;
    return true;
}

// Moves bytes into the buffer until it holds `wanted` or there are no more. False: out of memory.
static bool take(struct control_frame_reader *reader, struct dht_span *bytes, size_t wanted)
{
    size_t missing = wanted - reader->len;
    size_t part = bytes->len < missing ? bytes->len : missing;
    if (part == 0) {
        return true;
    }
    if (!make_room(reader, reader->len + part)) {
        return false;
    }
    memcpy(reader->buf + reader->len, bytes->data, part);
    reader->len += part;
    bytes->data += part;
    bytes->len -= part;
    return true;
}

static enum control_frame_state read_through_buffer(struct control_frame_reader *reader,
                                                    struct dht_span *bytes,
                                                    struct dht_span *ret_body)
{
    if (reader->len < CONTROL_FRAME_HEAD && !take(reader, bytes, CONTROL_FRAME_HEAD)) {
        return CONTROL_FRAME_MEMORY;
    }
    if (reader->len < CONTROL_FRAME_HEAD) {
        return CONTROL_FRAME_MORE;
    }
    size_t whole = frame_len(reader, reader->buf);
    if (whole == 0) {
        reader->broken = true;
        return CONTROL_FRAME_BROKEN;
    }
    if (!take(reader, bytes, whole)) {
        return CONTROL_FRAME_MEMORY;
    }
    if (reader->len < whole) {
        return CONTROL_FRAME_MORE;
    }
    reader->yielded = true;
    *ret_body = (struct dht_span){reader->buf + CONTROL_FRAME_HEAD, whole - CONTROL_FRAME_HEAD};
    return CONTROL_FRAME_WHOLE;
}

enum control_frame_state control_frame_read(struct control_frame_reader *reader,
                                            struct dht_span *inout_bytes, struct dht_span *ret_body)
{
    if (reader->broken) {
        return CONTROL_FRAME_BROKEN;
    }
    if (reader->yielded) {
        forget_yielded(reader);
    }
    // A frame that came in whole needs no copy.
    if (reader->len == 0 && inout_bytes->len >= CONTROL_FRAME_HEAD) {
        size_t whole = frame_len(reader, inout_bytes->data);
        if (whole != 0 && whole <= inout_bytes->len) {
            *ret_body = (struct dht_span){inout_bytes->data + CONTROL_FRAME_HEAD,
                                          whole - CONTROL_FRAME_HEAD};
            inout_bytes->data += whole;
            inout_bytes->len -= whole;
            return CONTROL_FRAME_WHOLE;
        }
    }
    return read_through_buffer(reader, inout_bytes, ret_body);
}

// ---- opening ----

// The id and the dict at dict_key, which are common to both directions.
static bool open_envelope(struct dht_span body, const char *dict_key, int64_t *ret_id,
                          struct dht_span *ret_dict)
{
    struct dht_span dict = {(const uint8_t *)"de", 2};
    struct control_fields_range range = {0, CONTROL_ID_MAX};
    if (!control_fields_check(body) || !control_fields_int(body, CONTROL_KEY_ID, range, ret_id)) {
        return false;
    }
    if (control_fields_find(body, dict_key, &dict) && dict.data[0] != 'd') {
        return false;
    }
    *ret_dict = dict;
    return true;
}

bool control_frame_open_request(struct dht_span body, struct control_frame_request *ret_request)
{
    struct control_frame_request request;
    int64_t id;
    if (!open_envelope(body, CONTROL_KEY_ARGUMENTS, &id, &request.arguments) || id == 0 ||
        !control_fields_string(body, CONTROL_KEY_REQUEST, &request.word)) {
        return false;
    }
    request.id = (uint32_t)id;
    request.request = control_protocol_request(request.word);
    *ret_request = request;
    return true;
}

bool control_frame_open_answer(struct dht_span body, struct control_frame_answer *ret_answer)
{
    struct control_frame_answer answer;
    struct dht_span word;
    int64_t id;
    if (!open_envelope(body, CONTROL_KEY_FIELDS, &id, &answer.fields) ||
        !control_fields_string(body, CONTROL_KEY_ANSWER, &word)) {
        return false;
    }
    answer.id = (uint32_t)id;
    answer.answer = control_protocol_answer(word);
    *ret_answer = answer;
    return true;
}

// ---- writing ----

struct dht_bencode_writer control_frame_begin(uint8_t *buf, size_t buf_len)
{
    static const uint8_t no_length[CONTROL_FRAME_HEAD];
    size_t usable = buf_len < CONTROL_FRAME_MAX ? buf_len : CONTROL_FRAME_MAX;
    struct dht_bencode_writer writer = dht_bencode_writer(buf, usable);
    dht_bencode_put_raw(&writer, no_length, sizeof no_length);
    return writer;
}

size_t control_frame_end(struct dht_bencode_writer *writer)
{
    if (writer->full) {
        return 0;
    }
    size_t whole = dht_bencode_written(writer);
    size_t body_len = whole - CONTROL_FRAME_HEAD;
    for (int i = 0; i < CONTROL_FRAME_HEAD; i++) {
        writer->start[i] = (uint8_t)(body_len >> (24 - 8 * i));
    }
    return whole;
}

struct dht_bencode_writer control_frame_begin_request(uint8_t *buf, size_t buf_len)
{
    struct dht_bencode_writer writer = control_frame_begin(buf, buf_len);
    dht_bencode_open_dict(&writer);
    dht_bencode_put_text(&writer, CONTROL_KEY_ARGUMENTS);
    dht_bencode_open_dict(&writer);
    return writer;
}

size_t control_frame_end_request(struct dht_bencode_writer *writer, uint32_t id, const char *word)
{
    dht_bencode_end(writer);
    dht_bencode_pair_int(writer, CONTROL_KEY_ID, id);
    dht_bencode_pair_text(writer, CONTROL_KEY_REQUEST, word);
    dht_bencode_end(writer);
    return control_frame_end(writer);
}

struct dht_bencode_writer control_frame_begin_answer(uint8_t *buf, size_t buf_len, uint32_t id,
                                                     enum control_answer answer)
{
    struct dht_bencode_writer writer = control_frame_begin(buf, buf_len);
    dht_bencode_open_dict(&writer);
    dht_bencode_pair_int(&writer, CONTROL_KEY_ID, id);
    dht_bencode_pair_text(&writer, CONTROL_KEY_ANSWER, control_protocol_answer_word(answer));
    dht_bencode_put_text(&writer, CONTROL_KEY_FIELDS);
    dht_bencode_open_dict(&writer);
    return writer;
}

size_t control_frame_end_answer(struct dht_bencode_writer *writer)
{
    dht_bencode_end(writer);
    dht_bencode_end(writer);
    return control_frame_end(writer);
}

size_t control_frame_write_error(uint8_t *buf, size_t buf_len, uint32_t id, enum control_error code,
                                 const char *text)
{
    size_t text_len = strlen(text);
    if (text_len > CONTROL_TEXT_LEN_MAX) {
        text_len = CONTROL_TEXT_LEN_MAX;
        while (text_len > 0 && ((uint8_t)text[text_len] & 0xc0) == 0x80) {
            text_len--;
        }
    }
    struct dht_bencode_writer writer =
        control_frame_begin_answer(buf, buf_len, id, CONTROL_ANSWER_ERROR);
    dht_bencode_pair_int(&writer, CONTROL_KEY_CODE, code);
    dht_bencode_pair_string(&writer, CONTROL_KEY_TEXT, text, text_len);
    return control_frame_end_answer(&writer);
}
