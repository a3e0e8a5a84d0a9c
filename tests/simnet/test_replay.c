// SPDX-License-Identifier: MIT
#include "simnet/replay.h"

#include "node/recording/crc.h"

#include "simnet/crypto.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// and then itself
#include <cmocka.h>

static const struct dht_addr v4 = {{127, 0, 0, 1}, 7000, 4};
static const struct dht_addr v6 = {{0x20, 1}, 7000, 16};
static const struct dht_datagram from_v4 = {{{127, 0, 0, 1}, 7000, 4}, {NULL, 0}};

// ---- a recording in memory ----

static struct {
    uint8_t bytes[1 << 18];
    size_t len;
    size_t at; // of the reader
    size_t entries;
} file;

static void file_begin(void)
{
    memset(&file, 0, sizeof file);
    memcpy(file.bytes, RECORDING_HEAD, RECORDING_HEAD_LEN);
    file.len = RECORDING_HEAD_LEN;
}

static void file_put(const struct recording_entry *entry)
{
    size_t len = recording_entry_write(entry, file.bytes + file.len, sizeof file.bytes - file.len);
    assert_true(len > 0);
    file.len += len;
    file.entries++;
}

// Changes a byte of the first entry's payload, and makes its CRC right.
static void file_change_first(size_t at)
{
    uint8_t *bytes = file.bytes + RECORDING_HEAD_LEN;
    struct recording_entry_head head;
    assert_true(recording_entry_head_read(bytes, &head));
    bytes[RECORDING_ENTRY_HEAD_LEN + at] ^= 1;
    head.payload_crc = recording_crc(bytes + RECORDING_ENTRY_HEAD_LEN, head.payload_len);
    recording_entry_head_write(&head, bytes);
}

static int64_t file_read(void *ctx, uint8_t *buf, size_t len)
{
    size_t left = file.len - file.at;
    size_t part = len < left ? len : left;
    (void)ctx;
    memcpy(buf, file.bytes + file.at, part);
    file.at += part;
    return (int64_t)part;
}

static struct simnet_replay_result replay(void)
{
    struct simnet_replay_result result;
    file.at = 0;
    simnet_replay(file_read, NULL, &result);
    return result;
}

// ---- entries ----

static struct recording_entry birth(uint8_t seed_byte)
{
    static uint8_t seed[RECORDING_SEED_LEN];
    struct recording_entry entry = {.kind = RECORDING_NEW, .now_us = 1000};
    memset(seed, seed_byte, sizeof seed);
    entry.birth.wall_us = INT64_C(1700000000000000);
    entry.birth.seed = seed;
    node_config_init(&entry.birth.config);
    return entry;
}

static struct recording_entry engine(void)
{
    struct recording_entry entry = {.kind = RECORDING_ADD_ENGINE};
    dht_config_init(&entry.engine, DHT_IPV4);
    entry.engine.lab = true;
    entry.engine.addr = v4;
    return entry;
}

static struct recording_entry result_of(int64_t value)
{
    return (struct recording_entry){.kind = RECORDING_RESULT, .result = value};
}

static struct recording_entry at(enum recording_kind kind, int64_t now_us)
{
    return (struct recording_entry){.kind = kind, .now_us = now_us};
}

static struct recording_entry asked(enum recording_kind kind, const struct dht_addr *addr,
                                    uint32_t number)
{
    struct recording_entry entry = at(kind, 3000);
    entry.addrs.engine = number;
    entry.addrs.addrs = addr;
    entry.addrs.count = 1;
    return entry;
}

static struct recording_entry received(uint32_t number)
{
    struct recording_entry entry = at(RECORDING_RECEIVE, 3000);
    entry.receive.engine = number;
    entry.receive.datagrams = &from_v4;
    entry.receive.count = 1;
    return entry;
}

static struct recording_entry sent(uint32_t session, uint64_t len)
{
    struct recording_entry entry = at(RECORDING_SESSION_SENT, 3000);
    entry.session.number = session;
    entry.session.sent = len;
    return entry;
}

static struct recording_entry said(enum node_out_type type)
{
    struct recording_entry entry = {.kind = RECORDING_OUTPUT};
    entry.output.type = type;
    return entry;
}

// ---- the same ----

static bool verify(void *ctx, const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                   struct dht_span msg)
{
    (void)ctx, (void)key, (void)sig, (void)msg;
    return false;
}

static bool sign(void *ctx, const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                 uint8_t ret_sig[DHT_SIG_LEN])
{
    (void)ctx, (void)key, (void)msg, (void)ret_sig;
    return false;
}

static uint32_t put_drain(struct node *node)
{
    struct node_out out;
    uint32_t count = 0;
    while (node_next(node, &out)) {
        struct recording_entry entry = {.kind = RECORDING_OUTPUT,
                                        .output = recording_output_of(&out)};
        file_put(&entry);
        count++;
    }
    file_put(&(struct recording_entry){.kind = RECORDING_DRAINED, .drained = count});
    return count;
}

// Records a node that starts, asks somebody and hears nothing, for a minute. Returns its outputs.
static uint32_t record_node(uint8_t seed_byte)
{
    struct dht_crypto crypto = {NULL, simnet_crypto_sha1, simnet_crypto_sha256, verify, sign};
    struct recording_entry entry = birth(seed_byte);
    file_begin();
    file_put(&entry);
    struct node *node =
        node_new(&entry.birth.config, &crypto, entry.birth.seed, entry.now_us, entry.birth.wall_us);
    entry = engine();
    file_put(&entry);
    entry = result_of(node_add_engine(node, &entry.engine));
    file_put(&entry);
    entry = at(RECORDING_START, 2000);
    file_put(&entry);
    node_start(node, entry.now_us);
    uint32_t count = put_drain(node);
    entry = asked(RECORDING_BOOTSTRAP, &v4, 0);
    file_put(&entry);
    node_bootstrap(node, entry.now_us, 0, &v4, 1);
    count += put_drain(node);
    for (int64_t now_us = 3001; now_us < 60000000; now_us = node_deadline(node)) {
        entry = at(RECORDING_TICK, now_us);
        file_put(&entry);
        node_tick(node, now_us);
        count += put_drain(node);
    }
    node_free(node);
    return count;
}

static void test_same(void **state)
{
    (void)state;
    uint32_t outputs = record_node(1);
    struct simnet_replay_result result = replay();
    assert_string_equal(result.text, "");
    assert_int_equal(result.verdict, SIMNET_REPLAY_SAME);
    assert_int_equal(result.outputs, outputs);
    assert_int_equal(result.entries, file.entries);
    assert_true(outputs > 5);
    assert_int_equal(result.end, 0);
    file.len -= 1;
    result = replay();
    assert_int_equal(result.verdict, SIMNET_REPLAY_SAME);
    assert_true(result.is_cut);
}

// Another seed, another destination, another time: each shows at the first output that it changes.
static void test_other_bytes(void **state)
{
    (void)state;
    for (size_t byte = 0; byte < RECORDING_SEED_LEN; byte += 31) {
        record_node(1);
        // The seed stands behind the head, both times and its length.
        file_change_first(20 + byte);
        struct simnet_replay_result result = replay();
        assert_int_equal(result.verdict, SIMNET_REPLAY_DIFFERS);
        assert_int_equal(result.input, RECORDING_START);
        assert_int_equal(result.input_entry, 4);
        assert_int_equal(result.entry, 5);
        assert_int_equal(result.output, 1);
        assert_int_equal(result.input_at_us, 1000);
    }
}

// ---- what differs, and what is broken ----

#define ROW_ENTRIES 5

// Each begins with a node and an engine, unless bare; that is three entries.
struct row {
    const char *name;
    bool bare;
    enum simnet_replay_verdict verdict;
    uint64_t entry;
    const char *text;
    struct recording_entry entries[ROW_ENTRIES];
    size_t count;
};

static void check_row(const struct row *row)
{
    struct recording_entry entry = birth(1);
    file_begin();
    if (!row->bare) {
        file_put(&entry);
        entry = engine();
        file_put(&entry);
        entry = result_of(0);
        file_put(&entry);
    }
    for (size_t i = 0; i < row->count; i++)
        file_put(&row->entries[i]);
    struct simnet_replay_result result = replay();
    if (result.verdict != row->verdict || result.entry != row->entry ||
        strncmp(result.text, row->text, strlen(row->text)) != 0)
        fail_msg("%s: %d at entry %llu: %s", row->name, (int)result.verdict,
                 (unsigned long long)result.entry, result.text);
}

static void test_broken(void **state)
{
    struct recording_entry restore = {.kind = RECORDING_RESTORE, .row = {.kind = NODE_ROW_ITEM}};
    const struct row rows[] = {
        {"no node",
         true,
         SIMNET_REPLAY_BROKEN,
         1,
         "a recording begins with the making",
         {at(RECORDING_TICK, 1)},
         1},
        {"two nodes", false, SIMNET_REPLAY_BROKEN, 4, "a second node", {birth(1)}, 1},
        {"two engines of a family",
         false,
         SIMNET_REPLAY_BROKEN,
         4,
         "an engine too many",
         {engine()},
         1},
        {"an engine after the start",
         false,
         SIMNET_REPLAY_BROKEN,
         5,
         "an engine too many",
         {at(RECORDING_START, 2000), engine()},
         2},
        {"two starts",
         false,
         SIMNET_REPLAY_BROKEN,
         5,
         "a second start",
         {at(RECORDING_START, 2000), at(RECORDING_START, 2000)},
         2},
        {"a row after the start",
         false,
         SIMNET_REPLAY_BROKEN,
         5,
         "a row restored after",
         {at(RECORDING_START, 2000), restore},
         2},
        {"time that goes back",
         false,
         SIMNET_REPLAY_BROKEN,
         5,
         "time goes back",
         {at(RECORDING_TICK, 2000), at(RECORDING_TICK, 1999)},
         2},
        {"time before the birth",
         false,
         SIMNET_REPLAY_BROKEN,
         4,
         "time goes back",
         {at(RECORDING_TICK, 0)},
         1},
        {"no such engine",
         false,
         SIMNET_REPLAY_BROKEN,
         4,
         "an engine that there is not",
         {received(1)},
         1},
        {"no such engine to ask",
         false,
         SIMNET_REPLAY_BROKEN,
         4,
         "an engine that there is not",
         {asked(RECORDING_UNREACHABLE, &v4, UINT32_MAX)},
         1},
        {"another family",
         false,
         SIMNET_REPLAY_BROKEN,
         4,
         "an address of another family",
         {asked(RECORDING_BOOTSTRAP, &v6, 0)},
         1},
        {"bytes sent to nobody",
         false,
         SIMNET_REPLAY_BROKEN,
         4,
         "more bytes went out",
         {sent(1, 1)},
         1},
        {"bytes sent that there were not",
         false,
         SIMNET_REPLAY_BROKEN,
         6,
         "more bytes went out",
         {{.kind = RECORDING_SESSION_OPEN, .now_us = 2000, .session.access = NODE_ACCESS_RESOLVE},
          result_of(1),
          sent(1, 1)},
         3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
}

static void test_differs(void **state)
{
    const struct recording_entry open = {
        .kind = RECORDING_SESSION_OPEN, .now_us = 2000, .session.access = NODE_ACCESS_RESOLVE};
    const struct row rows[] = {
        {"an output that does not come",
         false,
         SIMNET_REPLAY_DIFFERS,
         4,
         "expected hangup of session 0, got nothing",
         {said(NODE_OUT_HANGUP)},
         1},
        {"an output that is another",
         false,
         SIMNET_REPLAY_DIFFERS,
         5,
         "expected hangup of session 0, got write 1 (durable) of a row of kind 5",
         {at(RECORDING_START, 2000), said(NODE_OUT_HANGUP)},
         2},
        {"an output too many",
         false,
         SIMNET_REPLAY_DIFFERS,
         5,
         "expected nothing, got write 1 (durable)",
         {at(RECORDING_START, 2000), at(RECORDING_DRAINED, 0)},
         2},
        {"another result",
         false,
         SIMNET_REPLAY_DIFFERS,
         5,
         "expected result 2, got result 1",
         {open, result_of(2)},
         2},
        {"no result",
         false,
         SIMNET_REPLAY_DIFFERS,
         5,
         "expected drained, got result 1",
         {open, at(RECORDING_DRAINED, 0)},
         2},
        {"a signature that nobody asks for",
         false,
         SIMNET_REPLAY_DIFFERS,
         4,
         "expected sign, got none",
         {{.kind = RECORDING_SIGN}},
         1},
        {"nothing that differs",
         false,
         SIMNET_REPLAY_SAME,
         7,
         "",
         {open, result_of(1), at(RECORDING_DRAINED, 0)},
         3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_other_bytes),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
