// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_FRAME_H
#define PNR_CONTROL_FRAME_H

// Frames: cut out of a stream of bytes, opened as a request or an answer, and written. Both sides
// use it. A reader owns one buffer, which holds at most one frame that has not come in whole; it
// grows as bytes arrive, not as a length promises. All spans are borrowed.

#include "node/control/protocol.h"

// ---- cutting ----

enum control_frame_state {
    CONTROL_FRAME_MORE,   // every byte was taken and no frame is whole yet
    CONTROL_FRAME_WHOLE,  // a frame
    CONTROL_FRAME_BROKEN, // a length of 0 or above the bound; the stream cannot be read any further
    CONTROL_FRAME_MEMORY, // out of memory; nothing is lost, it can be tried again
};

struct control_frame_reader {
    uint8_t *buf; // a frame that is not whole, its length included; NULL where capacity is 0
    size_t len;
    size_t capacity;
    size_t frame_max; // bytes of the longest frame taken, its length included; may be changed
    bool broken;
    bool yielded; // buf holds a frame that the caller has seen
};

void control_frame_reader_init(struct control_frame_reader *reader, size_t frame_max);
void control_frame_reader_free(struct control_frame_reader *reader);

// Takes bytes off the front of inout_bytes up to the end of the next frame. ret_body, written where
// the frame is whole, is what follows the length; it is valid until the next call and as long as
// the bytes handed in. Called until it says something else than CONTROL_FRAME_WHOLE.
enum control_frame_state control_frame_read(struct control_frame_reader *reader,
                                            struct dht_span *inout_bytes,
                                            struct dht_span *ret_body);

// ---- opening ----

struct control_frame_request {
    uint32_t id;
    enum control_request request; // CONTROL_REQUEST_UNKNOWN where the word is none of ours
    struct dht_span word;
    struct dht_span arguments; // a bencoded dict, checked through; "de" where left out
};

struct control_frame_answer {
    uint32_t id; // 0 speaks of the connection
    enum control_answer answer;
    struct dht_span fields; // a bencoded dict, checked through; "de" where left out
};

// Each opens the body of a frame. False where it is not exactly one dictionary of the envelope's
// shape, or its id is out of range: whoever sent it broke the protocol.
bool control_frame_open_request(struct dht_span body, struct control_frame_request *ret_request);
bool control_frame_open_answer(struct dht_span body, struct control_frame_answer *ret_answer);

// ---- writing ----
// A frame is begun, gets its arguments or fields by dht_bencode_put_*() in the order of their keys,
// and is ended. CONTROL_FRAME_MAX bytes of buffer always do; fewer do for what is known to be
// short.

// Begins a request; its arguments follow.
struct dht_bencode_writer control_frame_begin_request(uint8_t *buf, size_t buf_len);
// Ends it. Returns the bytes of the whole frame, or 0 where it does not fit.
size_t control_frame_end_request(struct dht_bencode_writer *writer, uint32_t id, const char *word);

// Begins an answer; its fields follow.
struct dht_bencode_writer control_frame_begin_answer(uint8_t *buf, size_t buf_len, uint32_t id,
                                                     enum control_answer answer);
size_t control_frame_end_answer(struct dht_bencode_writer *writer);

// Writes a whole error answer; text is cut at CONTROL_TEXT_LEN_MAX bytes, between characters.
// Returns its bytes, or 0 where they do not fit.
size_t control_frame_write_error(uint8_t *buf, size_t buf_len, uint32_t id, enum control_error code,
                                 const char *text);

// Begins and ends a frame of any other dictionary, which the caller opens and closes: the
// handshake's.
struct dht_bencode_writer control_frame_begin(uint8_t *buf, size_t buf_len);
size_t control_frame_end(struct dht_bencode_writer *writer);

#endif
