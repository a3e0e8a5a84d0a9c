// SPDX-License-Identifier: MIT
#include "node/control/outbuf.h"

#include "node/control/secret.h"
#include "node/control/transport.h"

#include <stdlib.h>
#include <string.h>

size_t control_outbuf_waiting(const struct control_outbuf *out)
{
    return out->len - out->sent;
}

void control_outbuf_wipe(struct control_outbuf *out)
{
    if (out->buf != NULL) {
        control_secret_wipe(out->buf, out->capacity);
    }
    free(out->buf);
    memset(out, 0, sizeof *out);
}

bool control_outbuf_room(struct control_outbuf *out, size_t len)
{
    if (out->capacity - out->len >= len) {
        return true;
    }
    // Not realloc(), which would leave a copy behind.
    size_t waiting = control_outbuf_waiting(out);
    size_t capacity = (waiting + len) * 2;
    uint8_t *buf = malloc(capacity);
    if (buf == NULL) {
        return false;
    }
    if (waiting > 0) {
        memcpy(buf, out->buf + out->sent, waiting);
    }
    control_outbuf_wipe(out);
    *out = (struct control_outbuf){.buf = buf, .len = waiting, .capacity = capacity};
    return true;
}

bool control_outbuf_append(struct control_outbuf *out, const uint8_t *data, size_t len)
{
    if (!control_outbuf_room(out, len)) {
        return false;
    }
    memcpy(out->buf + out->len, data, len);
    out->len += len;
    return true;
}

bool control_outbuf_flush(struct control_outbuf *out, intptr_t socket)
{
    while (out->sent < out->len) {
        ptrdiff_t part =
            control_transport_send(socket, out->buf + out->sent, control_outbuf_waiting(out));
        if (part < 0) {
            return false;
        }
        if (part == 0) {
            return true;
        }
        out->sent += (size_t)part;
    }
    control_outbuf_wipe(out);
    return true;
}
