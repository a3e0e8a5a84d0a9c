// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_OUTBUF_H
#define PNR_CONTROL_OUTBUF_H

// Bytes of the client that wait to be sent. They are wiped when they go, for some hold keys. The
// owner bounds them; an empty one holds no memory.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control_outbuf {
    uint8_t *buf;
    size_t sent; // of len
    size_t len;
    size_t capacity;
};

// How many bytes wait.
size_t control_outbuf_waiting(const struct control_outbuf *out);

// Makes room for len more bytes behind buf + len. False where memory is short.
bool control_outbuf_room(struct control_outbuf *out, size_t len);
bool control_outbuf_append(struct control_outbuf *out, const uint8_t *data, size_t len);

// Sends until the socket would wait or nothing is left. False where the connection is broken.
bool control_outbuf_flush(struct control_outbuf *out, intptr_t socket);

// Forgets everything.
void control_outbuf_wipe(struct control_outbuf *out);

#endif
