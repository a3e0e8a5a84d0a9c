// SPDX-License-Identifier: MIT
// Recordings: whatever is read is written again as the same bytes. The input is what follows the
// head.
#include "node/recording/reader.h"
#include "tests/fuzz/fuzz.h"

struct source {
    const uint8_t *data;
    size_t len;
    size_t at;
};

static int64_t read_source(void *ctx, uint8_t *buf, size_t len)
{
    struct source *source = ctx;
    size_t left = RECORDING_HEAD_LEN + source->len - source->at;
    size_t part = len < left ? len : left;
    for (size_t i = 0; i < part; i++, source->at++)
        buf[i] = source->at < RECORDING_HEAD_LEN ? (uint8_t)RECORDING_HEAD[source->at]
                                                 : source->data[source->at - RECORDING_HEAD_LEN];
    return (int64_t)part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct recording_room room;
    static uint8_t again[RECORDING_ENTRY_HEAD_LEN + RECORDING_PAYLOAD_MAX];
    struct source source = {data, size, 0};
    struct recording_reader reader;
    recording_reader_init(&reader, read_source, &source);
    enum recording_state state = recording_reader_next(&reader, &room);
    while (state == RECORDING_READ) {
        const uint8_t *entry = data + (room.offset - RECORDING_HEAD_LEN);
        size_t len = (size_t)(reader.next_at - room.offset);
        FUZZ_CHECK(recording_entry_write(&room.entry, again, sizeof again) == len);
        FUZZ_CHECK(memcmp(entry, again, len) == 0);
        if (room.entry.kind == RECORDING_OUTPUT) {
            char text[RECORDING_OUTPUT_TEXT_MAX];
            recording_output_to_text(&room.entry.output, text);
        }
        state = recording_reader_next(&reader, &room);
    }
    FUZZ_CHECK((state == RECORDING_BROKEN) == (reader.why != NULL));
    FUZZ_CHECK(reader.next_at <= RECORDING_HEAD_LEN + size);
    return 0;
}
