// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_CLIENT_H
#define PNR_CONTROL_CLIENT_H

// What the files of libpnr share: the client behind include/pnr/client.h. It owns one socket, the
// bytes that wait to be sent, and the queue of answers.
//
//   CONNECTING -> GREETING -> READY        any of them -> BROKEN, which is the end
//   BUSY (the listener's queue was full) -> CONNECTING, a little later

#include "node/control/address.h"
#include "node/control/handshake.h"
#include "node/control/outbuf.h"
#include "node/control/queue.h"
#include "pnr/client.h"

#define CONTROL_CLIENT_OUT_MAX     (256u << 10) // bytes of requests not yet sent
#define CONTROL_CLIENT_OUT_RESERVE (16u << 10)  // above that, for cancels
#define CONTROL_CLIENT_PLACES_MAX  2            // sockets or rendezvous files to try

enum control_client_state {
    CONTROL_CLIENT_CONNECTING,
    CONTROL_CLIENT_BUSY,
    CONTROL_CLIENT_GREETING,
    CONTROL_CLIENT_READY,
    CONTROL_CLIENT_BROKEN,
};

struct pnr_client {
    enum control_client_state state;
    intptr_t socket;
    struct control_address places[CONTROL_CLIENT_PLACES_MAX];
    size_t place_count;
    size_t place;           // the one tried now
    bool was_denied;        // one of those tried was not permitted
    enum pnr_access access; // wanted
    uint32_t node;
    int64_t ready_deadline_us; // when the daemon has to have greeted us
    int64_t retry_us;          // of BUSY
    struct control_handshake handshake;
    struct control_outbuf greeting; // of the handshake, not yet sent
    struct control_frame_reader reader;
    struct control_outbuf out; // requests, not yet sent
    struct control_queue queue;
    struct control_queue_answer *current; // what the last event points to
    enum pnr_error error;                 // of BROKEN
    char error_text[PNR_TEXT_MAX];
    char event_text[PNR_TEXT_MAX];
};

// Ends the connection for good and fails what is under way. text "": that of the error. A client
// that is broken already stays as it is.
void control_client_break(struct pnr_client *client, enum pnr_error error, const char *text);

// Whether so many answers wait that the daemon is not read from.
bool control_client_is_full(const struct pnr_client *client);
// When pnr_client_process() has something to do without the socket; INT64_MAX: never.
int64_t control_client_due_us(const struct pnr_client *client);
// Milliseconds until a time, rounded up, so that it has come by then; -1 for INT64_MAX.
int control_client_until_ms(int64_t deadline_us);

// Begins a request: a writer for its arguments with room for args_len bytes of them.
// PNR_ERROR_FULL, PNR_ERROR_MEMORY, or why the connection failed.
enum pnr_error control_client_begin(struct pnr_client *client, size_t args_len,
                                    struct dht_bencode_writer *ret_writer);
// Ends it and queues it. PNR_ERROR_USAGE where it did not fit a frame.
enum pnr_error control_client_end(struct pnr_client *client, struct dht_bencode_writer *writer,
                                  const char *word, uint32_t *ret_request);

#endif
