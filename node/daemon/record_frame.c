// SPDX-License-Identifier: MIT
#include "node/daemon/record_frame.h"

#include "node/control/fields.h"
#include "node/recording/format.h"

#include <stdlib.h>
#include <string.h>

void daemon_record_frame_start(struct daemon_record_stream *stream, uint32_t session)
{
    stream->session = session;
    stream->is_broken = false;
    control_frame_reader_init(&stream->reader, CONTROL_FRAME_MAX);
}

void daemon_record_frame_end(struct daemon_record_stream *stream)
{
    control_frame_reader_free(&stream->reader);
}

// ---- appending ----

// Makes room for len more bytes and returns where they go; NULL where memory is short.
static uint8_t *make_room(struct daemon_record_bytes *bytes, size_t len)
{
    if (len > bytes->capacity - bytes->len) {
        size_t capacity = 2 * bytes->capacity + len;
        uint8_t *grown = realloc(bytes->bytes, capacity);
        if (grown == NULL)
            return NULL;
        bytes->bytes = grown;
        bytes->capacity = capacity;
    }
    return bytes->bytes + bytes->len;
}

// A frame of the length of body, with nothing but filler in it.
static bool append_filler(struct daemon_record_bytes *bytes, size_t body_len)
{
    uint8_t *at = make_room(bytes, CONTROL_FRAME_HEAD + body_len);
    if (at == NULL)
        return false;
    for (size_t i = 0; i < CONTROL_FRAME_HEAD; i++)
        at[i] = (uint8_t)(body_len >> 8 * (CONTROL_FRAME_HEAD - 1 - i));
    memset(at + CONTROL_FRAME_HEAD, RECORDING_FILLER, body_len);
    bytes->len += CONTROL_FRAME_HEAD + body_len;
    return true;
}

static void put_filler(struct dht_bencode_writer *writer, size_t len)
{
    uint8_t *hole = dht_bencode_put_hole(writer, len);
    if (hole != NULL)
        memset(hole, RECORDING_FILLER, len);
}

// ---- requests ----

// The arguments of key_import that the brain looks at.
static void put_import(struct dht_bencode_writer *writer, struct dht_span arguments)
{
    struct dht_span text;
    if (control_fields_string(arguments, CONTROL_KEY_LABEL, &text)) {
        dht_bencode_put_text(writer, CONTROL_KEY_LABEL);
        if (text.len <= CONTROL_LABEL_LEN_MAX)
            dht_bencode_put_string(writer, text.data, text.len);
        else
            put_filler(writer, text.len);
    }
    if (control_fields_string(arguments, CONTROL_KEY_PEM, &text)) {
        dht_bencode_put_text(writer, CONTROL_KEY_PEM);
        put_filler(writer, text.len);
    }
}

// All arguments, with filler for what would be a PEM text.
static void put_arguments(struct dht_bencode_writer *writer, struct dht_span arguments)
{
    struct dht_bencode_cursor cursor = dht_bencode_cursor(arguments);
    struct dht_span key;
    struct dht_span raw;
    bool open = dht_bencode_dict(&cursor);
    while (open && !dht_bencode_close(&cursor)) {
        if (!dht_bencode_string(&cursor, &key) || !dht_bencode_skip(&cursor, &raw))
            return;
        struct dht_bencode_cursor value = dht_bencode_cursor(raw);
        struct dht_span text;
        bool is_pem = key.len == strlen(CONTROL_KEY_PEM) &&
                      memcmp(key.data, CONTROL_KEY_PEM, key.len) == 0 &&
                      dht_bencode_string(&value, &text);
        dht_bencode_put_string(writer, key.data, key.len);
        if (is_pem)
            put_filler(writer, text.len);
        else
            dht_bencode_put_raw(writer, raw.data, raw.len);
    }
}

static bool append_request(struct daemon_record_bytes *bytes,
                           const struct control_frame_request *request)
{
    // The longest frame, and a few bytes more for one that is written out in full.
    size_t room = CONTROL_FRAME_MAX + 64;
    uint8_t *at = make_room(bytes, room);
    if (at == NULL)
        return false;
    struct dht_bencode_writer writer = control_frame_begin_request(at, room);
    if (request->request == CONTROL_REQUEST_KEY_IMPORT)
        put_import(&writer, request->arguments);
    else if (request->request != CONTROL_REQUEST_UNKNOWN)
        put_arguments(&writer, request->arguments);
    // The word of an unknown request is "", which is no word either.
    const char *word = control_protocol_request_word(request->request);
    size_t len = control_frame_end_request(&writer, request->id, word);
    bytes->len += len;
    return len > 0;
}

bool daemon_record_frame_take(struct daemon_record_stream *stream, struct dht_span bytes,
                              struct daemon_record_bytes *inout_bytes)
{
    struct dht_span body;
    enum control_frame_state state = CONTROL_FRAME_WHOLE;
    bool ok = true;
    while (ok && !stream->is_broken && state == CONTROL_FRAME_WHOLE) {
        struct control_frame_request request;
        state = control_frame_read(&stream->reader, &bytes, &body);
        if (state == CONTROL_FRAME_WHOLE)
            ok = control_frame_open_request(body, &request) ? append_request(inout_bytes, &request)
                                                            : append_filler(inout_bytes, body.len);
        else if (state == CONTROL_FRAME_MEMORY)
            ok = false;
    }
    if (ok && state == CONTROL_FRAME_BROKEN) { // a length out of bounds; what follows is not read
        stream->is_broken = true;
        uint8_t *at = make_room(inout_bytes, CONTROL_FRAME_HEAD);
        ok = at != NULL;
        if (ok)
            memset(at, 0, CONTROL_FRAME_HEAD);
        inout_bytes->len += ok ? CONTROL_FRAME_HEAD : 0;
    }
    return ok;
}

// ---- answers ----

struct dht_span daemon_record_frame_pem(struct dht_span frame)
{
    struct dht_span none = {0};
    struct dht_span pem;
    struct control_frame_answer answer;
    if (frame.len <= CONTROL_FRAME_HEAD)
        return none;
    struct dht_span body = {frame.data + CONTROL_FRAME_HEAD, frame.len - CONTROL_FRAME_HEAD};
    bool found = control_frame_open_answer(body, &answer) &&
                 control_fields_string(answer.fields, CONTROL_KEY_PEM, &pem);
    return found ? pem : none;
}
