// SPDX-License-Identifier: MIT
#include "node/recording/reader.h"

#include "dht/id.h"

#include <string.h>

void recording_reader_init(struct recording_reader *reader, recording_read_fn read, void *ctx)
{
    *reader = (struct recording_reader){.read = read, .ctx = ctx};
}

static enum recording_state broken(struct recording_reader *reader, const char *why)
{
    reader->why = why;
    return RECORDING_BROKEN;
}

// Reads len bytes. RECORDING_OVER where there is none, RECORDING_CUT where there are fewer.
static enum recording_state fill(struct recording_reader *reader, uint8_t *buf, size_t len)
{
    size_t have = 0;
    while (have < len) {
        int64_t part = reader->read(reader->ctx, buf + have, len - have);
        if (part < 0 || (uint64_t)part > len - have)
            return broken(reader, "the file cannot be read");
        if (part == 0)
            return have == 0 ? RECORDING_OVER : RECORDING_CUT;
        have += (size_t)part;
        reader->next_at += (uint64_t)part;
    }
    return RECORDING_READ;
}

static enum recording_state read_head(struct recording_reader *reader)
{
    uint8_t head[RECORDING_HEAD_LEN];
    enum recording_state state = fill(reader, head, sizeof head);
    if (state == RECORDING_BROKEN)
        return state;
    if (state != RECORDING_READ || memcmp(head, RECORDING_HEAD, RECORDING_HEAD_COMMON) != 0)
        return broken(reader, "this is not a recording");
    if (memcmp(head, RECORDING_HEAD, sizeof head) != 0)
        return broken(reader, "this recording has another version than 8");
    reader->has_head = true;
    return RECORDING_READ;
}

static enum recording_state read_entry(struct recording_reader *reader, struct recording_room *room)
{
    uint8_t bytes[RECORDING_ENTRY_HEAD_LEN];
    struct recording_entry_head head;
    enum recording_state state = fill(reader, bytes, sizeof bytes);
    if (state != RECORDING_READ)
        return state;
    if (!recording_entry_head_read(bytes, &head))
        return broken(reader, "the head of the entry is not what was written");
    if (head.payload_len > RECORDING_PAYLOAD_MAX)
        return broken(reader, "the entry is longer than an entry can be");
    state = fill(reader, room->payload, head.payload_len);
    if (state != RECORDING_READ)
        return state == RECORDING_OVER ? RECORDING_CUT : state;
    if (head.payload_crc != dht_id_crc32c(room->payload, head.payload_len))
        return broken(reader, "the entry is not what was written");
    struct dht_span payload = {room->payload, head.payload_len};
    if (!recording_entry_read(head.kind, payload, &room->lists, &room->entry, &reader->why))
        return RECORDING_BROKEN;
    reader->has_end = room->entry.kind == RECORDING_END;
    room->number = reader->number;
    room->offset = reader->offset;
    return RECORDING_READ;
}

// Behind the end.
static enum recording_state read_rest(struct recording_reader *reader)
{
    uint8_t byte;
    enum recording_state state = fill(reader, &byte, 1);
    return state == RECORDING_READ ? broken(reader, "the file goes on behind its end") : state;
}

enum recording_state recording_reader_next(struct recording_reader *reader,
                                           struct recording_room *room)
{
    reader->offset = reader->next_at;
    if (!reader->has_head) {
        enum recording_state state = read_head(reader);
        if (state != RECORDING_READ)
            return state;
        reader->offset = reader->next_at;
    }
    reader->number++;
    return reader->has_end ? read_rest(reader) : read_entry(reader, room);
}
