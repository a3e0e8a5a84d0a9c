// SPDX-License-Identifier: MIT
// A whole engine: datagrams of strangers and of those it asked, operations begun and cancelled,
// and time, in any order. The first two bytes are its configuration, tiny capacities among them.
#include "tests/fuzz/wire.h"

#include <stdio.h>

#define OPS_MAX 16

static struct fuzz_wire wire;
static struct dht *dht;
static struct dht_config config;
static int64_t now_us;
static uint32_t ops[OPS_MAX]; // begun; some of them over
static uint32_t op_count;
static uint32_t held;

static void drain(void)
{
    struct dht_out out;
    for (size_t count = 0; dht_next(dht, &out); count++) {
        FUZZ_CHECK(count < 100000);
        if (out.type == DHT_OUT_DATAGRAM)
            fuzz_wire_sent(&wire, &out.datagram);
        if (out.type == DHT_OUT_ITEM)
            FUZZ_CHECK(out.found.item.value.len <= DHT_VALUE_LEN_MAX);
        if (out.type == DHT_OUT_WHO)
            FUZZ_CHECK(out.who.description.len <= DHT_DESCRIPTION_LEN_MAX &&
                       out.who.payload.len <= DHT_PAYLOAD_LEN_MAX);
        if (out.type == DHT_OUT_PEERS)
            FUZZ_CHECK(out.op != 0 && out.peers.count > 0);
        if (out.type == DHT_OUT_DONE)
            FUZZ_CHECK(out.op != 0 && out.done.tally.stored <= out.done.tally.targets);
    }
}

static void check(void)
{
    struct dht_info info;
    dht_info(dht, &info);
    FUZZ_CHECK(info.queries <= config.queries_max && info.ops <= config.ops_max);
    FUZZ_CHECK(info.items <= config.items_max && info.items_bytes <= config.items_bytes_max);
    FUZZ_CHECK(info.peers <= config.peers_max && info.swarms <= config.swarms_max);
    FUZZ_CHECK(info.registrations <= config.registrations_max);
    FUZZ_CHECK(info.watches <= config.watches_max && info.watchers <= config.watchers_max);
    FUZZ_CHECK(info.pushes <= config.pushes_max);
    FUZZ_CHECK(info.contacts_good <= info.contacts);
}

static void configure(uint8_t flags, uint8_t more)
{
    dht_config_init(&config, (flags & 2) != 0 ? DHT_IPV6 : DHT_IPV4);
    config.lab = (flags & 1) != 0;
    config.role = (enum dht_role)((flags >> 2 & 3) % 3);
    config.unlimited = (flags & 32) != 0;
    // Small, for speed: big tables are mapped and unmapped for every input.
    config.items_max = 64;
    config.items_bytes_max = 1 << 16;
    config.swarms_max = 64;
    config.peers_max = 256;
    config.sources_max = 64;
    config.outbox_max = 1 << 16;
    if ((flags & 16) != 0) {
        config.ops_max = 1 + (more & 3);
        config.candidates_max = 32;
        config.queries_max = 16;
        config.items_max = 2;
        config.items_bytes_max = 3000;
        config.items_per_source_max = 1;
        config.swarms_max = 2;
        config.peers_max = 3;
        config.peers_per_swarm_max = 2;
        config.registrations_max = 2;
        config.watches_max = 2;
        config.watchers_max = 3;
        config.watchers_per_target_max = 2;
        config.watchers_per_source_max = 1;
        config.pushes_max = 1;
        config.sources_max = 16;
        config.outbox_max = 4096;
        config.outbox_keep = 0;
    }
}

static void note_op(uint32_t op)
{
    if (op != 0)
        ops[op_count++ % OPS_MAX] = op;
}

static void register_something(struct fuzz_input *input, const struct dht_id *info_hash)
{
    uint8_t payload[DHT_PAYLOAD_LEN_MAX + 1];
    uint8_t description[] = "d1:c0:e";
    size_t len = fuzz_u16(input) % sizeof payload;
    memset(payload, 'p', sizeof payload);
    struct dht_registration registration = {*info_hash, {description, 7}, {payload, len}};
    if ((len & 1) != 0)
        (void)dht_register(dht, &registration);
    else
        (void)dht_unregister(dht, info_hash);
}

static void watch_something(uint8_t what, const struct dht_id *target)
{
    struct dht_watch watch = {.kind = (what & 32) != 0 ? DHT_WATCH_PEERS : DHT_WATCH_ITEM,
                              .target = *target,
                              .salt = wire.salt,
                              .seq_known = DHT_SEQ_NONE,
                              .held_op = (what & 128) != 0 ? held : 0};
    note_op(dht_watch(dht, now_us, &watch));
}

static void begin(struct fuzz_input *input)
{
    uint8_t what = fuzz_u8(input);
    uint8_t which = what >> 3 & 3;
    struct dht_id target = fuzz_wire_target(&wire, which);
    struct dht_addr addr = fuzz_wire_addr(&wire, what >> 3);
    uint8_t value[] = "5:hello";
    struct dht_item item = {.target = target, .value = {value, 7}};
    struct dht_get get = {.target = target,
                          .salt = wire.salt,
                          .seq_known = DHT_SEQ_NONE,
                          .settle = (what & 32) != 0 ? 3 : 0,
                          .hold = (what & 64) != 0,
                          .trace = (what & 128) != 0};
    switch (what & 7) {
    case 0:
    case 1:
        note_op(dht_get(dht, now_us, &get));
        held = get.hold ? ops[(op_count + OPS_MAX - 1) % OPS_MAX] : held;
        break;
    case 2:
        item.is_mutable = (what & 32) == 0;
        fuzz_wire_key(which, item.key);
        item.salt = wire.salt;
        item.seq = what;
        note_op(dht_put(dht, now_us, &item, (what & 64) != 0 ? 1 : DHT_SEQ_NONE, held));
        held = 0;
        break;
    case 3:
        note_op(dht_find_node(dht, now_us, &target, (what & 128) != 0));
        break;
    case 4:
        note_op(dht_get_peers(dht, now_us, &target, (what & 128) != 0));
        break;
    case 5:
        note_op(dht_announce(dht, now_us, &target, (uint16_t)(what & 128)));
        break;
    case 6:
        if ((what & 32) != 0)
            note_op(dht_who(dht, now_us, &addr, &target));
        else
            register_something(input, &target);
        break;
    default:
        if ((what & 64) != 0)
            watch_something(what, &target);
        else
            note_op(dht_ping(dht, now_us, &addr));
        break;
    }
}

static void export_and_restore(void)
{
    struct dht_item item;
    int64_t expires_us;
    uint32_t cursor = 0;
    for (int i = 0; i < 4 && (cursor = dht_export_item(dht, cursor, 0, &item, &expires_us)) != 0;
         i++) {
        uint8_t value[DHT_VALUE_LEN_MAX];
        uint8_t salt[DHT_SALT_LEN_MAX];
        memcpy(value, item.value.data, item.value.len);
        if (item.salt.len > 0)
            memcpy(salt, item.salt.data, item.salt.len);
        item.value.data = value;
        item.salt.data = salt;
        (void)dht_restore_item(dht, now_us, &item, expires_us);
    }
}

static void receive(struct fuzz_input *input)
{
    uint8_t bytes[DHT_DATAGRAM_MAX];
    struct dht_datagram datagram = {.bytes = {bytes, 0}};
    datagram.bytes.len = fuzz_wire_write(&wire, input, bytes, &datagram.addr);
    if (datagram.addr.ip_len == 0) // no query was ever sent
        return;
    dht_receive(dht, now_us, &datagram, 1);
}

static void tick(int64_t later_us)
{
    now_us += later_us;
    dht_tick(dht, now_us);
    FUZZ_CHECK(dht_deadline(dht) > now_us);
}

static void answer_all(void)
{
    uint8_t bytes[DHT_DATAGRAM_MAX];
    struct dht_datagram datagram = {.bytes = {bytes, 0}};
    for (int i = 0; i < 64; i++) {
        datagram.bytes.len = fuzz_wire_answer(&wire, bytes, &datagram.addr);
        if (datagram.bytes.len == 0)
            return;
        dht_receive(dht, now_us, &datagram, 1);
        drain();
    }
}

static void step(struct fuzz_input *input)
{
    uint8_t command = fuzz_u8(input);
    struct dht_addr addr = fuzz_wire_addr(&wire, command >> 4);
    struct dht_id id;
    switch (command & 15) {
    default:
        receive(input);
        break;
    case 7:
        answer_all();
        break;
    case 8:
        begin(input);
        break;
    case 9:
        dht_cancel(dht, ops[command >> 4]);
        break;
    case 10:
        tick((int64_t)fuzz_u16(input) * 1000);
        break;
    case 11:
        tick((int64_t)fuzz_u16(input) * 1000000);
        break;
    case 12:
        if (dht_deadline(dht) != INT64_MAX)
            tick(dht_deadline(dht) > now_us ? dht_deadline(dht) - now_us : 0);
        break;
    case 13:
        dht_bootstrap(dht, now_us, &addr, 1);
        break;
    case 14:
        dht_unreachable(dht, now_us, &addr);
        break;
    case 15:
        memset(id.bytes, command, sizeof id.bytes);
        if ((command & 16) != 0)
            dht_restore_contact(dht, now_us, &id, &addr);
        else
            export_and_restore();
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[32] = {7};
    struct fuzz_input input = {data, data + size};
    struct dht_crypto crypto = fuzz_wire_crypto();
    uint8_t flags = fuzz_u8(&input);
    configure(flags, fuzz_u8(&input));
    memset(&wire, 0, sizeof wire);
    wire.family = config.family;
    wire.lab = config.lab;
    if ((flags & 64) != 0)
        wire.salt = (struct dht_span){(const uint8_t *)"salt", 4};
    memset(ops, 0, sizeof ops);
    op_count = 0;
    held = 0;
    now_us = 1000000;
    dht = dht_new(&config, &crypto, seed, now_us);
    FUZZ_CHECK(dht != NULL);
    while (fuzz_left(&input) > 0) {
        step(&input);
        drain();
        check();
    }
    for (uint32_t i = 0; i < OPS_MAX; i++)
        dht_cancel(dht, ops[i]);
    dht_free(dht);
    return 0;
}
