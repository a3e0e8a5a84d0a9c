// SPDX-License-Identifier: MIT
// Recordings: whatever is read is written again as the same bytes. The input is what
// tests/fuzz/sealed.h makes a recording of.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct recording_room room;
    static uint8_t again[RECORDING_ENTRY_HEAD_LEN + RECORDING_PAYLOAD_MAX];
    struct sealed source = sealed_make(data, size);
    struct recording_reader reader;
    recording_reader_init(&reader, sealed_read, &source);
    enum recording_state state = recording_reader_next(&reader, &room);
    while (state == RECORDING_READ) {
        const uint8_t *entry = source.bytes + room.offset;
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
    FUZZ_CHECK(reader.next_at <= source.len);
    sealed_free(&source);
    return 0;
}
