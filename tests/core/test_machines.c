// SPDX-License-Identifier: MIT
// Several machines with one key, by whole brains: ten endpoints in all, each machine a result of
// its own, and an eleventh endpoint refused with nothing half done.
#include "tests/core/brains_helper.h"

static struct brains brains;
static uint8_t key[32];

#define NAME       "restored0.web"
#define FIRST      3 // nodes that hold the key
#define SECOND_ONE 5
#define READER     8

static void begin(uint64_t seed)
{
    uint8_t same[32];
    brains_init(&brains, 16, seed);
    brains_add_key(&brains, FIRST, "restored0", 7, key);
    brains_add_key(&brains, SECOND_ONE, "restored0", 7, same);
    assert_memory_equal(key, same, 32);
}

struct wish {
    size_t node;
    uint32_t count;  // of endpoints
    bool is_contact; // they have the address that all nodes here have
};

// endpoints name
static void write_wish(struct dht_bencode_writer *writer, const void *ctx)
{
    const struct wish *wish = ctx;
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    for (uint32_t i = 0; i < wish->count; i++)
        endpoints[i] = (struct control_endpoint){
            .ip = {192, 0, 2, (uint8_t)wish->node},
            .ip_len = 4,
            .proto = 6,
            .port = (uint16_t)(1000 + i),
        };
    if (wish->is_contact)
        memcpy(endpoints[0].ip, (const uint8_t[]){127, 0, 0, 1}, 4);
    dht_bencode_put_text(writer, CONTROL_KEY_ENDPOINTS);
    control_fields_put_endpoints(writer, endpoints, wish->count);
    dht_bencode_put_text(writer, CONTROL_KEY_NAME);
    dht_bencode_put_text(writer, NAME);
}

static uint32_t ask(size_t node, uint32_t count)
{
    struct wish wish = {node, count, false};
    return brains_ask(&brains, node, "publish", write_wish, &wish);
}

static int publish(size_t node, uint32_t count)
{
    return helper_end(&brains, node, ask(node, count));
}

// How many endpoints the name has by a machine, and how many results there are.
struct found {
    size_t results;
    size_t endpoints[16];
};

static struct found resolve(void)
{
    struct found found = {0};
    uint32_t id = brains_resolve(&brains, READER, helper_name(key, ".web"), "all");
    assert_int_equal(helper_end(&brains, READER, id), 0);
    found.results = brains_count(&brains, READER, id, CONTROL_ANSWER_RESULT);
    for (size_t i = 0; i < found.results; i++) {
        struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
        size_t count = 0;
        const struct brains_answer *answer =
            brains_answer(&brains, READER, id, CONTROL_ANSWER_RESULT, i);
        assert_true(control_fields_endpoints(helper_fields(answer), endpoints, &count));
        for (size_t j = 0; j < count; j++) {
            assert_int_equal(endpoints[j].ip[3], endpoints[0].ip[3]); // of one machine
            found.endpoints[endpoints[j].ip[3] & 15]++;
        }
    }
    return found;
}

static size_t publication_rows(size_t node)
{
    size_t count = 0;
    for (size_t i = 0; i < brains.disks[node]->row_count; i++)
        count += brains.disks[node]->rows[i].kind == NODE_ROW_PUBLICATION;
    return count;
}

static void test_ten_endpoints_in_all(void **state)
{
    static const struct {
        const char *name;
        uint32_t first, second;
        int code; // of the second
    } rows[] = {
        {"five and five", 5, 5, 0}, {"nine and one", 9, 1, 0}, {"one and nine", 1, 9, 0},
        {"ten and one", 10, 1, 6},  {"one and ten", 1, 10, 6}, {"four and seven", 4, 7, 6},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(i + 1);
        assert_int_equal(publish(FIRST, rows[i].first), 0);
        uint32_t id = ask(SECOND_ONE, rows[i].second);
        int code = helper_end(&brains, SECOND_ONE, id);
        if (code != rows[i].code)
            fail_msg("%s: %d", rows[i].name, code);
        const struct brains_answer *end = brains_wait(&brains, SECOND_ONE, id);
        if (code != 0 && !helper_has_text(end, CONTROL_KEY_TEXT,
                                          "the name would have more than 10 endpoints, with those "
                                          "of other machines that publish it"))
            fail_msg("%s: another text", rows[i].name);
        struct found found = resolve();
        if (found.results != (code == 0 ? 2u : 1u) || found.endpoints[FIRST] != rows[i].first ||
            found.endpoints[SECOND_ONE] != (code == 0 ? rows[i].second : 0))
            fail_msg("%s: %zu results, %zu and %zu endpoints", rows[i].name, found.results,
                     found.endpoints[FIRST], found.endpoints[SECOND_ONE]);
        brains_fini(&brains);
    }
}

// Nothing of a publication that was refused is left, now or after a restart.
static void test_refused_leaves_nothing(void **state)
{
    (void)state;
    begin(21);
    assert_int_equal(publish(FIRST, 10), 0);
    assert_int_equal(publish(SECOND_ONE, 1), CONTROL_ERROR_REFUSED);
    brains_run(&brains, 2 * HOUR); // the anchor finds that it is not needed
    assert_int_equal(helper_info(&brains, SECOND_ONE).publications, 0);
    assert_int_equal(helper_ops(&brains, SECOND_ONE), 0);
    assert_int_equal(publication_rows(SECOND_ONE), 0);
    brains_kill(&brains, SECOND_ONE);
    brains_start(&brains, SECOND_ONE);
    brains_run(&brains, HOUR);
    struct found found = resolve();
    assert_int_equal(found.results, 1);
    assert_int_equal(found.endpoints[FIRST], 10);
    // Once there is room, it can.
    assert_int_equal(publish(FIRST, 9), 0);
    assert_int_equal(publish(SECOND_ONE, 1), 0);
    found = resolve();
    assert_int_equal(found.endpoints[FIRST], 9);
    assert_int_equal(found.endpoints[SECOND_ONE], 1);
    brains_fini(&brains);
}

// A change that is refused leaves what there was, which is renewed.
static void test_refused_change_changes_nothing(void **state)
{
    (void)state;
    begin(22);
    assert_int_equal(publish(FIRST, 6), 0);
    assert_int_equal(publish(SECOND_ONE, 2), 0);
    assert_int_equal(publish(SECOND_ONE, 5), CONTROL_ERROR_REFUSED);
    for (int i = 0; i < 3; i++) {
        struct found found = resolve();
        assert_int_equal(found.endpoints[FIRST], 6);
        assert_int_equal(found.endpoints[SECOND_ONE], 2);
        brains_run(&brains, 2 * HOUR);
        if (i > 0)
            continue;
        brains_kill(&brains, SECOND_ONE);
        brains_start(&brains, SECOND_ONE);
        brains_run(&brains, MINUTE);
    }
    brains_fini(&brains);
}

// Withdrawing while the other one goes on takes out one's own alone, and stays done.
static void test_withdrawing_takes_out_ones_own(void **state)
{
    (void)state;
    begin(23);
    assert_int_equal(publish(FIRST, 3), 0);
    assert_int_equal(publish(SECOND_ONE, 4), 0);
    assert_int_equal(helper_unpublish(&brains, FIRST, NAME), 0);
    for (int i = 0; i < 4; i++) {
        struct found found = resolve();
        assert_int_equal(found.results, 1);
        assert_int_equal(found.endpoints[FIRST], 0);
        assert_int_equal(found.endpoints[SECOND_ONE], 4);
        brains_run(&brains, HOUR);
    }
    // It is forgotten then.
    assert_int_equal(publication_rows(FIRST), 0);
    brains_fini(&brains);
}

static uint64_t puts_sent; // by FIRST, of the name

static void count_puts(struct brains *all, size_t node, const struct dht_krpc *msg)
{
    (void)all;
    puts_sent += node == FIRST && msg->salt.len > 0;
}

// Where others go on with the name, it is looked after in the first minutes: nothing is put while
// all is well. Of what nobody else publishes, nobody can put anything back.
static void test_withdrawal_is_looked_after(void **state)
{
    static const struct {
        const char *name;
        bool is_shared;
        int64_t after_us;
        uint64_t rounds; // besides its own
    } rows[] = {
        {"not yet", true, SECOND, 0},
        {"as soon as any other", true, 6 * SECOND, 1},
        {"when several have agreed", true, 40 * SECOND, 2},
        {"when all is over", true, 3 * MINUTE, 3},
        {"and then no more", true, 30 * MINUTE, 3},
        {"not shared", false, 3 * MINUTE, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(30 + i);
        assert_int_equal(publish(FIRST, 3), 0);
        if (rows[i].is_shared)
            assert_int_equal(publish(SECOND_ONE, 4), 0);
        brains_run(&brains, MINUTE);
        uint64_t before = helper_info(&brains, FIRST).counters.publish_rounds;
        assert_int_equal(helper_unpublish(&brains, FIRST, NAME), 0);
        puts_sent = 0;
        brains.on_put = count_puts;
        brains_run(&brains, rows[i].after_us);
        uint64_t rounds = helper_info(&brains, FIRST).counters.publish_rounds - before - 1;
        if (rounds != rows[i].rounds || puts_sent != 0)
            fail_msg("%s: %u rounds, %u puts", rows[i].name, (unsigned)rounds, (unsigned)puts_sent);
        brains_fini(&brains);
    }
}

// ---- who is nearest ----

// criteria name, and before these a hint that is like the addresses of the documentation
static void write_nearest(struct dht_bencode_writer *writer, const void *ctx)
{
    const bool *is_hinted = ctx;
    dht_bencode_put_text(writer, CONTROL_KEY_CRITERIA);
    dht_bencode_put_text(writer, "nearest-peer-name");
    if (*is_hinted) {
        dht_bencode_pair_string(writer, CONTROL_KEY_HINT, (const uint8_t[]){192, 0, 2, 99}, 4);
    }
    dht_bencode_put_text(writer, CONTROL_KEY_NAME);
    dht_bencode_put_text(writer, helper_name(key, ".web"));
}

// A machine at whose address there is a contact has that one's round trip; a hint goes before it.
static void test_nearest(void **state)
{
    static const struct {
        const char *name;
        bool first_is_contact;
        bool is_hinted;
        uint8_t nearest; // first byte of its address
    } rows[] = {
        {"the first one's is known", true, false, 127},
        {"the second one's is known", false, false, 127},
        {"known, but a hint", true, true, 192},
        {"known, but a hint, the second", false, true, 192},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(70 + i);
        for (size_t j = 0; j < 2; j++) {
            struct wish wish = {j == 0 ? FIRST : SECOND_ONE, 1,
                                (j == 0) == rows[i].first_is_contact};
            uint32_t publish = brains_ask(&brains, wish.node, "publish", write_wish, &wish);
            assert_int_equal(helper_end(&brains, wish.node, publish), 0);
        }
        uint32_t id = brains_ask(&brains, READER, "resolve", write_nearest, &rows[i].is_hinted);
        assert_int_equal(helper_end(&brains, READER, id), 0);
        assert_int_equal(brains_count(&brains, READER, id, CONTROL_ANSWER_RESULT), 2);
        struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
        size_t count = 0;
        const struct brains_answer *answer =
            brains_answer(&brains, READER, id, CONTROL_ANSWER_RESULT, 0);
        assert_true(control_fields_endpoints(helper_fields(answer), endpoints, &count));
        if (count != 1 || endpoints[0].ip[0] != rows[i].nearest)
            fail_msg("%s: %u", rows[i].name, endpoints[0].ip[0]);
        brains_fini(&brains);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_endpoints_in_all),
        cmocka_unit_test(test_refused_leaves_nothing),
        cmocka_unit_test(test_refused_change_changes_nothing),
        cmocka_unit_test(test_withdrawing_takes_out_ones_own),
        cmocka_unit_test(test_withdrawal_is_looked_after),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
