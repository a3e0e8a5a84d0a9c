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

// Its place, or engine_count.
static uint32_t engine_at(const struct simnet_replay_guard *guard, uint32_t number)
{
    uint32_t at = 0;
    while (at < guard->engine_count && guard->engines[at].number != number)
        at++;
    return at;
}

static uint32_t cloud_at(const struct simnet_replay_guard *guard, uint32_t number)
{
    uint32_t at = 0;
    while (at < guard->cloud_count && guard->clouds[at].number != number)
        at++;
    return at;
}

static const char *check_engine(const struct simnet_replay_guard *guard,
                                const struct recording_entry *entry)
{
    bool received = entry->kind == RECORDING_RECEIVE || entry->kind == RECORDING_HEARD;
    uint32_t engine = received ? entry->receive.engine : entry->addrs.engine;
    size_t count = received ? entry->receive.count : entry->addrs.count;
    uint32_t at = engine_at(guard, engine);
    if (at == guard->engine_count)
        return "an engine that there is not";
    for (size_t i = 0; i < count; i++) {
        const struct dht_addr *addr =
            received ? &entry->receive.datagrams[i].addr : &entry->addrs.addrs[i];
        if (addr->ip_len != guard->engines[at].ip_len)
            return "an address of another family than the engine's";
    }
    return NULL;
}

static const char *check_add_cloud(const struct simnet_replay_guard *guard,
                                   const struct recording_entry *entry)
{
    if (guard->cloud_count == NODE_CLOUDS_MAX)
        return "a cloud too many";
    for (uint32_t i = 0; i < guard->cloud_count; i++) {
        if (strcmp(guard->clouds[i].name, entry->cloud.name) == 0)
            return "a second cloud of a name";
    }
    return NULL;
}

static const char *check_add_engine(const struct simnet_replay_guard *guard,
                                    const struct recording_entry *entry)
{
    const struct dht_config *config = &entry->engine.config;
    uint8_t ip_len = config->family == DHT_IPV4 ? 4 : 16;
    if (cloud_at(guard, entry->engine.cloud) == guard->cloud_count)
        return "a cloud that there is not";
    for (uint32_t i = 0; i < guard->engine_count; i++) {
        if (guard->engines[i].cloud == entry->engine.cloud && guard->engines[i].ip_len == ip_len)
            return "an engine too many";
    }
    if (config->addr.ip_len != 0 && config->addr.ip_len != ip_len)
        return "an address of another family than the engine's";
    if (config->items_bytes_max > SIMNET_REPLAY_ITEMS_BYTES_MAX ||
        config->outbox_max > SIMNET_REPLAY_ITEMS_BYTES_MAX)
        return "an engine with bounds that cannot be";
    return NULL;
}

void simnet_replay_guard_added(struct simnet_replay_guard *guard,
                               const struct recording_entry *entry, int result)
{
    if (result < 0)
        return;
    if (entry->kind == RECORDING_ADD_CLOUD) {
        uint32_t at = guard->cloud_count++;
        guard->clouds[at].number = (uint32_t)result;
        memcpy(guard->clouds[at].name, entry->cloud.name, sizeof entry->cloud.name);
    } else {
        uint32_t at = guard->engine_count++;
        guard->engines[at].number = (uint32_t)result;
        guard->engines[at].cloud = entry->engine.cloud;
        guard->engines[at].ip_len = entry->engine.config.family == DHT_IPV4 ? 4 : 16;
    }
}

static const char *check_remove_engine(struct simnet_replay_guard *guard, uint32_t number)
{
    uint32_t at = engine_at(guard, number);
    if (at == guard->engine_count)
        return "an engine that there is not";
    guard->engines[at] = guard->engines[--guard->engine_count];
    return NULL;
}

static const char *check_remove_cloud(struct simnet_replay_guard *guard, uint32_t number)
{
    uint32_t at = cloud_at(guard, number);
    if (at == guard->cloud_count)
        return "a cloud that there is not";
    guard->clouds[at] = guard->clouds[--guard->cloud_count];
    for (uint32_t i = guard->engine_count; i-- > 0;) {
        if (guard->engines[i].cloud == number)
            guard->engines[i] = guard->engines[--guard->engine_count];
    }
    return NULL;
}

static const char *check_row(const struct simnet_replay_guard *guard,
                             const struct recording_entry *entry)
{
    bool is_late = entry->row.kind == NODE_ROW_CONTACT || entry->row.kind == NODE_ROW_ITEM;
    return guard->is_started && !is_late ? "a row restored after the start" : NULL;
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
    case RECORDING_ADD_CLOUD:
        return check_add_cloud(guard, entry);
    case RECORDING_ADD_ENGINE:
        return check_add_engine(guard, entry);
    case RECORDING_REMOVE_CLOUD:
        return check_remove_cloud(guard, entry->number);
    case RECORDING_REMOVE_ENGINE:
        return check_remove_engine(guard, entry->number);
    case RECORDING_START:
        if (guard->is_started)
            return "a second start";
        guard->is_started = true;
        return NULL;
    case RECORDING_RESTORE:
        return check_row(guard, entry);
    case RECORDING_RECEIVE:
    case RECORDING_HEARD:
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
