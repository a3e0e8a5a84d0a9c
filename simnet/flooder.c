// SPDX-License-Identifier: MIT
#include "simnet/flooder.h"

#include "dht/bencode.h"
#include "simnet/population.h"

#include <assert.h>
#include <stdlib.h>

#define MESSAGE_MAX 512
#define VALUE_MAX   200
#define JUNK_MAX    300
#define TOKEN_LEN   8

struct flooder {
    struct simnet_actor actor;
    struct simnet_flood *flood;
    int64_t next_us;
};

enum message {
    PUT_MUTABLE,
    PUT_IMMUTABLE,
    GET,
    JUNK,
    MESSAGES,
};

// A string of random bytes.
static void put_random(struct dht_bencode_writer *writer, struct simnet_flood *flood, uint32_t len)
{
    uint8_t bytes[VALUE_MAX];
    assert(len <= sizeof bytes);
    simnet_stream_bytes(&flood->stream, bytes, len);
    dht_bencode_put_string(writer, bytes, len);
}

static void put_arguments(struct dht_bencode_writer *writer, struct simnet_flood *flood,
                          enum message message)
{
    dht_bencode_open_dict(writer);
    dht_bencode_put_text(writer, "id");
    put_random(writer, flood, DHT_ID_LEN);
    if (message == GET) {
        dht_bencode_put_text(writer, "target");
        put_random(writer, flood, DHT_ID_LEN);
        dht_bencode_end(writer);
        return;
    }
    if (message == PUT_MUTABLE) {
        dht_bencode_put_text(writer, "k");
        put_random(writer, flood, DHT_KEY_LEN);
        dht_bencode_put_text(writer, "seq");
        dht_bencode_put_int(writer, 1);
        dht_bencode_put_text(writer, "sig");
        put_random(writer, flood, DHT_SIG_LEN);
    }
    dht_bencode_put_text(writer, "token");
    put_random(writer, flood, TOKEN_LEN);
    dht_bencode_put_text(writer, "v");
    put_random(writer, flood, VALUE_MAX);
    dht_bencode_end(writer);
}

static size_t write_message(struct simnet_flood *flood, enum message message,
                            uint8_t ret_bytes[MESSAGE_MAX])
{
    if (message == JUNK) {
        uint32_t len = 1 + (uint32_t)simnet_stream_below(&flood->stream, JUNK_MAX);
        simnet_stream_bytes(&flood->stream, ret_bytes, len);
        return len;
    }
    struct dht_bencode_writer writer = dht_bencode_writer(ret_bytes, MESSAGE_MAX);
    dht_bencode_open_dict(&writer);
    dht_bencode_put_text(&writer, "a");
    put_arguments(&writer, flood, message);
    dht_bencode_put_text(&writer, "q");
    dht_bencode_put_text(&writer, message == GET ? "get" : "put");
    dht_bencode_put_text(&writer, "t");
    put_random(&writer, flood, 2);
    dht_bencode_put_text(&writer, "y");
    dht_bencode_put_text(&writer, "q");
    dht_bencode_end(&writer);
    return dht_bencode_written(&writer);
}

// ---- the actor ----

static void receive(struct simnet_actor *actor, struct simnet_world *world,
                    struct simnet_machine *machine, const struct dht_datagram *datagram, int engine)
{
    (void)actor;
    (void)world;
    (void)machine;
    (void)datagram;
    (void)engine;
}

static void tick(struct simnet_actor *actor, struct simnet_world *world,
                 struct simnet_machine *machine)
{
    struct flooder *flooder = (struct flooder *)actor;
    struct simnet_flood *flood = flooder->flood;
    uint8_t bytes[MESSAGE_MAX];
    flooder->next_us += SIMNET_SECOND_US / flood->packets_per_second;
    const struct simnet_machine *victim =
        simnet_population_draw(world, &flood->stream, flood->first, flood->count);
    if (victim == NULL || !victim->is_honest || victim->addrs[0].ip_len != machine->addrs[0].ip_len)
        return;
    size_t len = write_message(flood, (enum message)(flood->sent % MESSAGES), bytes);
    flood->sent++;
    simnet_machine_send(machine, 0, &victim->addrs[0], (struct dht_span){bytes, len});
}

static int64_t deadline(const struct simnet_actor *actor)
{
    return ((const struct flooder *)actor)->next_us;
}

static void free_flooder(struct simnet_actor *actor)
{
    free(actor);
}

void simnet_flood_init(struct simnet_flood *flood, struct simnet_world *world, uint32_t first,
                       uint32_t count)
{
    *flood = (struct simnet_flood){.first = first, .count = count, .packets_per_second = 1};
    simnet_stream_init(&flood->stream, simnet_world_seed(world), "flood", first);
}

void simnet_flooder_turn(struct simnet_machine *machine, struct simnet_flood *flood)
{
    static const struct simnet_actor_class class = {"flooder", receive, tick, deadline,
                                                    free_flooder};
    struct flooder *flooder = simnet_world_need(calloc(1, sizeof *flooder));
    assert(machine->state == SIMNET_MACHINE_UP && machine->actor == NULL);
    simnet_machine_crash(machine);
    flooder->actor.class = &class;
    flooder->flood = flood;
    // Not all at the same instant.
    flooder->next_us =
        simnet_world_now(machine->world) +
        (int64_t)simnet_stream_below(&flood->stream,
                                     (uint64_t)(SIMNET_SECOND_US / flood->packets_per_second));
    machine->actor = &flooder->actor;
    machine->is_honest = false;
    simnet_machine_start(machine, NULL, 0);
}
