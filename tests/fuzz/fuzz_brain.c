// SPDX-License-Identifier: MIT
// A whole brain: clients' bytes, datagrams for its engines, writes that are done, fail or are never
// heard of again, keys, and time, in any order. The first two bytes are its configuration, tiny
// capacities among them.
#include "node/control/fields.h"
#include "node/control/frame.h"
#include "node/core/zbase32.h"
#include "pnr/node.h"
#include "tests/fuzz/wire.h"

#define WRITES_MAX   32
#define SESSIONS_MAX 3
#define KEYS         2

static struct node *node;
static struct node_config config;
static struct fuzz_wire wires[NODE_ENGINES_MAX];
static int engine_count;
static int64_t now_us;
static int64_t wall_us;
static uint64_t writes[WRITES_MAX];
static uint32_t write_count;
static uint32_t key_requests[4];
static uint32_t key_request_count;
static char names[KEYS][CORE_ZBASE32_LEN + 1];
static uint32_t ids;

static struct {
    uint32_t id;
    size_t unsent;
    struct control_frame_reader reader;
} sessions[SESSIONS_MAX];

// ---- outputs ----

static void close_session(int at)
{
    control_frame_reader_free(&sessions[at].reader);
    sessions[at].id = 0;
    sessions[at].unsent = 0;
}

// What a client is told are whole answers, each of an id that it used.
static void take_bytes(const struct node_out *out)
{
    for (int i = 0; i < SESSIONS_MAX; i++) {
        struct dht_span bytes = out->bytes;
        struct dht_span body;
        if (sessions[i].id == 0 || sessions[i].id != out->session)
            continue;
        sessions[i].unsent += bytes.len;
        FUZZ_CHECK(sessions[i].unsent <= config.session_out_max);
        while (control_frame_read(&sessions[i].reader, &bytes, &body) == CONTROL_FRAME_WHOLE) {
            struct control_frame_answer answer;
            FUZZ_CHECK(control_frame_open_answer(body, &answer));
            FUZZ_CHECK(dht_bencode_canonical(body));
        }
        FUZZ_CHECK(!sessions[i].reader.broken);
    }
}

static void take_write(const struct node_out *out)
{
    FUZZ_CHECK(out->write.key.len <= NODE_ROW_KEY_MAX);
    FUZZ_CHECK(out->write.value.len <= NODE_ROW_VALUE_MAX);
    if (out->write.write_id != 0)
        writes[write_count++ % WRITES_MAX] = out->write.write_id;
}

static void drain(void)
{
    struct node_out out;
    for (size_t count = 0; node_next(node, &out); count++) {
        FUZZ_CHECK(count < 100000);
        if (out.type == NODE_OUT_DATAGRAM)
            fuzz_wire_sent(&wires[out.engine], &out.datagram);
        if (out.type == NODE_OUT_BYTES)
            take_bytes(&out);
        if (out.type == NODE_OUT_HANGUP)
            for (int i = 0; i < SESSIONS_MAX; i++)
                if (sessions[i].id == out.session)
                    close_session(i);
        if (out.type == NODE_OUT_WRITE)
            take_write(&out);
        if (out.type == NODE_OUT_KEY)
            key_requests[key_request_count++ % 4] = out.key.key_request;
    }
}

static void check(void)
{
    struct node_info info;
    node_info(node, &info);
    FUZZ_CHECK(info.sessions <= config.sessions_max && info.resolves <= config.resolves_max);
    FUZZ_CHECK(info.requests <= info.sessions * config.requests_max);
    FUZZ_CHECK(info.publications <= config.publications_max && info.keys <= config.keys_max);
    FUZZ_CHECK(info.cached <= config.cache_max && info.resolves <= info.requests);
    FUZZ_CHECK(info.watches <= config.watches_max && info.watches <= info.requests);
}

// ---- clients ----

static void put_name(struct dht_bencode_writer *writer, uint8_t choice, struct fuzz_input *input)
{
    static const char *const words[] = {"alice", "alice.web", "bob.web", "bob.a.b", "0.web", "eve"};
    char text[CORE_ZBASE32_LEN + 8];
    const uint8_t *raw;
    dht_bencode_put_text(writer, CONTROL_KEY_NAME);
    if ((choice & 15) < 6) {
        dht_bencode_put_text(writer, words[choice & 15]);
    } else if ((choice & 15) < 12) {
        memcpy(text, names[choice & 1], CORE_ZBASE32_LEN + 1);
        strcat(text, (choice & 2) != 0 ? ".web" : "");
        dht_bencode_put_text(writer, text);
    } else if ((choice & 15) == 12) { // the hash of key 0
        struct fuzz_wire unsalted = wires[0];
        unsalted.salt = (struct dht_span){0};
        struct dht_id hash = fuzz_wire_target(&unsalted, choice >> 4);
        char hex[2 * DHT_ID_LEN];
        for (size_t i = 0; i < DHT_ID_LEN; i++) {
            hex[2 * i] = "0123456789abcdef"[hash.bytes[i] >> 4];
            hex[2 * i + 1] = "0123456789abcdef"[hash.bytes[i] & 15];
        }
        dht_bencode_put_string(writer, hex, sizeof hex);
    } else {
        size_t len = fuzz_take(input, choice >> 4, &raw);
        dht_bencode_put_string(writer, raw, len);
    }
}

static void put_known(struct dht_bencode_writer *writer, uint8_t more)
{
    static const uint8_t zeros[CONTROL_PUBLISHER_LEN];
    dht_bencode_put_text(writer, CONTROL_KEY_KNOWN);
    dht_bencode_open_list(writer);
    for (uint8_t i = 0; i < (more & 3); i++) {
        dht_bencode_open_dict(writer);
        dht_bencode_pair_string(writer, CONTROL_KEY_MARK, zeros, CONTROL_MARK_LEN);
        dht_bencode_pair_string(writer, CONTROL_KEY_PUBLISHER, zeros,
                                CONTROL_PUBLISHER_LEN - (more == 255));
        dht_bencode_end(writer);
    }
    dht_bencode_end(writer);
}

static void put_arguments(struct dht_bencode_writer *writer, uint8_t shape,
                          struct fuzz_input *input)
{
    static const char *const waits[] = {"cache", "first", "settled", "all"};
    static const uint8_t zeros[CONTROL_PAYLOAD_MAX];
    struct control_endpoint endpoints[11] = {{.ip = {192, 0, 2, 1}, .ip_len = 4, .proto = 6}};
    uint8_t name = fuzz_u8(input);
    uint8_t more = fuzz_u8(input);
    for (uint8_t i = 0; i < 11; i++)
        endpoints[i] = (struct control_endpoint){
            .ip = {192, 0, 2, i}, .ip_len = (more & 8) != 0 ? 16 : 4, .proto = 6, .port = more};
    dht_bencode_put_text(writer, CONTROL_KEY_ADDR);
    dht_bencode_put_text(writer, (more & 1) != 0 ? "127.0.0.1:7001" : "[2001:470::1]:7001");
    if ((shape & 16) != 0) {
        dht_bencode_pair_string(writer, CONTROL_KEY_COMMENT, zeros, more & 127);
    }
    dht_bencode_put_text(writer, CONTROL_KEY_ENDPOINTS);
    control_fields_put_endpoints(writer, endpoints, (more >> 4) % 12);
    dht_bencode_pair_int(writer, CONTROL_KEY_CANCEL_ID, (int64_t)ids - (more & 7));
    put_known(writer, more);
    dht_bencode_put_text(writer, CONTROL_KEY_LABEL);
    dht_bencode_put_text(writer, (more & 1) != 0 ? "alice" : "carol");
    put_name(writer, name, input);
    if ((shape & 32) != 0) {
        dht_bencode_pair_string(writer, CONTROL_KEY_PAYLOAD, zeros, (size_t)more * 16);
    }
    dht_bencode_put_text(writer, CONTROL_KEY_PEM);
    dht_bencode_put_text(writer, "pem");
    dht_bencode_pair_int(writer, CONTROL_KEY_TIMEOUT_MS, 1 + more * 100);
    dht_bencode_pair_int(writer, CONTROL_KEY_TRACE, shape >> 7);
    dht_bencode_put_text(writer, CONTROL_KEY_WAIT);
    dht_bencode_put_text(writer, waits[more & 3]);
}

static void send_request(struct fuzz_input *input, uint32_t session)
{
    static uint8_t buf[CONTROL_FRAME_MAX];
    static const enum control_request often[] = {CONTROL_REQUEST_RESOLVE, CONTROL_REQUEST_PUBLISH,
                                                 CONTROL_REQUEST_UNPUBLISH, CONTROL_REQUEST_CANCEL};
    uint8_t what = fuzz_u8(input);
    enum control_request request =
        (what & 16) != 0 ? (enum control_request)(1 + (what & 15)) : often[what & 3];
    struct dht_bencode_writer writer = control_frame_begin_request(buf, sizeof buf);
    put_arguments(&writer, fuzz_u8(input), input);
    size_t len = control_frame_end_request(&writer, ++ids, control_protocol_request_word(request));
    node_session_bytes(node, now_us, session, (struct dht_span){buf, len});
}

static void client(struct fuzz_input *input, uint8_t choice)
{
    int at = choice % SESSIONS_MAX;
    const uint8_t *raw;
    uint8_t what = fuzz_u8(input);
    if (sessions[at].id == 0) {
        sessions[at].id = node_session_open(
            node, now_us, (what & 1) != 0 ? NODE_ACCESS_RESOLVE : NODE_ACCESS_CONTROL);
        control_frame_reader_init(&sessions[at].reader, CONTROL_FRAME_MAX);
    }
    switch (what & 15) {
    default:
        send_request(input, sessions[at].id);
        break;
    case 1: {
        size_t len = fuzz_take(input, what, &raw);
        node_session_bytes(node, now_us, sessions[at].id, (struct dht_span){raw, len});
        break;
    }
    case 3:
        node_session_closed(node, now_us, sessions[at].id);
        close_session(at);
        break;
    case 5:
    case 7: // all of it is sent
        if (sessions[at].id != 0)
            node_session_sent(node, now_us, sessions[at].id, sessions[at].unsent);
        sessions[at].unsent = 0;
        break;
    }
}

// ---- the rest ----

static void configure(uint8_t flags, uint8_t more)
{
    node_config_init(&config);
    config.snapshot_us = (flags & 128) != 0 ? 60000000 : 0;
    config.negative_ttl_s = 3;
    if ((flags & 1) == 0)
        return;
    config.sessions_max = 2;
    config.session_out_max = 2000 + (uint32_t)more * 64;
    config.requests_max = 1 + (more & 3);
    config.resolves_max = 1 + (more >> 2 & 3);
    config.watches_max = 1 + (more >> 2 & 3);
    config.publications_max = 1 + (more >> 4 & 3);
    config.publishing_max = 1 + (more & 1);
    config.keys_max = 2;
    config.cache_max = more & 3;
}

static void add_engine(uint8_t flags, enum dht_family family)
{
    struct dht_config engine;
    dht_config_init(&engine, family);
    engine.lab = (flags & 2) != 0;
    engine.ops_max = (flags & 8) != 0 ? 2 : 64;
    engine.items_max = 64;
    engine.sources_max = 64;
    engine.swarms_max = 16;
    engine.peers_max = 64;
    engine.store_width = 4;
    engine.role = DHT_ROLE_SERVER;
    wires[engine_count].family = family;
    wires[engine_count].lab = engine.lab;
    wires[engine_count].salt = (struct dht_span){(const uint8_t *)"web", 3};
    FUZZ_CHECK(node_add_engine(node, now_us, 0, &engine) == engine_count);
    engine_count++;
}

static void answer_all(int engine)
{
    uint8_t bytes[DHT_DATAGRAM_MAX];
    struct dht_datagram datagram = {.bytes = {bytes, 0}};
    for (int i = 0; i < 64; i++) {
        datagram.bytes.len = fuzz_wire_answer(&wires[engine], bytes, &datagram.addr);
        if (datagram.bytes.len == 0)
            return;
        node_receive(node, now_us, engine, &datagram, 1);
        drain();
    }
}

static void receive(struct fuzz_input *input, int engine)
{
    uint8_t bytes[DHT_DATAGRAM_MAX];
    struct dht_datagram datagram = {.bytes = {bytes, 0}};
    datagram.bytes.len = fuzz_wire_write(&wires[engine], input, bytes, &datagram.addr);
    if (datagram.addr.ip_len != 0)
        node_receive(node, now_us, engine, &datagram, 1);
}

static void tick(int64_t later_us)
{
    now_us += later_us;
    wall_us += later_us;
    node_tick(node, now_us);
    FUZZ_CHECK(node_deadline(node) > now_us);
}

static void answer_key(uint8_t choice)
{
    uint8_t key[DHT_KEY_LEN];
    fuzz_wire_key(3, key);
    struct node_key_answer answer = {.key_request = key_requests[choice & 3],
                                     .code = choice >> 4 & 1,
                                     .label = "carol",
                                     .key = (choice & 8) != 0 ? key : NULL,
                                     .path = "/k",
                                     .text = {(const uint8_t *)"text", 4}};
    if (answer.code == 0 && answer.key == NULL)
        answer.label = "alice";
    node_key_answered(node, now_us, &answer);
}

static void step(struct fuzz_input *input)
{
    uint8_t command = fuzz_u8(input);
    uint8_t choice = command >> 4;
    int engine = choice % engine_count;
    struct dht_addr addr = fuzz_wire_addr(&wires[engine], choice);
    switch (command & 15) {
    default:
        client(input, choice);
        break;
    case 3:
    case 4:
        receive(input, engine);
        break;
    case 5:
    case 6:
        answer_all(engine);
        break;
    case 7:
    case 8: // every write so far is done, or the last one has failed
        if (write_count == 0)
            break;
        node_written(node, now_us, writes[--write_count % WRITES_MAX], choice != 15);
        break;
    case 9:
        tick((int64_t)fuzz_u16(input) * 1000);
        break;
    case 10:
        tick((int64_t)fuzz_u8(input) * 60000000);
        break;
    case 11:
    case 12:
        if (node_deadline(node) != INT64_MAX)
            tick(node_deadline(node) > now_us ? node_deadline(node) - now_us : 0);
        break;
    case 13:
        node_bootstrap(node, now_us, engine, &addr, 1);
        break;
    case 14:
        if (choice < 8)
            node_network_changed(node, now_us);
        else
            node_unreachable(node, now_us, engine, &addr);
        break;
    case 15:
        if (choice < 4) {
            if (choice < 2) // clocks that are far off
                wall_us = choice == 0 ? -(INT64_C(1) << 60) : INT64_C(1) << 62;
            else
                wall_us += choice == 2 ? -86400000000 : 86400000000;
            node_wall(node, now_us, wall_us);
        } else {
            answer_key(fuzz_u8(input));
        }
        break;
    }
}

static void restore(struct fuzz_input *input)
{
    uint8_t count = fuzz_u8(input) & 3;
    for (uint8_t i = 0; i < count; i++) {
        uint8_t key[NODE_ROW_KEY_MAX];
        const uint8_t *bytes;
        const uint8_t *value;
        size_t key_len = 0;
        enum node_row_kind kind = (enum node_row_kind)(1 + fuzz_u8(input) % 5);
        if (kind == NODE_ROW_PUBLICATION) {
            fuzz_wire_key(i, key);
            key_len = DHT_KEY_LEN;
        }
        size_t len = fuzz_take(input, fuzz_u8(input) & 63, &bytes);
        memcpy(key + key_len, bytes, len);
        size_t value_len = fuzz_take(input, fuzz_u8(input), &value);
        (void)node_restore(node, kind, (struct dht_span){key, key_len + len},
                           (struct dht_span){value, value_len});
    }
}

static void start(struct fuzz_input *input)
{
    static const uint8_t seed[32] = {9};
    static const char *const labels[KEYS] = {"alice", "bob"};
    struct dht_crypto crypto = fuzz_wire_crypto();
    uint8_t flags = fuzz_u8(input);
    configure(flags, fuzz_u8(input));
    memset(wires, 0, sizeof wires);
    engine_count = 0;
    now_us = 1000000;
    wall_us = INT64_C(1790000000000000);
    write_count = key_request_count = ids = 0;
    memset(key_requests, 0, sizeof key_requests);
    node = node_new(&config, &crypto, seed, now_us, wall_us);
    FUZZ_CHECK(node != NULL);
    struct node_cloud_config cloud;
    node_cloud_config_init(&cloud, NODE_CLOUD_GLOBAL);
    FUZZ_CHECK(node_add_cloud(node, now_us, &cloud) == 0);
    add_engine(flags, DHT_IPV4);
    if ((flags & 4) != 0)
        add_engine(flags, DHT_IPV6);
    for (uint8_t i = 0; i < KEYS; i++) {
        uint8_t key[DHT_KEY_LEN];
        fuzz_wire_key(i, key);
        core_zbase32_encode(key, names[i]);
        FUZZ_CHECK(node_key_added(node, labels[i], key, "/k"));
    }
    if ((flags & 16) != 0)
        restore(input);
    node_start(node, now_us);
    if ((flags & 32) == 0) { // somebody is known already
        struct dht_addr addr = fuzz_wire_addr(&wires[0], 1);
        node_bootstrap(node, now_us, 0, &addr, 1);
        drain();
        answer_all(0);
        answer_all(0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, data + size};
    struct node_info info;
    start(&input);
    drain();
    while (fuzz_left(&input) > 0) {
        step(&input);
        drain();
        check();
    }
    for (int i = 0; i < SESSIONS_MAX; i++) {
        if (sessions[i].id != 0)
            node_session_closed(node, now_us, sessions[i].id);
        close_session(i);
    }
    node_info(node, &info);
    FUZZ_CHECK(info.sessions == 0 && info.requests == 0 && info.resolves == 0 && info.watches == 0);
    node_free(node);
    return 0;
}
