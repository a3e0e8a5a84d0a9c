// SPDX-License-Identifier: MIT
#include "simnet/replay_guard.h"

#include <stdlib.h>
#include <string.h>

void simnet_replay_guard_fini(struct simnet_replay_guard *guard)
{
    free(guard->sessions);
    memset(guard, 0, sizeof *guard);
}

// ---- sessions ----

static struct simnet_replay_session *find(struct simnet_replay_guard *guard, uint32_t number)
{
    for (size_t i = 0; i < guard->session_count; i++) {
        if (guard->sessions[i].number == number)
            return &guard->sessions[i];
    }
    return NULL;
}

static void forget(struct simnet_replay_guard *guard, uint32_t number)
{
    struct simnet_replay_session *session = find(guard, number);
    if (session != NULL)
        *session = guard->sessions[--guard->session_count];
}

// Where memory is short the session is not known, and nothing of it counts as sent.
static void add(struct simnet_replay_guard *guard, uint32_t number, uint64_t len)
{
    struct simnet_replay_session *session = find(guard, number);
    if (session != NULL) {
        session->waiting += len;
        return;
    }
    if (guard->session_count == guard->session_capacity) {
        size_t capacity = guard->session_capacity == 0 ? 16 : 2 * guard->session_capacity;
        struct simnet_replay_session *sessions =
            realloc(guard->sessions, capacity * sizeof *sessions);
        if (sessions == NULL)
            return;
        guard->sessions = sessions;
        guard->session_capacity = capacity;
    }
    guard->sessions[guard->session_count++] = (struct simnet_replay_session){number, len};
}

void simnet_replay_guard_output(struct simnet_replay_guard *guard, const struct node_out *out)
{
    if (out->type == NODE_OUT_BYTES)
        add(guard, out->session, out->bytes.len);
    else if (out->type == NODE_OUT_HANGUP)
        forget(guard, out->session);
}

static const char *check_sent(struct simnet_replay_guard *guard,
                              const struct recording_entry *entry)
{
    struct simnet_replay_session *session = find(guard, entry->session.number);
    if (entry->session.sent > 0 && (session == NULL || session->waiting < entry->session.sent))
        return "more bytes went out to a client than there were";
    if (session != NULL)
        session->waiting -= entry->session.sent;
    return NULL;
}

// ---- the rest ----

static const char *check_engine(const struct simnet_replay_guard *guard,
                                const struct recording_entry *entry)
{
    uint32_t engine =
        entry->kind == RECORDING_RECEIVE ? entry->receive.engine : entry->addrs.engine;
    size_t count = entry->kind == RECORDING_RECEIVE ? entry->receive.count : entry->addrs.count;
    if (engine >= guard->engine_count)
        return "an engine that there is not";
    for (size_t i = 0; i < count; i++) {
        const struct dht_addr *addr = entry->kind == RECORDING_RECEIVE
                                          ? &entry->receive.datagrams[i].addr
                                          : &entry->addrs.addrs[i];
        if (addr->ip_len != guard->ip_len[engine])
            return "an address of another family than the engine's";
    }
    return NULL;
}

static const char *check_add_engine(struct simnet_replay_guard *guard,
                                    const struct recording_entry *entry)
{
    uint8_t ip_len = entry->engine.family == DHT_IPV4 ? 4 : 16;
    bool is_twice = guard->engine_count > 0 && guard->ip_len[0] == ip_len;
    if (guard->is_started || guard->engine_count == NODE_ENGINES_MAX || is_twice)
        return "an engine too many";
    if (entry->engine.addr.ip_len != 0 && entry->engine.addr.ip_len != ip_len)
        return "an address of another family than the engine's";
    if (entry->engine.items_bytes_max > SIMNET_REPLAY_ITEMS_BYTES_MAX ||
        entry->engine.outbox_max > SIMNET_REPLAY_ITEMS_BYTES_MAX)
        return "an engine with bounds that cannot be";
    guard->ip_len[guard->engine_count++] = ip_len;
    return NULL;
}

static const char *check_counters(const struct recording_entry *entry)
{
    for (size_t i = 0; i < entry->counters.count; i++) {
        if (strlen(entry->counters.list[i].name) >= SIMNET_REPLAY_COUNTER_NAME_MAX)
            return "a counter with too long a name";
    }
    return NULL;
}

static bool goes_back(struct simnet_replay_guard *guard, const struct recording_entry *entry)
{
    if (!recording_entry_has_time(entry->kind))
        return false;
    if (entry->now_us < guard->now_us)
        return true;
    guard->now_us = entry->now_us;
    return false;
}

const char *simnet_replay_guard_input(struct simnet_replay_guard *guard,
                                      const struct recording_entry *entry)
{
    if (goes_back(guard, entry))
        return "time goes back";
    switch (entry->kind) {
    case RECORDING_NEW:
        if (guard->is_born)
            return "a second node";
        guard->is_born = true;
        return NULL;
    case RECORDING_ADD_ENGINE:
        return check_add_engine(guard, entry);
    case RECORDING_START:
        if (guard->is_started)
            return "a second start";
        guard->is_started = true;
        return NULL;
    case RECORDING_RESTORE:
        return guard->is_started ? "a row restored after the start" : NULL;
    case RECORDING_RECEIVE:
    case RECORDING_UNREACHABLE:
    case RECORDING_BOOTSTRAP:
        return check_engine(guard, entry);
    case RECORDING_SESSION_SENT:
        return check_sent(guard, entry);
    case RECORDING_SESSION_CLOSED:
        forget(guard, entry->session.number);
        return NULL;
    case RECORDING_COUNTERS:
        return check_counters(entry);
    default:
        return NULL;
    }
}
