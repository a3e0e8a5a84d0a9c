// SPDX-License-Identifier: MIT
#include "simnet/host.h"

#include "simnet/crypto.h"
#include "simnet/session.h"
#include "simnet/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX     63
#define WALL_EVERY_US SIMNET_SECOND_US // pnrd's

struct key {
    char label[LABEL_MAX + 1];
    uint8_t secret[32];
    uint8_t key[DHT_KEY_LEN];
};

struct simnet_host {
    struct key *keys;
    uint32_t key_count;
    bool was_cut; // power, since it last ran
    bool moved;   // and the brain does not know yet
    struct simnet_disk *disk;
    int64_t disk_armed_us; // the earliest task that is to look after the disk; INT64_MAX
    uint64_t *refused;     // writes that the disk did not take
    uint32_t refused_count;
    struct simnet_session_set sessions;
    struct simnet_clock *clock;
    int64_t wall_told_us;  // in the machine's time; INT64_MIN: not yet
    uint64_t outputs_left; // until power is cut; UINT64_MAX: never
};

struct simnet_host *simnet_host_of(struct simnet_machine *machine)
{
    if (machine->host == NULL) {
        machine->host = simnet_world_need(calloc(1, sizeof *machine->host));
        machine->host->disk_armed_us = INT64_MAX;
        machine->host->wall_told_us = INT64_MIN;
        machine->host->outputs_left = UINT64_MAX;
    }
    return machine->host;
}

void simnet_host_free(struct simnet_host *host)
{
    if (host == NULL)
        return;
    simnet_disk_free(host->disk);
    free(host->clock);
    free(host->keys);
    free(host->refused);
    simnet_session_set_fini(&host->sessions);
    free(host);
}

// ---- clocks ----

int64_t simnet_host_wall(const struct simnet_machine *machine)
{
    int64_t true_us = simnet_world_wall(machine->world);
    if (!machine->has_clock)
        return true_us;
    return simnet_clock_wall(machine->host->clock, simnet_world_now(machine->world), true_us);
}

void simnet_host_set_clock(struct simnet_machine *machine, const struct simnet_clock_config *config)
{
    struct simnet_host *host = simnet_host_of(machine);
    int64_t shown_us = simnet_machine_now(machine);
    if (host->clock == NULL)
        host->clock = simnet_world_need(malloc(sizeof *host->clock));
    simnet_clock_init(host->clock, config, simnet_world_now(machine->world));
    host->clock->base_us = shown_us;
    machine->has_clock = true;
    simnet_machine_settle(machine);
}

struct simnet_clock *simnet_host_clock(const struct simnet_machine *machine)
{
    assert(machine->has_clock);
    return machine->host->clock;
}

void simnet_host_jump(struct simnet_machine *machine, int64_t by_us)
{
    if (!machine->has_clock)
        simnet_host_set_clock(machine, &(struct simnet_clock_config){0});
    simnet_clock_jump(machine->host->clock, by_us);
}

static void jump(struct simnet_world *world, void *ctx, uint64_t by_us)
{
    (void)world;
    simnet_host_jump(ctx, (int64_t)by_us);
}

void simnet_host_jump_at(struct simnet_machine *machine, int64_t at_us, int64_t by_us)
{
    simnet_world_at(machine->world, at_us, jump, machine, (uint64_t)by_us);
}

void simnet_host_tell_wall(struct simnet_machine *machine)
{
    struct simnet_host *host = machine->host;
    int64_t now_us = simnet_machine_now(machine);
    if (host->wall_told_us != INT64_MIN && now_us - host->wall_told_us < WALL_EVERY_US)
        return;
    host->wall_told_us = now_us;
    node_wall(machine->node, now_us, simnet_host_wall(machine));
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

struct simnet_disk *simnet_host_disk(struct simnet_machine *machine)
{
    struct simnet_host *host = simnet_host_of(machine);
    if (host->disk == NULL)
        host->disk = simnet_disk_new(machine->profile->disk, simnet_world_seed(machine->world),
                                     machine->number);
    return host->disk;
}

bool simnet_host_has_disk(const struct simnet_machine *machine)
{
    return machine->host != NULL && machine->host->disk != NULL;
}

void simnet_host_cut_after(struct simnet_machine *machine, uint64_t outputs)
{
    simnet_host_of(machine)->outputs_left = outputs;
}

bool simnet_host_is_cut(struct simnet_machine *machine)
{
    struct simnet_host *host = machine->host;
    if (host->outputs_left == UINT64_MAX)
        return false;
    return host->outputs_left-- == 0;
}

static void write_row(struct simnet_machine *machine, const struct node_out *out)
{
    struct simnet_host *host = simnet_host_of(machine);
    if (simnet_disk_write(simnet_host_disk(machine), out) || out->write.write_id == 0)
        return;
    host->refused = simnet_world_need(
        realloc(host->refused, (host->refused_count + 1) * sizeof *host->refused));
    host->refused[host->refused_count++] = out->write.write_id;
}

static void look_after_disk(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_machine *machine = ctx;
    (void)number;
    if (machine->host->disk_armed_us <= simnet_world_now(world))
        machine->host->disk_armed_us = INT64_MAX;
    machine->has_answers = true;
    simnet_machine_settle(machine);
}

static void run_disk(struct simnet_machine *machine)
{
    struct simnet_host *host = machine->host;
    uint64_t write_id;
    bool ok;
    simnet_disk_run(host->disk, simnet_world_now(machine->world));
    while (simnet_disk_next(host->disk, &write_id, &ok))
        node_written(machine->node, simnet_machine_enter(machine), write_id, ok);
    for (uint32_t i = 0; i < host->refused_count; i++)
        node_written(machine->node, simnet_machine_enter(machine), host->refused[i], false);
    host->refused_count = 0;
    int64_t due_us = simnet_disk_due(host->disk);
    if (due_us < host->disk_armed_us) {
        host->disk_armed_us = due_us;
        simnet_world_at(machine->world, due_us, look_after_disk, machine, machine->number);
    }
}

// ---- control sessions ----

uint32_t simnet_host_open_session(struct simnet_machine *machine, enum node_access access,
                                  const struct simnet_session_sink *sink)
{
    if (machine->state != SIMNET_MACHINE_UP || machine->node == NULL)
        return 0;
    uint32_t number = node_session_open(machine->node, simnet_machine_enter(machine), access);
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
    node_session_bytes(machine->node, simnet_machine_enter(machine), session, bytes);
    simnet_machine_settle(machine);
    return true;
}

void simnet_host_read_session(struct simnet_machine *machine, uint32_t session)
{
    struct simnet_session *found = find_session(machine, session);
    if (found == NULL)
        return;
    found->is_stopped = false;
    machine->has_answers = true;
    simnet_machine_settle(machine);
}

void simnet_host_close_session(struct simnet_machine *machine, uint32_t session)
{
    struct simnet_session *found = find_session(machine, session);
    if (found == NULL)
        return;
    found->closed = true;
    machine->has_answers = true;
    simnet_machine_settle(machine);
}

// ---- another address ----

void simnet_host_look(struct simnet_machine *machine)
{
    struct simnet_host *host = machine->host;
    if (host == NULL || !host->moved || machine->node == NULL ||
        machine->state != SIMNET_MACHINE_UP)
        return;
    host->moved = false;
    node_network_changed(machine->node, simnet_machine_enter(machine));
    simnet_machine_settle(machine);
}

static void look(struct simnet_world *world, void *ctx, uint64_t number)
{
    (void)world;
    (void)number;
    simnet_host_look(ctx);
}

void simnet_host_moved(struct simnet_machine *machine)
{
    struct simnet_host *host = simnet_host_of(machine);
    struct simnet_world *world = machine->world;
    if (host->moved)
        return; // it will see both at once
    host->moved = true;
    // Machines look at times of their own.
    uint64_t phase = simnet_stream_pair(simnet_world_seed(world), machine->number, machine->starts);
    int64_t ahead_us = (int64_t)(phase % SIMNET_MACHINE_LOOKS_US) -
                       simnet_world_now(world) % SIMNET_MACHINE_LOOKS_US;
    ahead_us += ahead_us < 0 ? SIMNET_MACHINE_LOOKS_US : 0;
    simnet_world_at(world, simnet_world_now(world) + ahead_us, look, machine, 0);
}

// ---- the brain's life ----

static void correct_clock(struct simnet_world *world, void *ctx, uint64_t starts)
{
    struct simnet_machine *machine = ctx;
    if (machine->starts == starts && machine->state != SIMNET_MACHINE_OFF)
        simnet_clock_correct(machine->host->clock, simnet_world_now(world), 0);
}

void simnet_host_boot(struct simnet_machine *machine)
{
    struct simnet_host *host = machine->host;
    if (host == NULL)
        return;
    host->wall_told_us = INT64_MIN;
    if (host->was_cut && machine->has_clock) {
        const struct simnet_clock_config *config = &host->clock->config;
        int64_t now_us = simnet_world_now(machine->world);
        simnet_clock_boot(host->clock, now_us, simnet_world_wall(machine->world));
        if (config->forgets && config->corrected_us > 0)
            simnet_world_at(machine->world, now_us + config->corrected_us, correct_clock, machine,
                            machine->starts);
    }
    host->was_cut = false;
}

void simnet_host_restore(struct simnet_machine *machine)
{
    const struct simnet_host *host = machine->host;
    if (host == NULL)
        return;
    if (host->disk != NULL)
        simnet_disk_restore(host->disk, machine->node);
    for (uint32_t i = 0; i < host->key_count; i++)
        node_key_added(machine->node, host->keys[i].label, host->keys[i].key, "key");
}

void simnet_host_output(struct simnet_machine *machine, const struct node_out *out)
{
    if (out->type == NODE_OUT_WRITE)
        write_row(machine, out);
    else if ((out->type == NODE_OUT_BYTES || out->type == NODE_OUT_HANGUP) && machine->host != NULL)
        simnet_session_output(&machine->host->sessions, out);
    else
        return;
    machine->has_answers = machine->host != NULL;
}

void simnet_host_answer(struct simnet_machine *machine)
{
    machine->has_answers = false;
    simnet_session_leave(&machine->host->sessions, machine);
    if (machine->host->disk != NULL)
        run_disk(machine);
    simnet_session_flush(&machine->host->sessions, machine);
}

void simnet_host_gone(struct simnet_machine *machine, enum simnet_disk_end how)
{
    struct simnet_host *host = machine->host;
    machine->has_answers = false;
    if (host == NULL)
        return;
    if (host->disk != NULL)
        simnet_disk_end(host->disk, how, simnet_world_now(machine->world));
    host->refused_count = 0;
    host->moved = false;
    host->outputs_left = UINT64_MAX;
    host->was_cut |= how == SIMNET_DISK_CUT;
    simnet_session_gone(&host->sessions, machine);
}
