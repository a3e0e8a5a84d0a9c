// SPDX-License-Identifier: MIT
#include "node/daemon/record_frame.h"

#include "tests/daemon/unit.h"

#define SECRET "MC4CAQAwBQYDK2VwBCIEI"

// What a client sends in one frame, and what of it is recorded. Where a row has no recorded text
// the frame is recorded as it is.
static const struct row {
    const char *name;
    const char *sent;
    const char *recorded;
} rows[] = {
    {"a request", "d1:ad4:name6:made.xe1:ii7e1:q7:resolvee", NULL},
    {"a request without arguments", "d1:ii7e1:q6:statuse", "d1:ade1:ii7e1:q6:statuse"},
    {"a label to be made", "d1:ad5:label4:madee1:ii7e1:q7:key_newe", NULL},
    {"import", "d1:ad5:label4:made3:pem21:" SECRET "e1:ii7e1:q10:key_importe",
     "d1:ad5:label4:made3:pem21:xxxxxxxxxxxxxxxxxxxxxe1:ii7e1:q10:key_importe"},
    {"import without a text", "d1:ad5:label4:made3:pem0:e1:ii7e1:q10:key_importe", NULL},
    {"import with the text under another key",
     "d1:ad5:label4:made3:pme21:" SECRET "e1:ii7e1:q10:key_importe",
     "d1:ad5:label4:madee1:ii7e1:q10:key_importe"},
    {"import with a list", "d1:ad3:peml21:" SECRET "ee1:ii7e1:q10:key_importe",
     "d1:ade1:ii7e1:q10:key_importe"},
    {"import with the text for a label", "d1:ad5:label42:" SECRET SECRET "e1:ii7e1:q10:key_importe",
     "d1:ad5:label42:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxe1:ii7e1:q10:key_importe"},
    {"the text in another request", "d1:ad5:label4:made3:pem21:" SECRET "e1:ii7e1:q8:key_showe",
     "d1:ad5:label4:made3:pem21:xxxxxxxxxxxxxxxxxxxxxe1:ii7e1:q8:key_showe"},
    {"the text twice in another request",
     "d1:ad3:pem21:" SECRET "3:pem21:" SECRET "e1:ii7e1:q6:statuse",
     "d1:ad3:pem21:xxxxxxxxxxxxxxxxxxxxx3:pem21:xxxxxxxxxxxxxxxxxxxxxe1:ii7e1:q6:statuse"},
    {"an unknown request", "d1:ad3:pem21:" SECRET "e1:ii7e1:q10:key_imporde", "d1:ade1:ii7e1:q0:e"},
    {"the text for a word", "d1:ade1:ii7e1:q21:" SECRET "e", "d1:ade1:ii7e1:q0:e"},
    {"no request", "d3:pem21:" SECRET "e", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
    {"half a request", "d1:ad3:pem21:" SECRET, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
    {"the text alone", SECRET, "xxxxxxxxxxxxxxxxxxxxx"},
};

static size_t frame_of(const char *body, uint8_t ret_frame[512])
{
    size_t len = strlen(body);
    memset(ret_frame, 0, 2);
    ret_frame[2] = (uint8_t)(len >> 8);
    ret_frame[3] = (uint8_t)len;
    memcpy(ret_frame + 4, body, len);
    return len + 4;
}

// Whole or cut anywhere, a frame is recorded when it is whole, and never its secret.
static void test_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        uint8_t sent[512];
        uint8_t wanted[512];
        size_t sent_len = frame_of(rows[i].sent, sent);
        size_t wanted_len =
            frame_of(rows[i].recorded != NULL ? rows[i].recorded : rows[i].sent, wanted);
        for (size_t cut = 0; cut < sent_len; cut++) {
            struct daemon_record_stream stream = {0};
            struct daemon_record_bytes got = {0};
            daemon_record_frame_start(&stream, 1);
            bool ok = daemon_record_frame_take(&stream, (struct dht_span){sent, cut}, &got);
            bool early = got.len > 0;
            ok = ok && daemon_record_frame_take(
                           &stream, (struct dht_span){sent + cut, sent_len - cut}, &got);
            if (!ok || early || got.len != wanted_len || memcmp(got.bytes, wanted, got.len) != 0)
                fail_msg("%s, cut at %zu: %.*s", rows[i].name, cut, (int)got.len - 4,
                         got.len > 4 ? (const char *)got.bytes + 4 : "");
            daemon_record_frame_end(&stream);
            free(got.bytes);
        }
    }
}

// After a length that cannot be, nothing is read any more, by the brain or here.
static void test_broken(void **state)
{
    static const uint8_t bytes[] = "\xff\xff\xff\xff" SECRET;
    struct daemon_record_stream stream = {0};
    struct daemon_record_bytes got = {0};
    (void)state;
    daemon_record_frame_start(&stream, 1);
    for (int i = 0; i < 2; i++)
        assert_true(
            daemon_record_frame_take(&stream, (struct dht_span){bytes, sizeof bytes - 1}, &got));
    assert_int_equal(got.len, 4);
    assert_memory_equal(got.bytes, "\0\0\0\0", 4); // which is as bad a length
    daemon_record_frame_end(&stream);
    free(got.bytes);
}

static const struct answer_row {
    const char *name;
    const char *body;
    const char *pem;
} answer_rows[] = {
    {"an export", "d1:ii7e1:o4:done1:rd5:label4:made3:pem21:" SECRET "ee", SECRET},
    {"something else", "d1:ii7e1:o4:done1:rd5:label4:madeee", ""},
    {"an error", "d1:ii7e1:o5:error1:rd4:codei2e4:text2:noee", ""},
    {"no answer", "d1:ii7e", ""},
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(answer_rows); i++) {
        uint8_t frame[512];
        size_t len = frame_of(answer_rows[i].body, frame);
        struct dht_span pem = daemon_record_frame_pem((struct dht_span){frame, len});
        if (pem.len != strlen(answer_rows[i].pem) ||
            (pem.len > 0 && memcmp(pem.data, answer_rows[i].pem, pem.len) != 0))
            fail_msg("%s", answer_rows[i].name);
    }
    assert_int_equal(daemon_record_frame_pem((struct dht_span){NULL, 0}).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_answers),
    };
    return unit_run(tests);
}
