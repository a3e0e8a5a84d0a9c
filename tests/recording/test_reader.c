// SPDX-License-Identifier: MIT
#include "node/recording/reader.h"

#include "tests/recording/samples.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// and then itself
#include <cmocka.h>

static uint8_t file[65536];
static size_t file_len;
static struct recording_room room;

struct source {
    size_t at;
    size_t len;
    size_t step; // the most that one read gives
    bool fails;  // at its end
};

static int64_t read_source(void *ctx, uint8_t *buf, size_t len)
{
    struct source *source = ctx;
    size_t left = source->len - source->at;
    size_t part = len < left ? len : left;
    if (left == 0 && source->fails)
        return -1;
    if (part > source->step)
        part = source->step;
    memcpy(buf, file + source->at, part);
    source->at += part;
    return (int64_t)part;
}

// The samples, as a file. Returns how many there are.
static size_t make_file(void)
{
    struct sample samples[SAMPLES_MAX];
    size_t count = samples_make(samples);
    memcpy(file, RECORDING_HEAD, RECORDING_HEAD_LEN);
    file_len = RECORDING_HEAD_LEN;
    for (size_t i = 0; i < count; i++)
        file_len +=
            recording_entry_write(&samples[i].entry, file + file_len, sizeof file - file_len);
    return count;
}

// Reads to the end. ret_reader then says how far it came.
static enum recording_state read_all(struct source *source, struct recording_reader *ret_reader)
{
    enum recording_state state;
    recording_reader_init(ret_reader, read_source, source);
    do {
        state = recording_reader_next(ret_reader, &room);
    } while (state == RECORDING_READ);
    return state;
}

static void test_whole(void **state)
{
    size_t count = make_file();
    (void)state;
    for (size_t step = 1; step < 200; step += 66) {
        struct source source = {.len = file_len, .step = step};
        struct recording_reader reader;
        assert_int_equal(read_all(&source, &reader), RECORDING_OVER);
        assert_int_equal(reader.number, count + 1);
        assert_int_equal(reader.offset, file_len);
        assert_int_equal(room.number, count);
        assert_int_equal(room.entry.kind, RECORDING_END);
    }
}

// Cut anywhere, a file is over between two entries and cut within one, and never broken.
static void test_cut(void **state)
{
    size_t over = 0;
    size_t count = make_file();
    (void)state;
    for (size_t len = RECORDING_HEAD_LEN; len <= file_len; len++) {
        struct source source = {.len = len, .step = SIZE_MAX};
        struct recording_reader reader;
        enum recording_state end = read_all(&source, &reader);
        if (end != RECORDING_OVER && end != RECORDING_CUT)
            fail_msg("broken at %zu: %s", len, reader.why);
        over += end == RECORDING_OVER;
    }
    assert_int_equal(over, count + 1);
}

static const struct {
    const char *name;
    size_t at;
    const char *bytes;
    size_t len;
    size_t file_len; // 0: all of it
    bool fails;
    uint64_t number;
    const char *why;
} broken[] = {
    {"an empty file", 0, "", 0, 1, false, 0, "this is not a recording"},
    {"something else", 0, "SQLite", 6, 0, false, 0, "this is not a recording"},
    {"the version before", 14, "7", 1, 0, false, 0, "this recording has another version than 8"},
    {"a kind that there is not", RECORDING_HEAD_LEN, "\xff", 1, 0, false, 1,
     "the head of the entry is not what was written"},
    {"a length of 4 GiB", RECORDING_HEAD_LEN + 1, "\xff\xff\xff\xff", 4, 0, false, 1,
     "the head of the entry is not what was written"},
    {"another payload", RECORDING_HEAD_LEN + RECORDING_ENTRY_HEAD_LEN, "\x55", 1, 0, false, 1,
     "the entry is not what was written"},
    {"a disk that fails", 0, "", 0, RECORDING_HEAD_LEN, true, 1, "the file cannot be read"},
};

static void test_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct recording_reader reader;
        make_file();
        struct source source = {.step = SIZE_MAX, .fails = broken[i].fails};
        source.len = broken[i].file_len == 0 ? file_len : broken[i].file_len;
        memcpy(file + broken[i].at, broken[i].bytes, broken[i].len);
        enum recording_state end = read_all(&source, &reader);
        if (end != RECORDING_BROKEN || reader.number != broken[i].number ||
            strcmp(reader.why, broken[i].why) != 0)
            fail_msg("%s: %d at entry %llu", broken[i].name, (int)end,
                     (unsigned long long)reader.number);
    }
}

// Heads that are whole, and say what cannot be.
static const struct {
    const char *name;
    struct recording_entry_head head;
    const char *why;
} wrong_heads[] = {
    {"a kind that there is not", {200, 0, 0}, "a kind of entry that there is not"},
    {"a length of 4 GiB",
     {RECORDING_TICK, UINT32_MAX, 0},
     "the entry is longer than an entry can be"},
    {"a length that is too small", {RECORDING_TICK, 0, 0}, "the entry ends too early"},
};

static void test_wrong_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong_heads / sizeof wrong_heads[0]; i++) {
        struct recording_reader reader;
        struct source source = {.len = RECORDING_HEAD_LEN + RECORDING_ENTRY_HEAD_LEN, .step = 99};
        make_file();
        recording_entry_head_write(&wrong_heads[i].head, file + RECORDING_HEAD_LEN);
        if (read_all(&source, &reader) != RECORDING_BROKEN ||
            strcmp(reader.why, wrong_heads[i].why) != 0)
            fail_msg("%s: %s", wrong_heads[i].name, reader.why);
    }
}

// Whichever bit of a file is another, it is broken, in the entry that has the bit.
static void test_flipped(void **state)
{
    (void)state;
    make_file();
    for (size_t bit = 0; bit < 8 * file_len; bit++) {
        struct source source = {.len = file_len, .step = SIZE_MAX};
        struct recording_reader reader;
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum recording_state end = read_all(&source, &reader);
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (end != RECORDING_BROKEN || reader.offset > bit / 8 || reader.next_at <= bit / 8)
            fail_msg("bit %zu of byte %zu: %d", bit % 8, bit / 8, (int)end);
    }
}

static const struct {
    const char *name;
    size_t from; // what follows is the file from here on
    size_t len;
} rubbish[] = {
    {"one byte", 0, 1},
    {"a piece of an entry", RECORDING_HEAD_LEN, 7},
    {"entries", RECORDING_HEAD_LEN, 900},
    {"itself", 0, SIZE_MAX},
};

static void test_behind_the_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rubbish / sizeof rubbish[0]; i++) {
        struct recording_reader reader;
        size_t count = make_file();
        size_t len = rubbish[i].len < file_len ? rubbish[i].len : file_len;
        struct source source = {.len = file_len + len, .step = SIZE_MAX};
        assert_true(file_len + len <= sizeof file);
        memcpy(file + file_len, file + rubbish[i].from, len);
        if (read_all(&source, &reader) != RECORDING_BROKEN || reader.number != count + 1 ||
            reader.offset != file_len || strcmp(reader.why, "the file goes on behind its end") != 0)
            fail_msg("%s: taken", rubbish[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),   cmocka_unit_test(test_cut),
        cmocka_unit_test(test_broken),  cmocka_unit_test(test_wrong_heads),
        cmocka_unit_test(test_flipped), cmocka_unit_test(test_behind_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
