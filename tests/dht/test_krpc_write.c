// SPDX-License-Identifier: MIT
// The writing half of dht/krpc.c: each kind of message, byte for byte, and read back.
#include "dht/krpc.h"

#include "dht/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define ID          "abcdefghij0123456789"
#define OTHER       "mnopqrstuvwxyz123456"
#define B26         "12345678901234567890123456"
#define B32         "12345678901234567890123456789012"
#define B64         B32 B32

static const struct dht_id own_id = {{'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j',
                                      '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'}};
static const struct dht_id other_id = {{'m', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
                                        'w', 'x', 'y', 'z', '1', '2', '3', '4', '5', '6'}};
static const struct dht_addr your4 = {.ip = {1, 2, 3, 4}, .port = 0x4142, .ip_len = 4};
static const struct dht_addr your6 = {
    .ip = {48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102},
    .port = 0x4142,
    .ip_len = 16};

static struct dht_span span_of(const char *text)
{
    return (struct dht_span){(const uint8_t *)text, strlen(text)};
}

// ---- the messages ----

static struct dht_krpc_envelope envelope(void)
{
    return (struct dht_krpc_envelope){.id = &own_id, .tid = span_of("aa"), .version = "PN01"};
}

static void write_ping(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    dht_krpc_open_query(writer);
    dht_krpc_put_id(writer, "id", env.id);
    dht_krpc_close_query(writer, &env, "ping");
}

static void write_ping_read_only(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    env.read_only = true;
    dht_krpc_open_query(writer);
    dht_krpc_put_id(writer, "id", env.id);
    dht_krpc_close_query(writer, &env, "ping");
}

static void write_find_node(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    dht_krpc_open_query(writer);
    dht_krpc_put_id(writer, "id", env.id);
    dht_krpc_put_id(writer, "target", &other_id);
    dht_bencode_put_text(writer, "want");
    dht_bencode_open_list(writer);
    dht_bencode_put_text(writer, "n4");
    dht_bencode_put_text(writer, "n6");
    dht_bencode_end(writer);
    dht_krpc_close_query(writer, &env, "find_node");
}

static void write_get_peers(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    dht_krpc_open_query(writer);
    dht_krpc_put_id(writer, "id", env.id);
    dht_krpc_put_id(writer, "info_hash", &other_id);
    dht_krpc_close_query(writer, &env, "get_peers");
}

static void write_announce_peer(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    dht_krpc_open_query(writer);
    dht_krpc_put_id(writer, "id", env.id);
    dht_bencode_pair_int(writer, "implied_port", 1);
    dht_krpc_put_id(writer, "info_hash", &other_id);
    dht_bencode_pair_int(writer, "port", 6881);
    dht_bencode_pair_text(writer, "token", "aoeusnth");
    dht_krpc_close_query(writer, &env, "announce_peer");
}

static void write_get(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    dht_krpc_open_query(writer);
    dht_krpc_put_id(writer, "id", env.id);
    dht_bencode_pair_int(writer, "seq", 5);
    dht_krpc_put_id(writer, "target", &other_id);
    dht_krpc_close_query(writer, &env, "get");
}

static void write_put(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    dht_krpc_open_query(writer);
    dht_bencode_pair_int(writer, "cas", 3);
    dht_krpc_put_id(writer, "id", env.id);
    dht_bencode_pair_text(writer, "k", B32);
    dht_bencode_pair_text(writer, "salt", "foobar");
    dht_bencode_pair_int(writer, "seq", 4);
    dht_bencode_pair_text(writer, "sig", B64);
    dht_krpc_put_id(writer, "target", &other_id);
    dht_bencode_pair_text(writer, "token", "aoeusnth");
    dht_bencode_pair_text(writer, "v", "Hello World!");
    dht_krpc_close_query(writer, &env, "put");
}

static void write_sample(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    dht_krpc_open_query(writer);
    dht_krpc_put_id(writer, "id", env.id);
    dht_krpc_put_id(writer, "target", &other_id);
    dht_krpc_close_query(writer, &env, "sample_infohashes");
}

static void write_ping_reply(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    env.your = &your4;
    dht_krpc_open_reply(writer, &env);
    dht_krpc_close_reply(writer, &env);
}

static void write_reply_read_only(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    env.read_only = true;
    dht_krpc_open_reply(writer, &env);
    dht_krpc_close_reply(writer, &env);
}

static void write_ping_reply6(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    env.your = &your6;
    env.tid = (struct dht_span){NULL, 0};
    dht_krpc_open_reply(writer, &env);
    dht_krpc_close_reply(writer, &env);
}

static void write_nodes_reply(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    dht_krpc_open_reply(writer, &env);
    dht_bencode_pair_text(writer, "nodes", B26);
    dht_krpc_close_reply(writer, &env);
}

static void write_peers_reply(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    dht_krpc_open_reply(writer, &env);
    dht_bencode_pair_text(writer, "token", "aoeusnth");
    dht_bencode_put_text(writer, "values");
    dht_bencode_open_list(writer);
    dht_bencode_put_text(writer, "axje.u");
    dht_bencode_put_text(writer, "idhtnm");
    dht_bencode_end(writer);
    dht_krpc_close_reply(writer, &env);
}

static void write_get_reply(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    env.your = &your4;
    dht_krpc_open_reply(writer, &env);
    dht_bencode_pair_text(writer, "k", B32);
    dht_bencode_pair_text(writer, "nodes", B26);
    dht_bencode_pair_int(writer, "seq", 7);
    dht_bencode_pair_text(writer, "sig", B64);
    dht_bencode_pair_text(writer, "token", "aoeusnth");
    dht_bencode_pair_text(writer, "v", "Hello World!");
    dht_krpc_close_reply(writer, &env);
}

static void write_error(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    env.your = &your4;
    dht_krpc_error(writer, &env, DHT_KRPC_ERROR_GENERIC, "A Generic Error Ocurred");
}

static void write_error_plain(struct dht_bencode_writer *writer)
{
    struct dht_krpc_envelope env = envelope();
    dht_krpc_error(writer, &env, DHT_KRPC_ERROR_CAS, "");
}

// ---- rows ----

#define REPLY_TAIL "1:t2:aa1:v4:PN011:y1:re"

struct row {
    const char *name;
    void (*write)(struct dht_bencode_writer *writer);
    const char *packet; // where BEP 5 has an example: that, with `v` and `ip` added
    enum dht_krpc_type type;
    enum dht_krpc_method method;
};

static const struct row rows[] = {
    {"ping", write_ping, "d1:ad2:id20:" ID "e1:q4:ping1:t2:aa1:v4:PN011:y1:qe", DHT_KRPC_QUERY,
     DHT_KRPC_PING},
    {"ping, read-only", write_ping_read_only,
     "d1:ad2:id20:" ID "e1:q4:ping2:roi1e1:t2:aa1:v4:PN011:y1:qe", DHT_KRPC_QUERY, DHT_KRPC_PING},
    {"find_node", write_find_node,
     "d1:ad2:id20:" ID "6:target20:" OTHER "4:wantl2:n42:n6ee1:q9:find_node1:t2:aa1:v4:PN01"
     "1:y1:qe",
     DHT_KRPC_QUERY, DHT_KRPC_FIND_NODE},
    {"get_peers", write_get_peers,
     "d1:ad2:id20:" ID "9:info_hash20:" OTHER "e1:q9:get_peers1:t2:aa1:v4:PN011:y1:qe",
     DHT_KRPC_QUERY, DHT_KRPC_GET_PEERS},
    {"announce_peer", write_announce_peer,
     "d1:ad2:id20:" ID "12:implied_porti1e9:info_hash20:" OTHER
     "4:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:v4:PN011:y1:qe",
     DHT_KRPC_QUERY, DHT_KRPC_ANNOUNCE_PEER},
    {"get", write_get,
     "d1:ad2:id20:" ID "3:seqi5e6:target20:" OTHER "e1:q3:get1:t2:aa1:v4:PN011:y1:qe",
     DHT_KRPC_QUERY, DHT_KRPC_GET},
    {"put", write_put,
     "d1:ad3:casi3e2:id20:" ID "1:k32:" B32 "4:salt6:foobar3:seqi4e3:sig64:" B64 "6:target20:" OTHER
     "5:token8:aoeusnth1:v12:Hello World!e1:q3:put1:t2:aa1:v4:PN011:y1:qe",
     DHT_KRPC_QUERY, DHT_KRPC_PUT},
    {"sample_infohashes", write_sample,
     "d1:ad2:id20:" ID "6:target20:" OTHER "e1:q17:sample_infohashes1:t2:aa1:v4:PN011:y1:qe",
     DHT_KRPC_QUERY, DHT_KRPC_SAMPLE_INFOHASHES},
    {"ping reply", write_ping_reply,
     "d2:ip6:\x01\x02\x03\x04"
     "AB1:rd2:id20:" ID "e" REPLY_TAIL,
     DHT_KRPC_REPLY, DHT_KRPC_UNKNOWN},
    {"reply, read-only", write_reply_read_only, "d1:rd2:id20:" ID "e2:roi1e" REPLY_TAIL,
     DHT_KRPC_REPLY, DHT_KRPC_UNKNOWN},
    {"ping reply over IPv6, t empty", write_ping_reply6,
     "d2:ip18:0123456789abcdefAB1:rd2:id20:" ID "e1:t0:1:v4:PN011:y1:re", DHT_KRPC_REPLY,
     DHT_KRPC_UNKNOWN},
    {"find_node reply", write_nodes_reply, "d1:rd2:id20:" ID "5:nodes26:" B26 "e" REPLY_TAIL,
     DHT_KRPC_REPLY, DHT_KRPC_UNKNOWN},
    {"get_peers reply", write_peers_reply,
     "d1:rd2:id20:" ID "5:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee" REPLY_TAIL, DHT_KRPC_REPLY,
     DHT_KRPC_UNKNOWN},
    {"get reply", write_get_reply,
     "d2:ip6:\x01\x02\x03\x04"
     "AB1:rd2:id20:" ID "1:k32:" B32 "5:nodes26:" B26 "3:seqi7e3:sig64:" B64
     "5:token8:aoeusnth1:v12:Hello World!e" REPLY_TAIL,
     DHT_KRPC_REPLY, DHT_KRPC_UNKNOWN},
    {"error", write_error,
     "d1:eli201e23:A Generic Error Ocurrede2:ip6:\x01\x02\x03\x04"
     "AB1:t2:aa1:v4:PN011:y1:ee",
     DHT_KRPC_ERROR, DHT_KRPC_UNKNOWN},
    {"error without ip and text", write_error_plain, "d1:eli301e0:e1:t2:aa1:v4:PN011:y1:ee",
     DHT_KRPC_ERROR, DHT_KRPC_UNKNOWN},
};

static void test_packets(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t buf[DHT_DATAGRAM_MAX];
        struct dht_bencode_writer writer = dht_bencode_writer(buf, sizeof(buf));
        rows[i].write(&writer);
        struct dht_span packet = {buf, dht_bencode_written(&writer)};
        if (writer.full || packet.len != strlen(rows[i].packet) ||
            memcmp(buf, rows[i].packet, packet.len) != 0) {
            fail_msg("%s: %.*s", rows[i].name, (int)packet.len, (const char *)buf);
        }
        struct dht_krpc msg;
        if (!dht_bencode_canonical(packet) || !dht_krpc_parse(packet, &msg) || msg.bad_args ||
            msg.type != rows[i].type || msg.method != rows[i].method) {
            fail_msg("%s: read back", rows[i].name);
        }
    }
}

// What does not fit is never half written past the end, at any length.
static void test_full(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t room = 0; room < strlen(rows[i].packet); room++) {
            uint8_t *buf = malloc(room > 0 ? room : 1);
            assert_non_null(buf);
            struct dht_bencode_writer writer = dht_bencode_writer(buf, room);
            rows[i].write(&writer);
            free(buf);
            if (!writer.full || dht_bencode_written(&writer) > room) {
                fail_msg("%s: room for %zu bytes", rows[i].name, room);
            }
        }
    }
}

static void assert_span(struct dht_span span, const char *text)
{
    assert_int_equal(span.len, strlen(text));
    assert_memory_equal(span.data, text, span.len);
}

static void test_put_read_back(void **state)
{
    (void)state;
    uint8_t buf[DHT_DATAGRAM_MAX];
    struct dht_bencode_writer writer = dht_bencode_writer(buf, sizeof(buf));
    write_put(&writer);
    struct dht_krpc msg;
    assert_true(dht_krpc_parse((struct dht_span){buf, dht_bencode_written(&writer)}, &msg));
    assert_span(msg.tid, "aa");
    assert_span(msg.version, "PN01");
    assert_span(msg.method_name, "put");
    assert_span(msg.id, ID);
    assert_span(msg.target, OTHER);
    assert_span(msg.key, B32);
    assert_span(msg.sig, B64);
    assert_span(msg.salt, "foobar");
    assert_span(msg.token, "aoeusnth");
    assert_span(msg.value, "12:Hello World!");
    assert_true(msg.has_seq && msg.seq == 4);
    assert_true(msg.has_cas && msg.cas == 3);
    assert_false(msg.read_only);
    assert_null(msg.ip.data);
    assert_null(msg.nodes.data);
}

static void test_get_reply_read_back(void **state)
{
    (void)state;
    uint8_t buf[DHT_DATAGRAM_MAX];
    struct dht_bencode_writer writer = dht_bencode_writer(buf, sizeof(buf));
    write_get_reply(&writer);
    struct dht_krpc msg;
    assert_true(dht_krpc_parse((struct dht_span){buf, dht_bencode_written(&writer)}, &msg));
    assert_span(msg.id, ID);
    assert_span(msg.nodes, B26);
    assert_span(msg.key, B32);
    assert_span(msg.sig, B64);
    assert_span(msg.token, "aoeusnth");
    assert_span(msg.value, "12:Hello World!");
    assert_true(msg.has_seq && msg.seq == 7);
    struct dht_addr ip;
    assert_true(dht_addr_from_compact(msg.ip.data, msg.ip.len, &ip));
    assert_true(dht_addr_equal(&ip, &your4));
}

static void test_signed_text(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *salt;
        int64_t seq;
        const char *value;
        const char *text;
    } vectors[] = {
        {"BEP 44, vector 1", "", 1, "12:Hello World!", "3:seqi1e1:v12:Hello World!"},
        {"BEP 44, vector 2", "foobar", 1, "12:Hello World!",
         "4:salt6:foobar3:seqi1e1:v12:Hello World!"},
        {"seq 0", "", 0, "le", "3:seqi0e1:vle"},
        {"greatest seq, salt of 64", B64, INT64_MAX,
         "0:", "4:salt64:" B64 "3:seqi9223372036854775807e1:v0:"},
    };
    for (size_t i = 0; i < COUNT(vectors); i++) {
        uint8_t text[DHT_KRPC_SIGNED_MAX];
        size_t len = dht_krpc_signed_text(span_of(vectors[i].salt), vectors[i].seq,
                                          span_of(vectors[i].value), text);
        if (len != strlen(vectors[i].text) || memcmp(text, vectors[i].text, len) != 0) {
            fail_msg("%s: %.*s", vectors[i].name, (int)len, (const char *)text);
        }
    }
}

// The greatest salt, seq and value there may be fit.
static void test_signed_text_greatest(void **state)
{
    (void)state;
    static const uint8_t bytes[DHT_VALUE_LEN_MAX];
    uint8_t *text = malloc(DHT_KRPC_SIGNED_MAX);
    assert_non_null(text);
    struct dht_span salt = {bytes, DHT_SALT_LEN_MAX};
    struct dht_span value = {bytes, DHT_VALUE_LEN_MAX};
    size_t head_len = strlen("4:salt64:" B64 "3:seqi-9223372036854775808e1:v");
    assert_int_equal(dht_krpc_signed_text(salt, INT64_MIN, value, text),
                     head_len + DHT_VALUE_LEN_MAX);
    assert_int_equal(dht_krpc_signed_text((struct dht_span){NULL, 0}, 1, value, text),
                     strlen("3:seqi1e1:v") + DHT_VALUE_LEN_MAX);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packets),       cmocka_unit_test(test_full),
        cmocka_unit_test(test_put_read_back), cmocka_unit_test(test_get_reply_read_back),
        cmocka_unit_test(test_signed_text),   cmocka_unit_test(test_signed_text_greatest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
