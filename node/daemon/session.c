// SPDX-License-Identifier: MIT
#include "node/daemon/session.h"

#include "node/control/frame.h"
#include "node/daemon/log.h"
#include "node/daemon/record.h"
#include "node/daemon/stream.h"

#include <assert.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_SIZE    256 // chains of the table of open sessions; a power of two
#define READ_MAX      65536
#define WAITING_PAUSE ((size_t)256 * 1024) // bytes waiting for a client that stop the reading
#define TIME_S        5

enum state {
    GREETING,
    OPEN,
    FLUSHING,
    LINGERING,
    CLOSED,
};

struct session {
    struct daemon_session_set *set;
    struct session *prev, *next; // of all sessions, or of the closed ones
    struct session *chain;       // in the table, while OPEN
    struct session *dirty_next;  // in the list of those with bytes to be written
    bool is_dirty;
    enum state state;
    int fd;
    struct event *readable;
    struct event *writable;
    struct event *timer;
    struct control_handshake *handshake; // while GREETING
    bool is_control;
    struct daemon_node *node; // while OPEN
    uint32_t number;
    struct evbuffer *out;
    size_t greeting_len; // bytes at the front of out that are ours, not the node's
    bool is_paused;
};

struct daemon_session_set {
    struct daemon_loop *loop;
    struct daemon_session_options options;
    struct session *table[TABLE_SIZE];
    struct session *all;
    struct session *closed; // freed when nobody's call is on their stack
    struct event *reaper;
    struct session *dirty;
    uint32_t count;
    uint32_t count_resolve; // of these, not known to be control
    uint64_t refused;
    uint8_t buffer[READ_MAX]; // what was read last
};

// ---- the table ----

static struct session **table_chain(struct daemon_session_set *set, const struct daemon_node *node,
                                    uint32_t number)
{
    uint32_t mixed = (number + daemon_node_index(node) * 2654435761u) * 2246822519u;
    return &set->table[(mixed >> 16) % TABLE_SIZE];
}

static struct session *table_find(struct daemon_session_set *set, const struct daemon_node *node,
                                  uint32_t number)
{
    struct session *session = *table_chain(set, node, number);
    while (session != NULL && (session->number != number || session->node != node))
        session = session->chain;
    return session;
}

static void table_put(struct session *session)
{
    struct session **chain = table_chain(session->set, session->node, session->number);
    session->chain = *chain;
    *chain = session;
}

static void table_remove(struct session *session)
{
    struct session **link = table_chain(session->set, session->node, session->number);
    while (*link != session)
        link = &(*link)->chain;
    *link = session->chain;
}

static void mark_dirty(struct session *session)
{
    if (session->is_dirty)
        return;
    session->is_dirty = true;
    session->dirty_next = session->set->dirty;
    session->set->dirty = session;
}

static void unmark_dirty(struct session *session)
{
    struct session **link = &session->set->dirty;
    if (!session->is_dirty)
        return;
    while (*link != session)
        link = &(*link)->dirty_next;
    *link = session->dirty_next;
    session->is_dirty = false;
}

// ---- states ----

static void set_timer(struct session *session)
{
    struct timeval time = {TIME_S, 0};
    event_add(session->timer, &time);
}

static void unlink_session(struct session *session)
{
    struct daemon_session_set *set = session->set;
    if (session->prev != NULL)
        session->prev->next = session->next;
    else
        set->all = session->next;
    if (session->next != NULL)
        session->next->prev = session->prev;
    set->count--;
    set->count_resolve -= !session->is_control;
}

// The one function that changes a session's state. Leaving OPEN takes the session from the node:
// who was told first, the node or us, is the caller's business.
static void set_state(struct session *session, enum state state)
{
    struct daemon_session_set *set = session->set;
    assert(session->state < state);
    if (session->state == OPEN)
        table_remove(session);
    session->state = state;
    if (state == OPEN) {
        event_del(session->timer);
        table_put(session);
    } else if (state == FLUSHING) {
        set_timer(session);
    } else if (state == LINGERING) {
        daemon_stream_end(session->fd);
    } else if (state == CLOSED) {
        unmark_dirty(session);
        event_del(session->readable);
        event_del(session->writable);
        event_del(session->timer);
        unlink_session(session);
        session->next = set->closed;
        set->closed = session;
        event_active(set->reaper, EV_TIMEOUT, 0);
    }
}

static void session_free(struct session *session)
{
    if (session->readable != NULL)
        event_free(session->readable);
    if (session->writable != NULL)
        event_free(session->writable);
    if (session->timer != NULL)
        event_free(session->timer);
    if (session->out != NULL)
        evbuffer_free(session->out);
    if (session->handshake != NULL)
        control_handshake_wipe(session->handshake);
    free(session->handshake);
    daemon_stream_close(session->fd);
    free(session);
}

static void reap(struct daemon_session_set *set)
{
    while (set->closed != NULL) {
        struct session *session = set->closed;
        set->closed = session->next;
        session_free(session);
    }
}

static void on_reap(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    reap(ctx);
}

// The client is gone, or is put out. Returns whether the node was told so, and has to settle.
static bool close_session(struct session *session)
{
    struct daemon_node *node = session->state == OPEN ? session->node : NULL;
    if (session->state == CLOSED)
        return false;
    set_state(session, CLOSED);
    if (node != NULL)
        daemon_record_session_closed(daemon_node_record(node), daemon_node_enter(node),
                                     session->number);
    return node != NULL;
}

static void close_and_settle(struct session *session)
{
    struct daemon_node *node = session->node;
    if (close_session(session))
        daemon_node_settle(node);
}

// ---- writing ----

static void resume_reading(struct session *session)
{
    bool pause = session->state == OPEN && evbuffer_get_length(session->out) > WAITING_PAUSE;
    if (pause && !session->is_paused)
        event_del(session->readable);
    else if (!pause && session->is_paused)
        event_add(session->readable, NULL);
    session->is_paused = pause;
}

// Tells the node that len bytes went out, less those that were not its own.
static bool tell_sent(struct session *session, size_t len)
{
    size_t own = len < session->greeting_len ? len : session->greeting_len;
    session->greeting_len -= own;
    if (session->state != OPEN || len == own)
        return false;
    daemon_record_session_sent(daemon_node_record(session->node), daemon_node_enter(session->node),
                               session->number, len - own);
    return true;
}

// Writes what the socket takes. Returns whether the node was told anything.
static bool write_out(struct session *session)
{
    bool told = false;
    while (session->state != CLOSED && evbuffer_get_length(session->out) > 0) {
        int len = evbuffer_write(session->out, session->fd);
        if (len <= 0 && !daemon_stream_would_wait())
            return close_session(session) || told;
        if (len <= 0)
            break;
        told |= tell_sent(session, (size_t)len);
    }
    if (session->state == CLOSED)
        return told;
    if (evbuffer_get_length(session->out) > 0)
        event_add(session->writable, NULL);
    else if (session->state == FLUSHING)
        set_state(session, LINGERING);
    resume_reading(session);
    return told;
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
    struct session *session = ctx;
    struct daemon_node *node = session->node;
    (void)fd;
    (void)what;
    if (write_out(session))
        daemon_node_settle(node);
}

// ---- the handshake ----

// The answer of a server that refuses (docs/control.md).
static size_t format_refusal(enum control_error code, const char *text,
                             uint8_t ret_frame[CONTROL_HANDSHAKE_OUT_MAX])
{
    struct dht_bencode_writer writer = control_frame_begin(ret_frame, CONTROL_HANDSHAKE_OUT_MAX);
    dht_bencode_open_dict(&writer);
    dht_bencode_pair_int(&writer, CONTROL_KEY_CODE, code);
    dht_bencode_pair_text(&writer, CONTROL_KEY_TEXT, text);
    dht_bencode_end(&writer);
    return control_frame_end(&writer);
}

static void refuse(struct session *session, enum control_error code, const char *text)
{
    uint8_t frame[CONTROL_HANDSHAKE_OUT_MAX];
    session->set->refused++;
    evbuffer_add(session->out, frame, format_refusal(code, text, frame));
    set_state(session, FLUSHING);
}

static uint32_t resolve_max(const struct daemon_session_set *set)
{
    return set->options.clients_max - (set->options.clients_max + 7) / 8;
}

// The handshake is done: opens the session with the node, or refuses it.
static void open_session(struct session *session, struct dht_span welcome)
{
    struct daemon_session_set *set = session->set;
    const struct control_handshake *handshake = session->handshake;
    bool is_control = handshake->access == CONTROL_ACCESS_CONTROL;
    set->count_resolve -= !session->is_control && is_control;
    session->is_control |= is_control;
    if (!session->is_control && set->count_resolve > resolve_max(set)) {
        refuse(session, CONTROL_ERROR_FULL, "too many clients are connected");
        return;
    }
    struct daemon_node *node = set->options.node(set->options.ctx, handshake->node);
    if (node == NULL) {
        refuse(session, CONTROL_ERROR_FAILED, "that node is stopped");
        return;
    }
    uint32_t number =
        daemon_record_session_open(daemon_node_record(node), daemon_node_enter(node),
                                   is_control ? NODE_ACCESS_CONTROL : NODE_ACCESS_RESOLVE);
    if (number == 0) {
        refuse(session, CONTROL_ERROR_FULL, "too many clients are connected");
        return;
    }
    session->node = node;
    session->number = number;
    evbuffer_add(session->out, welcome.data, welcome.len);
    session->greeting_len += welcome.len;
    set_state(session, OPEN);
}

// Takes bytes of the handshake off the front of inout_bytes.
static void greet(struct session *session, struct dht_span *inout_bytes)
{
    while (inout_bytes->len > 0 && session->state == GREETING) {
        struct dht_span out;
        enum control_handshake_state state =
            control_handshake_receive(session->handshake, inout_bytes, &out);
        if (state == CONTROL_HANDSHAKE_DONE) {
            open_session(session, out);
            continue;
        }
        evbuffer_add(session->out, out.data, out.len);
        session->greeting_len += out.len;
        if (state == CONTROL_HANDSHAKE_FAILED) {
            session->set->refused++;
            set_state(session, FLUSHING);
        }
    }
    if (session->state == GREETING)
        return;
    free(session->handshake); // it wiped its secrets when it ended
    session->handshake = NULL;
}

// ---- reading ----

static void take_bytes(struct session *session, struct dht_span bytes)
{
    if (session->state == GREETING)
        greet(session, &bytes);
    struct daemon_node *node = session->node;
    bool told = session->state == OPEN; // at least that it is open
    if (session->state == OPEN && bytes.len > 0) {
        daemon_node_tell_counters(node, session->set->refused);
        daemon_record_session_bytes(daemon_node_record(node), daemon_node_enter(node),
                                    session->number, bytes);
    }
    told |= write_out(session);
    if (told && node != NULL)
        daemon_node_settle(node);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct session *session = ctx;
    struct daemon_session_set *set = session->set;
    (void)what;
    ptrdiff_t len = daemon_stream_receive((int)fd, set->buffer, sizeof set->buffer);
    if (len > 0 && session->state <= OPEN)
        take_bytes(session, (struct dht_span){set->buffer, (size_t)len});
    else if (len < 0)
        close_and_settle(session);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct session *session = ctx;
    (void)fd;
    (void)what;
    if (session->state == GREETING) {
        refuse(session, CONTROL_ERROR_TIMED_OUT, "the handshake took too long");
        write_out(session);
    } else {
        close_and_settle(session);
    }
}

// ---- connections ----

static void refuse_connection(struct daemon_session_set *set, int fd)
{
    uint8_t frame[CONTROL_HANDSHAKE_OUT_MAX];
    size_t len = format_refusal(CONTROL_ERROR_FULL, "too many clients are connected", frame);
    daemon_stream_send(fd, frame, len);
    set->refused++;
    daemon_stream_close(fd);
}

static struct session *session_new(struct daemon_session_set *set, int fd)
{
    struct session *session = calloc(1, sizeof *session);
    struct event_base *base = daemon_loop_base(set->loop);
    if (session == NULL)
        return NULL;
    session->set = set;
    session->fd = fd;
    session->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, session);
    session->writable = event_new(base, fd, EV_WRITE, on_writable, session);
    session->timer = evtimer_new(base, on_timer, session);
    session->out = evbuffer_new();
    session->handshake = calloc(1, sizeof *session->handshake);
    bool ok = session->readable != NULL && session->writable != NULL && session->timer != NULL &&
              session->out != NULL && session->handshake != NULL &&
              event_add(session->readable, NULL) == 0;
    if (ok)
        return session;
    session->fd = -1; // stays the caller's
    session_free(session);
    return NULL;
}

void daemon_session_add(struct daemon_session_set *set, int fd,
                        const struct control_handshake_server *server)
{
    bool is_control = server->granted == CONTROL_ACCESS_CONTROL;
    // Over TCP it turns out later which level it is (open_session()).
    bool is_resolve = server->granted == CONTROL_ACCESS_RESOLVE;
    bool is_full = set->count >= set->options.clients_max ||
                   (is_resolve && set->count_resolve >= resolve_max(set));
    struct session *session = is_full ? NULL : session_new(set, fd);
    if (session == NULL) {
        refuse_connection(set, fd);
        return;
    }
    session->is_control = is_control;
    session->next = set->all;
    if (set->all != NULL)
        set->all->prev = session;
    set->all = session;
    set->count++;
    set->count_resolve += !is_control;
    control_handshake_start_server(session->handshake, server);
    set_timer(session);
}

// ---- the set ----

struct daemon_session_set *daemon_session_set_new(struct daemon_loop *loop,
                                                  const struct daemon_session_options *options)
{
    struct daemon_session_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return NULL;
    set->loop = loop;
    set->options = *options;
    set->reaper = evtimer_new(daemon_loop_base(loop), on_reap, set);
    if (set->reaper == NULL) {
        free(set);
        return NULL;
    }
    return set;
}

void daemon_session_set_free(struct daemon_session_set *set)
{
    if (set == NULL)
        return;
    while (set->all != NULL)
        close_and_settle(set->all);
    reap(set);
    event_free(set->reaper);
    free(set);
}

void daemon_session_set_clients_max(struct daemon_session_set *set, uint32_t clients_max)
{
    set->options.clients_max = clients_max;
}

uint32_t daemon_session_set_count(const struct daemon_session_set *set)
{
    return set->count;
}

uint64_t daemon_session_set_refused(const struct daemon_session_set *set)
{
    return set->refused;
}

void daemon_session_drop_node(struct daemon_session_set *set, struct daemon_node *node)
{
    for (struct session *session = set->all, *next; session != NULL; session = next) {
        next = session->next;
        if (session->state == OPEN && session->node == node)
            close_session(session);
        if (session->node == node)
            session->node = NULL;
    }
}

// ---- what nodes call ----

void daemon_session_bytes(void *ctx, struct daemon_node *node, uint32_t session,
                          struct dht_span bytes)
{
    struct session *found = table_find(ctx, node, session);
    if (found == NULL)
        return; // it was closed while the bytes were on their way
    if (evbuffer_add(found->out, bytes.data, bytes.len) != 0)
        daemon_log(DAEMON_LOG_ERROR, "no memory for a client's answer");
    mark_dirty(found);
}

void daemon_session_hangup(void *ctx, struct daemon_node *node, uint32_t session)
{
    struct session *found = table_find(ctx, node, session);
    if (found == NULL)
        return;
    set_state(found, FLUSHING);
    mark_dirty(found);
}

bool daemon_session_flush(void *ctx, struct daemon_node *node)
{
    struct daemon_session_set *set = ctx;
    bool told = false;
    (void)node; // only its sessions can be dirty: nodes settle one after the other
    while (set->dirty != NULL) {
        struct session *session = set->dirty;
        unmark_dirty(session);
        told |= write_out(session);
    }
    return told;
}
