// SPDX-License-Identifier: MIT
#ifndef PNR_RECORDING_READER_H
#define PNR_RECORDING_READER_H

// Walks the entries of a recording from its beginning. Where the bytes come from is the caller's
// business. Nothing is believed: a file that is no recording, or a broken one, ends the walk with a
// reason.
//
// Ownership: the room that an entry is read into is the caller's, so that one entry can be kept
// while others are read. An entry is valid until its room is read into again.

#include "node/recording/entry.h"

// Reads up to len bytes into buf. Returns how many; 0 at the end, -1 where reading fails.
typedef int64_t (*recording_read_fn)(void *ctx, uint8_t *buf, size_t len);

struct recording_room {
    struct recording_entry entry;
    struct recording_entry_room lists;
    uint64_t number; // of the entry in the recording, from 1
    uint64_t offset; // of its first byte in the file
    uint8_t payload[RECORDING_PAYLOAD_MAX];
};

enum recording_state {
    RECORDING_READ,   // an entry was read
    RECORDING_OVER,   // the file ends, between two entries
    RECORDING_CUT,    // it ends within an entry: the node was killed while it wrote that
    RECORDING_BROKEN, // it makes no sense from here on
};

struct recording_reader {
    recording_read_fn read;
    void *ctx;
    uint64_t number;  // of the entry that was read last, or could not be
    uint64_t offset;  // of its first byte
    uint64_t next_at; // of the first byte that was not read
    const char *why;  // BROKEN: what is wrong, without a stop at its end
    bool has_head;
    bool has_end; // RECORDING_END was read: nothing may follow
};

void recording_reader_init(struct recording_reader *reader, recording_read_fn read, void *ctx);
enum recording_state recording_reader_next(struct recording_reader *reader,
                                           struct recording_room *room);

#endif
