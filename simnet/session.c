// SPDX-License-Identifier: MIT
#include "simnet/session.h"

#include "simnet/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void free_session(struct simnet_session *session)
{
    free(session->waiting);
    free(session);
}

void simnet_session_set_fini(struct simnet_session_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        free_session(set->sessions[i]);
    free(set->sessions);
    *set = (struct simnet_session_set){0};
}

struct simnet_session *simnet_session_add(struct simnet_session_set *set, uint32_t number,
                                          const struct simnet_session_sink *sink)
{
    if (set->count == set->capacity) {
        set->capacity = set->capacity == 0 ? 4 : 2 * set->capacity;
        set->sessions =
            simnet_world_need(realloc(set->sessions, set->capacity * sizeof *set->sessions));
    }
    struct simnet_session *session = simnet_world_need(calloc(1, sizeof *session));
    session->number = number;
    session->sink = *sink;
    set->sessions[set->count++] = session;
    return session;
}

struct simnet_session *simnet_session_find(const struct simnet_session_set *set, uint32_t number)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->sessions[i]->number == number && !set->sessions[i]->closed &&
            !set->sessions[i]->hung_up)
            return set->sessions[i];
    return NULL;
}

static void append(struct simnet_session *session, struct dht_span bytes)
{
    while (session->capacity - session->len < bytes.len) {
        session->capacity = session->capacity == 0 ? 512 : 2 * session->capacity;
        session->waiting = simnet_world_need(realloc(session->waiting, session->capacity));
    }
    if (bytes.len > 0)
        memcpy(session->waiting + session->len, bytes.data, bytes.len);
    session->len += bytes.len;
}

void simnet_session_output(struct simnet_session_set *set, const struct node_out *out)
{
    struct simnet_session *session = simnet_session_find(set, out->session);
    if (session == NULL)
        return; // closed by the client; the brain hears so at the end of the outputs
    if (out->type == NODE_OUT_HANGUP)
        session->hung_up = true;
    else
        append(session, out->bytes);
}

static void leave(struct simnet_session *session, struct simnet_machine *machine)
{
    session->is_over = true;
    node_session_closed(machine->node, simnet_machine_now(machine), session->number);
}

void simnet_session_leave(struct simnet_session_set *set, struct simnet_machine *machine)
{
    for (uint32_t i = 0; i < set->count; i++) {
        struct simnet_session *session = set->sessions[i];
        if (session->closed && !session->hung_up && !session->is_over)
            leave(session, machine);
    }
}

// Offers what waits. Returns how much of it the client read.
static size_t offer(struct simnet_session *session, struct simnet_machine *machine)
{
    struct dht_span bytes = {session->waiting, session->len};
    size_t read = session->sink.bytes(session->sink.ctx, machine, session->number, bytes);
    assert(read <= bytes.len);
    session->len -= read;
    memmove(session->waiting, session->waiting + read, session->len);
    session->is_stopped = session->len > 0;
    return read;
}

static void flush(struct simnet_session *session, struct simnet_machine *machine)
{
    size_t read = 0;
    if (session->is_over)
        return;
    if (!session->closed && !session->is_stopped && session->len > 0)
        read = offer(session, machine);
    if (session->hung_up) { // its number means nothing to the brain any more
        session->is_over = true;
        if (!session->closed && session->sink.hangup != NULL)
            session->sink.hangup(session->sink.ctx, machine, session->number);
        return;
    }
    if (session->closed)
        leave(session, machine);
    else if (read > 0)
        node_session_sent(machine->node, simnet_machine_now(machine), session->number, read);
}

void simnet_session_flush(struct simnet_session_set *set, struct simnet_machine *machine)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < set->count; i++) // sinks may open more
        flush(set->sessions[i], machine);
    for (uint32_t i = 0; i < set->count; i++) {
        // One that a later one's sink closed has its turn when the outputs were taken again.
        if (set->sessions[i]->is_over)
            free_session(set->sessions[i]);
        else
            set->sessions[kept++] = set->sessions[i];
    }
    set->count = kept;
}

void simnet_session_gone(struct simnet_session_set *set, struct simnet_machine *machine)
{
    struct simnet_session_set gone = *set;
    *set = (struct simnet_session_set){0};
    for (uint32_t i = 0; i < gone.count; i++) {
        const struct simnet_session *session = gone.sessions[i];
        if (!session->closed && session->sink.hangup != NULL)
            session->sink.hangup(session->sink.ctx, machine, session->number);
    }
    simnet_session_set_fini(&gone);
}
