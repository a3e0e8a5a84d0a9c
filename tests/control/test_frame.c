// SPDX-License-Identifier: MIT
// Frames and their fields: cutting, opening, writing.
#include "node/control/fields.h"
#include "node/control/frame.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <string.h>

static struct dht_span span(const char *text)
{
    return (struct dht_span){(const uint8_t *)text, strlen(text)};
}

static void assert_span(struct dht_span actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.data, expected, actual.len);
}

// A request as docs/control.md has it, and a long answer behind it.
static size_t write_stream(uint8_t *buf, size_t buf_len)
{
    static uint8_t payload[5000];
    struct dht_bencode_writer writer = control_frame_begin_request(buf, buf_len);
    dht_bencode_put_text(&writer, "name");
    dht_bencode_put_text(&writer, "0.printer");
    dht_bencode_pair_int(&writer, "timeout_ms", 5000);
    dht_bencode_put_text(&writer, "wait");
    dht_bencode_put_text(&writer, "first");
    size_t len = control_frame_end_request(&writer, 1, "resolve");
    assert_int_not_equal(len, 0);
    writer = control_frame_begin_answer(buf + len, buf_len - len, 7, CONTROL_ANSWER_RESULT);
    dht_bencode_pair_string(&writer, CONTROL_KEY_PAYLOAD, payload, sizeof payload);
    size_t second = control_frame_end_answer(&writer);
    assert_int_not_equal(second, 0);
    return len + second;
}

static void writes_as_documented(void **state)
{
    (void)state;
    static const char request[] = "\0\0\0\x4a"
                                  "d1:ad4:name9:0.printer10:timeout_msi5000e4:wait5:firste1:ii1e"
                                  "1:q7:resolvee";
    static const char error[] = "\0\0\0\x43"
                                "d1:ii1e1:o5:error1:rd4:codei3e4:text26:nobody publishes 0.printer"
                                "ee";
    uint8_t buf[8192];
    write_stream(buf, sizeof buf);
    assert_memory_equal(buf, request, sizeof request - 1);
    size_t len = control_frame_write_error(buf, sizeof buf, 1, CONTROL_ERROR_NOT_FOUND,
                                           "nobody publishes 0.printer");
    assert_int_equal(len, sizeof error - 1);
    assert_memory_equal(buf, error, len);
}

static void writes_nothing_that_does_not_fit(void **state)
{
    (void)state;
    uint8_t whole[8192];
    size_t needed = control_frame_write_error(whole, sizeof whole, 1, CONTROL_ERROR_FULL, "full");
    for (size_t len = 0; len <= needed; len++) {
        uint8_t *buf = malloc(len + 1);
        size_t written = control_frame_write_error(buf, len, 1, CONTROL_ERROR_FULL, "full");
        assert_int_equal(written, len < needed ? 0 : needed);
        free(buf);
    }
    // However large the buffer, no frame is longer than the bound.
    size_t big = CONTROL_FRAME_MAX + 100;
    uint8_t *buf = malloc(big);
    struct dht_bencode_writer writer =
        control_frame_begin_answer(buf, big, 1, CONTROL_ANSWER_RESULT);
    dht_bencode_put_text(&writer, CONTROL_KEY_PAYLOAD);
    (void)dht_bencode_put_hole(&writer, CONTROL_FRAME_MAX);
    assert_int_equal(control_frame_end_answer(&writer), 0);
    free(buf);
}

static void cuts_long_texts_between_characters(void **state)
{
    (void)state;
    static char text[2 * CONTROL_TEXT_LEN_MAX];
    uint8_t buf[2048];
    // Two-byte characters, moved by one, so that the bound falls inside one.
    text[0] = 'x';
    for (size_t i = 1; i + 2 < sizeof text; i += 2) {
        memcpy(text + i, "\xc3\xa4", 2);
    }
    size_t len = control_frame_write_error(buf, sizeof buf, 1, CONTROL_ERROR_FAILED, text);
    struct control_frame_answer answer;
    struct dht_span body = {buf + 4, len - 4}, said;
    assert_true(control_frame_open_answer(body, &answer));
    assert_true(control_fields_string(answer.fields, CONTROL_KEY_TEXT, &said));
    assert_int_equal(said.len, CONTROL_TEXT_LEN_MAX - 1);
}

// Hands the stream over in pieces of every size, each from a block of its own.
static void cuts_whatever_the_pieces(void **state)
{
    (void)state;
    uint8_t stream[8192];
    size_t stream_len = write_stream(stream, sizeof stream);
    for (size_t piece = 1; piece <= stream_len; piece += piece < 90 ? 1 : 97) {
        struct control_frame_reader reader;
        unsigned frames = 0;
        control_frame_reader_init(&reader, CONTROL_FRAME_MAX);
        for (size_t at = 0; at < stream_len; at += piece) {
            size_t len = stream_len - at < piece ? stream_len - at : piece;
            uint8_t *copy = malloc(len);
            memcpy(copy, stream + at, len);
            struct dht_span bytes = {copy, len}, body;
            enum control_frame_state got;
            while ((got = control_frame_read(&reader, &bytes, &body)) == CONTROL_FRAME_WHOLE) {
                assert_int_equal(body.len, frames == 0 ? 74 : stream_len - 78 - 4);
                assert_true(control_fields_check(body));
                frames++;
            }
            assert_int_equal(got, CONTROL_FRAME_MORE);
            assert_int_equal(bytes.len, 0);
            free(copy);
        }
        assert_int_equal(frames, 2);
        control_frame_reader_free(&reader);
    }
}

static const struct length_row {
    const char *name;
    uint8_t head[4];
    size_t frame_max;
    enum control_frame_state state;
} length_rows[] = {
    {"nothing", {0, 0, 0, 0}, CONTROL_FRAME_MAX, CONTROL_FRAME_BROKEN},
    {"the longest", {0, 0, 0xff, 0xfc}, CONTROL_FRAME_MAX, CONTROL_FRAME_MORE},
    {"one more", {0, 0, 0xff, 0xfd}, CONTROL_FRAME_MAX, CONTROL_FRAME_BROKEN},
    {"huge", {0xff, 0xff, 0xff, 0xff}, CONTROL_FRAME_MAX, CONTROL_FRAME_BROKEN},
    {"the longest hello", {0, 0, 1, 0xfc}, CONTROL_HELLO_MAX, CONTROL_FRAME_MORE},
    {"a longer hello", {0, 0, 1, 0xfd}, CONTROL_HELLO_MAX, CONTROL_FRAME_BROKEN},
    {"no room at all", {0, 0, 0, 1}, 0, CONTROL_FRAME_BROKEN},
};

static void bounds_lengths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof length_rows / sizeof *length_rows; i++) {
        const struct length_row *row = &length_rows[i];
        struct control_frame_reader reader;
        struct dht_span bytes = {row->head, 4}, body;
        control_frame_reader_init(&reader, row->frame_max);
        enum control_frame_state got = control_frame_read(&reader, &bytes, &body);
        if (got != row->state) {
            fail_msg("%s: state %d", row->name, (int)got);
        }
        // A length alone costs next to no memory, and a broken stream stays broken.
        assert_true(reader.capacity <= 256);
        bytes = span("d1:ii1ee");
        assert_int_equal(control_frame_read(&reader, &bytes, &body), row->state);
        control_frame_reader_free(&reader);
    }
}

static const struct request_row {
    const char *name;
    const char *body;
    bool ok;
    uint32_t id;
    enum control_request request;
    const char *arguments;
} request_rows[] = {
    {"plain", "d1:ad4:name1:xe1:ii1e1:q7:resolvee", true, 1, CONTROL_REQUEST_RESOLVE,
     "d4:name1:xe"},
    {"no arguments", "d1:ii2147483647e1:q6:statuse", true, 2147483647, CONTROL_REQUEST_STATUS,
     "de"},
    {"another order", "d1:q6:status1:ii9ee", true, 9, CONTROL_REQUEST_STATUS, "de"},
    {"unknown keys", "d1:ad1:xli1eee1:ii9e1:q6:status1:zde2:zzlee", true, 9, CONTROL_REQUEST_STATUS,
     "d1:xli1eee"},
    {"unknown word", "d1:ii9e1:q5:dancee", true, 9, CONTROL_REQUEST_UNKNOWN, "de"},
    {"empty word", "d1:ii9e1:q0:e", true, 9, CONTROL_REQUEST_UNKNOWN, "de"},
    {"id 0", "d1:ii0e1:q6:statuse", false, 0, 0, NULL},
    {"id -1", "d1:ii-1e1:q6:statuse", false, 0, 0, NULL},
    {"id 2^31", "d1:ii2147483648e1:q6:statuse", false, 0, 0, NULL},
    {"id a string", "d1:i1:11:q6:statuse", false, 0, 0, NULL},
    {"no id", "d1:q6:statuse", false, 0, 0, NULL},
    {"no word", "d1:ii9ee", false, 0, 0, NULL},
    {"word an int", "d1:ii9e1:qi1ee", false, 0, 0, NULL},
    {"arguments a list", "d1:ale1:ii9e1:q6:statuse", false, 0, 0, NULL},
    {"a list", "l1:ii9e1:q6:statuse", false, 0, 0, NULL},
    {"bytes behind", "d1:ii9e1:q6:statusee", false, 0, 0, NULL},
    {"empty", "", false, 0, 0, NULL},
    {"broken inside arguments", "d1:ad1:x9:ze1:ii9e1:q6:statuse", false, 0, 0, NULL},
};

static void opens_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof request_rows / sizeof *request_rows; i++) {
        const struct request_row *row = &request_rows[i];
        struct control_frame_request request;
        if (control_frame_open_request(span(row->body), &request) != row->ok) {
            fail_msg("%s: not %s", row->name, row->ok ? "opened" : "refused");
        }
        if (row->ok) {
            assert_int_equal(request.id, row->id);
            assert_int_equal(request.request, row->request);
            assert_span(request.arguments, row->arguments);
        }
    }
}

static const struct answer_row {
    const char *name;
    const char *body;
    bool ok;
    enum control_answer answer;
    const char *fields;
} answer_rows[] = {
    {"result", "d1:ii1e1:o6:result1:rd1:xi1eee", true, CONTROL_ANSWER_RESULT, "d1:xi1ee"},
    {"done, no fields", "d1:ii1e1:o4:donee", true, CONTROL_ANSWER_DONE, "de"},
    {"of the connection", "d1:ii0e1:o5:error1:rdee", true, CONTROL_ANSWER_ERROR, "de"},
    {"unknown kind", "d1:ii1e1:o4:newse", true, CONTROL_ANSWER_UNKNOWN, "de"},
    {"no kind", "d1:ii1ee", false, 0, NULL},
    {"fields a string", "d1:ii1e1:o4:done1:r0:e", false, 0, NULL},
};

static void opens_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answer_rows / sizeof *answer_rows; i++) {
        const struct answer_row *row = &answer_rows[i];
        struct control_frame_answer answer;
        if (control_frame_open_answer(span(row->body), &answer) != row->ok) {
            fail_msg("%s: not %s", row->name, row->ok ? "opened" : "refused");
        }
        if (row->ok) {
            assert_int_equal(answer.answer, row->answer);
            assert_span(answer.fields, row->fields);
        }
    }
}

// Each prefix of a good body, and each body with one byte changed, from blocks of their own size.
static void survives_damage(void **state)
{
    (void)state;
    const char *text = request_rows[3].body;
    size_t whole = strlen(text);
    for (size_t len = 0; len < whole; len++) {
        uint8_t *copy = malloc(len + 1);
        struct control_frame_request request;
        memcpy(copy + 1, text, len);
        assert_false(control_frame_open_request((struct dht_span){copy + 1, len}, &request));
        free(copy);
    }
    for (size_t at = 0; at < whole; at++) {
        for (int byte = 0; byte < 256; byte++) {
            uint8_t *copy = malloc(whole);
            struct control_frame_request request;
            memcpy(copy, text, whole);
            copy[at] = (uint8_t)byte;
            (void)control_frame_open_request((struct dht_span){copy, whole}, &request);
            free(copy);
        }
    }
}

#define V4                                                                                         \
    "d2:ip4:\x7f\x01\x01\x01"                                                                      \
    "4:porti80e5:protoi6ee"
#define V6 "d2:ip16:0123456789abcdef4:porti0ee"

static const struct endpoint_row {
    const char *name;
    const char *dict;
    bool ok;
    size_t count;
} endpoint_rows[] = {
    {"left out", "de", true, 0},
    {"none", "d9:endpointslee", true, 0},
    {"two", "d9:endpointsl" V4 V6 "ee", true, 2},
    {"ten", "d9:endpointsl" V4 V4 V4 V4 V4 V4 V4 V4 V4 V4 "ee", true, 10},
    {"eleven", "d9:endpointsl" V4 V4 V4 V4 V4 V4 V4 V4 V4 V4 V4 "ee", false, 0},
    {"a dict", "d9:endpointsdee", false, 0},
    {"a string inside", "d9:endpointsl1:xee", false, 0},
    {"no ip", "d9:endpointsld4:porti0eeee", false, 0},
    {"no port", "d9:endpointsld2:ip4:....eee", false, 0},
    {"ip of 5", "d9:endpointsld2:ip5:.....4:porti0eeee", false, 0},
    {"port 65536", "d9:endpointsld2:ip4:....4:porti65536eeee", false, 0},
    {"proto 256", "d9:endpointsld2:ip4:....4:porti0e5:protoi256eeee", false, 0},
};

static void reads_endpoints(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof endpoint_rows / sizeof *endpoint_rows; i++) {
        const struct endpoint_row *row = &endpoint_rows[i];
        struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
        size_t count = 99;
        bool ok = control_fields_endpoints(span(row->dict), endpoints, &count);
        if (ok != row->ok || (ok && count != row->count)) {
            fail_msg("%s: ok %d count %zu", row->name, ok, count);
        }
    }
}

static void writes_endpoints(void **state)
{
    (void)state;
    static const struct control_endpoint endpoint = {
        .ip = {127, 1, 1, 1}, .ip_len = 4, .proto = 6, .port = 80};
    uint8_t buf[128];
    struct dht_bencode_writer writer = dht_bencode_writer(buf, sizeof buf);
    control_fields_put_endpoints(&writer, &endpoint, 1);
    assert_span((struct dht_span){buf, dht_bencode_written(&writer)}, "l" V4 "e");
}

static void finds_fields(void **state)
{
    (void)state;
    struct dht_span dict = span("d1:ai5e1:b2:xy1:cli1ei2ee1:dd1:ki7ee1:ei1e1:ai6ee");
    struct control_fields_range all = {INT64_MIN, INT64_MAX}, small = {0, 4};
    struct dht_span raw;
    int64_t value = 0;
    bool flag = false;
    assert_true(control_fields_check(dict));
    assert_true(control_fields_int(dict, "a", all, &value));
    assert_int_equal(value, 5);
    assert_false(control_fields_int(dict, "a", small, &value));
    assert_false(control_fields_int(dict, "b", all, &value));
    assert_true(control_fields_string(dict, "b", &raw));
    assert_span(raw, "xy");
    assert_false(control_fields_string(dict, "a", &raw));
    assert_false(control_fields_find(dict, "z", &raw));
    assert_true(control_fields_bool(dict, "e", &flag));
    assert_true(flag);
    assert_false(control_fields_bool(dict, "a", &flag));
    struct dht_bencode_cursor walk = control_fields_list(dict, "c");
    assert_true(control_fields_next(&walk, &raw));
    assert_span(raw, "i1e");
    assert_true(control_fields_next(&walk, &raw));
    assert_false(control_fields_next(&walk, &raw));
    walk = control_fields_dict(dict, "d");
    assert_true(control_fields_next(&walk, &raw));
    assert_span(raw, "1:k");
    walk = control_fields_list(dict, "d");
    assert_false(control_fields_next(&walk, &raw));
    walk = control_fields_dict(dict, "z");
    assert_false(control_fields_next(&walk, &raw));
}

static void words_there_and_back(void **state)
{
    (void)state;
    for (int i = 1; i < CONTROL_REQUEST_COUNT; i++) {
        const char *word = control_protocol_request_word((enum control_request)i);
        assert_int_equal(control_protocol_request(span(word)), i);
    }
    assert_string_equal(control_protocol_request_word(CONTROL_REQUEST_COUNT), "");
    assert_int_equal(control_protocol_request_access(CONTROL_REQUEST_RESOLVE),
                     CONTROL_ACCESS_RESOLVE);
    assert_int_equal(control_protocol_request_access(CONTROL_REQUEST_KEY_EXPORT),
                     CONTROL_ACCESS_CONTROL);
    for (int v = CONTROL_VOCABULARY_WAIT; v <= CONTROL_VOCABULARY_OUTCOME; v++) {
        enum control_vocabulary vocabulary = (enum control_vocabulary)v;
        for (int i = 0; control_protocol_word(vocabulary, i)[0] != '\0'; i++) {
            const char *word = control_protocol_word(vocabulary, i);
            assert_int_equal(control_protocol_value(vocabulary, span(word)), i);
        }
        assert_int_equal(control_protocol_value(vocabulary, span("")), -1);
    }
    assert_string_equal(control_protocol_word(CONTROL_VOCABULARY_WAIT, CONTROL_WAIT_SETTLED),
                        "settled");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_as_documented),
        cmocka_unit_test(writes_nothing_that_does_not_fit),
        cmocka_unit_test(cuts_long_texts_between_characters),
        cmocka_unit_test(cuts_whatever_the_pieces),
        cmocka_unit_test(bounds_lengths),
        cmocka_unit_test(opens_requests),
        cmocka_unit_test(opens_answers),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(reads_endpoints),
        cmocka_unit_test(writes_endpoints),
        cmocka_unit_test(finds_fields),
        cmocka_unit_test(words_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
