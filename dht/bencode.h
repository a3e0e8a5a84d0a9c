// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_BENCODE_H
#define PNR_DHT_BENCODE_H

// Bencode (BEP 3), read without copying and written in place. A leaf: node/control uses it too.
//
// Reading: a cursor walks a span that the caller owns; nothing is allocated and nothing is written.
// Every step is checked: a cursor never leaves its span, and after the first error it stays in
// error (ok is false) and every further read fails, so a parser may check once, at its end. Errors:
// a value of another type than asked for, a span that ends too early, a length that reaches past
// the span, leading zeros in lengths and integers, "-0", integers outside int64_t. Bounds: a value
// that is skipped or checked nests at most DHT_BENCODE_DEPTH_MAX containers deep; what a parser
// opens itself nests as deep as the parser is written.
//
// Writing: a writer fills a buffer that the caller owns. An element that does not fit is left out
// whole, sets `full`, and nothing more is written after it.

#include "pnr/dht.h"

#define DHT_BENCODE_DEPTH_MAX 16

struct dht_bencode_cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool ok;
};

enum dht_bencode_type {
    DHT_BENCODE_INT,
    DHT_BENCODE_STRING,
    DHT_BENCODE_LIST,
    DHT_BENCODE_DICT,
    DHT_BENCODE_CLOSE, // the 'e' that ends a list or dict
    DHT_BENCODE_NONE,  // the end of the span, or an error
};

struct dht_bencode_cursor dht_bencode_cursor(struct dht_span span);

// What comes next; reads nothing.
enum dht_bencode_type dht_bencode_peek(const struct dht_bencode_cursor *cursor);

// Each reads one value and returns whether it could.
bool dht_bencode_int(struct dht_bencode_cursor *cursor, int64_t *ret_value);
bool dht_bencode_string(struct dht_bencode_cursor *cursor, struct dht_span *ret_string);
// Opens a list or dict; read its elements until dht_bencode_close() returns true. Of a dict these
// are keys and values in turn; their order is the parser's to judge.
bool dht_bencode_list(struct dht_bencode_cursor *cursor);
bool dht_bencode_dict(struct dht_bencode_cursor *cursor);
// Reads an 'e' if one is next. True where it was, and after an error too, so that a loop until it
// returns true always ends: look at `ok` after the loop.
bool dht_bencode_close(struct dht_bencode_cursor *cursor);
// Skips one value of any type, checking it: all but the order of keys. ret_raw is its bencoded
// text.
bool dht_bencode_skip(struct dht_bencode_cursor *cursor, struct dht_span *ret_raw);

// Whether span is exactly one value in canonical form: dict keys sorted as raw bytes and unique at
// every level, nothing left over.
bool dht_bencode_canonical(struct dht_span span);

struct dht_bencode_writer {
    uint8_t *at;
    uint8_t *end;
    uint8_t *start;
    bool full;
};

struct dht_bencode_writer dht_bencode_writer(uint8_t *buf, size_t buf_len);
// How many bytes were written so far.
size_t dht_bencode_written(const struct dht_bencode_writer *writer);

void dht_bencode_put_int(struct dht_bencode_writer *writer, int64_t value);
void dht_bencode_put_string(struct dht_bencode_writer *writer, const void *data, size_t len);
void dht_bencode_put_text(struct dht_bencode_writer *writer, const char *text); // NUL-terminated
void dht_bencode_put_raw(struct dht_bencode_writer *writer, const void *data, size_t len);
// Opens a string of len bytes and returns where to write them, or NULL where they do not fit.
uint8_t *dht_bencode_put_hole(struct dht_bencode_writer *writer, size_t len);
// A key of a dictionary and its value.
void dht_bencode_pair_int(struct dht_bencode_writer *writer, const char *key, int64_t value);
void dht_bencode_pair_string(struct dht_bencode_writer *writer, const char *key, const void *data,
                             size_t len);
void dht_bencode_pair_text(struct dht_bencode_writer *writer, const char *key, const char *text);
void dht_bencode_open_list(struct dht_bencode_writer *writer);
void dht_bencode_open_dict(struct dht_bencode_writer *writer);
void dht_bencode_end(struct dht_bencode_writer *writer);

#endif
