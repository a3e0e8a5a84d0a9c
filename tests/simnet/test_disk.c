// SPDX-License-Identifier: MIT
// Simulated disks: when rows are durable, and what an end leaves of them.
#include "simnet/disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS   8
#define WRITES 60

static const struct simnet_disk_config slow = {.sync_median_us = 10000, .commit_us = 100};

struct write {
    uint64_t id;
    uint32_t key, value; // value 0: deleted
    uint32_t pad;        // bytes that the value is longer
    bool durable;
};

static bool put(struct simnet_disk *disk, const struct write *write)
{
    static uint8_t value[70000];
    char key[16];
    memcpy(value, &write->value, sizeof write->value);
    struct node_out out = {.type = NODE_OUT_WRITE};
    out.write.write_id = write->id;
    out.write.durable = write->durable;
    out.write.kind = NODE_ROW_PUBLICATION;
    out.write.key = (struct dht_span){
        (const uint8_t *)key, (size_t)snprintf(key, sizeof key, "key%u", (unsigned)write->key)};
    if (write->value != 0)
        out.write.value = (struct dht_span){value, sizeof write->value + write->pad};
    return simnet_disk_write(disk, &out);
}

// The value under a key; 0: none.
static uint32_t get(const struct simnet_disk *disk, uint32_t key)
{
    char text[16];
    uint32_t value = 0;
    size_t len = (size_t)snprintf(text, sizeof text, "key%u", (unsigned)key);
    struct dht_span found =
        simnet_disk_find(disk, NODE_ROW_PUBLICATION, (struct dht_span){(const uint8_t *)text, len});
    if (found.len >= sizeof value)
        memcpy(&value, found.data, sizeof value);
    return value;
}

// Runs until that time, or until all is done; returns when.
static int64_t run(struct simnet_disk *disk, int64_t now_us, int64_t until_us)
{
    simnet_disk_run(disk, now_us);
    while (simnet_disk_due(disk) <= until_us) {
        now_us = simnet_disk_due(disk);
        simnet_disk_run(disk, now_us);
    }
    return now_us;
}

// 1: told that it is written; -1: that it failed; 0: nothing.
static int told(struct simnet_disk *disk, uint64_t id)
{
    uint64_t told_id;
    bool ok;
    if (!simnet_disk_next(disk, &told_id, &ok))
        return 0;
    assert_int_equal(id, told_id);
    return ok ? 1 : -1;
}

static void syncs_take_time(void **state)
{
    (void)state;
    struct simnet_disk *disk = simnet_disk_new(&slow, 1, 1);
    assert_true(put(disk, &(struct write){1, 1, 11, 0, false}));
    simnet_disk_run(disk, 1000);
    assert_int_equal(1100, simnet_disk_due(disk));
    assert_int_equal(0, told(disk, 1));
    simnet_disk_run(disk, 1100);
    assert_int_equal(1, told(disk, 1));
    assert_int_equal(11, get(disk, 1));
    assert_true(put(disk, &(struct write){2, 2, 22, 0, true}));
    simnet_disk_run(disk, 2000);
    assert_true(simnet_disk_due(disk) > 2100);
    assert_int_equal(0, told(disk, 2));
    run(disk, 2000, INT64_MAX - 1);
    assert_int_equal(1, told(disk, 2));
    assert_int_equal(1, simnet_disk_counters(disk)->commits_durable);
    simnet_disk_free(disk);
    disk = simnet_disk_new(NULL, 1, 1);
    put(disk, &(struct write){1, 1, 11, 0, true});
    simnet_disk_run(disk, 1000);
    assert_int_equal(1, told(disk, 1));
    simnet_disk_end(disk, SIMNET_DISK_CUT, 1000);
    assert_int_equal(11, get(disk, 1));
    simnet_disk_free(disk);
}

// ---- ends ----

// Whether the disk holds what it would after the first `count` writes.
static bool holds(const struct simnet_disk *disk, const struct write *writes, uint32_t count)
{
    uint32_t values[KEYS] = {0};
    for (uint32_t i = 0; i < count; i++)
        values[writes[i].key] = writes[i].value;
    for (uint32_t key = 0; key < KEYS; key++)
        if (get(disk, key) != values[key])
            return false;
    return true;
}

struct end_row {
    const char *name;
    enum simnet_disk_end how;
    bool loses_all;
    bool keeps_told; // all that was told of, durable or not
    bool keeps_all;
    bool varies; // what of the rest survives
};

static const struct end_row end_rows[] = {
    {"stopped", SIMNET_DISK_STOPPED, false, true, true, false},
    {"killed", SIMNET_DISK_KILLED, false, true, false, true},
    {"power is cut", SIMNET_DISK_CUT, false, false, false, true},
    {"power is cut, nothing is kept", SIMNET_DISK_CUT, true, false, false, false},
};

struct history {
    struct write writes[WRITES];
    uint32_t count;
    uint32_t told;         // of the first so many
    uint32_t durable;      // the first so many have to survive
    bool ends[WRITES + 1]; // whether a transaction ended with the first so many
};

static void note_told(struct simnet_disk *disk, struct history *history)
{
    uint64_t id;
    bool ok;
    while (simnet_disk_next(disk, &id, &ok)) {
        assert_true(ok);
        assert_true(id == history->told + 1); // in order
        history->told = (uint32_t)id;
        if (history->writes[id - 1].durable)
            history->durable = (uint32_t)id;
    }
    history->ends[history->told] = true;
}

// Whether the first `count` are what is left: no transaction in part, as far as they are known.
static bool is_left(const struct simnet_disk *disk, const struct history *history, uint32_t count)
{
    return (count >= history->told || history->ends[count] || count == 0) &&
           holds(disk, history->writes, count);
}

// Writes at random until some moment, and ends.
static void live(struct simnet_disk *disk, const struct end_row *row, uint64_t seed,
                 struct history *history)
{
    struct simnet_stream stream;
    int64_t now_us = 1000;
    simnet_stream_init(&stream, seed, "test", 0);
    uint32_t count = 1 + (uint32_t)simnet_stream_below(&stream, WRITES);
    while (history->count < count) {
        struct write *write = &history->writes[history->count++];
        *write = (struct write){history->count, (uint32_t)simnet_stream_below(&stream, KEYS),
                                history->count, 0, simnet_stream_chance(&stream, 0.2)};
        if (simnet_stream_chance(&stream, 0.2))
            write->value = 0;
        assert_true(put(disk, write));
        if (simnet_stream_chance(&stream, 0.5))
            continue;
        int64_t until_us = now_us + (int64_t)simnet_stream_below(&stream, 8000);
        simnet_disk_run(disk, now_us);
        while (simnet_disk_due(disk) <= until_us) { // one transaction after the other
            simnet_disk_run(disk, simnet_disk_due(disk));
            note_told(disk, history);
        }
        now_us = until_us;
    }
    simnet_disk_end(disk, row->how, now_us + 1);
}

static void an_end_leaves_a_beginning(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof end_rows / sizeof *end_rows; i++) {
        const struct end_row *row = &end_rows[i];
        struct simnet_disk_config config = slow;
        uint32_t more = 0;
        uint32_t less = 0;
        config.sync_sigma = 1;
        config.loses_all = row->loses_all;
        for (uint64_t seed = 1; seed <= 400; seed++) {
            struct simnet_disk *disk = simnet_disk_new(&config, seed, 1);
            struct history history = {.count = 0};
            live(disk, row, seed, &history);
            uint32_t least = row->keeps_all ? history.count : history.durable;
            least = row->keeps_told && least < history.told ? history.told : least;
            uint32_t held = history.count;
            while (held > least && !is_left(disk, &history, held))
                held--;
            if (!is_left(disk, &history, held))
                fail_msg("%s: seed %u: not the first of what was written", row->name,
                         (unsigned)seed);
            more += held > least;
            less += held < history.count;
            assert_int_equal(0, simnet_disk_waiting(disk));
            simnet_disk_free(disk);
        }
        if (row->varies && (more < 40 || less < 40))
            fail_msg("%s: more in %u, less in %u", row->name, (unsigned)more, (unsigned)less);
    }
}

// A power cut after a restart: what the restart found and nothing synced may go too.
static void a_kill_syncs_nothing(void **state)
{
    (void)state;
    uint32_t lost = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct simnet_disk *disk = simnet_disk_new(&slow, seed, 1);
        put(disk, &(struct write){1, 1, 11, 0, false});
        run(disk, 1000, 2000);
        simnet_disk_end(disk, SIMNET_DISK_KILLED, 2000);
        assert_int_equal(11, get(disk, 1));
        simnet_disk_end(disk, SIMNET_DISK_CUT, 3000);
        lost += get(disk, 1) == 0;
        simnet_disk_free(disk);
    }
    assert_in_range(lost, 10, 40);
}

// ---- trouble ----

static void a_broken_disk_is_mended(void **state)
{
    (void)state;
    struct simnet_disk_config broken = slow;
    broken.fail_share = 1;
    struct simnet_disk *disk = simnet_disk_new(&broken, 1, 1);
    put(disk, &(struct write){1, 1, 11, 0, true});
    int64_t now_us = run(disk, 1000, INT64_MAX - 1);
    assert_int_equal(-1, told(disk, 1));
    assert_int_equal(0, get(disk, 1));
    simnet_disk_configure(disk, &slow);
    put(disk, &(struct write){2, 1, 12, 0, true});
    run(disk, now_us, INT64_MAX - 1);
    assert_int_equal(1, told(disk, 2));
    assert_int_equal(12, get(disk, 1));
    assert_int_equal(1, simnet_disk_counters(disk)->failed);
    simnet_disk_free(disk);
}

// All in one transaction, which fails; durable rows are tried again alone.
static void one_row_too_big_fails_alone(void **state)
{
    (void)state;
    struct simnet_disk_config small = {.capacity = 1000}; // and no time
    struct simnet_disk *disk = simnet_disk_new(&small, 4, 1);
    static const struct write writes[] = {
        {1, 1, 11, 0, true}, {2, 2, 22, 2000, true}, {3, 3, 33, 0, true}, {4, 4, 44, 0, false}};
    static const int expected[] = {1, -1, 1, -1};
    bool together = false;
    for (uint64_t seed = 1; seed < 20 && !together; seed++) {
        simnet_disk_free(disk);
        disk = simnet_disk_new(&small, seed, 1);
        for (int i = 0; i < 4; i++)
            put(disk, &writes[i]);
        simnet_disk_run(disk, 1000);
        together = get(disk, 4) == 0; // else the writer took them in two transactions
    }
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(expected[i], told(disk, i + 1));
    assert_int_equal(11, get(disk, 1));
    assert_int_equal(0, get(disk, 2));
    assert_int_equal(33, get(disk, 3));
    simnet_disk_free(disk);
}

static void a_full_disk_takes_what_shrinks(void **state)
{
    (void)state;
    struct simnet_disk_config small = {.capacity = 1000};
    struct simnet_disk *disk = simnet_disk_new(&small, 1, 1);
    static const struct row {
        struct write write;
        int told;
    } rows[] = {
        {{1, 1, 11, 900, true}, 1}, {{2, 2, 22, 900, true}, -1}, {{3, 1, 12, 100, true}, 1},
        {{4, 2, 23, 800, true}, 1}, {{5, 3, 33, 800, true}, -1}, {{6, 2, 0, 0, true}, 1},
        {{7, 3, 34, 800, true}, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put(disk, &rows[i].write);
        simnet_disk_run(disk, 1000);
        assert_int_equal(rows[i].told, told(disk, rows[i].write.id));
    }
    assert_int_equal(12, get(disk, 1));
    assert_int_equal(34, get(disk, 3));
    assert_int_equal(2, simnet_disk_rows(disk));
    assert_int_equal(2, simnet_disk_counters(disk)->full);
    simnet_disk_free(disk);
}

static void a_stuck_disk_fills_its_queue(void **state)
{
    (void)state;
    struct simnet_disk_config config = slow;
    config.write_max = 8;
    struct simnet_disk *disk = simnet_disk_new(&config, 1, 1);
    uint32_t taken[2] = {0};
    simnet_disk_stick(disk, 1000000);
    for (uint32_t i = 0; i < 20; i++) { // rows that are not durable have three quarters
        taken[0] += put(disk, &(struct write){0, i % KEYS, 1, 0, false});
        simnet_disk_run(disk, 1000 + i);
    }
    for (uint32_t i = 0; i < 20; i++)
        taken[1] += put(disk, &(struct write){100 + i, i % KEYS, 2, 0, true});
    assert_int_equal(6, taken[0]);
    assert_int_equal(2, taken[1]);
    assert_int_equal(1000000, simnet_disk_due(disk));
    assert_int_equal(0, told(disk, 100));
    run(disk, 1000000, INT64_MAX - 1);
    assert_int_equal(1, told(disk, 100));
    assert_int_equal(1, told(disk, 101));
    assert_int_equal(18, simnet_disk_counters(disk)->refused);
    assert_int_equal(14, simnet_disk_counters(disk)->dropped);
    simnet_disk_free(disk);
}

// ---- order ----

static void rows_come_back_in_order(void **state)
{
    (void)state;
    static const struct {
        enum node_row_kind kind;
        const char *key;
    } expected[] = {
        {NODE_ROW_META, "machine"},  {NODE_ROW_SEQUENCE, "a"},    {NODE_ROW_SEQUENCE, "aa"},
        {NODE_ROW_SEQUENCE, "b"},    {NODE_ROW_PUBLICATION, "a"}, {NODE_ROW_CONTACT, "a"},
        {NODE_ROW_CONTACT, "\x01z"}, {NODE_ROW_ITEM, "a"},
    };
    static const int order[] = {7, 3, 5, 0, 4, 2, 6, 1};
    struct simnet_row_table table = {0};
    for (int i = 0; i < 8; i++) {
        const char *key = expected[order[i]].key;
        simnet_row_insert(&table,
                          simnet_row_new(expected[order[i]].kind,
                                         (struct dht_span){(const uint8_t *)key, strlen(key)},
                                         (struct dht_span){(const uint8_t *)"v", 1}));
    }
    struct simnet_row **sorted = simnet_row_sorted(&table);
    // By bytes: 0x01 comes before 'a'.
    static const int as_sorted[] = {0, 1, 2, 3, 4, 6, 5, 7};
    for (int i = 0; i < 8; i++) {
        struct dht_span key = simnet_row_key(sorted[i]);
        assert_int_equal(expected[as_sorted[i]].kind, sorted[i]->kind);
        assert_memory_equal(expected[as_sorted[i]].key, key.data, key.len);
        assert_int_equal(strlen(expected[as_sorted[i]].key), key.len);
    }
    free(sorted);
    simnet_row_table_fini(&table);
}

// A table against the plainest one: an array by key.
static void a_table_finds_what_is_in_it(void **state)
{
    (void)state;
    struct simnet_row_table table = {0};
    bool in[512] = {false};
    struct simnet_stream stream;
    simnet_stream_init(&stream, 1, "test", 0);
    for (int step = 0; step < 20000; step++) {
        uint32_t key = (uint32_t)simnet_stream_below(&stream, 512);
        struct simnet_row *row =
            simnet_row_new(NODE_ROW_ITEM, (struct dht_span){(const uint8_t *)&key, sizeof key},
                           (struct dht_span){(const uint8_t *)"v", 1});
        struct simnet_row *found = simnet_row_find(&table, row);
        assert_true((found != NULL) == in[key]);
        if (found == NULL) {
            simnet_row_insert(&table, row);
        } else {
            free(row);
            free(simnet_row_remove(&table, found));
        }
        in[key] = !in[key];
    }
    uint32_t count = 0;
    for (int i = 0; i < 512; i++)
        count += in[i];
    assert_int_equal(count, table.count);
    assert_int_equal(5 * count, table.bytes);
    simnet_row_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syncs_take_time),
        cmocka_unit_test(an_end_leaves_a_beginning),
        cmocka_unit_test(a_kill_syncs_nothing),
        cmocka_unit_test(a_broken_disk_is_mended),
        cmocka_unit_test(one_row_too_big_fails_alone),
        cmocka_unit_test(a_full_disk_takes_what_shrinks),
        cmocka_unit_test(a_stuck_disk_fills_its_queue),
        cmocka_unit_test(rows_come_back_in_order),
        cmocka_unit_test(a_table_finds_what_is_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
