// SPDX-License-Identifier: MIT
#include "dht/bencode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
// A string literal and its length, without the final NUL.
#define TEXT(literal) (literal), sizeof(literal) - 1

// A copy on the heap of exactly len bytes, so that the sanitizer sees any read past the end.
static struct dht_span exact_copy(const char *text, size_t len)
{
    uint8_t *data = malloc(len > 0 ? len : 1);
    assert_non_null(data);
    memcpy(data, text, len);
    // An empty span points past the one byte there is: it may not be read.
    return (struct dht_span){.data = len > 0 ? data : data + 1, .len = len};
}

static void free_copy(struct dht_span span)
{
    const uint8_t *start = span.len > 0 ? span.data : span.data - 1;
    free((void *)(uintptr_t)start);
}

struct int_row {
    const char *name;
    const char *text;
    size_t len;
    bool ok;
    int64_t value;
};

static const struct int_row int_rows[] = {
    {"zero", TEXT("i0e"), true, 0},
    {"one", TEXT("i1e"), true, 1},
    {"negative", TEXT("i-42e"), true, -42},
    {"max", TEXT("i9223372036854775807e"), true, INT64_MAX},
    {"max and one", TEXT("i9223372036854775808e"), false, 0},
    {"min", TEXT("i-9223372036854775808e"), true, INT64_MIN},
    {"min less one", TEXT("i-9223372036854775809e"), false, 0},
    {"uint64 max", TEXT("i18446744073709551615e"), false, 0},
    {"wraps to 0", TEXT("i18446744073709551616e"), false, 0},
    {"many digits", TEXT("i99999999999999999999999999999999e"), false, 0},
    {"minus zero", TEXT("i-0e"), false, 0},
    {"minus zero one", TEXT("i-01e"), false, 0},
    {"leading zero", TEXT("i03e"), false, 0},
    {"two zeros", TEXT("i00e"), false, 0},
    {"no digits", TEXT("ie"), false, 0},
    {"only a minus", TEXT("i-e"), false, 0},
    {"two minuses", TEXT("i--1e"), false, 0},
    {"plus", TEXT("i+1e"), false, 0},
    {"space", TEXT("i 1e"), false, 0},
    {"hex", TEXT("i1fe"), false, 0},
    {"float", TEXT("i1.5e"), false, 0},
    {"no end", TEXT("i12"), false, 0},
    {"only an i", TEXT("i"), false, 0},
    {"empty", TEXT(""), false, 0},
    {"a string", TEXT("1:a"), false, 0},
};

static void test_int(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(int_rows); i++) {
        const struct int_row *row = &int_rows[i];
        struct dht_span span = exact_copy(row->text, row->len);
        struct dht_bencode_cursor cursor = dht_bencode_cursor(span);
        int64_t value = 77;
        bool ok = dht_bencode_int(&cursor, &value);
        if (ok != row->ok || cursor.ok != row->ok || value != (row->ok ? row->value : 77) ||
            (ok && cursor.at != cursor.end)) {
            fail_msg("%s: ok %d, value %lld", row->name, ok, (long long)value);
        }
        free_copy(span);
    }
}

struct string_row {
    const char *name;
    const char *text;
    size_t len;
    bool ok;
    const char *string;
    size_t string_len;
};

static const struct string_row string_rows[] = {
    {"empty string", TEXT("0:"), true, TEXT("")},
    {"one byte", TEXT("1:a"), true, TEXT("a")},
    {"nine", TEXT("9:123456789"), true, TEXT("123456789")},
    {"ten", TEXT("10:1234567890"), true, TEXT("1234567890")},
    {"a NUL and a colon within", TEXT("3:\0::"), true, TEXT("\0::")},
    {"leading zero", TEXT("03:abc"), false, TEXT("")},
    {"two zeros", TEXT("00:"), false, TEXT("")},
    {"negative length", TEXT("-1:a"), false, TEXT("")},
    {"one short", TEXT("3:ab"), false, TEXT("")},
    {"nothing after the colon", TEXT("1:"), false, TEXT("")},
    {"no colon", TEXT("1"), false, TEXT("")},
    {"no colon, two digits", TEXT("12"), false, TEXT("")},
    {"another sign than a colon", TEXT("1;a"), false, TEXT("")},
    {"no length", TEXT(":a"), false, TEXT("")},
    {"empty", TEXT(""), false, TEXT("")},
    {"far too long", TEXT("99999999999999999999:"), false, TEXT("")},
    {"uint64 max", TEXT("18446744073709551615:"), false, TEXT("")},
    {"wraps to 1", TEXT("18446744073709551617:a"), false, TEXT("")},
    {"size of half the memory", TEXT("9223372036854775807:a"), false, TEXT("")},
    {"an int", TEXT("i1e"), false, TEXT("")},
};

static void test_string(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(string_rows); i++) {
        const struct string_row *row = &string_rows[i];
        struct dht_span span = exact_copy(row->text, row->len);
        struct dht_bencode_cursor cursor = dht_bencode_cursor(span);
        struct dht_span string = {.data = NULL, .len = 77};
        bool ok = dht_bencode_string(&cursor, &string);
        if (ok != row->ok || cursor.ok != row->ok) {
            fail_msg("%s: ok %d", row->name, ok);
        }
        if (ok && (string.len != row->string_len || cursor.at != cursor.end ||
                   memcmp(string.data, row->string, string.len) != 0)) {
            fail_msg("%s: another string, of %zu bytes", row->name, string.len);
        }
        if (!ok && string.len != 77) {
            fail_msg("%s: written without success", row->name);
        }
        free_copy(span);
    }
}

// Sixteen, and seventeen, lists within each other.
#define OPEN16  "llllllllllllllll"
#define CLOSE16 "eeeeeeeeeeeeeeee"

struct skip_row {
    const char *name;
    const char *text;
    size_t len;
    bool ok;
    size_t raw_len; // of the one value that is skipped
    bool canonical; // the text as a whole
};

static const struct skip_row skip_rows[] = {
    {"string", TEXT("5:hello"), true, 7, true},
    {"int", TEXT("i-7e"), true, 4, true},
    {"empty list", TEXT("le"), true, 2, true},
    {"empty dict", TEXT("de"), true, 2, true},
    {"list of all types", TEXT("li1e1:aledee"), true, 12, true},
    {"dict of all types", TEXT("d1:ai1e1:b1:x1:cle1:ddee"), true, 24, true},
    {"nested dicts", TEXT("d1:ad1:bd1:ci1eeee"), true, 18, true},
    {"left over", TEXT("i1ei2e"), true, 3, false},
    {"keys unsorted", TEXT("d1:bi1e1:ai1ee"), true, 14, false},
    {"keys unsorted deep down", TEXT("lld1:bi1e1:ai1eeee"), true, 18, false},
    {"key twice", TEXT("d1:ai1e1:ai2ee"), true, 14, false},
    {"empty key first", TEXT("d0:i1e1:ai1ee"), true, 13, true},
    {"empty key twice", TEXT("d0:i1e0:i1ee"), true, 12, false},
    {"shorter key first", TEXT("d1:ai1e2:aai1ee"), true, 15, true},
    {"longer key first", TEXT("d2:aai1e1:ai1ee"), true, 15, false},
    {"sorted as bytes, not by length", TEXT("d2:aai1e1:bi1ee"), true, 15, true},
    {"sorted as unsigned bytes",
     TEXT("d1:ai1e1:\xff"
          "i1ee"),
     true, 14, true},
    {"sibling dicts with the same keys", TEXT("ld1:bi1eed1:ai1eee"), true, 18, true},
    {"same key at another level", TEXT("d1:bd1:ai1ee1:ci1ee"), true, 19, true},
    {"order goes on after a nested dict", TEXT("d1:bd1:zi1ee1:ai1ee"), true, 19, false},
    {"depth 16", TEXT(OPEN16 CLOSE16), true, 32, true},
    {"depth 17", TEXT(OPEN16 "l" CLOSE16 "e"), false, 0, false},
    {"depth 16, twice", TEXT("l" OPEN16 "e"), false, 0, false},
    {"only opens", TEXT("dddddddddddddddddddddddddddddddddd"), false, 0, false},
    {"key of another type", TEXT("di1ei2ee"), false, 0, false},
    {"key a list", TEXT("dlei2ee"), false, 0, false},
    {"no value", TEXT("d1:ae"), false, 0, false},
    {"not closed list", TEXT("li1e"), false, 0, false},
    {"not closed dict", TEXT("d1:ai1e"), false, 0, false},
    {"ends after a key", TEXT("d1:a"), false, 0, false},
    {"only an end", TEXT("e"), false, 0, false},
    {"not canonical int within", TEXT("li01ee"), false, 0, false},
    {"not canonical length within", TEXT("l01:ae"), false, 0, false},
    {"garbage", TEXT("x"), false, 0, false},
    {"empty", TEXT(""), false, 0, false},
};

static void test_skip(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(skip_rows); i++) {
        const struct skip_row *row = &skip_rows[i];
        struct dht_span span = exact_copy(row->text, row->len);
        struct dht_bencode_cursor cursor = dht_bencode_cursor(span);
        struct dht_span raw = {.data = NULL, .len = 0};
        bool ok = dht_bencode_skip(&cursor, &raw);
        if (ok != row->ok || cursor.ok != row->ok || raw.len != row->raw_len) {
            fail_msg("%s: ok %d, %zu bytes", row->name, ok, raw.len);
        }
        if (ok && (raw.data != span.data || cursor.at != span.data + raw.len)) {
            fail_msg("%s: another place", row->name);
        }
        if (dht_bencode_canonical(span) != row->canonical) {
            fail_msg("%s: canonical or not", row->name);
        }
        free_copy(span);
    }
}

static void test_peek(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *text;
        size_t len;
        enum dht_bencode_type type;
    } rows[] = {
        {"int", TEXT("i1e"), DHT_BENCODE_INT},    {"string", TEXT("0:"), DHT_BENCODE_STRING},
        {"nine", TEXT("9:"), DHT_BENCODE_STRING}, {"list", TEXT("le"), DHT_BENCODE_LIST},
        {"dict", TEXT("de"), DHT_BENCODE_DICT},   {"close", TEXT("e"), DHT_BENCODE_CLOSE},
        {"end", TEXT(""), DHT_BENCODE_NONE},      {"garbage", TEXT("-"), DHT_BENCODE_NONE},
        {"colon", TEXT(":"), DHT_BENCODE_NONE},   {"slash", TEXT("/"), DHT_BENCODE_NONE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dht_span span = exact_copy(rows[i].text, rows[i].len);
        struct dht_bencode_cursor cursor = dht_bencode_cursor(span);
        if (dht_bencode_peek(&cursor) != rows[i].type || cursor.at != span.data) {
            fail_msg("%s", rows[i].name);
        }
        cursor.ok = false;
        assert_int_equal(dht_bencode_peek(&cursor), DHT_BENCODE_NONE);
        free_copy(span);
    }
}

// A parser of ["a", 1, {"b": []}] that checks nothing until its end.
static bool walk_by_hand(struct dht_span span)
{
    struct dht_bencode_cursor cursor = dht_bencode_cursor(span);
    struct dht_span string;
    int64_t number;
    dht_bencode_list(&cursor);
    dht_bencode_string(&cursor, &string);
    dht_bencode_int(&cursor, &number);
    dht_bencode_dict(&cursor);
    while (!dht_bencode_close(&cursor)) {
        dht_bencode_string(&cursor, &string);
        dht_bencode_list(&cursor);
        dht_bencode_close(&cursor);
    }
    return dht_bencode_close(&cursor) && cursor.ok && cursor.at == cursor.end;
}

static void test_walk(void **state)
{
    (void)state;
    static const char text[] = "l1:ai1ed1:bleee";
    size_t len = sizeof(text) - 1;
    for (size_t cut = 0; cut <= len; cut++) {
        struct dht_span span = exact_copy(text, cut);
        if (walk_by_hand(span) != (cut == len)) {
            fail_msg("cut to %zu bytes", cut);
        }
        free_copy(span);
    }
}

static void test_error_stays(void **state)
{
    (void)state;
    struct dht_span span = exact_copy(TEXT("i1e1:a"));
    struct dht_bencode_cursor cursor = dht_bencode_cursor(span);
    struct dht_span string;
    int64_t number;
    assert_false(dht_bencode_string(&cursor, &string));
    assert_false(dht_bencode_int(&cursor, &number));
    assert_false(dht_bencode_string(&cursor, &string));
    assert_false(dht_bencode_list(&cursor));
    assert_false(dht_bencode_dict(&cursor));
    assert_false(dht_bencode_skip(&cursor, &string));
    assert_true(dht_bencode_close(&cursor));
    assert_false(cursor.ok);
    free_copy(span);
}

static void test_no_data(void **state)
{
    (void)state;
    struct dht_span none = {.data = NULL, .len = 0};
    struct dht_bencode_cursor cursor = dht_bencode_cursor(none);
    struct dht_span string;
    assert_int_equal(dht_bencode_peek(&cursor), DHT_BENCODE_NONE);
    assert_false(dht_bencode_string(&cursor, &string));
    assert_false(dht_bencode_canonical(none));
}

// Writes one of everything.
static void write_all(struct dht_bencode_writer *writer)
{
    dht_bencode_open_dict(writer);
    dht_bencode_put_text(writer, "hole");
    uint8_t *hole = dht_bencode_put_hole(writer, 11);
    if (hole != NULL) {
        memcpy(hole, "hello world", 11);
    }
    dht_bencode_put_text(writer, "list");
    dht_bencode_open_list(writer);
    dht_bencode_put_int(writer, 0);
    dht_bencode_put_int(writer, -1);
    dht_bencode_put_int(writer, INT64_MAX);
    dht_bencode_put_int(writer, INT64_MIN);
    dht_bencode_put_string(writer, NULL, 0);
    dht_bencode_put_raw(writer, "2:ab", 4);
    dht_bencode_end(writer);
    dht_bencode_pair_int(writer, "m", -7);
    dht_bencode_pair_string(writer, "n", "x\0y", 3);
    dht_bencode_pair_text(writer, "o", "text");
    dht_bencode_end(writer);
}

static const char all_text[] = "d4:hole11:hello world4:listli0ei-1ei9223372036854775807e"
                               "i-9223372036854775808e0:2:abe1:mi-7e1:n3:x\0y1:o4:texte";

static void test_write(void **state)
{
    (void)state;
    uint8_t buf[sizeof(all_text)];
    size_t len = sizeof(all_text) - 1;
    struct dht_bencode_writer writer = dht_bencode_writer(buf, len);
    write_all(&writer);
    assert_false(writer.full);
    assert_int_equal(dht_bencode_written(&writer), len);
    assert_memory_equal(buf, all_text, len);
    assert_true(dht_bencode_canonical((struct dht_span){buf, len}));
}

static void test_write_full(void **state)
{
    (void)state;
    size_t len = sizeof(all_text) - 1;
    for (size_t room = 0; room < len; room++) {
        uint8_t *buf = malloc(room > 0 ? room : 1);
        assert_non_null(buf);
        struct dht_bencode_writer writer = dht_bencode_writer(buf, room);
        write_all(&writer);
        if (!writer.full || dht_bencode_written(&writer) > room ||
            memcmp(buf, all_text, dht_bencode_written(&writer)) != 0) {
            fail_msg("room for %zu bytes", room);
        }
        free(buf);
    }
}

static void test_write_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t len;
        const char *head;
    } rows[] = {{"0", 0, "0:"},         {"9", 9, "9:"},       {"10", 10, "10:"},
                {"99", 99, "99:"},      {"100", 100, "100:"}, {"999", 999, "999:"},
                {"1000", 1000, "1000:"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t buf[1100];
        uint8_t data[1000];
        memset(data, 'x', sizeof(data));
        struct dht_bencode_writer writer = dht_bencode_writer(buf, sizeof(buf));
        dht_bencode_put_string(&writer, data, rows[i].len);
        struct dht_span written = {buf, dht_bencode_written(&writer)};
        if (written.len != strlen(rows[i].head) + rows[i].len ||
            memcmp(buf, rows[i].head, strlen(rows[i].head)) != 0 ||
            !dht_bencode_canonical(written)) {
            fail_msg("%s", rows[i].name);
        }
    }
    uint8_t small[8];
    struct dht_bencode_writer writer = dht_bencode_writer(small, sizeof(small));
    assert_null(dht_bencode_put_hole(&writer, SIZE_MAX));
    assert_true(writer.full);
    assert_int_equal(dht_bencode_written(&writer), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int),        cmocka_unit_test(test_string),
        cmocka_unit_test(test_skip),       cmocka_unit_test(test_peek),
        cmocka_unit_test(test_walk),       cmocka_unit_test(test_error_stays),
        cmocka_unit_test(test_no_data),    cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_full), cmocka_unit_test(test_write_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
