// SPDX-License-Identifier: MIT
#include "node/control/client.h"

#include "node/control/connect.h"
#include "node/control/event.h"
#include "node/control/secret.h"
#include "node/control/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_LEN    16384 // bytes of one receive
#define CHUNKS_MAX   64    // receives of one pnr_client_process()
#define ENVELOPE_LEN 128   // bytes of a request around its arguments, at most
#define CANCEL_LEN   128

#define SAME(name) _Static_assert((int)PNR_ERROR_##name == (int)CONTROL_ERROR_##name, "one code")
SAME(FAILED);
SAME(USAGE);
SAME(NOT_FOUND);
SAME(TIMED_OUT);
SAME(UNREACHABLE);
SAME(REFUSED);
SAME(CANCELLED);
SAME(CONFLICT);
SAME(FULL);
SAME(PROTOCOL);
SAME(MEMORY);
#undef SAME
_Static_assert((int)PNR_ACCESS_RESOLVE == (int)CONTROL_ACCESS_RESOLVE, "one number");
_Static_assert((int)PNR_ACCESS_CONTROL == (int)CONTROL_ACCESS_CONTROL, "one number");

const char *pnr_error_text(enum pnr_error error)
{
    switch (error) {
#define ERROR_TEXT(name, code, meaning)                                                            \
    case (enum pnr_error)code:                                                                     \
        return meaning;
        CONTROL_ERRORS(ERROR_TEXT)
#undef ERROR_TEXT
    }
    return "an unknown error";
}

// ---- trouble ----

void control_client_break(struct pnr_client *client, enum pnr_error error, const char *text)
{
    if (client->state == CONTROL_CLIENT_BROKEN) {
        return;
    }
    client->state = CONTROL_CLIENT_BROKEN;
    client->error = error;
    snprintf(client->error_text, sizeof client->error_text, "%s",
             text[0] != '\0' ? text : pnr_error_text(error));
    control_transport_close(client->socket);
    client->socket = CONTROL_TRANSPORT_NONE;
    control_handshake_wipe(&client->handshake);
    control_frame_reader_free(&client->reader);
    control_outbuf_wipe(&client->greeting);
    control_outbuf_wipe(&client->out);
    control_queue_fail_all(&client->queue, (enum control_error)error);
}

// ---- what the daemon says ----

static void take_refusal(struct pnr_client *client)
{
    control_client_break(client, (enum pnr_error)client->handshake.error, client->handshake.text);
}

// Takes bytes of the handshake off the front of bytes.
static void greet(struct pnr_client *client, struct dht_span *bytes)
{
    while (client->state == CONTROL_CLIENT_GREETING && bytes->len > 0) {
        struct dht_span out;
        enum control_handshake_state state =
            control_handshake_receive(&client->handshake, bytes, &out);
        if (out.len > 0 && !control_outbuf_append(&client->greeting, out.data, out.len)) {
            control_client_break(client, PNR_ERROR_MEMORY, "");
            return;
        }
        if (state == CONTROL_HANDSHAKE_FAILED) {
            take_refusal(client);
        } else if (state == CONTROL_HANDSHAKE_DONE) {
            client->state = CONTROL_CLIENT_READY;
            if ((int)client->handshake.access < (int)client->access) {
                control_client_break(client, PNR_ERROR_REFUSED,
                                     "the daemon does not grant control here");
            }
        }
    }
}

static void take_answer(struct pnr_client *client, struct dht_span body)
{
    struct control_frame_answer answer;
    if (!control_frame_open_answer(body, &answer)) {
        control_client_break(client, PNR_ERROR_PROTOCOL, "the daemon sent what is no answer");
    } else if (answer.id == 0 && answer.answer == CONTROL_ANSWER_ERROR) {
        enum pnr_error error;
        char text[PNR_TEXT_MAX];
        control_event_read_error(answer.fields, &error, text);
        control_client_break(client, error, text);
    } else if (!control_queue_push(&client->queue, &answer)) {
        control_client_break(client, PNR_ERROR_MEMORY, "");
    }
}

static void take_frames(struct pnr_client *client, struct dht_span bytes)
{
    struct dht_span body;
    enum control_frame_state state = CONTROL_FRAME_WHOLE;
    while (client->state == CONTROL_CLIENT_READY && state == CONTROL_FRAME_WHOLE) {
        state = control_frame_read(&client->reader, &bytes, &body);
        if (state == CONTROL_FRAME_WHOLE) {
            take_answer(client, body);
        } else if (state == CONTROL_FRAME_BROKEN) {
            control_client_break(client, PNR_ERROR_PROTOCOL, "the daemon sent what is no frame");
        } else if (state == CONTROL_FRAME_MEMORY) {
            control_client_break(client, PNR_ERROR_MEMORY, "");
        }
    }
}

bool control_client_is_full(const struct pnr_client *client)
{
    return client->queue.bytes >= CONTROL_QUEUE_BYTES_MAX;
}

static bool is_talking(const struct pnr_client *client)
{
    return client->state == CONTROL_CLIENT_GREETING || client->state == CONTROL_CLIENT_READY;
}

// Reads until the socket would wait or the queue is full, but not for ever.
static void pump_in(struct pnr_client *client)
{
    uint8_t chunk[CHUNK_LEN];
    size_t longest = 0;
    for (int i = 0; i < CHUNKS_MAX && is_talking(client) && !control_client_is_full(client); i++) {
        ptrdiff_t len = control_transport_receive(client->socket, chunk, sizeof chunk);
        if (len == 0) {
            break;
        }
        if (len < 0) {
            control_client_break(client, PNR_ERROR_UNREACHABLE,
                                 client->reader.len > 0 && !client->reader.yielded
                                     ? "the daemon hung up in the middle of an answer"
                                     : "the daemon hung up");
            break;
        }
        struct dht_span bytes = {chunk, (size_t)len};
        longest = (size_t)len > longest ? (size_t)len : longest;
        greet(client, &bytes);
        take_frames(client, bytes);
    }
    control_secret_wipe(chunk, longest);
}

// ---- what is said to the daemon ----

static void pump_out(struct pnr_client *client)
{
    bool ok = true;
    if (is_talking(client)) {
        ok = control_outbuf_flush(&client->greeting, client->socket);
    }
    if (ok && client->state == CONTROL_CLIENT_READY &&
        control_outbuf_waiting(&client->greeting) == 0) {
        ok = control_outbuf_flush(&client->out, client->socket);
    }
    if (!ok) {
        // Its last words may say why.
        pump_in(client);
        control_client_break(client, PNR_ERROR_UNREACHABLE, "the daemon hung up");
    }
}

enum pnr_error control_client_begin(struct pnr_client *client, size_t args_len,
                                    struct dht_bencode_writer *ret_writer)
{
    size_t len = args_len + ENVELOPE_LEN;
    if (client->state == CONTROL_CLIENT_BROKEN) {
        return client->error;
    }
    if (client->queue.count == CONTROL_REQUESTS_MAX ||
        control_outbuf_waiting(&client->out) + len > CONTROL_CLIENT_OUT_MAX) {
        return PNR_ERROR_FULL;
    }
    if (!control_outbuf_room(&client->out, len)) {
        return PNR_ERROR_MEMORY;
    }
    *ret_writer = control_frame_begin_request(client->out.buf + client->out.len, len);
    return PNR_OK;
}

enum pnr_error control_client_end(struct pnr_client *client, struct dht_bencode_writer *writer,
                                  const char *word, uint32_t *ret_request)
{
    struct control_queue_request *request = control_queue_add(&client->queue);
    if (request == NULL) {
        return PNR_ERROR_FULL;
    }
    size_t len = control_frame_end_request(writer, request->id, word);
    if (len == 0) {
        control_queue_drop(&client->queue, request);
        return PNR_ERROR_USAGE;
    }
    client->out.len += len;
    *ret_request = request->id;
    return PNR_OK;
}

// Tells the daemon that a request is not wanted any more. Where even the reserve is full, it goes
// on there and its answers find nobody here.
static void send_cancel(struct pnr_client *client, uint32_t id)
{
    struct control_outbuf *out = &client->out;
    if (client->state == CONTROL_CLIENT_BROKEN ||
        control_outbuf_waiting(out) + CANCEL_LEN >
            CONTROL_CLIENT_OUT_MAX + CONTROL_CLIENT_OUT_RESERVE ||
        !control_outbuf_room(out, CANCEL_LEN)) {
        return;
    }
    struct control_queue_request *request = control_queue_add(&client->queue);
    if (request == NULL) {
        return;
    }
    struct dht_bencode_writer writer = control_frame_begin_request(out->buf + out->len, CANCEL_LEN);
    dht_bencode_pair_int(&writer, CONTROL_KEY_CANCEL_ID, id);
    out->len += control_frame_end_request(&writer, request->id,
                                          control_protocol_request_word(CONTROL_REQUEST_CANCEL));
    // Nobody waits for its answer.
    control_queue_drop(&client->queue, request);
}

void pnr_client_cancel(struct pnr_client *client, uint32_t request)
{
    struct control_queue_request *found = control_queue_find(&client->queue, request);
    if (found == NULL) {
        return;
    }
    bool goes_on = !found->ended && found->failed == CONTROL_ERROR_OK;
    control_queue_drop(&client->queue, found);
    if (goes_on) {
        send_cancel(client, request);
    }
}

void pnr_client_limit(struct pnr_client *client, uint32_t request, uint32_t timeout_ms)
{
    struct control_queue_request *found = control_queue_find(&client->queue, request);
    if (found != NULL) {
        found->deadline_us =
            timeout_ms == 0 ? INT64_MAX : control_transport_now_us() + (int64_t)timeout_ms * 1000;
    }
}

// ---- life ----

enum pnr_error pnr_client_new(const struct pnr_options *options, uint32_t timeout_ms,
                              struct pnr_client **ret_client)
{
    const char *address = options == NULL ? NULL : options->address;
    struct pnr_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return PNR_ERROR_MEMORY;
    }
    client->socket = CONTROL_TRANSPORT_NONE;
    client->access = options == NULL ? PNR_ACCESS_ANY : options->access;
    client->node = options == NULL ? 0 : options->node;
    client->ready_deadline_us = control_transport_now_us() + (int64_t)timeout_ms * 1000;
    control_frame_reader_init(&client->reader, CONTROL_FRAME_MAX);
    control_queue_init(&client->queue);
    if (client->node > INT32_MAX || !control_connect_places(client, address)) {
        free(client);
        return PNR_ERROR_USAGE;
    }
    control_connect_start(client);
    *ret_client = client;
    return PNR_OK;
}

void pnr_client_close(struct pnr_client *client)
{
    if (client == NULL) {
        return;
    }
    control_client_break(client, PNR_ERROR_CANCELLED, "");
    control_queue_free_answer(client->current);
    control_queue_free(&client->queue);
    free(client);
}

bool pnr_client_ready(const struct pnr_client *client)
{
    return client->state == CONTROL_CLIENT_READY;
}

enum pnr_access pnr_client_access(const struct pnr_client *client)
{
    return pnr_client_ready(client) ? (enum pnr_access)client->handshake.access : PNR_ACCESS_ANY;
}

enum pnr_error pnr_client_error(const struct pnr_client *client)
{
    return client->error;
}

const char *pnr_client_error_text(const struct pnr_client *client)
{
    return client->error_text;
}

// ---- the loop ----

intptr_t pnr_client_fd(const struct pnr_client *client)
{
    return client->socket;
}

unsigned pnr_client_wants(const struct pnr_client *client)
{
    bool has_requests =
        client->state == CONTROL_CLIENT_READY && control_outbuf_waiting(&client->out) > 0;
    bool has_out = has_requests || control_outbuf_waiting(&client->greeting) > 0;
    switch (client->state) {
    case CONTROL_CLIENT_CONNECTING:
        return PNR_WANTS_WRITE;
    case CONTROL_CLIENT_GREETING:
    case CONTROL_CLIENT_READY:
        return (control_client_is_full(client) ? 0 : PNR_WANTS_READ) |
               (has_out ? PNR_WANTS_WRITE : 0);
    case CONTROL_CLIENT_BUSY:
    case CONTROL_CLIENT_BROKEN:
        break;
    }
    return 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int control_client_until_ms(int64_t deadline_us)
{
    int64_t now_us = control_transport_now_us();
    if (deadline_us == INT64_MAX) {
        return -1;
    }
    if (deadline_us <= now_us) {
        return 0;
    }
    int64_t ms = (deadline_us - now_us + 999) / 1000;
    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

int64_t control_client_due_us(const struct pnr_client *client)
{
    int64_t due_us = control_queue_deadline(&client->queue);
    switch (client->state) {
    case CONTROL_CLIENT_BUSY:
        due_us = earlier(due_us, client->retry_us);
        return earlier(due_us, client->ready_deadline_us);
    case CONTROL_CLIENT_CONNECTING:
    case CONTROL_CLIENT_GREETING:
        return earlier(due_us, client->ready_deadline_us);
    case CONTROL_CLIENT_READY:
    case CONTROL_CLIENT_BROKEN:
        break;
    }
    return due_us;
}

int pnr_client_timeout_ms(const struct pnr_client *client)
{
    return control_client_until_ms(control_client_due_us(client));
}

static void expire(struct pnr_client *client)
{
    int64_t now_us = control_transport_now_us();
    uint32_t id;
    if (client->state != CONTROL_CLIENT_READY && client->ready_deadline_us <= now_us) {
        control_connect_break(client, PNR_ERROR_TIMED_OUT, "the daemon does not answer");
    }
    while ((id = control_queue_expire(&client->queue, now_us)) != 0) {
        send_cancel(client, id);
    }
}

enum pnr_error pnr_client_process(struct pnr_client *client)
{
    control_connect_go_on(client);
    if (is_talking(client)) {
        pump_in(client);
        pump_out(client);
    }
    expire(client);
    return client->error;
}
