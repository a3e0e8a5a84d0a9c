// SPDX-License-Identifier: MIT
#include "node/daemon/record.h"

#include <stdlib.h>
#include <string.h>

// ---- writing down ----

static void put(struct daemon_record *record, const struct recording_entry *entry)
{
    daemon_record_file_put(record->file, entry);
}

// An input that is nothing but its time.
static void put_time(struct daemon_record *record, enum recording_kind kind, int64_t now_us)
{
    put(record, &(struct recording_entry){.kind = kind, .now_us = now_us});
}

// What the call returned.
static void put_result(struct daemon_record *record, int64_t result)
{
    put(record, &(struct recording_entry){.kind = RECORDING_RESULT, .result = result});
}

// len bytes of filler, owned by the record until the next input. NULL where memory is short.
static const uint8_t *filler(struct daemon_record *record, size_t len)
{
    struct daemon_record_bytes *bytes = &record->bytes;
    if (len > bytes->capacity) {
        uint8_t *grown = realloc(bytes->bytes, len);
        if (grown == NULL)
            return NULL;
        bytes->bytes = grown;
        bytes->capacity = len;
    }
    memset(bytes->bytes, RECORDING_FILLER, len);
    return bytes->bytes;
}

// ---- clients' bytes ----

static struct daemon_record_stream **stream_link(struct daemon_record *record, uint32_t session)
{
    struct daemon_record_stream **link = &record->streams;
    while (*link != NULL && (*link)->session != session)
        link = &(*link)->next;
    return link;
}

static void stream_add(struct daemon_record *record, uint32_t session)
{
    struct daemon_record_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        daemon_record_file_give_up(record->file, "no memory for a client's bytes");
        return;
    }
    daemon_record_frame_start(stream, session);
    stream->next = record->streams;
    record->streams = stream;
}

static void stream_remove(struct daemon_record *record, uint32_t session)
{
    struct daemon_record_stream **link = stream_link(record, session);
    struct daemon_record_stream *stream = *link;
    if (stream == NULL)
        return;
    *link = stream->next;
    daemon_record_frame_end(stream);
    free(stream);
}

// Writes down what bytes make whole, without secrets.
static void put_session_bytes(struct daemon_record *record, int64_t now_us, uint32_t session,
                              struct dht_span bytes)
{
    struct daemon_record_stream *stream = *stream_link(record, session);
    record->bytes.len = 0;
    if (stream != NULL && !daemon_record_frame_take(stream, bytes, &record->bytes)) {
        daemon_record_file_give_up(record->file, "no memory for a client's bytes");
        return;
    }
    struct recording_entry entry = {.kind = RECORDING_SESSION_BYTES, .now_us = now_us};
    entry.session.number = session;
    entry.session.bytes = (struct dht_span){record->bytes.bytes, record->bytes.len};
    put(record, &entry);
}

// ---- outputs ----

// The digest of a frame that has a PEM text in it, as a replay will have it: with filler.
static void put_secret_frame(struct daemon_record *record, const struct node_out *out,
                             struct dht_span pem)
{
    struct recording_entry entry = {.kind = RECORDING_OUTPUT};
    struct node_out copy = *out;
    uint8_t *bytes = malloc(out->bytes.len);
    if (bytes == NULL) {
        daemon_record_file_give_up(record->file, "no memory for an answer");
        return;
    }
    memcpy(bytes, out->bytes.data, out->bytes.len);
    memset(bytes + (pem.data - out->bytes.data), RECORDING_FILLER, pem.len);
    copy.bytes.data = bytes;
    entry.output = recording_output_of(&copy);
    put(record, &entry);
    free(bytes);
}

static void put_output(struct daemon_record *record, const struct node_out *out)
{
    struct recording_entry entry = {.kind = RECORDING_OUTPUT};
    struct dht_span pem = {0};
    record->drained++;
    if (out->type == NODE_OUT_HANGUP)
        stream_remove(record, out->session);
    if (out->type == NODE_OUT_BYTES)
        pem = daemon_record_frame_pem(out->bytes);
    if (pem.len > 0) {
        put_secret_frame(record, out, pem);
        return;
    }
    entry.output = recording_output_of(out);
    put(record, &entry);
}

bool daemon_record_next(struct daemon_record *record, struct node_out *ret_out)
{
    bool found = node_next(record->brain, ret_out);
    if (record->file == NULL)
        return found;
    if (found) {
        put_output(record, ret_out);
    } else {
        put(record,
            &(struct recording_entry){.kind = RECORDING_DRAINED, .drained = record->drained});
        record->drained = 0;
    }
    return found;
}

// ---- life ----

bool daemon_record_open(struct daemon_record *record, const struct daemon_record_birth *birth,
                        struct daemon_error *ret_error)
{
    *record = (struct daemon_record){0};
    if (birth->path != NULL) {
        struct recording_entry entry = {.kind = RECORDING_NEW, .now_us = birth->now_us};
        entry.birth.wall_us = birth->wall_us;
        entry.birth.seed = birth->seed;
        entry.birth.config = *birth->config;
        record->file = daemon_record_file_open(birth->path, 0, ret_error);
        if (record->file == NULL)
            return false;
        put(record, &entry);
    }
    record->brain =
        node_new(birth->config, birth->crypto, birth->seed, birth->now_us, birth->wall_us);
    if (record->brain == NULL)
        daemon_error_set(ret_error, "no memory for a node");
    return record->brain != NULL;
}

void daemon_record_close(struct daemon_record *record)
{
    node_free(record->brain);
    record->brain = NULL;
    daemon_record_file_close(record->file);
    record->file = NULL;
    while (record->streams != NULL)
        stream_remove(record, record->streams->session);
    free(record->bytes.bytes);
    record->bytes = (struct daemon_record_bytes){0};
}

// ---- cryptography ----

void daemon_record_signed(struct daemon_record *record, const uint8_t key[DHT_KEY_LEN],
                          struct dht_span msg, const uint8_t *sig)
{
    struct recording_entry entry = {.kind = RECORDING_SIGN};
    if (record->file == NULL)
        return;
    entry.crypto.digest = recording_output_digest_signed(key, NULL, msg);
    entry.crypto.ok = sig != NULL;
    if (sig != NULL)
        memcpy(entry.crypto.sig, sig, DHT_SIG_LEN);
    put(record, &entry);
}

void daemon_record_verified(struct daemon_record *record, const uint8_t key[DHT_KEY_LEN],
                            const uint8_t sig[DHT_SIG_LEN], struct dht_span msg, bool good)
{
    struct recording_entry entry = {.kind = RECORDING_VERIFY};
    if (record->file == NULL)
        return;
    entry.crypto.digest = recording_output_digest_signed(key, sig, msg);
    entry.crypto.ok = good;
    put(record, &entry);
}

// ---- what there was ----

int daemon_record_add_cloud(struct daemon_record *record, int64_t now_us,
                            const struct node_cloud_config *config)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_ADD_CLOUD, .now_us = now_us};
        entry.cloud = *config;
        put(record, &entry);
    }
    int number = node_add_cloud(record->brain, now_us, config);
    if (record->file != NULL)
        put_result(record, number);
    return number;
}

static void put_removal(struct daemon_record *record, enum recording_kind kind, int64_t now_us,
                        int number)
{
    struct recording_entry entry = {.kind = kind, .now_us = now_us};
    entry.number = (uint32_t)number;
    put(record, &entry);
}

void daemon_record_remove_cloud(struct daemon_record *record, int64_t now_us, int cloud)
{
    if (record->file != NULL)
        put_removal(record, RECORDING_REMOVE_CLOUD, now_us, cloud);
    node_remove_cloud(record->brain, now_us, cloud);
}

int daemon_record_add_engine(struct daemon_record *record, int64_t now_us, int cloud,
                             const struct dht_config *config)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_ADD_ENGINE, .now_us = now_us};
        entry.engine.cloud = (uint32_t)cloud;
        entry.engine.config = *config;
        put(record, &entry);
    }
    int number = node_add_engine(record->brain, now_us, cloud, config);
    if (record->file != NULL)
        put_result(record, number);
    return number;
}

void daemon_record_remove_engine(struct daemon_record *record, int64_t now_us, int engine)
{
    if (record->file != NULL)
        put_removal(record, RECORDING_REMOVE_ENGINE, now_us, engine);
    node_remove_engine(record->brain, now_us, engine);
}

bool daemon_record_restore(struct daemon_record *record, enum node_row_kind kind,
                           struct dht_span key, struct dht_span value)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_RESTORE};
        entry.row.kind = kind;
        entry.row.key = key;
        entry.row.value = value;
        put(record, &entry);
    }
    bool ok = node_restore(record->brain, kind, key, value);
    if (record->file != NULL)
        put_result(record, ok);
    return ok;
}

bool daemon_record_key_added(struct daemon_record *record, const char *label,
                             const uint8_t key[DHT_KEY_LEN], const char *path)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_KEY_ADDED};
        entry.key.label = label;
        entry.key.key = key;
        entry.key.path = path;
        put(record, &entry);
    }
    bool ok = node_key_added(record->brain, label, key, path);
    if (record->file != NULL)
        put_result(record, ok);
    return ok;
}

void daemon_record_key_removed(struct daemon_record *record, const char *label)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_KEY_REMOVED};
        entry.key.label = label;
        put(record, &entry);
    }
    node_key_removed(record->brain, label);
}

void daemon_record_start(struct daemon_record *record, int64_t now_us)
{
    if (record->file != NULL)
        put_time(record, RECORDING_START, now_us);
    node_start(record->brain, now_us);
}

// ---- the world ----

void daemon_record_wall(struct daemon_record *record, int64_t now_us, int64_t wall_us)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_WALL, .now_us = now_us};
        entry.wall_us = wall_us;
        put(record, &entry);
    }
    node_wall(record->brain, now_us, wall_us);
}

static void put_datagrams(struct daemon_record *record, struct recording_entry *entry, int engine,
                          const struct dht_datagram *datagrams, size_t count)
{
    entry->receive.engine = (uint32_t)engine;
    entry->receive.datagrams = datagrams;
    entry->receive.count = count;
    put(record, entry);
}

void daemon_record_receive(struct daemon_record *record, int64_t now_us, int engine,
                           const struct dht_datagram *datagrams, size_t count)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_RECEIVE, .now_us = now_us};
        put_datagrams(record, &entry, engine, datagrams, count);
    }
    node_receive(record->brain, now_us, engine, datagrams, count);
}

void daemon_record_heard(struct daemon_record *record, int64_t now_us, int engine,
                         const struct dht_datagram *datagrams, size_t count)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_HEARD, .now_us = now_us};
        put_datagrams(record, &entry, engine, datagrams, count);
    }
    node_heard(record->brain, now_us, engine, datagrams, count);
}

static void put_addrs(struct daemon_record *record, struct recording_entry *entry, int engine,
                      const struct dht_addr *addrs, size_t count)
{
    entry->addrs.engine = (uint32_t)engine;
    entry->addrs.addrs = addrs;
    entry->addrs.count = count;
    put(record, entry);
}

void daemon_record_unreachable(struct daemon_record *record, int64_t now_us, int engine,
                               const struct dht_addr *addr)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_UNREACHABLE, .now_us = now_us};
        put_addrs(record, &entry, engine, addr, 1);
    }
    node_unreachable(record->brain, now_us, engine, addr);
}

void daemon_record_bootstrap(struct daemon_record *record, int64_t now_us, int engine,
                             const struct dht_addr *addrs, size_t count)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_BOOTSTRAP, .now_us = now_us};
        put_addrs(record, &entry, engine, addrs, count);
    }
    node_bootstrap(record->brain, now_us, engine, addrs, count);
}

void daemon_record_network_changed(struct daemon_record *record, int64_t now_us)
{
    if (record->file != NULL)
        put_time(record, RECORDING_NETWORK_CHANGED, now_us);
    node_network_changed(record->brain, now_us);
}

void daemon_record_tick(struct daemon_record *record, int64_t now_us)
{
    if (record->file != NULL)
        put_time(record, RECORDING_TICK, now_us);
    node_tick(record->brain, now_us);
}

void daemon_record_set_publishing(struct daemon_record *record, uint32_t ttl_s, int64_t renew_us)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_SET_PUBLISHING};
        entry.publishing.ttl_s = ttl_s;
        entry.publishing.renew_us = renew_us;
        put(record, &entry);
    }
    node_set_publishing(record->brain, ttl_s, renew_us);
}

void daemon_record_stop(struct daemon_record *record, int64_t now_us)
{
    if (record->file != NULL)
        put_time(record, RECORDING_STOP, now_us);
    node_stop(record->brain, now_us);
}

void daemon_record_written(struct daemon_record *record, int64_t now_us, uint64_t write_id, bool ok)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_WRITTEN, .now_us = now_us};
        entry.written.id = write_id;
        entry.written.ok = ok;
        put(record, &entry);
    }
    node_written(record->brain, now_us, write_id, ok);
}

void daemon_record_counters(struct daemon_record *record,
                            const struct node_driver_counter *counters, size_t count)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_COUNTERS};
        entry.counters.list = counters;
        entry.counters.count = count;
        put(record, &entry);
    }
    node_driver_counters(record->brain, counters, count);
}

// ---- clients ----

uint32_t daemon_record_session_open(struct daemon_record *record, int64_t now_us,
                                    enum node_access access)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_SESSION_OPEN, .now_us = now_us};
        entry.session.access = access;
        put(record, &entry);
    }
    uint32_t session = node_session_open(record->brain, now_us, access);
    if (record->file != NULL)
        put_result(record, session);
    if (record->file != NULL && session != 0)
        stream_add(record, session);
    return session;
}

void daemon_record_session_bytes(struct daemon_record *record, int64_t now_us, uint32_t session,
                                 struct dht_span bytes)
{
    if (record->file != NULL)
        put_session_bytes(record, now_us, session, bytes);
    node_session_bytes(record->brain, now_us, session, bytes);
}

void daemon_record_session_sent(struct daemon_record *record, int64_t now_us, uint32_t session,
                                size_t len)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_SESSION_SENT, .now_us = now_us};
        entry.session.number = session;
        entry.session.sent = len;
        put(record, &entry);
    }
    node_session_sent(record->brain, now_us, session, len);
}

void daemon_record_session_closed(struct daemon_record *record, int64_t now_us, uint32_t session)
{
    if (record->file != NULL) {
        struct recording_entry entry = {.kind = RECORDING_SESSION_CLOSED, .now_us = now_us};
        entry.session.number = session;
        put(record, &entry);
        stream_remove(record, session);
    }
    node_session_closed(record->brain, now_us, session);
}

static void put_key_answer(struct daemon_record *record, int64_t now_us,
                           const struct node_key_answer *answer)
{
    struct recording_entry entry = {.kind = RECORDING_KEY_ANSWERED, .now_us = now_us};
    entry.key_answered.answer = *answer;
    if (answer->code == 0 && answer->text.len > 0) {
        entry.key_answered.answer.text.data = filler(record, answer->text.len);
        if (entry.key_answered.answer.text.data == NULL) {
            daemon_record_file_give_up(record->file, "no memory for an answer");
            return;
        }
    }
    put(record, &entry);
}

void daemon_record_key_answered(struct daemon_record *record, int64_t now_us,
                                const struct node_key_answer *answer)
{
    if (record->file != NULL)
        put_key_answer(record, now_us, answer);
    node_key_answered(record->brain, now_us, answer);
}
