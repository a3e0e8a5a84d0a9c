// SPDX-License-Identifier: MIT
#include "simnet/host.h"

#include "simnet/crypto.h"
#include "simnet/session.h"
#include "simnet/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX   63
#define WRITTEN_MAX 64

struct key {
    char label[LABEL_MAX + 1];
    uint8_t secret[32];
    uint8_t key[DHT_KEY_LEN];
};

struct host_row {
    enum node_row_kind kind;
    size_t key_len, value_len;
    uint8_t bytes[]; // key, then value
};

struct simnet_host {
    struct key *keys;
    uint32_t key_count;
    struct host_row **rows;
    uint32_t row_count;
    int64_t wall_offset_us; // its wall clock less the true one
    uint64_t *written;      // rows that the brain waits for
    uint32_t written_count, written_capacity;
    struct simnet_session_set sessions;
};

struct simnet_host *simnet_host_of(struct simnet_machine *machine)
{
    if (machine->host == NULL)
        machine->host = simnet_world_need(calloc(1, sizeof *machine->host));
    return machine->host;
}

void simnet_host_free(struct simnet_host *host)
{
    if (host == NULL)
        return;
    for (uint32_t i = 0; i < host->row_count; i++)
        free(host->rows[i]);
    free(host->rows);
    free(host->keys);
    free(host->written);
    simnet_session_set_fini(&host->sessions);
    free(host);
}

int64_t simnet_host_wall(const struct simnet_machine *machine)
{
    int64_t offset_us = machine->host != NULL ? machine->host->wall_offset_us : 0;
    return simnet_world_wall(machine->world) + offset_us;
}

// ---- keys ----

void simnet_host_add_key(struct simnet_machine *machine, const char *label, uint64_t number,
                         uint8_t ret_key[DHT_KEY_LEN])
{
    struct simnet_host *host = simnet_host_of(machine);
    host->keys = simnet_world_need(realloc(host->keys, (host->key_count + 1) * sizeof *host->keys));
    struct key *key = &host->keys[host->key_count++];
    struct simnet_stream stream;
    simnet_stream_init(&stream, simnet_world_seed(machine->world), "key", number);
    simnet_stream_bytes(&stream, key->secret, sizeof key->secret);
    snprintf(key->label, sizeof key->label, "%s", label);
    simnet_crypto_public(machine->profile->signature, key->secret, key->key);
    memcpy(ret_key, key->key, DHT_KEY_LEN);
    if (machine->node != NULL)
        node_key_added(machine->node, key->label, key->key, "key");
}

bool simnet_host_sign(void *ctx, const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                      uint8_t ret_sig[DHT_SIG_LEN])
{
    const struct simnet_machine *machine = ctx;
    const struct simnet_host *host = machine->host;
    for (uint32_t i = 0; host != NULL && i < host->key_count; i++) {
        if (memcmp(host->keys[i].key, key, DHT_KEY_LEN) != 0)
            continue;
        simnet_crypto_sign(machine->profile->signature, host->keys[i].secret, key, msg, ret_sig);
        return true;
    }
    return false;
}

// ---- the disk ----

static uint32_t find_row(const struct simnet_host *host, const struct node_out *out)
{
    uint32_t at = 0;
    while (at < host->row_count &&
           (host->rows[at]->kind != out->write.kind ||
            host->rows[at]->key_len != out->write.key.len ||
            memcmp(host->rows[at]->bytes, out->write.key.data, out->write.key.len) != 0))
        at++;
    return at;
}

static void write_row(struct simnet_host *host, const struct node_out *out)
{
    uint32_t at = find_row(host, out);
    if (at < host->row_count) {
        free(host->rows[at]);
        host->rows[at] = host->rows[--host->row_count];
    }
    if (out->write.value.len == 0)
        return;
    struct host_row *row =
        simnet_world_need(malloc(sizeof *row + out->write.key.len + out->write.value.len));
    row->kind = out->write.kind;
    row->key_len = out->write.key.len;
    row->value_len = out->write.value.len;
    memcpy(row->bytes, out->write.key.data, row->key_len);
    memcpy(row->bytes + row->key_len, out->write.value.data, row->value_len);
    host->rows = simnet_world_need(realloc(host->rows, (host->row_count + 1) * sizeof *host->rows));
    host->rows[host->row_count++] = row;
}

static void note_written(struct simnet_host *host, uint64_t write_id)
{
    if (host->written_count == host->written_capacity) {
        host->written_capacity = host->written_capacity == 0 ? 8 : 2 * host->written_capacity;
        host->written = simnet_world_need(
            realloc(host->written, host->written_capacity * sizeof *host->written));
    }
    host->written[host->written_count++] = write_id;
}

// ---- control sessions ----

uint32_t simnet_host_open_session(struct simnet_machine *machine, enum node_access access,
                                  const struct simnet_session_sink *sink)
{
    if (machine->state != SIMNET_MACHINE_UP || machine->node == NULL)
        return 0;
    uint32_t number = node_session_open(machine->node, simnet_machine_now(machine), access);
    if (number != 0)
        simnet_session_add(&simnet_host_of(machine)->sessions, number, sink);
    simnet_machine_settle(machine);
    return number;
}

static struct simnet_session *find_session(const struct simnet_machine *machine, uint32_t session)
{
    return machine->host == NULL ? NULL : simnet_session_find(&machine->host->sessions, session);
}

bool simnet_host_session_bytes(struct simnet_machine *machine, uint32_t session,
                               struct dht_span bytes)
{
    if (machine->state != SIMNET_MACHINE_UP || find_session(machine, session) == NULL)
        return false;
    node_session_bytes(machine->node, simnet_machine_now(machine), session, bytes);
    simnet_machine_settle(machine);
    return true;
}

void simnet_host_read_session(struct simnet_machine *machine, uint32_t session)
{
    struct simnet_session *found = find_session(machine, session);
    if (found == NULL)
        return;
    found->is_stopped = false;
    simnet_machine_settle(machine);
}

void simnet_host_close_session(struct simnet_machine *machine, uint32_t session)
{
    struct simnet_session *found = find_session(machine, session);
    if (found == NULL)
        return;
    found->closed = true;
    simnet_machine_settle(machine);
}

// ---- the brain's life ----

void simnet_host_restore(struct simnet_machine *machine)
{
    static const enum node_row_kind order[] = {
        NODE_ROW_META, NODE_ROW_SEQUENCE, NODE_ROW_PUBLICATION, NODE_ROW_CONTACT, NODE_ROW_ITEM};
    const struct simnet_host *host = machine->host;
    if (host == NULL)
        return;
    for (size_t kind = 0; kind < sizeof order / sizeof *order; kind++)
        for (uint32_t i = 0; i < host->row_count; i++) {
            const struct host_row *row = host->rows[i];
            if (row->kind == order[kind])
                node_restore(machine->node, row->kind, (struct dht_span){row->bytes, row->key_len},
                             (struct dht_span){row->bytes + row->key_len, row->value_len});
        }
    for (uint32_t i = 0; i < host->key_count; i++)
        node_key_added(machine->node, host->keys[i].label, host->keys[i].key, "key");
}

void simnet_host_output(struct simnet_machine *machine, const struct node_out *out)
{
    if ((out->type == NODE_OUT_BYTES || out->type == NODE_OUT_HANGUP) && machine->host != NULL)
        simnet_session_output(&machine->host->sessions, out);
    if (out->type != NODE_OUT_WRITE)
        return;
    // A machine that keeps nothing needs no disk: its rows are done with at once.
    struct simnet_host *host = simnet_host_of(machine);
    write_row(host, out);
    if (out->write.write_id != 0)
        note_written(host, out->write.write_id);
}

static bool tell_written(struct simnet_machine *machine)
{
    struct simnet_host *host = machine->host;
    uint32_t count = host->written_count;
    for (uint32_t i = 0; i < count; i++)
        node_written(machine->node, simnet_machine_now(machine), host->written[i], true);
    host->written_count = 0;
    return count > 0;
}

bool simnet_host_answer(struct simnet_machine *machine)
{
    bool told = tell_written(machine);
    return simnet_session_flush(&machine->host->sessions, machine) || told;
}

void simnet_host_gone(struct simnet_machine *machine, bool crashed)
{
    (void)crashed;
    if (machine->host == NULL)
        return;
    machine->host->written_count = 0;
    simnet_session_gone(&machine->host->sessions, machine);
}
