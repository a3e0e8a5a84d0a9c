// SPDX-License-Identifier: MIT
#include "node/core/session.h"

#include "node/core/cloud.h"
#include "node/core/doctor.h"
#include "node/core/publication.h"
#include "node/core/registration.h"
#include "node/core/request.h"
#include "node/core/resolve.h"
#include "node/core/swarm.h"
#include "node/core/unsecured.h"
#include "node/core/watch.h"

#include <assert.h>
#include <stdlib.h>

struct core_session *core_session_find(const struct node *node, uint32_t id)
{
    for (struct core_session *session = node->sessions; session != NULL; session = session->next)
        if (session->id == id && !session->doomed)
            return session;
    return NULL;
}

uint32_t node_session_open(struct node *node, int64_t now_us, enum node_access access)
{
    core_brain_enter(node, now_us);
    struct core_session *session = NULL;
    if (node->session_count < node->config.sessions_max)
        session = calloc(1, sizeof *session);
    if (session == NULL) {
        CORE_COUNT(node, sessions_refused);
        return 0;
    }
    do {
        session->id = ++node->next_session;
    } while (session->id == 0 || core_session_find(node, session->id) != NULL);
    session->access = access;
    control_frame_reader_init(&session->reader, CONTROL_FRAME_MAX);
    session->next = node->sessions;
    if (session->next != NULL)
        session->next->prev = session;
    node->sessions = session;
    node->session_count++;
    CORE_COUNT(node, sessions_opened);
    return session->id;
}

static void free_session(struct node *node, struct core_session *session)
{
    while (session->requests != NULL) {
        CORE_COUNT(node, requests_cancelled);
        core_request_drop(node, session->requests);
    }
    core_registration_hang_up(node, session);
    core_publication_hang_up(node, session);
    if (session->next != NULL)
        session->next->prev = session->prev;
    if (session->prev != NULL)
        session->prev->next = session->next;
    else
        node->sessions = session->next;
    node->session_count--;
    control_frame_reader_free(&session->reader);
    free(session);
}

void core_session_free_all(struct node *node)
{
    while (node->sessions != NULL)
        free_session(node, node->sessions);
}

void core_session_reap(struct node *node)
{
    struct core_session *session = node->sessions;
    while (session != NULL) {
        struct core_session *next = session->next;
        if (session->doomed) {
            core_outbox_hangup(&node->outbox, session->id);
            free_session(node, session);
        }
        session = next;
    }
}

// ---- bytes out ----

bool core_session_has_room(const struct node *node, const struct core_session *session)
{
    return session->out_len < node->config.session_out_max / 2;
}

static void send(struct node *node, struct core_session *session, struct dht_span bytes)
{
    if (session->doomed || bytes.len == 0)
        return;
    bool fits = session->out_len + bytes.len <= node->config.session_out_max;
    if (!fits || !core_outbox_bytes(&node->outbox, session->id, bytes)) {
        CORE_COUNT(node, sessions_slow);
        session->doomed = true;
        return;
    }
    session->out_len += bytes.len;
}

// A client that watches a name has read some.
static void catch_up(struct node *node, struct core_watcher *watcher)
{
    if (watcher->swarm != NULL)
        core_swarm_catch_up(node, watcher);
    else
        core_watch_catch_up(node, watcher);
}

void node_session_sent(struct node *node, int64_t now_us, uint32_t id, size_t len)
{
    core_brain_enter(node, now_us);
    struct core_session *session = core_session_find(node, id);
    if (session == NULL)
        return;
    assert(len <= session->out_len);
    session->out_len -= len;
    struct core_request *request = session->requests;
    while (request != NULL) {
        struct core_request *next = request->next;
        if (request->listing)
            core_publication_list(node, request);
        else if (request->watcher != NULL)
            catch_up(node, request->watcher);
        request = next;
    }
    core_brain_settle(node);
}

// Says why, and hangs up.
static void break_off(struct node *node, struct core_session *session, enum control_error code,
                      const char *text)
{
    uint8_t buf[CONTROL_TEXT_LEN_MAX];
    size_t len = control_frame_write_error(buf, sizeof buf, 0, code, text);
    send(node, session, (struct dht_span){buf, len});
    session->doomed = true;
    CORE_COUNT(node, sessions_broken);
}

// ---- requests ----

static struct core_request *find_request(const struct core_session *session, uint32_t id)
{
    for (struct core_request *request = session->requests; request != NULL; request = request->next)
        if (request->id == id)
            return request;
    return NULL;
}

static struct core_request *open_request(struct node *node, struct core_session *session,
                                         const struct control_frame_request *frame)
{
    struct core_request *request = NULL;
    if (core_brain_timer_room(node))
        request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    dht_timer_init(&request->timer, CORE_TIMER_REQUEST);
    request->session = session;
    request->id = frame->id;
    request->kind = frame->request;
    request->started_us = node->now_us;
    request->next = session->requests;
    if (request->next != NULL)
        request->next->prev = request;
    session->requests = request;
    session->request_count++;
    node->request_count++;
    return request;
}

static void leave(struct node *node, struct core_watcher *watcher)
{
    if (watcher->swarm != NULL)
        core_swarm_leave(node, watcher);
    else
        core_watch_leave(node, watcher);
}

void core_request_drop(struct node *node, struct core_request *request)
{
    struct core_session *session = request->session;
    dht_timer_clear(&node->timers, &request->timer);
    if (request->resolve != NULL)
        core_resolve_leave(node, request->resolve, request);
    if (request->publication != NULL)
        core_publication_leave(node, request->publication);
    if (request->watcher != NULL)
        leave(node, request->watcher);
    if (request->unsecured != NULL)
        core_unsecured_leave(node, request->unsecured, request);
    if (request->registration != NULL)
        core_registration_leave(node, request->registration);
    if (request->doctor != NULL)
        core_doctor_leave(node, request->doctor);
    if (request->ping_op != 0) {
        core_owner_clear(&node->owners, request->ping_engine, request->ping_op);
        const struct core_engine *engine = core_cloud_engine(node, request->ping_engine);
        if (engine != NULL)
            dht_cancel(engine->dht, request->ping_op);
    }
    core_picture_fini(&request->told);
    if (request->next != NULL)
        request->next->prev = request->prev;
    if (request->prev != NULL)
        request->prev->next = request->next;
    else
        session->requests = request->next;
    session->request_count--;
    node->request_count--;
    free(request);
}

void core_request_fail(struct node *node, struct core_request *request, enum control_error code,
                       const char *text)
{
    uint8_t buf[CONTROL_TEXT_LEN_MAX + 256];
    size_t len = control_frame_write_error(buf, sizeof buf, request->id, code, text);
    send(node, request->session, (struct dht_span){buf, len});
    core_request_drop(node, request);
}

void core_request_timeout(struct node *node, struct core_request *request)
{
    if (request->unsecured != NULL && core_unsecured_timeout(node, request))
        return;
    if (request->resolve != NULL && core_resolve_timeout(node, request))
        return;
    CORE_COUNT(node, requests_timed_out);
    char why[CORE_CLOUD_TEXT_MAX];
    bool nobody = request->cloud != NULL && !core_cloud_has_contacts(request->cloud);
    if (nobody && request->ping_op == 0)
        core_cloud_why_nobody(node, request->cloud, "", why);
    core_request_fail(node, request, CONTROL_ERROR_TIMED_OUT,
                      nobody && request->ping_op == 0 ? why : "not answered in time");
}

void core_answer_begin(struct core_answer *answer, struct core_request *request,
                       enum control_answer kind)
{
    answer->request = request;
    answer->kind = kind;
    answer->writer = control_frame_begin_answer(answer->buf, sizeof answer->buf, request->id, kind);
}

bool core_answer_end(struct node *node, struct core_answer *answer)
{
    struct core_request *request = answer->request;
    size_t len = control_frame_end_answer(&answer->writer);
    bool slow = request->session->out_len + len > node->config.session_out_max / 2;
    if (answer->kind == CONTROL_ANSWER_PROGRESS && slow) {
        CORE_COUNT(node, progress_dropped);
        return false;
    }
    if (answer->kind == CONTROL_ANSWER_RESULT)
        request->results++;
    if (len > 0)
        send(node, request->session, (struct dht_span){answer->buf, len});
    if (answer->kind == CONTROL_ANSWER_DONE || answer->kind == CONTROL_ANSWER_ERROR)
        core_request_drop(node, request);
    return true;
}

static void cancel(struct node *node, struct core_request *request, struct dht_span arguments)
{
    int64_t id = 0;
    struct control_fields_range range = {1, CONTROL_ID_MAX};
    if (!control_fields_int(arguments, CONTROL_KEY_CANCEL_ID, range, &id)) {
        core_request_fail(node, request, CONTROL_ERROR_USAGE, "cancel needs the id of a request");
        return;
    }
    struct core_request *other = find_request(request->session, (uint32_t)id);
    if (other != NULL && other != request) {
        CORE_COUNT(node, requests_cancelled);
        core_request_fail(node, other, CONTROL_ERROR_CANCELLED, "cancelled");
    }
    struct core_answer answer;
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    core_answer_end(node, &answer);
}

static bool may(const struct core_session *session, enum control_request kind)
{
    return (int)session->access >= (int)control_protocol_request_access(kind);
}

static void take_frame(struct node *node, struct core_session *session, struct dht_span body)
{
    struct control_frame_request frame;
    if (!control_frame_open_request(body, &frame)) {
        break_off(node, session, CONTROL_ERROR_PROTOCOL, "not a request");
        return;
    }
    if (find_request(session, frame.id) != NULL) {
        break_off(node, session, CONTROL_ERROR_PROTOCOL, "the id is in use");
        return;
    }
    CORE_COUNT(node, requests);
    struct core_request *request = open_request(node, session, &frame);
    if (request == NULL) {
        break_off(node, session, CONTROL_ERROR_FULL, "out of memory");
        return;
    }
    // A client with as many requests as it may have can still end them.
    bool full = session->request_count > node->config.requests_max;
    if (full && frame.request != CONTROL_REQUEST_CANCEL) {
        CORE_COUNT(node, requests_refused);
        core_request_fail(node, request, CONTROL_ERROR_FULL, "too many requests at once");
    } else if (node->is_ending) {
        core_request_fail(node, request, CONTROL_ERROR_CANCELLED, "the daemon is ending");
    } else if (!may(session, frame.request)) {
        CORE_COUNT(node, requests_refused);
        core_request_fail(node, request, CONTROL_ERROR_REFUSED,
                          "this needs the control socket, not the one for resolving");
    } else if (frame.request == CONTROL_REQUEST_CANCEL) {
        cancel(node, request, frame.arguments);
    } else {
        core_request_start(node, request, frame.arguments);
    }
}

void node_session_bytes(struct node *node, int64_t now_us, uint32_t id, struct dht_span bytes)
{
    core_brain_enter(node, now_us);
    struct core_session *session = core_session_find(node, id);
    struct dht_span body;
    enum control_frame_state state = CONTROL_FRAME_WHOLE;
    while (session != NULL && !session->doomed && state == CONTROL_FRAME_WHOLE) {
        state = control_frame_read(&session->reader, &bytes, &body);
        if (state == CONTROL_FRAME_WHOLE)
            take_frame(node, session, body);
    }
    if (state == CONTROL_FRAME_BROKEN)
        break_off(node, session, CONTROL_ERROR_PROTOCOL, "not a frame");
    if (state == CONTROL_FRAME_MEMORY)
        break_off(node, session, CONTROL_ERROR_FULL, "out of memory");
    core_brain_settle(node);
}

void node_session_closed(struct node *node, int64_t now_us, uint32_t id)
{
    core_brain_enter(node, now_us);
    struct core_session *session = core_session_find(node, id);
    if (session != NULL)
        free_session(node, session);
    core_brain_settle(node);
}
