// SPDX-License-Identifier: MIT
// Bencode: what is canonical is the same when written again, and what can be skipped is sound.
#include "dht/bencode.h"
#include "tests/fuzz/fuzz.h"

// Reads one value and writes it again.
static bool copy_value(struct dht_bencode_cursor *cursor, struct dht_bencode_writer *writer)
{
    struct dht_span string;
    int64_t number;
    enum dht_bencode_type type = dht_bencode_peek(cursor);
    switch (type) {
    case DHT_BENCODE_INT:
        if (!dht_bencode_int(cursor, &number))
            return false;
        dht_bencode_put_int(writer, number);
        return true;
    case DHT_BENCODE_STRING:
        if (!dht_bencode_string(cursor, &string))
            return false;
        dht_bencode_put_string(writer, string.data, string.len);
        return true;
    case DHT_BENCODE_LIST:
    case DHT_BENCODE_DICT:
        if (type == DHT_BENCODE_LIST ? !dht_bencode_list(cursor) : !dht_bencode_dict(cursor))
            return false;
        if (type == DHT_BENCODE_LIST)
            dht_bencode_open_list(writer);
        else
            dht_bencode_open_dict(writer);
        while (!dht_bencode_close(cursor))
            if (!copy_value(cursor, writer))
                return false;
        dht_bencode_end(writer);
        return cursor->ok;
    default:
        return false;
    }
}

// Every typed reader on every place where a value may begin.
static void read_everywhere(struct dht_span span)
{
    for (size_t i = 0; i < span.len && i < 64; i++) {
        struct dht_span rest = {span.data + i, span.len - i};
        struct dht_span string;
        int64_t number;
        struct dht_bencode_cursor cursor = dht_bencode_cursor(rest);
        (void)dht_bencode_int(&cursor, &number);
        cursor = dht_bencode_cursor(rest);
        if (dht_bencode_string(&cursor, &string))
            FUZZ_CHECK(string.data >= rest.data && string.data + string.len <= cursor.end);
        cursor = dht_bencode_cursor(rest);
        (void)(dht_bencode_dict(&cursor) && dht_bencode_string(&cursor, &string));
        cursor = dht_bencode_cursor(rest);
        (void)(dht_bencode_list(&cursor) && dht_bencode_int(&cursor, &number));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[1 << 16];
    struct dht_span span = {data, size};
    struct dht_span raw;
    if (size > sizeof buf)
        return 0;
    struct dht_bencode_cursor cursor = dht_bencode_cursor(span);
    bool whole = dht_bencode_skip(&cursor, &raw) && cursor.at == cursor.end;
    bool canonical = dht_bencode_canonical(span);
    FUZZ_CHECK(whole || !canonical);
    if (whole) {
        FUZZ_CHECK(raw.data == data && raw.len == size);
        struct dht_bencode_writer writer = dht_bencode_writer(buf, sizeof buf);
        cursor = dht_bencode_cursor(span);
        FUZZ_CHECK(copy_value(&cursor, &writer) && !writer.full && cursor.at == cursor.end);
        FUZZ_CHECK(dht_bencode_written(&writer) == size && memcmp(buf, data, size) == 0);
        // A writer with less room says so, and writes nothing beyond.
        if (size > 0) {
            writer = dht_bencode_writer(buf, size - 1);
            cursor = dht_bencode_cursor(span);
            FUZZ_CHECK(copy_value(&cursor, &writer) && writer.full);
        }
    }
    read_everywhere(span);
    return 0;
}
