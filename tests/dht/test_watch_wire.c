// SPDX-License-Identifier: MIT
// The test vectors of docs/watching.md: what this engine writes is what is printed there, byte for
// byte, and what is printed there is read as what it says. `test_dht_watch_wire --print` writes the
// vectors anew.
#include "dht/engine.h"
#include "dht/krpc.h"
#include "dht/query.h"
#include "tests/core/crypto_helper.h"
#include "tests/dht/find.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#define TEXT_MAX 65536

// RFC 8032, test 1.
static uint8_t secret[32] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                             0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                             0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
static const uint8_t public_key[32] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

#define WATCHER "wwwwwwwwwwwwwwwwwwww"
#define KEEPER  "kkkkkkkkkkkkkkkkkkkk"
#define NONCE   "0123456789abcdef"
#define TOKEN   "aoeusnth"
#define SALT    "web"
#define VALUE   "12:Hello World!"

static const struct dht_addr watcher_addr = {.ip = {192, 0, 2, 1}, .port = 6881, .ip_len = 4};
static const struct dht_addr keeper_addr = {.ip = {198, 51, 100, 2}, .port = 6882, .ip_len = 4};
static const uint8_t peers[12] = {203, 0, 113, 9, 0x1a, 0xe1, 203, 0, 113, 10, 0x1a, 0xe2};

struct message {
    size_t len;
    uint8_t bytes[DHT_DATAGRAM_MAX];
};

static struct dht_item make_item(void)
{
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    struct dht_item item = {.is_mutable = true,
                            .seq = 8,
                            .salt = {(const uint8_t *)SALT, sizeof SALT - 1},
                            .value = {(const uint8_t *)VALUE, sizeof VALUE - 1}};
    memcpy(item.key, public_key, sizeof item.key);
    struct dht_span parts[2] = {{item.key, sizeof item.key}, item.salt};
    helper_sha1(NULL, parts, 2, item.target.bytes);
    size_t len = dht_krpc_signed_text(item.salt, item.seq, item.value, text);
    assert_true(helper_sign(secret, item.key, (struct dht_span){text, len}, item.sig));
    return item;
}

static struct dht *make_engine(const char *id)
{
    static const struct dht_crypto crypto = {NULL, helper_sha1, helper_sha256, helper_verify,
                                             helper_sign};
    static const uint8_t seed[32] = {7};
    struct dht_config config;
    dht_config_init(&config, DHT_IPV4);
    config.role = DHT_ROLE_SERVER;
    memcpy(config.id.bytes, id, sizeof config.id.bytes);
    struct dht *dht = dht_new(&config, &crypto, seed, 1000000);
    assert_non_null(dht);
    return dht;
}

// ---- what is written ----

static struct message write_query(const char *from, struct dht_query query)
{
    struct message message;
    struct dht_item item = make_item();
    uint32_t tid;
    struct dht *dht = make_engine(from);
    memcpy(&tid, "aa01", sizeof tid);
    query.target = &item.target;
    query.nonce = (const uint8_t *)NONCE;
    query.cas = DHT_SEQ_NONE;
    if (query.item != NULL)
        query.item = &item;
    message.len = dht_query_write(dht, &query, tid, message.bytes);
    dht_free(dht);
    return message;
}

static struct message watch_query(void)
{
    struct dht_query query = {.method = DHT_KRPC_PNR_WATCH,
                              .seq_known = 7,
                              .lease_s = 1080,
                              .token = {(const uint8_t *)TOKEN, sizeof TOKEN - 1}};
    return write_query(WATCHER, query);
}

static struct message watch_peers_query(void)
{
    struct dht_query query = {.method = DHT_KRPC_PNR_WATCH,
                              .seq_known = DHT_SEQ_NONE,
                              .lease_s = 1080,
                              .peers = true,
                              .token = {(const uint8_t *)TOKEN, sizeof TOKEN - 1}};
    return write_query(WATCHER, query);
}

static struct message watch_end_query(void)
{
    struct dht_query query = {.method = DHT_KRPC_PNR_WATCH,
                              .seq_known = DHT_SEQ_NONE,
                              .token = {(const uint8_t *)TOKEN, sizeof TOKEN - 1}};
    return write_query(WATCHER, query);
}

static struct message test_push(void)
{
    return write_query(
        KEEPER, (struct dht_query){.method = DHT_KRPC_PNR_CHANGED, .seq_known = DHT_SEQ_NONE});
}

static struct message notice(void)
{
    return write_query(KEEPER, (struct dht_query){.method = DHT_KRPC_PNR_CHANGED, .seq_known = 8});
}

static struct message item_push(void)
{
    static const struct dht_item placeholder;
    return write_query(KEEPER, (struct dht_query){.method = DHT_KRPC_PNR_CHANGED,
                                                  .seq_known = DHT_SEQ_NONE,
                                                  .item = &placeholder});
}

static struct message gone_push(void)
{
    return write_query(KEEPER, (struct dht_query){.method = DHT_KRPC_PNR_CHANGED,
                                                  .seq_known = DHT_SEQ_NONE,
                                                  .gone = true});
}

static struct message peers_push(void)
{
    return write_query(KEEPER, (struct dht_query){.method = DHT_KRPC_PNR_CHANGED,
                                                  .seq_known = DHT_SEQ_NONE,
                                                  .values = {peers, sizeof peers}});
}

// The oldest datagram that an engine has queued.
static struct message take(struct dht *dht)
{
    struct message message = {0};
    struct dht_out out;
    assert_true(dht_next(dht, &out));
    assert_int_equal(out.type, DHT_OUT_DATAGRAM);
    message.len = out.datagram.bytes.len;
    memcpy(message.bytes, out.datagram.bytes.data, message.len);
    return message;
}

// What a keeper that holds the item answers to a query, whose token is made to be good; in the
// answer the token is made to be the one of the vectors again.
static struct message answer_of_keeper(struct message query)
{
    uint8_t token[DHT_TOKEN_LEN];
    struct dht_item item = make_item();
    struct dht *dht = make_engine(KEEPER);
    dht_token_make(&dht->token, &watcher_addr, &item.target, token);
    assert_true(dht_restore_item(dht, 1000000, &item, INT64_MAX));
    size_t at = find_bytes(query.bytes, query.len, TOKEN, sizeof TOKEN - 1);
    assert_int_not_equal(at, FIND_NOTHING);
    memcpy(query.bytes + at, token, sizeof token);
    struct dht_datagram datagram = {watcher_addr, {query.bytes, query.len}};
    assert_int_equal(
        dht_peer_store_put(dht_engine_peers(dht), 1000000, &item.target, &keeper_addr, false),
        DHT_PEER_STORE_ADDED);
    dht_peer_store_note_news(dht->peers, 1000000, &item.target);
    dht_receive(dht, 2500000, &datagram, 1);
    struct message answer = take(dht);
    at = find_bytes(answer.bytes, answer.len, token, sizeof token);
    assert_int_not_equal(at, FIND_NOTHING);
    memcpy(answer.bytes + at, TOKEN, sizeof TOKEN - 1);
    dht_free(dht);
    return answer;
}

static struct message watch_reply(void)
{
    return answer_of_keeper(watch_query());
}

// Of a keeper that had news of the peers a second and a half before.
static struct message watch_peers_reply(void)
{
    return answer_of_keeper(watch_peers_query());
}

static struct message end_reply(void)
{
    return answer_of_keeper(watch_end_query());
}

static struct message write_error(const char *text, enum dht_krpc_error code,
                                  const struct dht_addr *your)
{
    struct message message;
    struct dht_bencode_writer writer = dht_bencode_writer(message.bytes, sizeof message.bytes);
    struct dht_krpc_envelope env = {
        .tid = {(const uint8_t *)"aa01", 4}, .your = your, .version = "PN\0\1"};
    dht_krpc_error(&writer, &env, code, text);
    message.len = dht_bencode_written(&writer);
    return message;
}

static struct message full_error(void)
{
    return write_error("no more watches", DHT_KRPC_ERROR_SERVER, &watcher_addr);
}

static struct message unknown_error(void)
{
    return write_error("no such watch", DHT_KRPC_ERROR_PROTOCOL, &keeper_addr);
}

// A reply that says nothing but who is there.
static struct message acknowledgement(void)
{
    struct message message;
    struct dht_bencode_writer writer = dht_bencode_writer(message.bytes, sizeof message.bytes);
    struct dht_id id = {WATCHER};
    struct dht_krpc_envelope env = {
        .id = &id, .tid = {(const uint8_t *)"aa01", 4}, .your = &keeper_addr, .version = "PN\0\1"};
    dht_krpc_open_reply(&writer, &env);
    dht_krpc_close_reply(&writer, &env);
    message.len = dht_bencode_written(&writer);
    return message;
}

// ---- and what is printed ----

static const struct vector {
    const char *name;
    struct message (*make)(void);
} vectors[] = {
    {"pnr_watch of an item", watch_query},
    {"its reply", watch_reply},
    {"pnr_watch of peers", watch_peers_query},
    {"its reply, of peers", watch_peers_reply},
    {"pnr_watch that ends a watch", watch_end_query},
    {"the reply to that", end_reply},
    {"refused: full", full_error},
    {"pnr_changed, the test push", test_push},
    {"pnr_changed, a notice", notice},
    {"pnr_changed, an item", item_push},
    {"pnr_changed, gone", gone_push},
    {"pnr_changed, peers", peers_push},
    {"acknowledged", acknowledgement},
    {"refused: no such watch", unknown_error},
};

#define COUNT (sizeof vectors / sizeof vectors[0])

// As it stands in the page: name, length, hex in lines of 32 bytes.
static size_t print(const struct vector *vector, char *text, size_t room)
{
    struct message message = vector->make();
    size_t len =
        (size_t)snprintf(text, room, "**%s** (%zu bytes)\n\n```\n", vector->name, message.len);
    for (size_t i = 0; i < message.len; i++)
        len += (size_t)snprintf(text + len, room - len, "%02x%s", message.bytes[i],
                                i % 32 == 31 || i + 1 == message.len ? "\n" : "");
    return len + (size_t)snprintf(text + len, room - len, "```\n");
}

static void test_page(void **state)
{
    static char page[TEXT_MAX];
    char text[8192];
    (void)state;
    FILE *file = fopen(PNR_SOURCE_DIR "/docs/watching.md", "rb");
    assert_non_null(file);
    size_t len = fread(page, 1, sizeof page - 1, file);
    assert_in_range(len, 1, sizeof page - 2);
    page[len] = '\0';
    fclose(file);
    for (size_t i = 0; i < COUNT; i++) {
        print(&vectors[i], text, sizeof text);
        if (strstr(page, text) == NULL)
            fail_msg("docs/watching.md has another \"%s\" than\n%s", vectors[i].name, text);
    }
}

// What the page says of sizes that are no vectors.
static void test_sizes(void **state)
{
    static uint8_t value[DHT_VALUE_LEN_MAX];
    static const uint8_t many[16 * 6];
    struct dht_item item = {
        .is_mutable = true, .seq = INT64_C(1790000000000000), .value = {value, sizeof value}};
    const struct row {
        const char *name;
        struct dht_query query;
        size_t len;
    } rows[] = {
        {"a notice, seq of 16 digits", {.seq_known = item.seq}, 155},
        {"an item of the greatest length", {.item = &item, .seq_known = DHT_SEQ_NONE}, 1268},
        {"16 peers", {.values = {many, sizeof many}, .seq_known = DHT_SEQ_NONE}, 270},
    };
    struct dht *dht = make_engine(KEEPER);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[DHT_DATAGRAM_MAX];
        struct dht_query query = rows[i].query;
        query.method = DHT_KRPC_PNR_CHANGED;
        query.target = &item.target;
        query.nonce = (const uint8_t *)NONCE;
        query.cas = DHT_SEQ_NONE;
        size_t len = dht_query_write(dht, &query, 1, bytes);
        if (len != rows[i].len)
            fail_msg("%s: %zu bytes", rows[i].name, len);
    }
    dht_free(dht);
    assert_int_equal(write_error("bad token", DHT_KRPC_ERROR_PROTOCOL, &watcher_addr).len, 59);
}

// A watcher with the watch of the vectors takes the pushes of the vectors: the nonce is right, the
// signature is good.
static void test_item_is_good(void **state)
{
    struct message message = item_push();
    struct dht_krpc msg;
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    (void)state;
    assert_true(dht_krpc_parse((struct dht_span){message.bytes, message.len}, &msg));
    assert_int_equal(msg.method, DHT_KRPC_PNR_CHANGED);
    assert_memory_equal(msg.nonce.data, NONCE, sizeof NONCE - 1);
    struct dht_span salt = {(const uint8_t *)SALT, sizeof SALT - 1};
    size_t len = dht_krpc_signed_text(salt, msg.seq, msg.value, text);
    assert_true(helper_verify(NULL, msg.key.data, msg.sig.data, (struct dht_span){text, len}));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_page), cmocka_unit_test(test_sizes),
                                       cmocka_unit_test(test_item_is_good)};
    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        char text[8192];
        for (size_t i = 0; i < COUNT; i++) {
            print(&vectors[i], text, sizeof text);
            printf("%s\n", text);
        }
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
