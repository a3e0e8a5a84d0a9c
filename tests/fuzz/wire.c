// SPDX-License-Identifier: MIT
#include "tests/fuzz/wire.h"

#include "dht/addr.h"
#include "dht/krpc.h"

// ---- toy cryptography ----

static void hash(const struct dht_span *parts, size_t part_count, uint8_t *ret_digest, size_t len)
{
    uint64_t state = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < part_count; i++)
        for (size_t j = 0; j < parts[i].len; j++)
            state = (state ^ parts[i].data[j]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < len; i++) {
        state = (state ^ (state >> 29)) * UINT64_C(0xbf58476d1ce4e5b9) + i;
        ret_digest[i] = (uint8_t)(state >> 56);
    }
}

static void toy_sha1(void *ctx, const struct dht_span *parts, size_t part_count,
                     uint8_t ret_digest[20])
{
    (void)ctx;
    hash(parts, part_count, ret_digest, 20);
}

static void toy_sha256(void *ctx, const struct dht_span *parts, size_t part_count,
                       uint8_t ret_digest[32])
{
    (void)ctx;
    hash(parts, part_count, ret_digest, 32);
}

static bool toy_verify(void *ctx, const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                       struct dht_span msg)
{
    (void)ctx;
    (void)key;
    (void)msg;
    return sig[0] != 0xff;
}

static bool toy_sign(void *ctx, const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                     uint8_t ret_sig[DHT_SIG_LEN])
{
    (void)ctx;
    memset(ret_sig, 0, DHT_SIG_LEN);
    hash(&msg, 1, ret_sig + 1, 20);
    return key[0] != 0xff;
}

struct dht_crypto fuzz_wire_crypto(void)
{
    return (struct dht_crypto){NULL, toy_sha1, toy_sha256, toy_verify, toy_sign};
}

void fuzz_wire_key(uint8_t number, uint8_t ret_key[DHT_KEY_LEN])
{
    memset(ret_key, 'A' + number % FUZZ_WIRE_KEYS, DHT_KEY_LEN);
}

struct dht_id fuzz_wire_target(const struct fuzz_wire *wire, uint8_t number)
{
    struct dht_id target;
    uint8_t key[DHT_KEY_LEN];
    fuzz_wire_key(number, key);
    const struct dht_span parts[] = {{key, sizeof key}, wire->salt};
    hash(parts, 2, target.bytes, DHT_ID_LEN);
    return target;
}

struct dht_addr fuzz_wire_addr(const struct fuzz_wire *wire, uint8_t number)
{
    number = (uint8_t)(number % FUZZ_WIRE_ADDRS);
    struct dht_addr addr = {.port = (uint16_t)(7000 + number), .ip_len = 4};
    if (wire->family == DHT_IPV6) {
        memcpy(addr.ip, "\x20\x01\x04\x70", 4);
        addr.ip[4] = number;
        addr.ip[15] = 1;
        addr.ip_len = 16;
    } else if (wire->lab) {
        memcpy(addr.ip, "\x7f\x00\x00\x01", 4);
    } else {
        memcpy(addr.ip, "\x50\x01\x01\x01", 4);
        addr.ip[1] = number;
    }
    return addr;
}

static int number_of(const struct fuzz_wire *wire, const struct dht_addr *addr)
{
    for (uint8_t i = 0; i < FUZZ_WIRE_ADDRS; i++) {
        struct dht_addr known = fuzz_wire_addr(wire, i);
        if (dht_addr_equal(&known, addr))
            return i;
    }
    return -1;
}

// ---- what the engine sent ----

static void note_query(struct fuzz_wire *wire, const struct dht_addr *addr,
                       const struct dht_krpc *msg)
{
    struct fuzz_wire_query *query = &wire->queries[wire->query_count++ % FUZZ_WIRE_QUERIES];
    query->addr = *addr;
    query->tid_len = (uint8_t)msg->tid.len;
    memcpy(query->tid, msg->tid.data, msg->tid.len);
    memset(&query->target, 0, sizeof query->target);
    struct dht_span target = msg->target.data != NULL ? msg->target : msg->info_hash;
    if (target.data != NULL)
        memcpy(query->target.bytes, target.data, DHT_ID_LEN);
    if (msg->method != DHT_KRPC_PNR_WATCH)
        return;
    wire->keeper = *addr;
    wire->watched = query->target;
    memcpy(wire->nonce, msg->nonce.data, sizeof wire->nonce);
}

void fuzz_wire_sent(struct fuzz_wire *wire, const struct dht_datagram *datagram)
{
    struct dht_krpc msg;
    int number = number_of(wire, &datagram->addr);
    FUZZ_CHECK(datagram->bytes.len <= DHT_DATAGRAM_MAX && datagram->addr.ip_len != 0);
    FUZZ_CHECK(dht_krpc_parse(datagram->bytes, &msg) && !msg.bad_args);
    FUZZ_CHECK(dht_bencode_canonical(datagram->bytes));
    if (msg.type == DHT_KRPC_QUERY)
        note_query(wire, &datagram->addr, &msg);
    if (msg.token.data == NULL || msg.type != DHT_KRPC_REPLY || number < 0 ||
        msg.token.len > sizeof wire->token[0])
        return;
    memcpy(wire->token[number], msg.token.data, msg.token.len);
    wire->token_len[number] = (uint8_t)msg.token.len;
}

// ---- what comes back ----

static struct dht_id id_of(uint8_t number)
{
    struct dht_id id;
    memset(id.bytes, number * 21, DHT_ID_LEN);
    id.bytes[0] = (uint8_t)(number * 97);
    return id;
}

static void put_nodes(const struct fuzz_wire *wire, struct dht_bencode_writer *writer,
                      uint8_t choice)
{
    uint8_t nodes[4 * 38];
    size_t len = 0;
    for (uint8_t i = 0; i < (choice & 3); i++) {
        uint8_t number = (uint8_t)((choice >> 2) + i);
        struct dht_addr addr = fuzz_wire_addr(wire, number);
        struct dht_id id = id_of((uint8_t)(number % FUZZ_WIRE_ADDRS));
        memcpy(nodes + len, id.bytes, DHT_ID_LEN);
        len += DHT_ID_LEN;
        len += dht_addr_to_compact(&addr, nodes + len);
    }
    dht_bencode_put_text(writer, wire->family == DHT_IPV6 ? "nodes6" : "nodes");
    dht_bencode_put_string(writer, nodes, len);
}

// k, seq, sig, token and v, or parts of them; in a put and in a get's reply they stand alike.
static void put_item(const struct fuzz_wire *wire, struct dht_bencode_writer *writer,
                     struct fuzz_input *input, int number)
{
    uint8_t key[DHT_KEY_LEN];
    uint8_t sig[DHT_SIG_LEN] = {0};
    const uint8_t *value;
    uint8_t shape = fuzz_u8(input);
    uint8_t seq = fuzz_u8(input);
    fuzz_wire_key(shape & 3, key);
    sig[0] = (shape & 4) != 0 ? 0xff : 0;
    sig[1] = seq;
    bool is_mutable = (shape & 8) == 0;
    if (is_mutable) {
        dht_bencode_pair_string(writer, "k", key, sizeof key);
        if (number >= 0 && wire->salt.len > 0) {
            dht_bencode_pair_string(writer, "salt", wire->salt.data, wire->salt.len);
        }
        dht_bencode_pair_int(writer, "seq", (shape & 16) != 0 ? INT64_MAX - seq : seq);
        dht_bencode_pair_string(writer, "sig", sig, sizeof sig);
    }
    if ((shape & 128) != 0) { // of a reply to pnr_who
        dht_bencode_pair_string(writer, "part", "part of a payload", seq % 18);
        dht_bencode_pair_int(writer, "size", seq);
    }
    dht_bencode_put_text(writer, "token");
    if (number >= 0)
        dht_bencode_put_string(writer, wire->token[number], wire->token_len[number]);
    else
        dht_bencode_put_text(writer, "tokentok");
    dht_bencode_put_text(writer, "v");
    size_t len = fuzz_take(input, (shape & 32) != 0 ? 1000 : seq & 15, &value);
    if ((shape & 64) != 0 && len > 0)
        dht_bencode_put_raw(writer, value, len);
    else
        dht_bencode_put_string(writer, value, len);
}

static void open_reply(struct dht_bencode_writer *writer, const struct dht_id *id,
                       const struct dht_addr *ip)
{
    uint8_t compact[DHT_ADDR_COMPACT_MAX];
    dht_bencode_open_dict(writer);
    if (ip != NULL) {
        dht_bencode_pair_string(writer, "ip", compact, dht_addr_to_compact(ip, compact));
    }
    dht_bencode_put_text(writer, "r");
    dht_bencode_open_dict(writer);
    dht_krpc_put_id(writer, "id", id);
}

static void close_reply(struct dht_bencode_writer *writer, const struct fuzz_wire_query *query)
{
    dht_bencode_end(writer);
    dht_bencode_pair_string(writer, "t", query->tid, query->tid_len);
    dht_bencode_put_text(writer, "y");
    dht_bencode_put_text(writer, "r");
    dht_bencode_end(writer);
}

static void write_error(struct dht_bencode_writer *writer, const struct fuzz_wire_query *query,
                        uint8_t code)
{
    dht_bencode_open_dict(writer);
    dht_bencode_put_text(writer, "e");
    dht_bencode_open_list(writer);
    dht_bencode_put_int(writer, (code & 128) != 0 ? 201 + code % 8 : 300 + code % 4);
    dht_bencode_put_text(writer, "no");
    dht_bencode_end(writer);
    dht_bencode_pair_string(writer, "t", query->tid, query->tid_len);
    dht_bencode_put_text(writer, "y");
    dht_bencode_put_text(writer, "e");
    dht_bencode_end(writer);
}

static void put_values(struct dht_bencode_writer *writer, uint8_t count)
{
    uint8_t compact[6] = {80, 9, 9, count, 0x1a, 0xe1};
    dht_bencode_put_text(writer, "token");
    dht_bencode_put_text(writer, "tokentok");
    dht_bencode_put_text(writer, "values");
    dht_bencode_open_list(writer);
    for (uint8_t i = 0; i < count % 8; i++) {
        compact[3] = (uint8_t)(count + i);
        dht_bencode_put_string(writer, compact, sizeof compact);
    }
    dht_bencode_end(writer);
}

static void write_reply(struct fuzz_wire *wire, struct fuzz_input *input,
                        struct dht_bencode_writer *writer, struct dht_addr *ret_from)
{
    uint8_t which = fuzz_u8(input);
    uint8_t shape = fuzz_u8(input);
    struct fuzz_wire_query query = wire->queries[which % FUZZ_WIRE_QUERIES];
    int number = number_of(wire, &query.addr);
    struct dht_id id = id_of((uint8_t)(number < 0 || (shape & 1) != 0 ? shape : number));
    struct dht_addr outside = fuzz_wire_addr(wire, (uint8_t)(shape >> 4));
    outside.ip[1] ^= 0x55;
    *ret_from = (shape & 2) != 0 && (which & 128) != 0 ? fuzz_wire_addr(wire, shape) : query.addr;
    if ((shape & 12) == 12) {
        write_error(writer, &query, which);
        return;
    }
    open_reply(writer, &id, (which & 64) != 0 ? &outside : NULL);
    if ((shape & 4) == 0) {
        put_item(wire, writer, input, -1);
    } else {
        put_nodes(wire, writer, fuzz_u8(input));
        if ((shape & 16) != 0)
            put_values(writer, which);
        else {
            dht_bencode_put_text(writer, "token");
            dht_bencode_put_text(writer, "tokentok");
        }
    }
    if ((which & 32) != 0) { // of a reply to pnr_watch
        dht_bencode_pair_int(writer, "news", (int64_t)which * 500);
        dht_bencode_pair_int(writer, "watch", (int64_t)shape * 8);
    }
    close_reply(writer, &query);
}

static void put_target(const struct fuzz_wire *wire, struct dht_bencode_writer *writer,
                       const char *key, uint8_t choice)
{
    struct dht_id target = fuzz_wire_target(wire, choice);
    if ((choice & 128) != 0)
        target = wire->queries[choice % FUZZ_WIRE_QUERIES].target;
    dht_krpc_put_id(writer, key, &target);
}

static void write_query(struct fuzz_wire *wire, struct fuzz_input *input,
                        struct dht_bencode_writer *writer, struct dht_addr *ret_from)
{
    static const char *const methods[] = {"ping", "find_node",     "get_peers",         "get",
                                          "put",  "announce_peer", "sample_infohashes", "vote"};
    uint8_t who = fuzz_u8(input);
    uint8_t what = fuzz_u8(input);
    uint8_t number = (uint8_t)(who % FUZZ_WIRE_ADDRS);
    struct dht_id id = id_of(number);
    *ret_from = fuzz_wire_addr(wire, number);
    dht_krpc_open_query(writer);
    if ((what & 7) == 4 && (what & 8) != 0) {
        dht_bencode_pair_int(writer, "cas", who);
    }
    dht_krpc_put_id(writer, "id", &id);
    if ((what & 7) == 4) {
        put_item(wire, writer, input, (who & 128) != 0 ? -1 : number);
    } else if ((what & 7) == 5 || (what & 7) == 2) {
        if ((what & 7) == 5 && (what & 16) != 0) {
            dht_bencode_pair_int(writer, "implied_port", 1);
        }
        put_target(wire, writer, "info_hash", (uint8_t)(what >> 3));
        if ((what & 7) == 2 && (what & 32) != 0) {
            dht_bencode_pair_int(writer, "noseed", 1);
            dht_bencode_pair_int(writer, "scrape", 1);
        }
        dht_bencode_pair_int(writer, "port", fuzz_u16(input));
        dht_bencode_pair_string(writer, "token", wire->token[number], wire->token_len[number]);
    } else {
        if ((what & 64) != 0) {
            dht_bencode_pair_int(writer, "seq", who);
        }
        put_target(wire, writer, "target", (uint8_t)(what >> 3));
        if ((what & 7) == 7 && (who & 128) != 0) {
            dht_bencode_pair_string(writer, "token", wire->token[number], wire->token_len[number]);
        }
        if ((what & 32) != 0) {
            dht_bencode_put_text(writer, "want");
            dht_bencode_open_list(writer);
            dht_bencode_put_text(writer, "n4");
            dht_bencode_put_text(writer, "n6");
            dht_bencode_end(writer);
        }
    }
    uint8_t tid[2] = {who, what};
    struct dht_krpc_envelope env = {
        .tid = {tid, sizeof tid}, .version = "FZ01", .read_only = (who & 64) != 0};
    bool asks_who = (what & 7) == 7 && (who & 32) != 0;
    dht_krpc_close_query(writer, &env, asks_who ? "pnr_who" : methods[what & 7]);
}

// A pnr_watch with the token that its sender was given, or a pnr_changed for the engine's own
// latest watch, from its keeper or from anybody.
static void write_watch(struct fuzz_wire *wire, struct fuzz_input *input,
                        struct dht_bencode_writer *writer, struct dht_addr *ret_from)
{
    uint8_t who = fuzz_u8(input);
    uint8_t what = fuzz_u8(input);
    uint8_t number = (uint8_t)(who % FUZZ_WIRE_ADDRS);
    struct dht_id id = id_of(number);
    bool asks = (what & 1) != 0;
    bool from_keeper = !asks && (what & 2) != 0 && wire->keeper.ip_len != 0;
    *ret_from = from_keeper ? wire->keeper : fuzz_wire_addr(wire, number);
    dht_krpc_open_query(writer);
    dht_krpc_put_id(writer, "id", &id);
    dht_bencode_pair_string(writer, "nonce", wire->nonce, sizeof wire->nonce);
    if ((what & 4) != 0)
        dht_bencode_pair_int(writer, asks ? "lease" : "gone", who);
    if ((what & 8) != 0 && asks)
        dht_bencode_pair_int(writer, "peers", 1);
    if ((what & 16) != 0 && asks)
        dht_bencode_pair_int(writer, "seq", who);
    if (asks)
        put_target(wire, writer, "target", (uint8_t)(what >> 5));
    else
        dht_krpc_put_id(writer, "target", &wire->watched);
    if (!asks && (what & 8) != 0)
        put_item(wire, writer, input, -1);
    else if (!asks && (what & 16) != 0)
        put_values(writer, who);
    else {
        dht_bencode_pair_string(writer, "token", wire->token[number], wire->token_len[number]);
    }
    uint8_t tid[2] = {who, what};
    struct dht_krpc_envelope env = {.tid = {tid, sizeof tid}, .version = "FZ01"};
    dht_krpc_close_query(writer, &env, asks ? "pnr_watch" : "pnr_changed");
}

size_t fuzz_wire_write(struct fuzz_wire *wire, struct fuzz_input *input,
                       uint8_t ret_bytes[DHT_DATAGRAM_MAX], struct dht_addr *ret_from)
{
    struct dht_bencode_writer writer = dht_bencode_writer(ret_bytes, DHT_DATAGRAM_MAX);
    const uint8_t *raw;
    uint8_t kind = fuzz_u8(input);
    if ((kind & 3) == 0) {
        size_t len = fuzz_take(input, fuzz_u8(input), &raw);
        memcpy(ret_bytes, raw, len);
        *ret_from = fuzz_wire_addr(wire, kind >> 2);
        return len;
    }
    if ((kind & 3) == 1)
        write_query(wire, input, &writer, ret_from);
    else if ((kind & 0x43) == 0x43)
        write_watch(wire, input, &writer, ret_from);
    else
        write_reply(wire, input, &writer, ret_from);
    size_t len = dht_bencode_written(&writer);
    if ((kind & 0x84) == 0x84 && len > 0) // one byte is spoilt
        ret_bytes[fuzz_u16(input) % len] ^= (uint8_t)(1u << (kind >> 3 & 7));
    return len;
}

size_t fuzz_wire_answer(struct fuzz_wire *wire, uint8_t ret_bytes[DHT_DATAGRAM_MAX],
                        struct dht_addr *ret_from)
{
    if (wire->query_count == 0)
        return 0;
    struct fuzz_wire_query query = wire->queries[--wire->query_count % FUZZ_WIRE_QUERIES];
    int number = number_of(wire, &query.addr);
    struct dht_id id = id_of((uint8_t)(number < 0 ? 0 : number));
    struct dht_bencode_writer writer = dht_bencode_writer(ret_bytes, DHT_DATAGRAM_MAX);
    open_reply(&writer, &id, NULL);
    put_nodes(wire, &writer, 0);
    dht_bencode_put_text(&writer, "token");
    dht_bencode_put_text(&writer, "tokentok");
    close_reply(&writer, &query);
    *ret_from = query.addr;
    return dht_bencode_written(&writer);
}
