// SPDX-License-Identifier: MIT
// The comment and the payload of a record that several machines share: whose they are cannot be
// read from it, so each takes out what it has put there.
#include "node/core/publication.h"

#include "tests/core/brains_helper.h"

static struct brains brains;
static uint8_t key[32];

#define NAME    "restored0.web"
#define FIRST   3 // nodes that hold the key
#define OTHER   5
#define READER  8
#define INSIDE  40   // bytes of a payload that fits into the record
#define APART   4096 // and of one that does not
#define RENEWAL (51 * MINUTE)

struct wish {
    size_t node;
    const char *comment; // one letter for each unit
    uint16_t payload_len;
    uint8_t payload; // each of its bytes
};

// comment endpoints name payload
static void write_wish(struct dht_bencode_writer *writer, const void *ctx)
{
    const struct wish *wish = ctx;
    uint8_t bytes[APART];
    struct control_endpoint endpoint = {
        .ip = {192, 0, 2, (uint8_t)wish->node}, .ip_len = 4, .proto = 6, .port = 443};
    for (size_t i = 0; wish->comment[i] != '\0'; i++) {
        bytes[2 * i] = (uint8_t)wish->comment[i];
        bytes[2 * i + 1] = 0;
    }
    dht_bencode_pair_string(writer, CONTROL_KEY_COMMENT, bytes, 2 * strlen(wish->comment));
    dht_bencode_put_text(writer, CONTROL_KEY_ENDPOINTS);
    control_fields_put_endpoints(writer, &endpoint, 1);
    dht_bencode_put_text(writer, CONTROL_KEY_NAME);
    dht_bencode_put_text(writer, NAME);
    memset(bytes, wish->payload, wish->payload_len);
    dht_bencode_pair_string(writer, CONTROL_KEY_PAYLOAD, bytes, wish->payload_len);
}

static void publish(size_t node, const char *comment, uint16_t payload_len, uint8_t payload)
{
    struct wish wish = {node, comment, payload_len, payload};
    assert_int_equal(
        helper_end(&brains, node, brains_ask(&brains, node, "publish", write_wish, &wish)), 0);
}

static void begin(uint64_t seed)
{
    brains_init(&brains, 12, seed);
    brains_add_key(&brains, FIRST, "restored0", 7, key);
    brains_add_key(&brains, OTHER, "restored0", 7, key);
}

struct content {
    char comment; // its first letter; '-': none
    size_t payload_len;
    uint8_t payload; // its first byte
};

// What a reader finds beside the endpoints of `machines` machines.
static struct content resolve(size_t machines)
{
    struct content content = {.comment = '-'};
    struct dht_span comment;
    struct dht_span payload;
    uint32_t id = brains_resolve(&brains, READER, helper_name(key, ".web"), "all");
    assert_int_equal(helper_end(&brains, READER, id), 0);
    assert_int_equal(brains_count(&brains, READER, id, CONTROL_ANSWER_RESULT), machines);
    struct dht_span fields =
        helper_fields(brains_answer(&brains, READER, id, CONTROL_ANSWER_RESULT, 0));
    if (control_fields_string(fields, CONTROL_KEY_COMMENT, &comment))
        content.comment = (char)comment.data[0];
    if (control_fields_string(fields, CONTROL_KEY_PAYLOAD, &payload)) {
        content.payload_len = payload.len;
        content.payload = payload.data[0];
    }
    return content;
}

static void check(const char *name, struct content is, struct content wanted)
{
    if (is.comment != wanted.comment || is.payload_len != wanted.payload_len ||
        is.payload != wanted.payload)
        fail_msg("%s: comment %c, %zu bytes of %u", name, is.comment, is.payload_len, is.payload);
}

static const struct row {
    const char *name;
    struct wish first, other;
    bool again;            // the other is the last who says so
    struct content left;   // when the first is withdrawn
    struct content healed; // after a renewal of the other
} rows[] = {
    {"a comment", {0, "a", 0, 0}, {0, "", 0, 0}, false, {'-', 0, 0}, {'-', 0, 0}},
    {"a payload", {0, "", INSIDE, 1}, {0, "", 0, 0}, false, {'-', 0, 0}, {'-', 0, 0}},
    {"a payload apart", {0, "", APART, 1}, {0, "", 0, 0}, false, {'-', 0, 0}, {'-', 0, 0}},
    {"the other's", {0, "a", APART, 1}, {0, "b", APART, 2}, true, {'b', APART, 2}, {'b', APART, 2}},
    {"of the same length",
     {0, "a", INSIDE, 1},
     {0, "b", INSIDE, 2},
     true,
     {'b', INSIDE, 2},
     {'b', INSIDE, 2}},
    {"longer",
     {0, "a", INSIDE, 1},
     {0, "ab", INSIDE + 1, 1},
     true,
     {'a', INSIDE + 1, 1},
     {'a', INSIDE + 1, 1}},
    {"one of each", {0, "a", 0, 0}, {0, "", INSIDE, 2}, false, {'-', INSIDE, 2}, {'-', INSIDE, 2}},
    {"the same", {0, "a", APART, 1}, {0, "a", APART, 1}, false, {'-', 0, 0}, {'a', APART, 1}},
};

// A record of two. What the first has put into it goes with it, unless the other has changed it.
static void test_withdrawn(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        begin(1 + i);
        publish(OTHER, row->other.comment, row->other.payload_len, row->other.payload);
        publish(FIRST, row->first.comment, row->first.payload_len, row->first.payload);
        brains_run(&brains, RENEWAL); // each puts in what is missing there of its own
        if (row->again)
            publish(OTHER, row->other.comment, row->other.payload_len, row->other.payload);
        resolve(2);
        assert_int_equal(helper_unpublish(&brains, FIRST, NAME), 0);
        check(row->name, resolve(1), row->left);
        brains_run(&brains, RENEWAL);
        check(row->name, resolve(1), row->healed);
        brains_run(&brains, 4 * HOUR);
        assert_int_equal(helper_info(&brains, FIRST).publications, 0); // nothing is kept for ever
        brains_fini(&brains);
    }
}

// Killed when the withdrawal is durable and nothing of it is out: the next run knows what was its.
static void test_withdrawn_by_the_next_run(void **state)
{
    (void)state;
    begin(20);
    publish(OTHER, "", 0, 0);
    publish(FIRST, "a", APART, 1);
    check("before", resolve(2), (struct content){'a', APART, 1});
    uint32_t id = brains_unpublish(&brains, FIRST, NAME);
    const struct node *node = brains.nodes[FIRST];
    while (node->rounds == NULL || node->rounds->state != CORE_PUBLICATION_STORING) {
        assert_null(brains_answer(&brains, FIRST, id, CONTROL_ANSWER_DONE, 0));
        brains_run(&brains, 1000);
    }
    brains_kill(&brains, FIRST);
    brains_start(&brains, FIRST);
    brains_run(&brains, MINUTE);
    check("after", resolve(1), (struct content){.comment = '-'});
    brains_fini(&brains);
}

// Of a machine that died nobody knows what was its; but where one is left, the rest is its alone.
static void test_the_last_one_left(void **state)
{
    (void)state;
    begin(21);
    publish(OTHER, "", INSIDE, 2);
    publish(FIRST, "a", 0, 0);
    brains_run(&brains, RENEWAL);
    check("before", resolve(2), (struct content){'a', INSIDE, 2});
    brains_kill(&brains, FIRST);
    brains_run(&brains, 3 * HOUR + 5 * MINUTE + RENEWAL);
    check("after", resolve(1), (struct content){'-', INSIDE, 2});
    brains_fini(&brains);
}

// What is withdrawn is not listed as if it were still there.
static void test_listed(void **state)
{
    struct dht_span comment;
    (void)state;
    begin(22);
    publish(FIRST, "a", INSIDE, 1);
    for (int i = 0; i < 2; i++) {
        uint32_t id = brains_ask(&brains, FIRST, "publications", NULL, NULL);
        assert_int_equal(helper_end(&brains, FIRST, id), 0);
        const struct brains_answer *one =
            brains_answer(&brains, FIRST, id, CONTROL_ANSWER_RESULT, 0);
        assert_int_equal(control_fields_string(helper_fields(one), CONTROL_KEY_COMMENT, &comment),
                         i == 0);
        assert_int_equal(helper_port(one), i == 0 ? 443 : -1);
        if (i == 0)
            assert_int_equal(helper_unpublish(&brains, FIRST, NAME), 0);
    }
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_withdrawn),
        cmocka_unit_test(test_withdrawn_by_the_next_run),
        cmocka_unit_test(test_the_last_one_left),
        cmocka_unit_test(test_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
