// SPDX-License-Identifier: MIT
#include "simnet/replay.h"

#include "dht/id.h"
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
    head.payload_crc = dht_id_crc32c(bytes + RECORDING_ENTRY_HEAD_LEN, head.payload_len);
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
    struct recording_entry entry = {.kind = RECORDING_ADD_ENGINE, .now_us = 1000};
    dht_config_init(&entry.engine.config, DHT_IPV4);
    entry.engine.config.lab = true;
    entry.engine.config.addr = v4;
    return entry;
}

static struct recording_entry cloud(void)
{
    struct recording_entry entry = {.kind = RECORDING_ADD_CLOUD, .now_us = 1000};
    node_cloud_config_init(&entry.cloud, NODE_CLOUD_GLOBAL);
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
    entry = cloud();
    file_put(&entry);
    entry = result_of(node_add_cloud(node, entry.now_us, &entry.cloud));
    file_put(&entry);
    entry = engine();
    file_put(&entry);
    entry = result_of(node_add_engine(node, entry.now_us, 0, &entry.engine.config));
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

// What ends before there is a node has replayed nothing, so it is not the same.
static void test_nothing(void **state)
{
    (void)state;
    record_node(1);
    for (size_t len = 0; len < 200; len += len < RECORDING_HEAD_LEN ? 1 : 40) {
        file.len = len;
        struct simnet_replay_result result = replay();
        assert_int_equal(result.verdict, SIMNET_REPLAY_BROKEN);
        assert_int_equal(result.entries, 0);
        assert_string_not_equal(result.text, "");
    }
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
        assert_int_equal(result.input_entry, 6);
        assert_int_equal(result.entry, 7);
        assert_int_equal(result.output, 1);
        assert_int_equal(result.input_at_us, 1000);
    }
}

// ---- what differs, and what is broken ----

// Entries that rows are made of.
enum step {
    NO_STEP, // behind a row's last one
    BIRTH,
    CLOUD,
    ENGINE,
    RESTORE,
    START,
    TICK_AT_0,
    TICK,
    TICK_BEFORE,
    RECEIVE_AT_ENGINE_1,
    RECEIVE_AT_ENGINE_0,
    REMOVE_CLOUD_0,
    REMOVE_ENGINE_0,
    UNREACHABLE_OF_NO_ENGINE,
    BOOTSTRAP_OF_IPV6,
    OPEN,
    SENT_1,
    RESULT_0,
    RESULT_1,
    RESULT_2,
    HANGUP,
    DRAINED_0,
    SIGN,
    STEPS,
};

// All but BIRTH, CLOUD and ENGINE.
static const struct recording_entry entries[STEPS] = {
    [RESTORE] = {.kind = RECORDING_RESTORE, .row.kind = NODE_ROW_META},
    [START] = {.kind = RECORDING_START, .now_us = 2000},
    [TICK_AT_0] = {.kind = RECORDING_TICK, .now_us = 0},
    [TICK] = {.kind = RECORDING_TICK, .now_us = 2000},
    [TICK_BEFORE] = {.kind = RECORDING_TICK, .now_us = 1999},
    [RECEIVE_AT_ENGINE_1] = {.kind = RECORDING_RECEIVE,
                             .now_us = 3000,
                             .receive = {.engine = 1, .datagrams = &from_v4, .count = 1}},
    [RECEIVE_AT_ENGINE_0] = {.kind = RECORDING_RECEIVE,
                             .now_us = 3000,
                             .receive = {.engine = 0, .datagrams = &from_v4, .count = 1}},
    [REMOVE_CLOUD_0] = {.kind = RECORDING_REMOVE_CLOUD, .now_us = 1000, .number = 0},
    [REMOVE_ENGINE_0] = {.kind = RECORDING_REMOVE_ENGINE, .now_us = 1000, .number = 0},
    [UNREACHABLE_OF_NO_ENGINE] = {.kind = RECORDING_UNREACHABLE,
                                  .now_us = 3000,
                                  .addrs = {.engine = UINT32_MAX, .addrs = &v4, .count = 1}},
    [BOOTSTRAP_OF_IPV6] = {.kind = RECORDING_BOOTSTRAP,
                           .now_us = 3000,
                           .addrs = {.engine = 0, .addrs = &v6, .count = 1}},
    [OPEN] = {.kind = RECORDING_SESSION_OPEN,
              .now_us = 2000,
              .session.access = NODE_ACCESS_RESOLVE},
    [SENT_1] = {.kind = RECORDING_SESSION_SENT,
                .now_us = 3000,
                .session = {.number = 1, .sent = 1}},
    [RESULT_0] = {.kind = RECORDING_RESULT, .result = 0},
    [RESULT_1] = {.kind = RECORDING_RESULT, .result = 1},
    [RESULT_2] = {.kind = RECORDING_RESULT, .result = 2},
    [HANGUP] = {.kind = RECORDING_OUTPUT, .output.type = NODE_OUT_HANGUP},
    [DRAINED_0] = {.kind = RECORDING_DRAINED, .drained = 0},
    [SIGN] = {.kind = RECORDING_SIGN},
};

static struct recording_entry entry_of(enum step step)
{
    if (step == BIRTH)
        return birth(1);
    if (step == CLOUD)
        return cloud();
    return step == ENGINE ? engine() : entries[step];
}

#define ROW_STEPS 9 // the last one is NO_STEP
// One with a cloud and an engine, which is not started.
#define NODE BIRTH, CLOUD, RESULT_0, ENGINE, RESULT_0

struct row {
    const char *name;
    enum step steps[ROW_STEPS];
    uint64_t entry;   // at which it ends
    const char *text; // that its result begins with
};

static void check_row(const struct row *row, enum simnet_replay_verdict verdict)
{
    file_begin();
    for (size_t i = 0; row->steps[i] != NO_STEP; i++) {
        struct recording_entry entry = entry_of(row->steps[i]);
        file_put(&entry);
    }
    struct simnet_replay_result result = replay();
    if (result.verdict != verdict || result.entry != row->entry ||
        strncmp(result.text, row->text, strlen(row->text)) != 0)
        fail_msg("%s: %d at entry %llu: %s", row->name, (int)result.verdict,
                 (unsigned long long)result.entry, result.text);
}

static const struct row broken_rows[] = {
    {"no node", {TICK}, 1, "a recording begins with the making"},
    {"two nodes", {NODE, BIRTH}, 6, "a second node"},
    {"two engines of a family", {NODE, ENGINE}, 6, "an engine too many"},
    {"two clouds of a name", {NODE, CLOUD}, 6, "a second cloud of a name"},
    {"no such cloud", {BIRTH, ENGINE}, 2, "a cloud that there is not"},
    {"a cloud that is gone", {NODE, REMOVE_CLOUD_0, ENGINE}, 7, "a cloud that there is not"},
    {"gone with its cloud", {NODE, REMOVE_CLOUD_0, RECEIVE_AT_ENGINE_0}, 7, "an engine that"},
    {"an engine that is gone", {NODE, REMOVE_ENGINE_0, RECEIVE_AT_ENGINE_0}, 7, "an engine that"},
    {"two starts", {NODE, START, START}, 7, "a second start"},
    {"a row after the start", {NODE, START, RESTORE}, 7, "a row restored after"},
    {"time that goes back", {NODE, TICK, TICK_BEFORE}, 7, "time goes back"},
    {"time before the birth", {NODE, TICK_AT_0}, 6, "time goes back"},
    {"no such engine", {NODE, RECEIVE_AT_ENGINE_1}, 6, "an engine that there is not"},
    {"no such engine to ask", {NODE, UNREACHABLE_OF_NO_ENGINE}, 6, "an engine that there is not"},
    {"another family", {NODE, BOOTSTRAP_OF_IPV6}, 6, "an address of another family"},
    {"bytes sent to nobody", {NODE, SENT_1}, 6, "more bytes went out"},
    {"bytes sent that there were not", {NODE, OPEN, RESULT_1, SENT_1}, 8, "more bytes went out"},
};

static void test_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken_rows / sizeof broken_rows[0]; i++)
        check_row(&broken_rows[i], SIMNET_REPLAY_BROKEN);
}

static const struct row other_rows[] = {
    {"an output that does not come",
     {NODE, HANGUP},
     6,
     "expected hangup of session 0, got nothing"},
    {"an output that is another",
     {NODE, START, HANGUP},
     7,
     "expected hangup of session 0, got write 1 (durable) of a row of kind 5"},
    {"an output too many", {NODE, START, DRAINED_0}, 7, "expected nothing, got write 1 (durable)"},
    {"another result", {NODE, OPEN, RESULT_2}, 7, "expected result 2, got result 1"},
    {"no result", {NODE, OPEN, DRAINED_0}, 7, "expected drained, got result 1"},
    {"a signature that nobody asks for", {NODE, SIGN}, 6, "expected sign, got none"},
};

static void test_differs(void **state)
{
    static const struct row same = {
        "nothing that differs", {NODE, OPEN, RESULT_1, DRAINED_0}, 9, ""};
    (void)state;
    for (size_t i = 0; i < sizeof other_rows / sizeof other_rows[0]; i++)
        check_row(&other_rows[i], SIMNET_REPLAY_DIFFERS);
    check_row(&same, SIMNET_REPLAY_SAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_other_bytes), cmocka_unit_test(test_broken),
        cmocka_unit_test(test_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
