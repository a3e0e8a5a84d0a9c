// SPDX-License-Identifier: MIT
#include "node/core/registration.h"
#include "tests/core/brains_helper.h"

static struct brains brains;
static uint8_t key[32];
static uint32_t asked; // the number of the checkup that node 3 has asked its driver for; 0: none

static bool note_checkup(struct brains *all, size_t node, const struct node_out *out)
{
    (void)all;
    if (node == 3 && out->type == NODE_OUT_KEY && out->key.verb == NODE_KEY_CHECKUP)
        asked = out->key.key_request;
    return true;
}

static void write_raw(struct dht_bencode_writer *writer, const void *ctx)
{
    dht_bencode_put_raw(writer, ctx, strlen(ctx));
}

static void write_nothing(struct dht_bencode_writer *writer, const void *ctx)
{
    (void)writer;
    (void)ctx;
}

// What a driver finds: one thing that is well, one that is not.
static const char findings[] = "d8:findingsld5:check4:keys5:state2:ok4:text4:gooded5:check5:state"
                               "6:remedy5:chmod5:state4:fail4:text3:badeee";

static uint32_t start_doctor(void)
{
    asked = 0;
    uint32_t id = brains_ask(&brains, 3, "doctor", write_nothing, NULL);
    brains_run(&brains, SECOND);
    assert_int_not_equal(asked, 0);
    return id;
}

static void answer_checkup(const char *text)
{
    struct node_key_answer answer = {.key_request = asked, .label = ""};
    answer.findings = (struct dht_span){(const uint8_t *)text, strlen(text)};
    node_key_answered(brains.nodes[3], brains.now_us, &answer);
}

// The state of the first finding about something; "": there is none.
static const char *state_of(uint32_t id, const char *check)
{
    static char word[16];
    size_t count = brains_count(&brains, 3, id, CONTROL_ANSWER_RESULT);
    word[0] = '\0';
    for (size_t i = 0; i < count && word[0] == '\0'; i++) {
        const struct brains_answer *answer =
            brains_answer(&brains, 3, id, CONTROL_ANSWER_RESULT, i);
        struct dht_span fields = {answer->fields, answer->fields_len};
        struct dht_span what, state;
        assert_true(control_fields_string(fields, CONTROL_KEY_CHECK, &what));
        assert_true(control_fields_string(fields, CONTROL_KEY_STATE, &state));
        if (what.len == strlen(check) && memcmp(what.data, check, what.len) == 0)
            snprintf(word, sizeof word, "%.*s", (int)state.len, (const char *)state.data);
    }
    return word;
}

static void begin(uint64_t seed)
{
    brains.on_out = note_checkup;
    brains.loss_percent = 0;
    brains_init(&brains, 24, seed);
    brains_add_key(&brains, 3, "restored0", 7, key);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    struct dht_addr host = brains.addrs[0];
    node_bootstrap(brains.nodes[3], brains.now_us, 0, &host, 1);
    brains_run(&brains, 60 * SECOND);
}

static void test_well(void **state)
{
    (void)state;
    begin(301);
    uint32_t id = start_doctor();
    answer_checkup(findings);
    assert_int_equal(helper_end(&brains, 3, id), 0);
    assert_string_equal(state_of(id, "keys"), "ok");
    assert_string_equal(state_of(id, "state"), "fail");
    assert_string_equal(state_of(id, "bootstrap"), "ok");
    assert_string_equal(state_of(id, "udp-out"), "ok");
    assert_string_equal(state_of(id, "name"), ""); // none that is not as it should be
    assert_string_equal(state_of(id, "names"), "ok");
    assert_int_equal(helper_number(brains_wait(&brains, 3, id), "failures"), 1);
    brains_fini(&brains);
}

// Finds a text in what was told about something.
static bool says(uint32_t id, const char *check, const char *text)
{
    size_t count = brains_count(&brains, 3, id, CONTROL_ANSWER_RESULT);
    for (size_t i = 0; i < count; i++) {
        const struct brains_answer *answer =
            brains_answer(&brains, 3, id, CONTROL_ANSWER_RESULT, i);
        struct dht_span fields = {answer->fields, answer->fields_len};
        struct dht_span what, found;
        char whole[600];
        assert_true(control_fields_string(fields, CONTROL_KEY_CHECK, &what));
        assert_true(control_fields_string(fields, CONTROL_KEY_TEXT, &found));
        snprintf(whole, sizeof whole, "%.*s", (int)found.len, (const char *)found.data);
        if (what.len == strlen(check) && memcmp(what.data, check, what.len) == 0 &&
            strstr(whole, text) != NULL)
            return true;
    }
    return false;
}

static void test_unsecured_name(void **state)
{
    (void)state;
    begin(305);
    assert_int_equal(helper_publish(&brains, 3, "0.printer", 631), 0);
    uint32_t id = start_doctor();
    answer_checkup("de");
    assert_int_equal(helper_end(&brains, 3, id), 0);
    assert_string_equal(state_of(id, "name"), "");
    assert_true(says(id, "names", "2 of 2"));
    // As if others had forgotten that this node publishes it.
    brains.nodes[3]->registrations->info_hash.bytes[0] ^= 1;
    id = start_doctor();
    answer_checkup("de");
    assert_int_equal(helper_end(&brains, 3, id), 0);
    assert_string_equal(state_of(id, "name"), "fail");
    assert_true(says(id, "name", "0.printer: nobody names this node"));
    assert_true(says(id, "names", "1 of 2"));
    brains.nodes[3]->registrations->info_hash.bytes[0] ^= 1;
    brains_fini(&brains);
}

// Each cloud is named, and one without an address or of a link asks for no bootstrap nodes.
static void test_clouds(void **state)
{
    struct node_cloud_config config;
    (void)state;
    begin(306);
    struct node *node = brains.nodes[3];
    node_cloud_config_init(&config, "off");
    config.disabled = true;
    assert_true(node_add_cloud(node, brains.now_us, &config) >= 0);
    node_cloud_config_init(&config, "cable");
    config.scope = NODE_SCOPE_LINK;
    assert_true(node_add_cloud(node, brains.now_us, &config) >= 0);
    uint32_t id = start_doctor();
    answer_checkup("de");
    assert_int_equal(helper_end(&brains, 3, id), 0);
    assert_true(says(id, "bootstrap", "Global_: "));
    assert_true(says(id, "cloud", "off: disabled"));
    assert_true(says(id, "cloud", "cable: there is no address"));
    assert_false(says(id, "bootstrap", "off"));
    assert_false(says(id, "bootstrap", "cable"));
    assert_int_equal(helper_number(brains_wait(&brains, 3, id), "failures"), 0);
    brains_fini(&brains);
}

static void test_network_gone(void **state)
{
    (void)state;
    begin(302);
    brains.loss_percent = 100;
    uint32_t id = start_doctor();
    answer_checkup("de");
    assert_int_equal(helper_end(&brains, 3, id), 0);
    assert_string_equal(state_of(id, "bootstrap"), "warn"); // it still has contacts to try
    assert_string_equal(state_of(id, "name"), "fail");
    assert_int_equal(helper_number(brains_wait(&brains, 3, id), "failures"), 1);
    brains_fini(&brains);
}

// What a driver says is checked like anything else.
static void test_odd_findings(void **state)
{
    static const char *const texts[] = {"",
                                        "de",
                                        "le",
                                        "i1e",
                                        "d8:findingsi1ee",
                                        "d8:findingslee",
                                        "d8:findingsli1eee",
                                        "d8:findingsldeee"};
    (void)state;
    begin(303);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint32_t id = start_doctor();
        answer_checkup(texts[i]);
        const struct brains_answer *end = brains_wait(&brains, 3, id);
        assert_int_equal(end->kind, CONTROL_ANSWER_DONE);
        assert_int_equal(helper_number(end, "failures"), 0);
    }
    brains_fini(&brains);
}

// However far it has come, a doctor that is sent away leaves nothing behind.
static void test_cancelled_at_every_moment(void **state)
{
    char text[32];
    (void)state;
    begin(304);
    for (int64_t after_us = 0; after_us < 400000; after_us += 9000) {
        uint32_t id = start_doctor();
        if (after_us > 0)
            answer_checkup(findings);
        brains_run(&brains, after_us);
        snprintf(text, sizeof text, "2:idi%ue", id);
        brains_ask(&brains, 3, "cancel", write_raw, text);
        brains_run(&brains, SECOND);
        assert_int_equal(helper_ops(&brains, 3), 0);
        assert_int_equal(helper_info(&brains, 3).requests, 0);
    }
    answer_checkup(findings); // for nobody any more
    brains_fini(&brains);
}

// How many findings begin with that text.
static size_t count_of(uint32_t id, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < brains_count(&brains, 3, id, CONTROL_ANSWER_RESULT); i++) {
        struct dht_span found;
        struct dht_span fields =
            helper_fields(brains_answer(&brains, 3, id, CONTROL_ANSWER_RESULT, i));
        assert_true(control_fields_string(fields, CONTROL_KEY_TEXT, &found));
        count += found.len > strlen(text) && memcmp(found.data, text, strlen(text)) == 0;
    }
    return count;
}

// Clouds come and go while the nodes of one are asked: that one is told of.
static void test_clouds_come_and_go(void **state)
{
    struct node_cloud_config cloud;
    (void)state;
    begin(305);
    node_cloud_config_init(&cloud, "passing");
    int passing = node_add_cloud(brains.nodes[3], brains.now_us, &cloud);
    brains_join_lab(&brains, 3);
    brains.loss_percent = 100;
    node_bootstrap(brains.nodes[3], brains.now_us, brains.labs[3], &brains.addrs[0], 1);
    uint32_t id = start_doctor();
    answer_checkup("de");
    for (int i = 0; i < 100 && count_of(id, "passing: ") == 0; i++)
        brains_run(&brains, SECOND);
    assert_int_equal(count_of(id, "lab: "), 0);
    node_remove_cloud(brains.nodes[3], brains.now_us, passing);
    node_cloud_config_init(&cloud, "new");
    assert_true(node_add_cloud(brains.nodes[3], brains.now_us, &cloud) > passing);
    assert_int_equal(helper_end(&brains, 3, id), 0);
    assert_int_equal(count_of(id, "lab: "), 1);
    assert_int_equal(count_of(id, "new: "), 1);
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well),
        cmocka_unit_test(test_unsecured_name),
        cmocka_unit_test(test_clouds),
        cmocka_unit_test(test_network_gone),
        cmocka_unit_test(test_odd_findings),
        cmocka_unit_test(test_clouds_come_and_go),
        cmocka_unit_test(test_cancelled_at_every_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
