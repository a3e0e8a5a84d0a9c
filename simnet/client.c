// SPDX-License-Identifier: MIT
#include "simnet/client.h"

#include "node/control/frame.h"
#include "simnet/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_PAUSE_US 20000           // at most, between the pieces of a frame
#define ASLEEP_US      INT64_C(500000) // between tries to say something to a machine that sleeps

struct simnet_client {
    struct simnet_world *world;
    struct simnet_machine *machine;
    struct simnet_client_watch *watches;
    struct simnet_client_request *requests; // under way
    uint32_t request_count, request_capacity;
    uint32_t session; // 0: closed
    uint32_t last_session;
    uint32_t last_id;
    uint32_t next_id; // of the next request; 0: the one after the last
    struct control_frame_reader reader;
    struct simnet_stream *cut;
    uint8_t *out; // not said yet
    size_t out_len, out_capacity;
    bool is_reading;
    bool is_speaking; // a task is under way
};

struct simnet_client *simnet_client_new(struct simnet_world *world)
{
    struct simnet_client *client = simnet_world_need(calloc(1, sizeof *client));
    client->world = world;
    client->is_reading = true;
    control_frame_reader_init(&client->reader, CONTROL_FRAME_MAX);
    return client;
}

void simnet_client_free(struct simnet_client *client)
{
    if (client == NULL)
        return;
    control_frame_reader_free(&client->reader);
    free(client->requests);
    free(client->out);
    free(client);
}

void simnet_client_watch(struct simnet_client *client, struct simnet_client_watch *watch)
{
    struct simnet_client_watch **link = &client->watches;
    while (*link != NULL)
        link = &(*link)->next;
    watch->next = NULL;
    *link = watch;
}

// ---- hearing ----

static struct simnet_client_request *find_request(struct simnet_client *client, uint32_t id)
{
    for (uint32_t i = 0; i < client->request_count; i++)
        if (client->requests[i].id == id)
            return &client->requests[i];
    return NULL;
}

// The session is over.
static void end(struct simnet_client *client, enum simnet_client_end how)
{
    client->session = 0;
    client->out_len = 0;
    for (struct simnet_client_watch *watch = client->watches; watch != NULL; watch = watch->next)
        if (watch->ended != NULL)
            watch->ended(watch->ctx, client, how);
    if (client->session == 0)
        client->request_count = 0;
}

static bool is_final(enum control_answer kind)
{
    return kind == CONTROL_ANSWER_DONE || kind == CONTROL_ANSWER_ERROR;
}

static void hear(struct simnet_client *client, const struct control_frame_answer *frame)
{
    struct simnet_client_request *found = find_request(client, frame->id);
    struct simnet_client_request request;
    // A copy: a watch may open another session, and what was read of this one is gone then.
    uint8_t *fields = simnet_world_need(malloc(frame->fields.len));
    memcpy(fields, frame->fields.data, frame->fields.len);
    struct simnet_client_answer answer = {
        .id = frame->id, .kind = frame->answer, .fields = {fields, frame->fields.len}};
    if (found != NULL) {
        request = *found;
        answer.request = &request;
        if (is_final(frame->answer))
            *found = client->requests[--client->request_count];
    }
    for (struct simnet_client_watch *watch = client->watches; watch != NULL; watch = watch->next)
        if (watch->answered != NULL)
            watch->answered(watch->ctx, client, &answer);
    free(fields);
}

static size_t take_bytes(void *ctx, struct simnet_machine *machine, uint32_t session,
                         struct dht_span bytes)
{
    struct simnet_client *client = ctx;
    struct dht_span rest = bytes;
    struct dht_span body;
    struct control_frame_answer frame;
    enum control_frame_state state = CONTROL_FRAME_WHOLE;
    (void)machine;
    if (!client->is_reading)
        return 0;
    while (client->session == session && state == CONTROL_FRAME_WHOLE) {
        state = control_frame_read(&client->reader, &rest, &body);
        if (state != CONTROL_FRAME_WHOLE)
            break;
        if (control_frame_open_answer(body, &frame))
            hear(client, &frame);
        else
            state = CONTROL_FRAME_BROKEN;
    }
    if (state == CONTROL_FRAME_BROKEN) {
        simnet_host_close_session(client->machine, session);
        end(client, SIMNET_CLIENT_BROKEN);
    }
    return bytes.len;
}

static void take_hangup(void *ctx, struct simnet_machine *machine, uint32_t session)
{
    struct simnet_client *client = ctx;
    if (client->session == session)
        end(client,
            machine->state == SIMNET_MACHINE_OFF ? SIMNET_CLIENT_LOST : SIMNET_CLIENT_HUNG_UP);
}

// ---- the session ----

bool simnet_client_open(struct simnet_client *client, struct simnet_machine *machine,
                        enum node_access access)
{
    assert(client->session == 0);
    struct simnet_session_sink sink = {take_bytes, take_hangup, client};
    client->machine = machine;
    client->request_count = 0;
    control_frame_reader_free(&client->reader);
    control_frame_reader_init(&client->reader, CONTROL_FRAME_MAX);
    client->is_reading = true;
    client->session = simnet_host_open_session(machine, access, &sink);
    if (client->session != 0)
        client->last_session = client->session;
    return client->session != 0;
}

bool simnet_client_is_open(const struct simnet_client *client)
{
    return client->session != 0;
}

void simnet_client_close(struct simnet_client *client)
{
    if (client->session == 0)
        return;
    simnet_host_close_session(client->machine, client->session);
    end(client, SIMNET_CLIENT_CLOSED);
}

struct simnet_machine *simnet_client_machine(const struct simnet_client *client)
{
    return client->machine;
}

uint32_t simnet_client_session(const struct simnet_client *client)
{
    return client->last_session;
}

size_t simnet_client_pending(const struct simnet_client *client)
{
    return client->request_count;
}

const struct simnet_client_request *simnet_client_request(const struct simnet_client *client,
                                                          size_t place)
{
    assert(place < client->request_count);
    return &client->requests[place];
}

// ---- speaking ----

static void speak(struct simnet_client *client);

static void speak_later(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_client *client = ctx;
    (void)world;
    (void)number;
    client->is_speaking = false;
    if (client->session != 0)
        speak(client);
}

static void put_off(struct simnet_client *client, int64_t delay_us)
{
    if (client->is_speaking)
        return;
    client->is_speaking = true;
    simnet_world_at(client->world, simnet_world_now(client->world) + delay_us, speak_later, client,
                    0);
}

// The brain has all that was said.
static void note_said(struct simnet_client *client)
{
    for (uint32_t i = 0; i < client->request_count; i++) {
        struct simnet_client_request *request = &client->requests[i];
        if (request->is_said)
            continue;
        request->is_said = true;
        request->machine_us = simnet_machine_now(client->machine);
    }
}

// Hands over what waits, or a piece of it.
static void speak(struct simnet_client *client)
{
    if (client->out_len == 0 || client->is_speaking)
        return;
    if (client->machine->state != SIMNET_MACHINE_UP) {
        put_off(client, ASLEEP_US);
        return;
    }
    size_t len = client->out_len;
    if (client->cut != NULL)
        len = 1 + (size_t)simnet_stream_below(client->cut, len);
    // What is said may end the session, or make the client say more, before this returns.
    uint8_t *piece = simnet_world_need(malloc(len));
    memcpy(piece, client->out, len);
    client->out_len -= len;
    memmove(client->out, client->out + len, client->out_len);
    bool left = client->out_len > 0;
    if (!left)
        note_said(client);
    else
        put_off(client, 1 + (int64_t)simnet_stream_below(client->cut, PIECE_PAUSE_US));
    simnet_host_session_bytes(client->machine, client->session, (struct dht_span){piece, len});
    free(piece);
}

void simnet_client_say(struct simnet_client *client, struct dht_span bytes)
{
    if (client->session == 0)
        return;
    while (client->out_capacity - client->out_len < bytes.len) {
        client->out_capacity = client->out_capacity == 0 ? 1024 : 2 * client->out_capacity;
        client->out = simnet_world_need(realloc(client->out, client->out_capacity));
    }
    memcpy(client->out + client->out_len, bytes.data, bytes.len);
    client->out_len += bytes.len;
    speak(client);
}

void simnet_client_cut(struct simnet_client *client, struct simnet_stream *stream)
{
    client->cut = stream;
}

void simnet_client_read(struct simnet_client *client, bool is_reading)
{
    if (client->is_reading == is_reading)
        return;
    client->is_reading = is_reading;
    if (is_reading && client->session != 0)
        simnet_host_read_session(client->machine, client->session);
}

void simnet_client_next_id(struct simnet_client *client, uint32_t id)
{
    client->next_id = id;
}

// ---- requests ----

// A request being written: its arguments go in between.
struct draft {
    struct simnet_client_request request;
    struct dht_bencode_writer writer;
    uint8_t buf[CONTROL_FRAME_MAX];
};

static void begin(struct draft *draft, enum control_request kind)
{
    draft->request = (struct simnet_client_request){.kind = kind};
    draft->writer = control_frame_begin_request(draft->buf, sizeof draft->buf);
}

static void add_request(struct simnet_client *client, const struct simnet_client_request *request)
{
    if (find_request(client, request->id) != NULL)
        return; // asked twice: the brain will hang up
    if (client->request_count == client->request_capacity) {
        client->request_capacity = client->request_capacity == 0 ? 4 : 2 * client->request_capacity;
        client->requests = simnet_world_need(
            realloc(client->requests, client->request_capacity * sizeof *client->requests));
    }
    client->requests[client->request_count++] = *request;
}

// Says it. Returns its id.
static uint32_t ask(struct simnet_client *client, struct draft *draft)
{
    if (client->session == 0)
        return 0;
    struct simnet_client_request *request = &draft->request;
    request->id = client->next_id != 0 ? client->next_id : ++client->last_id;
    client->next_id = 0;
    request->asked_us = simnet_world_now(client->world);
    uint32_t id = request->id;
    size_t len =
        control_frame_end_request(&draft->writer, id, control_protocol_request_word(request->kind));
    assert(len > 0);
    add_request(client, request);
    for (struct simnet_client_watch *watch = client->watches; watch != NULL; watch = watch->next)
        if (watch->asked != NULL)
            watch->asked(watch->ctx, client, request);
    simnet_client_say(client, (struct dht_span){draft->buf, len});
    return id;
}

static void put_int(struct draft *draft, const char *key, int64_t value)
{
    dht_bencode_pair_int(&draft->writer, key, value);
}

static void put_text(struct draft *draft, const char *key, const char *text)
{
    dht_bencode_pair_text(&draft->writer, key, text);
}

static void put_bytes(struct draft *draft, const char *key, struct dht_span bytes)
{
    dht_bencode_pair_string(&draft->writer, key, bytes.data, bytes.len);
}

uint32_t simnet_client_resolve(struct simnet_client *client,
                               const struct simnet_client_resolve *resolve)
{
    struct draft draft;
    begin(&draft, CONTROL_REQUEST_RESOLVE);
    draft.request.timeout_us =
        (resolve->timeout_ms != 0 ? resolve->timeout_ms : CONTROL_TIMEOUT_MS_DEFAULT) *
        INT64_C(1000);
    put_text(&draft, CONTROL_KEY_NAME, resolve->name);
    if (resolve->timeout_ms != 0)
        put_int(&draft, CONTROL_KEY_TIMEOUT_MS, resolve->timeout_ms);
    if (resolve->trace)
        put_int(&draft, CONTROL_KEY_TRACE, 1);
    put_text(&draft, CONTROL_KEY_WAIT,
             control_protocol_word(CONTROL_VOCABULARY_WAIT, (int)resolve->wait));
    return ask(client, &draft);
}

uint32_t simnet_client_publish(struct simnet_client *client,
                               const struct simnet_client_publish *publish)
{
    struct draft draft;
    begin(&draft, publish->unsecured ? CONTROL_REQUEST_REGISTER : CONTROL_REQUEST_PUBLISH);
    if (publish->comment.data != NULL)
        put_bytes(&draft, CONTROL_KEY_COMMENT, publish->comment);
    dht_bencode_put_text(&draft.writer, CONTROL_KEY_ENDPOINTS);
    control_fields_put_endpoints(&draft.writer, publish->endpoints, publish->endpoint_count);
    put_text(&draft, CONTROL_KEY_NAME, publish->name);
    if (publish->payload.data != NULL) {
        put_bytes(&draft, CONTROL_KEY_PAYLOAD, publish->payload);
        put_int(&draft, CONTROL_KEY_PAYLOAD_TYPE, CONTROL_PAYLOAD_BINARY);
    }
    if (publish->ttl_s != 0)
        put_int(&draft, CONTROL_KEY_TTL_S, publish->ttl_s);
    return ask(client, &draft);
}

static uint32_t ask_text(struct simnet_client *client, enum control_request kind, const char *key,
                         const char *text)
{
    struct draft draft;
    begin(&draft, kind);
    put_text(&draft, key, text);
    return ask(client, &draft);
}

uint32_t simnet_client_unpublish(struct simnet_client *client, const char *name)
{
    return ask_text(client, CONTROL_REQUEST_UNPUBLISH, CONTROL_KEY_NAME, name);
}

uint32_t simnet_client_follow(struct simnet_client *client, const char *name)
{
    return ask_text(client, CONTROL_REQUEST_WATCH, CONTROL_KEY_NAME, name);
}

uint32_t simnet_client_cancel(struct simnet_client *client, uint32_t id)
{
    struct draft draft;
    begin(&draft, CONTROL_REQUEST_CANCEL);
    put_int(&draft, CONTROL_KEY_CANCEL_ID, id);
    return ask(client, &draft);
}

uint32_t simnet_client_ask(struct simnet_client *client, enum control_request kind)
{
    struct draft draft;
    begin(&draft, kind);
    return ask(client, &draft);
}
