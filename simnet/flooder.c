// SPDX-License-Identifier: MIT
#include "simnet/flooder.h"

#include "dht/addr.h"
#include "dht/bencode.h"
#include "dht/krpc.h"
#include "simnet/crypto.h"
#include "simnet/population.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 512
#define VALUE_MAX   200
#define JUNK_MAX    300
#define SEED_LEN    DHT_KEY_LEN
#define TOKEN_LEN   8 // of its own making
#define TOKEN_MAX   40

enum message {
    PUT_MUTABLE,
    PUT_IMMUTABLE,
    PUT_UNPROVEN,
    GET,
    JUNK,
    MESSAGES,
};

// An item that is to be put: asked for first, since a token is good for its target alone.
struct item {
    enum message put;
    bool is_asked, is_ready; // there is a token
    uint8_t seed[SEED_LEN];  // the key, or what the value is made of
    struct dht_addr at;
    uint8_t token[TOKEN_MAX];
    uint8_t token_len;
};

struct flooder {
    struct simnet_actor actor;
    struct simnet_flood *flood;
    int64_t next_us, step_us;
    int sends;
    uint32_t turn; // of enum message, and on
    uint32_t next_item;
    struct item items[SIMNET_FLOODER_ITEMS];
};

// ---- messages ----

// A string of random bytes.
static void put_random(struct dht_bencode_writer *writer, struct simnet_flood *flood, uint32_t len)
{
    uint8_t bytes[VALUE_MAX];
    assert(len <= sizeof bytes);
    simnet_stream_bytes(&flood->stream, bytes, len);
    dht_bencode_put_string(writer, bytes, len);
}

static void value_of(const struct item *item, uint8_t ret_value[VALUE_MAX])
{
    for (size_t i = 0; i < VALUE_MAX; i++)
        ret_value[i] = item->seed[i % SEED_LEN];
}

static void target_of(const struct item *item, uint8_t ret_target[DHT_ID_LEN])
{
    uint8_t bytes[VALUE_MAX + 8];
    struct dht_bencode_writer writer = dht_bencode_writer(bytes, sizeof bytes);
    uint8_t value[VALUE_MAX];
    value_of(item, value);
    dht_bencode_put_string(&writer, value, sizeof value);
    struct dht_span hashed = {bytes, dht_bencode_written(&writer)};
    if (item->put == PUT_MUTABLE)
        hashed = (struct dht_span){item->seed, SEED_LEN};
    simnet_crypto_sha1(NULL, &hashed, 1, ret_target);
}

// item: what a put or a get is about; NULL: something random.
static void put_arguments(struct dht_bencode_writer *writer, struct simnet_flood *flood,
                          enum message message, const struct item *item)
{
    uint8_t bytes[VALUE_MAX];
    dht_bencode_open_dict(writer);
    dht_bencode_put_text(writer, "id");
    put_random(writer, flood, DHT_ID_LEN);
    if (message == GET) {
        simnet_stream_bytes(&flood->stream, bytes, DHT_ID_LEN);
        if (item != NULL)
            target_of(item, bytes);
        dht_bencode_pair_string(writer, "target", bytes, DHT_ID_LEN);
        dht_bencode_end(writer);
        return;
    }
    simnet_stream_bytes(&flood->stream, bytes, sizeof bytes);
    if (message != PUT_IMMUTABLE) {
        dht_bencode_pair_string(writer, "k", item != NULL ? item->seed : bytes, DHT_KEY_LEN);
        dht_bencode_pair_int(writer, "seq", 1);
        dht_bencode_put_text(writer, "sig");
        put_random(writer, flood, DHT_SIG_LEN);
    }
    dht_bencode_put_text(writer, "token");
    if (item != NULL)
        dht_bencode_put_string(writer, item->token, item->token_len);
    else
        put_random(writer, flood, TOKEN_LEN);
    if (item != NULL)
        value_of(item, bytes);
    dht_bencode_pair_string(writer, "v", bytes, sizeof bytes);
    dht_bencode_end(writer);
}

// tid: two bytes.
static size_t write_message(struct simnet_flood *flood, enum message message,
                            const struct item *item, const uint8_t tid[2],
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
    put_arguments(&writer, flood, message, item);
    dht_bencode_pair_text(&writer, "q", message == GET ? "get" : "put");
    dht_bencode_pair_string(&writer, "t", tid, 2);
    dht_bencode_pair_text(&writer, "y", "q");
    dht_bencode_end(&writer);
    assert(!writer.full);
    return dht_bencode_written(&writer);
}

// ---- the actor ----

// Keeps the token of a reply to a get for an item.
static void receive(struct simnet_actor *actor, struct simnet_world *world,
                    struct simnet_machine *machine, const struct dht_datagram *datagram, int engine)
{
    struct flooder *flooder = (struct flooder *)actor;
    struct dht_krpc msg;
    (void)world;
    (void)machine;
    (void)engine;
    if (!dht_krpc_parse(datagram->bytes, &msg) || msg.type != DHT_KRPC_REPLY ||
        msg.token.data == NULL || msg.token.len > TOKEN_MAX || msg.tid.len != 2 ||
        msg.tid.data[0] >= SIMNET_FLOODER_ITEMS)
        return;
    struct item *item = &flooder->items[msg.tid.data[0]];
    if (!item->is_asked || !dht_addr_equal(&item->at, &datagram->addr))
        return;
    item->is_ready = true;
    item->token_len = (uint8_t)msg.token.len;
    memcpy(item->token, msg.token.data, item->token_len);
}

static enum message next_message(struct flooder *flooder)
{
    static const int parts[MESSAGES] = {SIMNET_FLOOD_PUTS, SIMNET_FLOOD_PUTS, SIMNET_FLOOD_PUTS,
                                        SIMNET_FLOOD_GETS, SIMNET_FLOOD_JUNK};
    while ((parts[flooder->turn % MESSAGES] & flooder->sends) == 0)
        flooder->turn++;
    return (enum message)(flooder->turn++ % MESSAGES);
}

static void send_message(struct flooder *flooder, struct simnet_machine *machine,
                         enum message message, const struct item *item, const struct dht_addr *to)
{
    struct simnet_flood *flood = flooder->flood;
    uint8_t bytes[MESSAGE_MAX];
    uint8_t tid[2] = {UINT8_MAX, 0};
    if (item != NULL)
        tid[0] = (uint8_t)(item - flooder->items);
    size_t len = write_message(flood, message, item, tid, bytes);
    flood->sent++;
    simnet_machine_send(machine, 0, to, (struct dht_span){bytes, len});
}

// An item that is ready is put; another in its place is asked for.
static void send_put(struct flooder *flooder, struct simnet_machine *machine, enum message put,
                     const struct dht_addr *victim)
{
    struct item *item = &flooder->items[flooder->next_item++ % SIMNET_FLOODER_ITEMS];
    if (item->is_ready) {
        send_message(flooder, machine, item->put, item, &item->at);
        item->is_ready = item->is_asked = false;
        flooder->flood->proven++;
        return;
    }
    *item = (struct item){.put = put, .is_asked = true, .at = *victim};
    simnet_stream_bytes(&flooder->flood->stream, item->seed, sizeof item->seed);
    send_message(flooder, machine, GET, item, &item->at);
}

static void tick(struct simnet_actor *actor, struct simnet_world *world,
                 struct simnet_machine *machine)
{
    struct flooder *flooder = (struct flooder *)actor;
    struct simnet_flood *flood = flooder->flood;
    flooder->next_us += flooder->step_us;
    const struct simnet_machine *victim =
        simnet_population_draw(world, &flood->stream, flood->first, flood->count);
    if (victim == NULL || !victim->is_honest || victim->addrs[0].ip_len != machine->addrs[0].ip_len)
        return;
    enum message message = next_message(flooder);
    if (message == PUT_MUTABLE || message == PUT_IMMUTABLE)
        send_put(flooder, machine, message, &victim->addrs[0]);
    else
        send_message(flooder, machine, message, NULL, &victim->addrs[0]);
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
    *flood = (struct simnet_flood){
        .first = first, .count = count, .packets_per_second = 1, .sends = SIMNET_FLOOD_ALL};
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
    flooder->sends = flood->sends;
    flooder->step_us = SIMNET_SECOND_US / flood->packets_per_second;
    flooder->turn = machine->number;
    // Not all at the same instant.
    flooder->next_us = simnet_world_now(machine->world) +
                       (int64_t)simnet_stream_below(&flood->stream, (uint64_t)flooder->step_us);
    machine->actor = &flooder->actor;
    machine->is_honest = false;
    simnet_machine_start(machine, NULL, 0);
}
