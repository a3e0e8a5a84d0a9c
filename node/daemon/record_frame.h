// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_RECORD_FRAME_H
#define PNR_DAEMON_RECORD_FRAME_H

// Takes secrets out of what clients and the node say to each other, so that it can be recorded and
// replayed. The brain acts on a client's bytes a whole frame at a time, so a recording has whole
// frames, each with the input that completed it, and what a client holds back in the middle of one
// is not in it. Of each frame there is only what the brain looks at:
//
//   no request at all      as many filler bytes, which are none either
//   an unknown request     its id, with an unknown word and no arguments
//   key_import             id, label and a PEM text of as many filler bytes; a label that is too
//                          long for one is filler too
//   any other request      as it is, with filler for the text of a `pem` argument
//
// The brain hands a PEM text on and does not read it, so it does with the one what it did with the
// other. What a client publishes in comments and payloads is not a secret, and stays.

#include "node/control/frame.h"

// One client's bytes. A stream that is all zero has to be started.
struct daemon_record_stream {
    struct daemon_record_stream *next;
    uint32_t session;
    struct control_frame_reader reader; // holds a frame that is not whole, secrets and all
    bool is_broken;
};

// Whole frames without secrets.
struct daemon_record_bytes {
    uint8_t *bytes; // owned; NULL where capacity is 0
    size_t len;
    size_t capacity;
};

void daemon_record_frame_start(struct daemon_record_stream *stream, uint32_t session);
// Wipes what it holds.
void daemon_record_frame_end(struct daemon_record_stream *stream);

// Appends the frames that bytes complete. False where memory is short: the stream has then lost
// its place.
bool daemon_record_frame_take(struct daemon_record_stream *stream, struct dht_span bytes,
                              struct daemon_record_bytes *inout_bytes);

// The place of the PEM text in what the node says to a client, one whole frame; of length 0 where
// it holds none.
struct dht_span daemon_record_frame_pem(struct dht_span frame);

#endif
