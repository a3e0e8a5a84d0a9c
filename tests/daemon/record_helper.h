// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DAEMON_RECORD_HELPER_H
#define PNR_TESTS_DAEMON_RECORD_HELPER_H

// Recordings of ticks: written, and read back.

#include "node/daemon/record_file.h"
#include "node/recording/reader.h"
#include "tests/daemon/unit.h"

static struct recording_room room;

static inline int64_t read_file(void *ctx, uint8_t *buf, size_t len)
{
    return (int64_t)fread(buf, 1, len, ctx);
}

// What a recording holds: how many ticks, and how it ends.
struct held {
    enum recording_state state;
    int ticks;
    enum recording_end end;
};

static inline struct held hold(const char *path)
{
    struct held held = {0};
    struct recording_reader reader;
    struct daemon_error why;
    FILE *file = daemon_file_open(path, &why);
    assert_non_null(file);
    recording_reader_init(&reader, read_file, file);
    while ((held.state = recording_reader_next(&reader, &room)) == RECORDING_READ) {
        if (room.entry.kind == RECORDING_TICK) {
            assert_int_equal(room.entry.now_us, held.ticks);
            held.ticks++;
        } else {
            assert_int_equal(room.entry.kind, RECORDING_END);
            held.end = room.entry.end;
        }
    }
    fclose(file);
    return held;
}

static inline void put_ticks(struct daemon_record_file *file, int from, int to)
{
    for (int i = from; i < to; i++)
        daemon_record_file_put(file,
                               &(struct recording_entry){.kind = RECORDING_TICK, .now_us = i});
}

#endif
