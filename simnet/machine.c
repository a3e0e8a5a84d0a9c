// SPDX-License-Identifier: MIT
#include "simnet/machine.h"

#include "dht/addr.h"
#include "simnet/crypto.h"
#include "simnet/host.h"
#include "simnet/world.h"

#include <assert.h>
#include <string.h>

void simnet_profile_init(struct simnet_profile *profile)
{
    *profile = (struct simnet_profile){.signature = SIMNET_SIGNATURE_CHEAP, .bootstrap_count = 3};
    node_config_init(&profile->node);
    profile->node.snapshot_us = 0;
    dht_config_init(&profile->engine, DHT_IPV4);
    profile->engine.outbox_keep = 0;
}

void simnet_profile_million(struct simnet_profile *profile)
{
    simnet_profile_init(profile);
    profile->engine.bucket_size = 8;
    profile->engine.first_bucket_size = 16;
    profile->engine.replacements = 2;
    profile->engine.sources_max = 16;
}

int64_t simnet_machine_now(const struct simnet_machine *machine)
{
    int64_t now_us = simnet_world_now(machine->world);
    return machine->has_clock ? simnet_clock_now(simnet_host_clock(machine), now_us) : now_us;
}

int64_t simnet_machine_enter(struct simnet_machine *machine)
{
    if (machine->has_clock && machine->node != NULL)
        simnet_host_tell_wall(machine);
    return simnet_machine_now(machine);
}

// ---- crypto ----
// The table's ctx is the machine.

static bool verify_cheap(void *ctx, const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                         struct dht_span msg)
{
    (void)ctx;
    return simnet_crypto_verify(SIMNET_SIGNATURE_CHEAP, key, sig, msg);
}

static bool verify_ed25519(void *ctx, const uint8_t key[DHT_KEY_LEN],
                           const uint8_t sig[DHT_SIG_LEN], struct dht_span msg)
{
    (void)ctx;
    return simnet_crypto_verify(SIMNET_SIGNATURE_ED25519, key, sig, msg);
}

static struct dht_crypto crypto_of(struct simnet_machine *machine)
{
    bool real = machine->profile->signature == SIMNET_SIGNATURE_ED25519;
    return (struct dht_crypto){machine, simnet_crypto_sha1, simnet_crypto_sha256,
                               real ? verify_ed25519 : verify_cheap, simnet_host_sign};
}

// ---- life ----

// A seed of its own for each machine and each of its starts.
static void seed_of(const struct simnet_machine *machine, uint8_t ret_seed[32])
{
    struct simnet_stream stream;
    simnet_stream_init(&stream, simnet_world_seed(machine->world), "brain",
                       (uint64_t)machine->starts << 32 | machine->number);
    simnet_stream_bytes(&stream, ret_seed, 32);
}

static void make_brain(struct simnet_machine *machine)
{
    uint8_t seed[32];
    struct dht_crypto crypto = crypto_of(machine);
    seed_of(machine, seed);
    machine->node =
        simnet_world_need(node_new(&machine->profile->node, &crypto, seed,
                                   simnet_machine_now(machine), simnet_host_wall(machine)));
    struct node_cloud_config cloud;
    node_cloud_config_init(&cloud, NODE_CLOUD_GLOBAL);
    int cloud_number = node_add_cloud(machine->node, simnet_machine_now(machine), &cloud);
    assert(cloud_number == 0);
    for (uint8_t i = 0; i < machine->address_count; i++) {
        struct dht_config config = machine->profile->engine;
        config.family = machine->addrs[i].ip_len == 4 ? DHT_IPV4 : DHT_IPV6;
        config.addr = machine->addrs[i];
        int engine =
            node_add_engine(machine->node, simnet_machine_now(machine), cloud_number, &config);
        assert(engine == i);
    }
}

bool simnet_machine_is_hidden(const struct simnet_machine *machine, uint8_t engine)
{
    return machine->way_out != NULL && dht_addr_is_local(&machine->addrs[engine]);
}

static void bootstrap(struct simnet_machine *machine, const uint32_t *numbers, size_t count)
{
    for (uint8_t i = 0; i < machine->address_count; i++) {
        struct dht_addr addrs[64];
        size_t known = 0;
        for (size_t k = 0; k < count && known < 64; k++) {
            const struct simnet_machine *other = simnet_world_machine(machine->world, numbers[k]);
            for (uint8_t j = 0; j < other->address_count; j++)
                if (other->addrs[j].ip_len == machine->addrs[i].ip_len && known < 64 &&
                    !simnet_machine_is_hidden(other, j))
                    addrs[known++] = other->addrs[j];
        }
        if (known > 0)
            node_bootstrap(machine->node, simnet_machine_now(machine), i, addrs, known);
    }
}

void simnet_machine_start(struct simnet_machine *machine, const uint32_t *numbers, size_t count)
{
    assert(machine->state == SIMNET_MACHINE_OFF);
    machine->state = SIMNET_MACHINE_UP;
    machine->starts++;
    simnet_host_boot(machine);
    if (machine->actor == NULL) {
        make_brain(machine);
        simnet_host_restore(machine);
        node_start(machine->node, simnet_machine_now(machine));
        bootstrap(machine, numbers, count);
    }
    simnet_machine_settle(machine);
}

static void end(struct simnet_machine *machine, enum simnet_disk_end how)
{
    machine->state = SIMNET_MACHINE_OFF;
    node_free(machine->node);
    machine->node = NULL;
    machine->armed_us = INT64_MAX;
    simnet_host_gone(machine, how);
}

void simnet_machine_stop(struct simnet_machine *machine)
{
    if (machine->state == SIMNET_MACHINE_ASLEEP)
        simnet_machine_wake(machine);
    if (machine->state != SIMNET_MACHINE_UP)
        return;
    if (machine->settling != SIMNET_MACHINE_SETTLED) {
        if (machine->settling == SIMNET_MACHINE_SETTLING)
            machine->settling = SIMNET_MACHINE_STOPPING;
        return;
    }
    if (machine->node != NULL) {
        node_stop(machine->node, simnet_machine_now(machine));
        simnet_machine_settle(machine);
    }
    if (machine->state != SIMNET_MACHINE_OFF) // not cut on the way
        end(machine, SIMNET_DISK_STOPPED);
}

void simnet_machine_crash(struct simnet_machine *machine)
{
    if (machine->settling != SIMNET_MACHINE_SETTLED)
        machine->settling = SIMNET_MACHINE_CUT;
    else if (machine->state != SIMNET_MACHINE_OFF)
        end(machine, SIMNET_DISK_CUT);
}

void simnet_machine_kill(struct simnet_machine *machine)
{
    if (machine->settling == SIMNET_MACHINE_CUT)
        return;
    if (machine->settling != SIMNET_MACHINE_SETTLED)
        machine->settling = SIMNET_MACHINE_KILLED;
    else if (machine->state != SIMNET_MACHINE_OFF)
        end(machine, SIMNET_DISK_KILLED);
}

void simnet_machine_sleep(struct simnet_machine *machine)
{
    if (machine->state != SIMNET_MACHINE_UP)
        return;
    machine->state = SIMNET_MACHINE_ASLEEP;
    if (machine->has_clock)
        simnet_clock_sleep(simnet_host_clock(machine), simnet_world_now(machine->world));
}

void simnet_machine_wake(struct simnet_machine *machine)
{
    if (machine->state != SIMNET_MACHINE_ASLEEP)
        return;
    machine->state = SIMNET_MACHINE_UP;
    if (machine->has_clock)
        simnet_clock_wake(simnet_host_clock(machine), simnet_world_now(machine->world));
    simnet_machine_settle(machine);
    simnet_host_look(machine);
}

void simnet_machine_move(struct simnet_machine *machine, int engine, const struct dht_addr *addr)
{
    assert(engine >= 0 && engine < machine->address_count);
    simnet_world_rename(machine->world, machine, engine, addr);
    if (machine->node != NULL)
        simnet_host_moved(machine);
}

void simnet_machine_rewire(struct simnet_machine *machine, const struct dht_addr *addrs,
                           struct simnet_element *way_out)
{
    for (uint8_t i = 0; i < machine->address_count && machine->way_out == NULL; i++)
        if (simnet_world_find(machine->world, &machine->addrs[i]) == machine)
            simnet_world_unlisten(machine->world, &machine->addrs[i]);
    machine->way_out = way_out;
    for (uint8_t i = 0; i < machine->address_count; i++)
        simnet_world_rename(machine->world, machine, i, &addrs[i]);
    if (machine->node != NULL)
        simnet_host_moved(machine);
}

void simnet_machine_unplug(struct simnet_machine *machine)
{
    machine->is_unplugged = true;
}

void simnet_machine_plug(struct simnet_machine *machine)
{
    machine->is_unplugged = false;
}

// ---- outputs ----

static void drain(struct simnet_machine *machine)
{
    struct node_out out;
    while (machine->settling < SIMNET_MACHINE_CUT && node_next(machine->node, &out)) {
        if (machine->host != NULL && simnet_host_is_cut(machine)) {
            machine->settling = SIMNET_MACHINE_CUT;
            return;
        }
        if (out.type == NODE_OUT_DATAGRAM) {
            simnet_world_send(machine->world, machine, out.engine, &out.datagram);
            continue;
        }
        simnet_host_output(machine, &out);
        simnet_world_see_out(machine->world, machine, &out);
    }
}

int64_t simnet_machine_deadline(const struct simnet_machine *machine)
{
    if (machine->actor == NULL)
        return node_deadline(machine->node);
    if (machine->actor->class->deadline == NULL)
        return INT64_MAX;
    return machine->actor->class->deadline(machine->actor);
}

static void settle(struct simnet_machine *machine)
{
    machine->settling = SIMNET_MACHINE_SETTLING;
    drain(machine);
    while (machine->settling < SIMNET_MACHINE_CUT && machine->has_answers) {
        simnet_host_answer(machine);
        drain(machine);
    }
    uint8_t asked = machine->settling;
    machine->settling = SIMNET_MACHINE_SETTLED;
    if (asked == SIMNET_MACHINE_CUT)
        simnet_machine_crash(machine);
    else if (asked == SIMNET_MACHINE_KILLED)
        simnet_machine_kill(machine);
    else if (asked == SIMNET_MACHINE_STOPPING)
        simnet_machine_stop(machine);
}

void simnet_machine_settle(struct simnet_machine *machine)
{
    // What a machine does to itself while it is drained, such as a client's next request upon an
    // answer, is drained by the settling under way.
    if (machine->state != SIMNET_MACHINE_UP || machine->settling != SIMNET_MACHINE_SETTLED)
        return;
    if (machine->node != NULL)
        settle(machine);
    if (machine->state != SIMNET_MACHINE_UP)
        return; // it ended on the way
    if (machine->node != NULL)
        node_rest(machine->node);
    int64_t deadline_us = simnet_machine_deadline(machine);
    if (machine->has_clock)
        deadline_us = simnet_clock_when(simnet_host_clock(machine), deadline_us);
    if (deadline_us != INT64_MAX)
        simnet_world_wake(machine->world, machine, deadline_us);
}

void simnet_machine_send(struct simnet_machine *machine, int engine, const struct dht_addr *to,
                         struct dht_span bytes)
{
    simnet_world_send(machine->world, machine, engine, &(struct dht_datagram){*to, bytes});
}
