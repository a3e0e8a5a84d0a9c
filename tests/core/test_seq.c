// SPDX-License-Identifier: MIT
#include "node/core/seq.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// and then itself
#include <cmocka.h>

#define WALL INT64_C(1790000000000000)
#define TOP  (CORE_SEQ_MAX - 1)

static void test_next(void **state)
{
    static const struct {
        const char *name;
        int64_t wall_us, last, seen, want; // want -1: refused
    } rows[] = {
        {"first", WALL, DHT_SEQ_NONE, DHT_SEQ_NONE, WALL},
        {"clock goes on", WALL, WALL - 5, WALL - 5, WALL},
        {"clock stands", WALL, WALL, DHT_SEQ_NONE, WALL + 1},
        {"clock set back", 5, WALL, DHT_SEQ_NONE, WALL + 1},
        {"seen above ours", WALL, WALL, WALL + 1000, WALL + 1001},
        {"seen equals ours", WALL, WALL, WALL, WALL + 1},
        {"clock before 1970", -7, DHT_SEQ_NONE, DHT_SEQ_NONE, 1},
        {"clock far before 1970", INT64_MIN, DHT_SEQ_NONE, DHT_SEQ_NONE, 1},
        {"the last that can be", WALL, DHT_SEQ_NONE, TOP - 1, TOP},
        {"seen at the top", WALL, DHT_SEQ_NONE, TOP, -1},
        {"seen beyond the top", WALL, DHT_SEQ_NONE, INT64_MAX, -1},
        {"used at the top", WALL, TOP, DHT_SEQ_NONE, -1},
        {"clock at the top", CORE_SEQ_MAX, DHT_SEQ_NONE, DHT_SEQ_NONE, -1},
        {"clock beyond all", INT64_MAX, DHT_SEQ_NONE, DHT_SEQ_NONE, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t seq = -1;
        bool good = core_seq_next(rows[i].wall_us, rows[i].last, rows[i].seen, &seq);
        if (good != (rows[i].want >= 0) || seq != rows[i].want)
            fail_msg("%s: %lld", rows[i].name, (long long)seq);
    }
}

static void test_durable_form(void **state)
{
    static const int64_t seqs[] = {0, 1, 255, 256, WALL, TOP, INT64_MAX};
    uint8_t bytes[9] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof seqs / sizeof seqs[0]; i++) {
        int64_t seq = -1;
        core_seq_write(seqs[i], bytes);
        assert_true(core_seq_read((struct dht_span){bytes, 8}, &seq));
        assert_int_equal(seq, seqs[i]);
    }
    int64_t seq;
    assert_false(core_seq_read((struct dht_span){bytes, 7}, &seq));
    assert_false(core_seq_read((struct dht_span){bytes, 9}, &seq));
    assert_false(core_seq_read((struct dht_span){bytes, 0}, &seq));
    bytes[0] = 0x80;
    assert_false(core_seq_read((struct dht_span){bytes, 8}, &seq));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_durable_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
