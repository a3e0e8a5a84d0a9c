// SPDX-License-Identifier: MIT
#include "dht/krpc.h"

#include "dht/addr.h"

#include <assert.h>
#include <string.h>

#define SPAN(literal) ((const uint8_t *)(literal)), sizeof(literal) - 1

static bool equals(struct dht_span span, const void *data, size_t len)
{
    return span.len == len && memcmp(span.data, data, len) == 0;
}

// ---- the keys of a and r ----

enum kind {
    KIND_EXACT,    // a string of `size` bytes
    KIND_MULTIPLE, // a string of a multiple of `size` bytes
    KIND_STRING,   // a string of any length
    KIND_RAW,      // any value, kept as it stands
    KIND_LIST,     // a list, kept as it stands
    KIND_INT,
    KIND_FLAG, // an integer, true where not 0
    KIND_WANT,
};

struct field {
    const char *name;
    uint8_t kind;
    uint8_t size;
    uint16_t place; // where in struct dht_krpc
    uint16_t noted; // where the bool is that notes its presence; 0: there is none
};

#define AT(member) ((uint16_t)offsetof(struct dht_krpc, member))

// By length of name, so that a key is compared with few names only.
static const struct field fields[] = {
    {"k", KIND_EXACT, DHT_KEY_LEN, AT(key), 0},
    {"n", KIND_STRING, 0, AT(name), 0},
    {"p", KIND_INT, 0, AT(observed_port), 0},
    {"v", KIND_RAW, 0, AT(value), 0},
    {"id", KIND_EXACT, DHT_ID_LEN, AT(id), 0},
    {"cas", KIND_INT, 0, AT(cas), AT(has_cas)},
    {"num", KIND_INT, 0, AT(num), 0},
    {"seq", KIND_INT, 0, AT(seq), AT(has_seq)},
    {"sig", KIND_EXACT, DHT_SIG_LEN, AT(sig), 0},
    {"gone", KIND_FLAG, 0, AT(gone), 0},
    {"news", KIND_INT, 0, AT(news), AT(has_news)},
    {"part", KIND_STRING, 0, AT(part), 0},
    {"port", KIND_INT, 0, AT(port), AT(has_port)},
    {"salt", KIND_STRING, 0, AT(salt), 0},
    {"seed", KIND_FLAG, 0, AT(seed), 0},
    {"size", KIND_INT, 0, AT(size), 0},
    {"want", KIND_WANT, 0, AT(want), AT(has_want)},
    {"lease", KIND_INT, 0, AT(lease), AT(has_lease)},
    {"nodes", KIND_MULTIPLE, 26, AT(nodes), 0},
    {"nonce", KIND_EXACT, DHT_KRPC_NONCE_LEN, AT(nonce), 0},
    {"peers", KIND_FLAG, 0, AT(peers), 0},
    {"token", KIND_STRING, 0, AT(token), 0},
    {"watch", KIND_INT, 0, AT(watch), AT(has_watch)},
    {"noseed", KIND_FLAG, 0, AT(noseed), 0},
    {"nodes6", KIND_MULTIPLE, 38, AT(nodes6), 0},
    {"offset", KIND_INT, 0, AT(offset), 0},
    {"scrape", KIND_FLAG, 0, AT(scrape), 0},
    {"target", KIND_EXACT, DHT_ID_LEN, AT(target), 0},
    {"values", KIND_LIST, 0, AT(values), 0},
    {"changed", KIND_FLAG, 0, AT(changed), 0},
    {"samples", KIND_MULTIPLE, DHT_ID_LEN, AT(samples), 0},
    {"interval", KIND_INT, 0, AT(interval), 0},
    {"info_hash", KIND_EXACT, DHT_ID_LEN, AT(info_hash), 0},
    {"implied_port", KIND_FLAG, 0, AT(implied_port), 0},
};

#define FIELD_COUNT  (sizeof(fields) / sizeof(fields[0]))
#define NAME_LEN_MAX 12

// first_of_len[n] is the first field with a name of n bytes or more.
static const uint8_t first_of_len[NAME_LEN_MAX + 2] = {0,  0,  4,  5,  9,  17, 23,
                                                       29, 31, 32, 33, 33, 33, 34};

static_assert(FIELD_COUNT == 34 && FIELD_COUNT <= 64, "first_of_len and the bits of seen_fields");

// The field's index, or FIELD_COUNT.
static size_t find_field(struct dht_span name)
{
    if (name.len > NAME_LEN_MAX) {
        return FIELD_COUNT;
    }
    size_t end = first_of_len[name.len + 1];
    for (size_t i = first_of_len[name.len]; i < end; i++) {
        // Most names differ in their first byte.
        if ((uint8_t)fields[i].name[0] == name.data[0] &&
            memcmp(fields[i].name, name.data, name.len) == 0) {
            return i;
        }
    }
    return FIELD_COUNT;
}

// ---- reading ----

struct parser {
    struct dht_bencode_cursor cursor;
    struct dht_krpc msg;
    uint64_t seen_fields; // a bit for each of fields[]
    uint32_t seen_keys;   // a bit for each of enum top_key
};

enum top_key {
    TOP_A,
    TOP_E,
    TOP_Q,
    TOP_R,
    TOP_T,
    TOP_V,
    TOP_Y,
    TOP_IP,
    TOP_RO,
    TOP_UNKNOWN,
};

static void skip(struct parser *parser)
{
    struct dht_span raw;
    dht_bencode_skip(&parser->cursor, &raw);
}

// Whether the next value is of the wanted type; one of another type is skipped.
static bool next_is(struct parser *parser, enum dht_bencode_type wanted)
{
    if (dht_bencode_peek(&parser->cursor) == wanted) {
        return true;
    }
    skip(parser);
    return false;
}

// Returns whether the value was a string; where not, *string is as it was.
static bool read_string(struct parser *parser, struct dht_span *string)
{
    return next_is(parser, DHT_BENCODE_STRING) && dht_bencode_string(&parser->cursor, string);
}

static bool read_int(struct parser *parser, int64_t *number)
{
    return next_is(parser, DHT_BENCODE_INT) && dht_bencode_int(&parser->cursor, number);
}

static bool read_flag(struct parser *parser, bool *flag)
{
    int64_t number;
    if (!read_int(parser, &number)) {
        return false;
    }
    *flag = number != 0;
    return true;
}

static bool read_list(struct parser *parser, struct dht_span *raw)
{
    return next_is(parser, DHT_BENCODE_LIST) && dht_bencode_skip(&parser->cursor, raw);
}

// Reads the words of BEP 32; unknown ones are passed over.
static bool read_want(struct parser *parser, uint32_t *want)
{
    if (!next_is(parser, DHT_BENCODE_LIST)) {
        return false;
    }
    dht_bencode_list(&parser->cursor);
    while (!dht_bencode_close(&parser->cursor)) {
        struct dht_span word;
        if (!read_string(parser, &word)) {
            continue;
        }
        if (equals(word, SPAN("n4"))) {
            *want |= DHT_KRPC_WANT_NODES;
        } else if (equals(word, SPAN("n6"))) {
            *want |= DHT_KRPC_WANT_NODES6;
        }
    }
    return true;
}

// Reads a string whose length has to fit the field.
static bool read_sized(struct parser *parser, const struct field *field, struct dht_span *string)
{
    struct dht_span given;
    if (!read_string(parser, &given)) {
        return false;
    }
    bool fits = field->kind == KIND_EXACT ? given.len == field->size : given.len % field->size == 0;
    if (fits) {
        *string = given;
    }
    return fits;
}

// Reads the field's value to its place; returns whether it was of the right type and size.
static bool read_value(struct parser *parser, const struct field *field, void *place)
{
    switch ((enum kind)field->kind) {
    case KIND_EXACT:
    case KIND_MULTIPLE:
        return read_sized(parser, field, place);
    case KIND_STRING:
        return read_string(parser, place);
    case KIND_RAW:
        return dht_bencode_skip(&parser->cursor, place);
    case KIND_LIST:
        return read_list(parser, place);
    case KIND_INT:
        return read_int(parser, place);
    case KIND_FLAG:
        return read_flag(parser, place);
    case KIND_WANT:
        return read_want(parser, place);
    }
    assert(false);
    return false;
}

static void read_field(struct parser *parser, struct dht_span name)
{
    size_t index = find_field(name);
    if (index == FIELD_COUNT) {
        skip(parser);
        return;
    }
    uint64_t bit = UINT64_C(1) << index;
    if ((parser->seen_fields & bit) != 0) {
        parser->cursor.ok = false;
        return;
    }
    parser->seen_fields |= bit;
    const struct field *field = &fields[index];
    uint8_t *msg = (uint8_t *)&parser->msg;
    bool good = read_value(parser, field, msg + field->place);
    if (good && field->noted != 0) {
        memcpy(msg + field->noted, &good, sizeof(good));
    }
    parser->msg.bad_args |= !good;
}

// Reads the dict `a` or `r`.
static void read_args(struct parser *parser)
{
    if (!next_is(parser, DHT_BENCODE_DICT)) {
        parser->msg.bad_args = true;
        return;
    }
    dht_bencode_dict(&parser->cursor);
    while (!dht_bencode_close(&parser->cursor)) {
        struct dht_span name;
        if (dht_bencode_string(&parser->cursor, &name)) {
            read_field(parser, name);
        }
    }
}

// Reads `e`: a list of a code and a text; whatever follows them is passed over.
static void read_error(struct parser *parser)
{
    struct dht_krpc *msg = &parser->msg;
    if (!next_is(parser, DHT_BENCODE_LIST)) {
        msg->bad_args = true;
        return;
    }
    dht_bencode_list(&parser->cursor);
    bool has_code = !dht_bencode_close(&parser->cursor);
    msg->bad_args |= !has_code || !read_int(parser, &msg->error_code);
    bool has_text = has_code && !dht_bencode_close(&parser->cursor);
    msg->bad_args |= !has_text || !read_string(parser, &msg->error_text);
    while (has_text && !dht_bencode_close(&parser->cursor)) {
        skip(parser);
    }
}

static enum dht_krpc_method find_method(struct dht_span name)
{
    static const char *const methods[] = {
        [DHT_KRPC_PING] = "ping",
        [DHT_KRPC_FIND_NODE] = "find_node",
        [DHT_KRPC_GET_PEERS] = "get_peers",
        [DHT_KRPC_ANNOUNCE_PEER] = "announce_peer",
        [DHT_KRPC_GET] = "get",
        [DHT_KRPC_PUT] = "put",
        [DHT_KRPC_SAMPLE_INFOHASHES] = "sample_infohashes",
        [DHT_KRPC_WHO] = "pnr_who",
        [DHT_KRPC_PNR_WATCH] = "pnr_watch",
        [DHT_KRPC_PNR_CHANGED] = "pnr_changed",
    };
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (equals(name, methods[i], strlen(methods[i]))) {
            return (enum dht_krpc_method)i;
        }
    }
    return DHT_KRPC_UNKNOWN;
}

// Reads `y`; a message of a type that does not exist is malformed.
static void read_type(struct parser *parser)
{
    struct dht_span type = {.data = NULL};
    read_string(parser, &type);
    switch (type.len == 1 ? type.data[0] : 0) {
    case 'q':
        parser->msg.type = DHT_KRPC_QUERY;
        return;
    case 'r':
        parser->msg.type = DHT_KRPC_REPLY;
        return;
    case 'e':
        parser->msg.type = DHT_KRPC_ERROR;
        return;
    default:
        parser->cursor.ok = false;
    }
}

static enum top_key find_top_key(struct dht_span name)
{
    if (name.len == 2) {
        return equals(name, "ip", 2) ? TOP_IP : equals(name, "ro", 2) ? TOP_RO : TOP_UNKNOWN;
    }
    switch (name.len == 1 ? name.data[0] : 0) {
    case 'a':
        return TOP_A;
    case 'e':
        return TOP_E;
    case 'q':
        return TOP_Q;
    case 'r':
        return TOP_R;
    case 't':
        return TOP_T;
    case 'v':
        return TOP_V;
    case 'y':
        return TOP_Y;
    default:
        return TOP_UNKNOWN;
    }
}

static void read_top_value(struct parser *parser, enum top_key key)
{
    struct dht_krpc *msg = &parser->msg;
    switch (key) {
    case TOP_A:
    case TOP_R:
        read_args(parser);
        return;
    case TOP_E:
        read_error(parser);
        return;
    case TOP_Q:
        if (read_string(parser, &msg->method_name)) {
            msg->method = find_method(msg->method_name);
        }
        return;
    case TOP_T:
        read_string(parser, &msg->tid);
        return;
    case TOP_V:
        read_string(parser, &msg->version);
        return;
    case TOP_Y:
        read_type(parser);
        return;
    case TOP_IP:
        read_string(parser, &msg->ip);
        return;
    case TOP_RO:
        read_flag(parser, &msg->read_only);
        return;
    case TOP_UNKNOWN:
        skip(parser);
        return;
    }
}

static void read_top(struct parser *parser)
{
    struct dht_span name;
    if (!dht_bencode_string(&parser->cursor, &name)) {
        return;
    }
    enum top_key key = find_top_key(name);
    uint32_t bit = key == TOP_UNKNOWN ? 0 : UINT32_C(1) << key;
    if ((parser->seen_keys & bit) != 0) {
        parser->cursor.ok = false;
        return;
    }
    parser->seen_keys |= bit;
    read_top_value(parser, key);
}

// Whether what was read makes a message.
static bool is_whole(const struct parser *parser)
{
    const struct dht_krpc *msg = &parser->msg;
    const struct dht_bencode_cursor *cursor = &parser->cursor;
    bool has_type = (parser->seen_keys & UINT32_C(1) << TOP_Y) != 0;
    bool has_tid = msg->tid.data != NULL && msg->tid.len <= DHT_KRPC_TID_LEN_MAX;
    bool has_method = msg->type != DHT_KRPC_QUERY || msg->method_name.data != NULL;
    return cursor->ok && cursor->at == cursor->end && has_type && has_tid && has_method;
}

bool dht_krpc_parse(struct dht_span datagram, struct dht_krpc *ret_msg)
{
    struct parser parser = {
        .cursor = dht_bencode_cursor(datagram),
        .msg = {.method = DHT_KRPC_UNKNOWN},
    };
    if (!dht_bencode_dict(&parser.cursor)) {
        return false;
    }
    while (!dht_bencode_close(&parser.cursor)) {
        read_top(&parser);
    }
    if (!is_whole(&parser)) {
        return false;
    }
    *ret_msg = parser.msg;
    return true;
}

struct dht_bencode_cursor dht_krpc_peers(const struct dht_krpc *msg)
{
    struct dht_bencode_cursor cursor = dht_bencode_cursor(msg->values);
    dht_bencode_list(&cursor);
    return cursor;
}

bool dht_krpc_next_peer(struct dht_bencode_cursor *cursor, struct dht_addr *ret_peer)
{
    while (!dht_bencode_close(cursor)) {
        struct dht_span entry;
        if (dht_bencode_peek(cursor) != DHT_BENCODE_STRING) {
            dht_bencode_skip(cursor, &entry);
        } else if (dht_bencode_string(cursor, &entry) &&
                   dht_addr_from_compact(entry.data, entry.len, ret_peer)) {
            return true;
        }
    }
    return false;
}

void dht_krpc_node(struct dht_span nodes, size_t entry_len, size_t index,
                   struct dht_krpc_node *ret_node)
{
    assert(entry_len == 26 || entry_len == 38);
    assert(index < nodes.len / entry_len);
    const uint8_t *entry = nodes.data + index * entry_len;
    memcpy(ret_node->id.bytes, entry, DHT_ID_LEN);
    bool read = dht_addr_from_compact(entry + DHT_ID_LEN, entry_len - DHT_ID_LEN, &ret_node->addr);
    assert(read);
    (void)read;
}

// ---- writing ----

#define PUT(writer, literal) dht_bencode_put_raw((writer), (literal), sizeof(literal) - 1)

size_t dht_krpc_signed_text(struct dht_span salt, int64_t seq, struct dht_span value,
                            uint8_t ret_text[DHT_KRPC_SIGNED_MAX])
{
    struct dht_bencode_writer writer = dht_bencode_writer(ret_text, DHT_KRPC_SIGNED_MAX);
    if (salt.len > 0) {
        PUT(&writer, "4:salt");
        dht_bencode_put_string(&writer, salt.data, salt.len);
    }
    PUT(&writer, "3:seq");
    dht_bencode_put_int(&writer, seq);
    PUT(&writer, "1:v");
    dht_bencode_put_raw(&writer, value.data, value.len);
    assert(!writer.full);
    return dht_bencode_written(&writer);
}

// "2:ip" and the requester's address, where it is to be told.
static void put_your(struct dht_bencode_writer *writer, const struct dht_krpc_envelope *env)
{
    if (env->your == NULL) {
        return;
    }
    PUT(writer, "2:ip");
    uint8_t *place = dht_bencode_put_hole(writer, dht_addr_compact_len(env->your));
    if (place != NULL) {
        dht_addr_to_compact(env->your, place);
    }
}

// "1:t" tid "1:v" version.
static void put_tid_version(struct dht_bencode_writer *writer, const struct dht_krpc_envelope *env)
{
    PUT(writer, "1:t");
    dht_bencode_put_string(writer, env->tid.data, env->tid.len);
    PUT(writer, "1:v4:");
    dht_bencode_put_raw(writer, env->version, 4);
}

// Nobody passes us on who reads this (BEP 43).
static void put_read_only(struct dht_bencode_writer *writer, const struct dht_krpc_envelope *env)
{
    if (env->read_only) {
        PUT(writer, "2:roi1e");
    }
}

void dht_krpc_open_reply(struct dht_bencode_writer *writer, const struct dht_krpc_envelope *env)
{
    PUT(writer, "d");
    put_your(writer, env);
    PUT(writer, "1:rd2:id20:");
    dht_bencode_put_raw(writer, env->id->bytes, DHT_ID_LEN);
}

void dht_krpc_open_scrape_reply(struct dht_bencode_writer *writer,
                                const struct dht_krpc_envelope *env, const uint8_t seeds[256],
                                const uint8_t peers[256])
{
    PUT(writer, "d");
    put_your(writer, env);
    PUT(writer, "1:rd4:BFpe256:");
    dht_bencode_put_raw(writer, peers, 256);
    PUT(writer, "4:BFsd256:");
    dht_bencode_put_raw(writer, seeds, 256);
    PUT(writer, "2:id20:");
    dht_bencode_put_raw(writer, env->id->bytes, DHT_ID_LEN);
}

void dht_krpc_close_reply(struct dht_bencode_writer *writer, const struct dht_krpc_envelope *env)
{
    PUT(writer, "e");
    put_read_only(writer, env);
    put_tid_version(writer, env);
    PUT(writer, "1:y1:re");
}

void dht_krpc_error(struct dht_bencode_writer *writer, const struct dht_krpc_envelope *env,
                    enum dht_krpc_error code, const char *text)
{
    PUT(writer, "d1:el");
    dht_bencode_put_int(writer, (int64_t)code);
    dht_bencode_put_text(writer, text);
    PUT(writer, "e");
    put_your(writer, env);
    put_tid_version(writer, env);
    PUT(writer, "1:y1:ee");
}

void dht_krpc_open_query(struct dht_bencode_writer *writer)
{
    PUT(writer, "d1:ad");
}

void dht_krpc_put_id(struct dht_bencode_writer *writer, const char *key, const struct dht_id *id)
{
    dht_bencode_pair_string(writer, key, id->bytes, DHT_ID_LEN);
}

void dht_krpc_close_query(struct dht_bencode_writer *writer, const struct dht_krpc_envelope *env,
                          const char *method)
{
    PUT(writer, "e1:q");
    dht_bencode_put_text(writer, method);
    put_read_only(writer, env);
    put_tid_version(writer, env);
    PUT(writer, "1:y1:qe");
}
