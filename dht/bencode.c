// SPDX-License-Identifier: MIT
#include "dht/bencode.h"

#include <assert.h>
#include <string.h>

// ---- reading ----

struct dht_bencode_cursor dht_bencode_cursor(struct dht_span span)
{
    // An empty span may have no data, and NULL + 0 is undefined.
    const uint8_t *end = span.len > 0 ? span.data + span.len : span.data;
    return (struct dht_bencode_cursor){.at = span.data, .end = end, .ok = true};
}

static bool fail(struct dht_bencode_cursor *cursor)
{
    cursor->ok = false;
    return false;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

enum dht_bencode_type dht_bencode_peek(const struct dht_bencode_cursor *cursor)
{
    if (!cursor->ok || cursor->at == cursor->end) {
        return DHT_BENCODE_NONE;
    }
    switch (*cursor->at) {
    case 'i':
        return DHT_BENCODE_INT;
    case 'l':
        return DHT_BENCODE_LIST;
    case 'd':
        return DHT_BENCODE_DICT;
    case 'e':
        return DHT_BENCODE_CLOSE;
    default:
        return is_digit(*cursor->at) ? DHT_BENCODE_STRING : DHT_BENCODE_NONE;
    }
}

// Reads the byte `wanted` if it is next.
static bool take(struct dht_bencode_cursor *cursor, uint8_t wanted)
{
    if (!cursor->ok || cursor->at == cursor->end || *cursor->at != wanted) {
        return false;
    }
    cursor->at++;
    return true;
}

// Reads decimal digits without leading zeros whose value is at most max.
static bool read_digits(struct dht_bencode_cursor *cursor, uint64_t max, uint64_t *ret_value)
{
    const uint8_t *at = cursor->at;
    const uint8_t *end = cursor->end;
    if (at == end || !is_digit(*at)) {
        return false;
    }
    uint64_t value = (uint64_t)(*at++ - '0');
    while (at < end && is_digit(*at)) {
        uint64_t digit = (uint64_t)(*at - '0');
        // The first test refuses a leading zero, the second what would pass max.
        if (value == 0 || value > max / 10 || digit > max - value * 10) {
            return false;
        }
        value = value * 10 + digit;
        at++;
    }
    cursor->at = at;
    *ret_value = value;
    return true;
}

bool dht_bencode_int(struct dht_bencode_cursor *cursor, int64_t *ret_value)
{
    if (!take(cursor, 'i')) {
        return fail(cursor);
    }
    bool negative = take(cursor, '-');
    uint64_t max = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    uint64_t size;
    if (!read_digits(cursor, max, &size) || (negative && size == 0) || !take(cursor, 'e')) {
        return fail(cursor);
    }
    // -(size - 1) - 1 reaches INT64_MIN without leaving int64_t.
    *ret_value = negative ? -(int64_t)(size - 1) - 1 : (int64_t)size;
    return true;
}

bool dht_bencode_string(struct dht_bencode_cursor *cursor, struct dht_span *ret_string)
{
    if (!cursor->ok) {
        return false;
    }
    const uint8_t *at = cursor->at;
    const uint8_t *end = cursor->end;
    uint64_t len;
    if (end - at >= 2 && is_digit(at[0]) && at[1] == ':') {
        // Nearly all keys have a length of one digit.
        len = (uint64_t)(at[0] - '0');
        cursor->at = at + 2;
    } else if (end - at >= 3 && at[0] != '0' && is_digit(at[0]) && is_digit(at[1]) &&
               at[2] == ':') {
        // And ids one of two.
        len = (uint64_t)(at[0] - '0') * 10 + (uint64_t)(at[1] - '0');
        cursor->at = at + 3;
    } else if (!read_digits(cursor, (uint64_t)(end - at), &len) || !take(cursor, ':')) {
        return fail(cursor);
    }
    if (len > (uint64_t)(end - cursor->at)) {
        return fail(cursor);
    }
    *ret_string = (struct dht_span){.data = cursor->at, .len = (size_t)len};
    cursor->at += len;
    return true;
}

bool dht_bencode_list(struct dht_bencode_cursor *cursor)
{
    return take(cursor, 'l') || fail(cursor);
}

bool dht_bencode_dict(struct dht_bencode_cursor *cursor)
{
    return take(cursor, 'd') || fail(cursor);
}

bool dht_bencode_close(struct dht_bencode_cursor *cursor)
{
    return take(cursor, 'e') || !cursor->ok;
}

// A walk over one value, without recursion. Of each container that is open it knows whether it is
// a dict, and, where the order of keys matters, the last key seen in it.
struct walk {
    uint32_t depth;                      // containers open
    bool is_dict[DHT_BENCODE_DEPTH_MAX]; // of the container at each depth
    struct dht_span *last_keys;          // one for each depth; NULL: any order goes
};

// Reads the key of a dict's next pair.
static bool walk_key(struct dht_bencode_cursor *cursor, struct walk *walk)
{
    struct dht_span key;
    if (!dht_bencode_string(cursor, &key)) {
        return false;
    }
    if (walk->last_keys == NULL) {
        return true;
    }
    struct dht_span *last = &walk->last_keys[walk->depth - 1];
    if (last->data != NULL) {
        int order = memcmp(last->data, key.data, last->len < key.len ? last->len : key.len);
        if (order > 0 || (order == 0 && last->len >= key.len)) {
            return fail(cursor);
        }
    }
    *last = key;
    return true;
}

static bool walk_open(struct dht_bencode_cursor *cursor, struct walk *walk, bool is_dict)
{
    if (walk->depth == DHT_BENCODE_DEPTH_MAX) {
        return fail(cursor);
    }
    if (walk->last_keys != NULL) {
        walk->last_keys[walk->depth] = (struct dht_span){.data = NULL};
    }
    walk->is_dict[walk->depth++] = is_dict;
    cursor->at++;
    return true;
}

// Reads a string or an integer whole, and the opening of a container.
static bool walk_value(struct dht_bencode_cursor *cursor, struct walk *walk)
{
    struct dht_span string;
    int64_t number;
    switch (dht_bencode_peek(cursor)) {
    case DHT_BENCODE_STRING:
        return dht_bencode_string(cursor, &string);
    case DHT_BENCODE_INT:
        return dht_bencode_int(cursor, &number);
    case DHT_BENCODE_LIST:
        return walk_open(cursor, walk, false);
    case DHT_BENCODE_DICT:
        return walk_open(cursor, walk, true);
    default:
        return fail(cursor);
    }
}

static bool walk_whole(struct dht_bencode_cursor *cursor, struct dht_span *last_keys)
{
    struct walk walk = {.depth = 0, .last_keys = last_keys};
    if (!walk_value(cursor, &walk)) {
        return false;
    }
    // After a value, whatever it was, the innermost open container goes on with its next element.
    while (walk.depth > 0) {
        if (take(cursor, 'e')) {
            walk.depth--;
            continue;
        }
        if (walk.is_dict[walk.depth - 1] && !walk_key(cursor, &walk)) {
            return false;
        }
        if (!walk_value(cursor, &walk)) {
            return false;
        }
    }
    return true;
}

bool dht_bencode_skip(struct dht_bencode_cursor *cursor, struct dht_span *ret_raw)
{
    const uint8_t *start = cursor->at;
    if (!walk_whole(cursor, NULL)) {
        return false;
    }
    *ret_raw = (struct dht_span){.data = start, .len = (size_t)(cursor->at - start)};
    return true;
}

bool dht_bencode_canonical(struct dht_span span)
{
    struct dht_bencode_cursor cursor = dht_bencode_cursor(span);
    struct dht_span last_keys[DHT_BENCODE_DEPTH_MAX];
    return walk_whole(&cursor, last_keys) && cursor.at == cursor.end;
}

// ---- writing ----

struct dht_bencode_writer dht_bencode_writer(uint8_t *buf, size_t buf_len)
{
    assert(buf != NULL);
    return (struct dht_bencode_writer){.at = buf, .end = buf + buf_len, .start = buf};
}

size_t dht_bencode_written(const struct dht_bencode_writer *writer)
{
    return (size_t)(writer->at - writer->start);
}

// Takes the next len bytes of the buffer, or NULL.
static uint8_t *reserve(struct dht_bencode_writer *writer, size_t len)
{
    if (writer->full || len > (size_t)(writer->end - writer->at)) {
        writer->full = true;
        return NULL;
    }
    uint8_t *place = writer->at;
    writer->at += len;
    return place;
}

#define DIGITS_MAX 20 // of a uint64_t

// Writes value's digits so that they end before `end`; returns where they start.
static uint8_t *digits_before(uint8_t *end, uint64_t value)
{
    do {
        *--end = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return end;
}

void dht_bencode_put_int(struct dht_bencode_writer *writer, int64_t value)
{
    uint8_t text[DIGITS_MAX + 3];
    uint8_t *end = text + sizeof(text);
    *--end = 'e';
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint8_t *start = digits_before(end, size);
    if (value < 0) {
        *--start = '-';
    }
    *--start = 'i';
    dht_bencode_put_raw(writer, start, (size_t)(text + sizeof(text) - start));
}

uint8_t *dht_bencode_put_hole(struct dht_bencode_writer *writer, size_t len)
{
    uint8_t text[DIGITS_MAX + 1];
    uint8_t *start = text + DIGITS_MAX;
    *start = ':';
    if (len < 10) {
        *--start = (uint8_t)('0' + len);
    } else {
        start = digits_before(start, len);
    }
    size_t head_len = (size_t)(text + sizeof(text) - start);
    // A len so great that the sum wraps fits no buffer either.
    if (len > SIZE_MAX - head_len) {
        writer->full = true;
        return NULL;
    }
    uint8_t *place = reserve(writer, head_len + len);
    if (place == NULL) {
        return NULL;
    }
    memcpy(place, start, head_len);
    return place + head_len;
}

void dht_bencode_put_string(struct dht_bencode_writer *writer, const void *data, size_t len)
{
    uint8_t *place = dht_bencode_put_hole(writer, len);
    if (place != NULL && len > 0) {
        memcpy(place, data, len);
    }
}

void dht_bencode_put_text(struct dht_bencode_writer *writer, const char *text)
{
    dht_bencode_put_string(writer, text, strlen(text));
}

void dht_bencode_put_raw(struct dht_bencode_writer *writer, const void *data, size_t len)
{
    uint8_t *place = reserve(writer, len);
    if (place != NULL && len > 0) {
        memcpy(place, data, len);
    }
}

void dht_bencode_pair_int(struct dht_bencode_writer *writer, const char *key, int64_t value)
{
    dht_bencode_put_text(writer, key);
    dht_bencode_put_int(writer, value);
}

void dht_bencode_pair_string(struct dht_bencode_writer *writer, const char *key, const void *data,
                             size_t len)
{
    dht_bencode_put_text(writer, key);
    dht_bencode_put_string(writer, data, len);
}

void dht_bencode_pair_text(struct dht_bencode_writer *writer, const char *key, const char *text)
{
    dht_bencode_put_text(writer, key);
    dht_bencode_put_text(writer, text);
}

void dht_bencode_open_list(struct dht_bencode_writer *writer)
{
    dht_bencode_put_raw(writer, "l", 1);
}

void dht_bencode_open_dict(struct dht_bencode_writer *writer)
{
    dht_bencode_put_raw(writer, "d", 1);
}

void dht_bencode_end(struct dht_bencode_writer *writer)
{
    dht_bencode_put_raw(writer, "e", 1);
}
