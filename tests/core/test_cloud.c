// SPDX-License-Identifier: MIT
#include "node/core/cloud.h"

#include "tests/core/brains_helper.h"

static struct brains brains;

static int add(struct node *node, const char *name, bool disabled)
{
    struct node_cloud_config config;
    node_cloud_config_init(&config, name);
    config.disabled = disabled;
    return node_add_cloud(node, brains.now_us, &config);
}

static int resolve_in(const char *cloud, size_t node, const char *name, const char *wait)
{
    brains.cloud = cloud;
    int port = helper_resolve(&brains, node, name, wait);
    brains.cloud = NULL;
    return port;
}

static int publish_in(const char *cloud, size_t node, const char *name, uint16_t port)
{
    brains.cloud = cloud;
    int code = helper_publish(&brains, node, name, port);
    brains.cloud = NULL;
    return code;
}

// ---- finding and adding ----

static void test_names_and_numbers(void **state)
{
    (void)state;
    brains_init(&brains, 1, 300);
    struct node *node = brains.nodes[0];
    struct dht_config config;
    dht_config_init(&config, DHT_IPV4);
    assert_int_equal(add(node, "", false), -1);
    assert_int_equal(add(node, "Global_", false), -1);
    assert_int_equal(add(node, "lab", false), 1);
    assert_int_equal(node_add_engine(node, brains.now_us, 1, &config), 1);
    assert_int_equal(node_add_engine(node, brains.now_us, 1, &config), -1);
    config.family = DHT_IPV6;
    assert_int_equal(node_add_engine(node, brains.now_us, 1, &config), 2);
    node_remove_engine(node, brains.now_us, 1);
    config.family = DHT_IPV4;
    assert_int_equal(node_add_engine(node, brains.now_us, 1, &config), 3);
    node_remove_cloud(node, brains.now_us, 1);
    assert_null(core_cloud_engine(node, 2));
    assert_null(core_cloud_engine(node, 3));
    assert_int_equal(node->engine_count, 1);
    assert_int_equal(add(node, "lab", true), 2); // numbers are not used again
    assert_int_equal(node_add_engine(node, brains.now_us, 2, &config), -1);
    node_remove_cloud(node, brains.now_us, 2);
    char name[] = "cloud00";
    for (int i = 1; i < NODE_CLOUDS_MAX; i++) {
        name[5] = (char)('0' + i / 10);
        name[6] = (char)('0' + i % 10);
        assert_true(add(node, name, false) > 0);
    }
    assert_int_equal(add(node, "lab", false), -1);
    brains_fini(&brains);
}

static void test_the_one_meant_by_default(void **state)
{
    (void)state;
    brains_init(&brains, 1, 301);
    struct node *node = brains.nodes[0];
    add(node, "a", true);
    add(node, "b", false);
    assert_string_equal(core_cloud_default(node)->config.name, "Global_");
    node_remove_cloud(node, brains.now_us, 0);
    assert_string_equal(core_cloud_default(node)->config.name, "b");
    add(node, "Global_", true);
    assert_string_equal(core_cloud_default(node)->config.name, "b");
    node_remove_cloud(node, brains.now_us, 2);
    assert_string_equal(core_cloud_default(node)->config.name, "a");
    assert_int_equal(helper_resolve(&brains, 0, helper_name((const uint8_t[32]){1}, ""), "all"),
                     -CONTROL_ERROR_FAILED);
    brains.cloud = "c";
    uint32_t id = brains_resolve(&brains, 0, helper_name((const uint8_t[32]){1}, ""), "all");
    brains.cloud = NULL;
    assert_int_equal(helper_end(&brains, 0, id), CONTROL_ERROR_NOT_FOUND);
    assert_true(helper_has_text(brains_answer(&brains, 0, id, CONTROL_ANSWER_ERROR, 0),
                                CONTROL_KEY_TEXT, "the cloud c is not there; see: pnr clouds"));
    brains_fini(&brains);
}

// ---- states ----

static void test_states(void **state)
{
    (void)state;
    brains_init(&brains, 5, 302);
    struct node *node = brains.nodes[3];
    assert_int_equal(node_cloud_state(node, 0), NODE_CLOUD_ACTIVE);
    assert_int_equal(add(node, "lab", false), 1);
    assert_int_equal(add(node, "off", true), 2);
    assert_int_equal(node_cloud_state(node, 1), NODE_CLOUD_NO_NET);
    assert_int_equal(node_cloud_state(node, 2), NODE_CLOUD_DISABLED);
    struct dht_config config;
    dht_config_init(&config, DHT_IPV4);
    int engine = node_add_engine(node, brains.now_us, 1, &config);
    assert_int_equal(node_cloud_state(node, 1), NODE_CLOUD_SYNCHRONISING);
    brains_run(&brains, 31 * SECOND);
    node_tick(node, brains.now_us);
    assert_int_equal(node_cloud_state(node, 1), NODE_CLOUD_ALONE);
    node_remove_engine(node, brains.now_us, engine);
    assert_int_equal(node_cloud_state(node, 1), NODE_CLOUD_NO_NET);
    // All others vanish, and the contacts of a quarter hour ago are none.
    for (size_t i = 0; i < 5; i++)
        if (i != 3)
            brains_kill(&brains, i);
    brains_run(&brains, HOUR);
    node_tick(node, brains.now_us);
    enum node_cloud_state end = node_cloud_state(node, 0);
    assert_true(end == NODE_CLOUD_DEAD || end == NODE_CLOUD_ALONE);
    struct dht_crypto crypto = helper_crypto(NULL);
    struct node_config node_config;
    node_config_init(&node_config);
    struct node *young = node_new(&node_config, &crypto, (const uint8_t[32]){1}, 0, 0);
    struct node_cloud_config cloud;
    node_cloud_config_init(&cloud, NODE_CLOUD_GLOBAL);
    assert_int_equal(node_add_cloud(young, 0, &cloud), 0);
    assert_int_equal(node_cloud_state(young, 0), NODE_CLOUD_VIRTUAL);
    node_free(young);
    brains_fini(&brains);
}

// ---- nothing leaks ----

static void test_names_of_one_are_not_of_the_other(void **state)
{
    uint8_t key[32];
    (void)state;
    brains.lab = true;
    brains_init(&brains, 12, 303);
    brains_add_key(&brains, 3, "restored0", 7, key);
    const char *web = helper_name(key, ".web");
    assert_int_equal(publish_in("lab", 3, "restored0.web", 443), 0);
    assert_int_equal(resolve_in("lab", 8, web, "all"), 443);
    // Neither from the network, nor from the cache, nor from what is published here.
    assert_int_equal(resolve_in(NULL, 8, web, "all"), -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(resolve_in("Global_", 8, web, "cache"), -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(resolve_in("lab", 8, web, "cache"), 443);
    assert_int_equal(resolve_in(NULL, 3, web, "first"), -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(resolve_in("lab", 3, web, "first"), 443);
    // The same name in both is two names.
    assert_int_equal(publish_in("Global_", 3, "restored0.web", 80), 0);
    assert_int_equal(resolve_in(NULL, 8, web, "all"), 80);
    assert_int_equal(resolve_in("lab", 8, web, "all"), 443);
    // Equal requests of both at once are two lookups.
    brains.cloud = "lab";
    uint32_t in_lab = brains_resolve(&brains, 9, web, "all");
    brains.cloud = NULL;
    uint32_t in_global = brains_resolve(&brains, 9, web, "all");
    assert_int_equal(helper_info(&brains, 9).resolves, 2);
    assert_int_equal(helper_end(&brains, 9, in_lab), 0);
    assert_int_equal(helper_end(&brains, 9, in_global), 0);
    assert_int_equal(helper_port(brains_answer(&brains, 9, in_lab, CONTROL_ANSWER_RESULT, 0)), 443);
    assert_int_equal(helper_port(brains_answer(&brains, 9, in_global, CONTROL_ANSWER_RESULT, 0)),
                     80);
    // Withdrawn in one, it stands in the other.
    brains.cloud = "lab";
    assert_int_equal(helper_unpublish(&brains, 3, "restored0.web"), 0);
    brains.cloud = NULL;
    assert_int_equal(resolve_in("lab", 8, web, "all"), -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(resolve_in(NULL, 8, web, "all"), 80);
    brains_fini(&brains);
}

// What cloud a result of node 2 says that it was found in, NULL: none.
static void check_named(const char *web, const char *cloud)
{
    uint32_t id = brains_resolve(&brains, 2, web, "all");
    assert_int_equal(helper_end(&brains, 2, id), 0);
    const struct brains_answer *result = brains_answer(&brains, 2, id, CONTROL_ANSWER_RESULT, 0);
    struct dht_span raw;
    struct dht_span fields = {result->fields, result->fields_len};
    assert_int_equal(control_fields_find(fields, CONTROL_KEY_CLOUD, &raw), cloud != NULL);
    assert_true(cloud == NULL || helper_has_text(result, CONTROL_KEY_CLOUD, cloud));
}

static void test_results_name_their_cloud(void **state)
{
    uint8_t key[32];
    (void)state;
    for (int lab = 0; lab < 2; lab++) {
        brains.lab = lab;
        brains_init(&brains, 6, 310);
        brains_add_key(&brains, 3, "restored0", 7, key);
        const char *web = helper_name(key, ".web");
        assert_int_equal(publish_in(NULL, 3, "restored0.web", 80), 0);
        check_named(web, lab ? "Global_" : NULL);
        if (lab) {
            // Also where there is no other: it is not Global_, as one might think.
            assert_int_equal(publish_in("lab", 3, "restored0.web", 443), 0);
            node_remove_cloud(brains.nodes[2], brains.now_us, 0);
            check_named(web, "lab");
        }
        brains_fini(&brains);
    }
}

static void write_name(struct dht_bencode_writer *writer, const void *ctx)
{
    dht_bencode_put_text(writer, CONTROL_KEY_NAME);
    dht_bencode_put_text(writer, ctx);
}

// What a request of node 2 is told of the link that its first result is of; -1: nothing.
static int64_t link_told(const char *cloud, const char *name, const char *word)
{
    brains.cloud = cloud;
    uint32_t id = strcmp(word, "watch") == 0 ? brains_ask(&brains, 2, word, write_name, name)
                                             : brains_resolve(&brains, 2, name, word);
    brains.cloud = NULL;
    brains_run(&brains, 30 * SECOND);
    return helper_number(brains_answer(&brains, 2, id, CONTROL_ANSWER_RESULT, 0),
                         CONTROL_KEY_SCOPE_ID);
}

// A link's results tell of which, and nobody else's.
static void test_results_tell_their_link(void **state)
{
    static const char *const words[] = {"settled", "cache", "watch"};
    struct dht_span lab = {(const uint8_t *)"lab", 3};
    uint8_t key[32];
    (void)state;
    brains.lab = true;
    brains_init(&brains, 6, 312);
    brains_add_key(&brains, 3, "restored0", 7, key);
    core_cloud_named(brains.nodes[2], lab)->config.scope_id = 7;
    for (int i = 0; i < 2; i++) {
        const char *cloud = i == 0 ? "lab" : "Global_";
        assert_int_equal(publish_in(cloud, 3, "restored0.web", 80), 0);
        assert_int_equal(publish_in(cloud, 3, "0.s", 81), 0);
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            assert_int_equal(link_told(cloud, helper_name(key, ".web"), words[k]), i == 0 ? 7 : -1);
        assert_int_equal(link_told(cloud, "0.s", "all"), i == 0 ? 7 : -1);
        assert_int_equal(link_told(cloud, "0.s", "watch"), i == 0 ? 7 : -1);
    }
    brains_fini(&brains);
}

static const struct brains_answer *ended(size_t node, uint32_t id)
{
    return brains_answer(&brains, node, id, CONTROL_ANSWER_ERROR, 0);
}

static void test_what_is_under_way_ends_with_its_cloud(void **state)
{
    uint8_t key[32];
    (void)state;
    brains.lab = true;
    brains_init(&brains, 8, 304);
    brains_add_key(&brains, 3, "restored0", 7, key);
    brains.cloud = "lab";
    uint32_t lab = brains_resolve(&brains, 3, helper_name(key, ".a"), "all");
    uint32_t publish = brains_publish(&brains, 3, "restored0.b", 1, NULL);
    brains.cloud = NULL;
    uint32_t global = brains_resolve(&brains, 3, helper_name(key, ".a"), "all");
    brains_leave_lab(&brains, 3);
    assert_non_null(ended(3, lab));
    assert_int_equal(brains_error(ended(3, lab)), CONTROL_ERROR_FAILED);
    assert_true(helper_has_text(ended(3, lab), CONTROL_KEY_TEXT, "the cloud lab is gone"));
    assert_int_equal(brains_error(ended(3, publish)), CONTROL_ERROR_FAILED);
    assert_null(ended(3, global));
    assert_int_equal(brains.nodes[3]->publishing_count, 0);
    // Nothing was durable of it, so nothing stays.
    assert_int_equal(helper_info(&brains, 3).publications, 1); // its anchor, which sleeps
    assert_int_equal(helper_end(&brains, 3, global), CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(publish_in("lab", 3, "restored0.b", 1), CONTROL_ERROR_NOT_FOUND);
    brains_fini(&brains);
}

static int unpublish_in(const char *cloud, size_t node, const char *name)
{
    brains.cloud = cloud;
    uint32_t id = brains_unpublish(&brains, node, name);
    brains.cloud = NULL;
    int code = helper_end(&brains, node, id);
    const struct brains_answer *done = brains_answer(&brains, node, id, CONTROL_ANSWER_DONE, 0);
    if (done == NULL)
        return code;
    // libpnr would make no sense of a renewal that is less than none.
    int64_t renew_s = 42;
    struct control_fields_range any = {INT64_MIN, INT64_MAX};
    control_fields_int(helper_fields(done), CONTROL_KEY_RENEW_S, any, &renew_s);
    assert_int_equal(renew_s, 42);
    assert_int_equal(helper_number(done, CONTROL_KEY_STORED), 0);
    return code;
}

// What is published in a cloud that is gone, or disabled, can be withdrawn, and does not come back
// with it.
static void test_withdrawn_without_its_cloud(void **state)
{
    static const char *const names[] = {"restored0.web", "restored0.b", "restored0", "0.c"};
    uint8_t key[32];
    (void)state;
    brains.lab = true;
    brains_init(&brains, 8, 309);
    brains_add_key(&brains, 3, "restored0", 7, key);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(publish_in("lab", 3, names[i], (uint16_t)(i + 1)), 0);
    brains_leave_lab(&brains, 3);
    brains.disks[3]->broken = true; // without the disk it stays
    assert_int_equal(unpublish_in("lab", 3, names[0]), CONTROL_ERROR_FAILED);
    brains.disks[3]->broken = false;
    for (size_t i = 0; i < 4; i++) {
        if (i == 2)
            assert_int_equal(add(brains.nodes[3], "lab", true), 2);
        assert_int_equal(unpublish_in("lab", 3, names[i]), 0);
        assert_int_equal(unpublish_in("lab", 3, names[i]), CONTROL_ERROR_NOT_FOUND);
    }
    assert_int_equal(helper_info(&brains, 3).publications, 0); // nor an anchor
    node_remove_cloud(brains.nodes[3], brains.now_us, 2);
    assert_int_equal(brains.nodes[3]->cloud_count, 1); // it is forgotten
    brains_run(&brains, MINUTE);
    brains_kill(&brains, 3);
    brains_start(&brains, 3);
    brains_run(&brains, 4 * HOUR);
    assert_int_equal(helper_info(&brains, 3).publications, 0);
    assert_int_equal(resolve_in("lab", 6, helper_name(key, ".web"), "all"),
                     -CONTROL_ERROR_NOT_FOUND);
    brains_fini(&brains);
}

// It is being forgotten when its cloud comes back, and goes again: it is forgotten all the same.
// Published again meanwhile, it stays.
static void test_withdrawn_when_its_cloud_returns(void **state)
{
    uint8_t key[32];
    (void)state;
    brains.lab = true;
    brains_init(&brains, 8, 311);
    brains_add_key(&brains, 3, "restored0", 7, key);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(publish_in("lab", 3, "restored0.web", 443), 0);
        brains_leave_lab(&brains, 3);
        brains.cloud = "lab";
        brains.disks[3]->stuck = true;
        uint32_t id = brains_unpublish(&brains, 3, "restored0.web");
        brains_run(&brains, SECOND);
        brains_join_lab(&brains, 3);
        uint32_t other = again ? brains_publish(&brains, 3, "restored0.web", 444, NULL) : 0;
        if (!again)
            brains_leave_lab(&brains, 3);
        brains_unstick(&brains, 3);
        brains.cloud = NULL;
        assert_int_equal(helper_end(&brains, 3, id),
                         again ? CONTROL_ERROR_CANCELLED : CONTROL_ERROR_FAILED);
        if (again)
            assert_int_equal(helper_end(&brains, 3, other), 0);
        assert_int_equal(helper_info(&brains, 3).publications, again ? 2 : 0);
        if (!again)
            brains_join_lab(&brains, 3);
    }
    brains_kill(&brains, 3);
    brains_start(&brains, 3);
    brains_run(&brains, MINUTE);
    assert_int_equal(resolve_in("lab", 6, helper_name(key, ".web"), "all"), 444);
    brains_fini(&brains);
}

static void test_publications_wait_for_their_cloud(void **state)
{
    uint8_t key[32];
    (void)state;
    brains.lab = true;
    brains_init(&brains, 12, 305);
    brains_add_key(&brains, 3, "restored0", 7, key);
    const char *web = helper_name(key, ".web");
    assert_int_equal(publish_in("lab", 3, "restored0.web", 443), 0);
    brains_leave_lab(&brains, 3);
    brains_run(&brains, 4 * HOUR); // until nobody has it any more
    assert_int_equal(resolve_in("lab", 8, web, "all"), -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(resolve_in(NULL, 8, web, "all"), -CONTROL_ERROR_NOT_FOUND);
    brains_join_lab(&brains, 3);
    brains_run(&brains, MINUTE);
    assert_int_equal(resolve_in("lab", 8, web, "all"), 443);
    // The same over a restart without the cloud.
    brains_kill(&brains, 3);
    brains.lab = false;
    brains_start(&brains, 3);
    brains.lab = true;
    brains_run(&brains, MINUTE);
    assert_int_equal(resolve_in(NULL, 8, web, "all"), -CONTROL_ERROR_NOT_FOUND);
    brains_run(&brains, 4 * HOUR);
    assert_int_equal(resolve_in("lab", 8, web, "all"), -CONTROL_ERROR_NOT_FOUND);
    brains_join_lab(&brains, 3);
    brains_run(&brains, MINUTE);
    assert_int_equal(resolve_in("lab", 8, web, "all"), 443);
    assert_int_equal(resolve_in(NULL, 8, web, "all"), -CONTROL_ERROR_NOT_FOUND);
    brains_fini(&brains);
}

// ---- engines come and go ----

static int unplug(size_t node)
{
    int cloud = core_cloud_engine(brains.nodes[node], brains.labs[node])->cloud->number;
    node_remove_engine(brains.nodes[node], brains.now_us, brains.labs[node]);
    brains.labs[node] = -1;
    return cloud;
}

static void plug(size_t node, int cloud)
{
    struct dht_config config;
    dht_config_init(&config, DHT_IPV4);
    config.lab = true;
    config.addr =
        (struct dht_addr){.ip = {127, 0, 0, 2}, .ip_len = 4, .port = (uint16_t)(20001 + node)};
    brains.labs[node] = node_add_engine(brains.nodes[node], brains.now_us, cloud, &config);
    struct dht_addr first = {.ip = {127, 0, 0, 2}, .ip_len = 4, .port = 20001};
    node_bootstrap(brains.nodes[node], brains.now_us, brains.labs[node], &first, 1);
}

#define NO_NET "the cloud lab has no network: it could listen at no address; pnrd's log says why"
#define NOBODY "the cloud lab has nobody to ask: no bootstrap host has answered; try pnr doctor"

static void write_ping(struct dht_bencode_writer *writer, const void *ctx)
{
    (void)ctx;
    dht_bencode_put_text(writer, CONTROL_KEY_ADDR);
    dht_bencode_put_text(writer, "127.0.0.2:20001");
}

static void check_failure(const char *name, uint32_t id, int code, const char *text)
{
    assert_int_equal(helper_end(&brains, 3, id), code);
    if (!helper_has_text(ended(3, id), CONTROL_KEY_TEXT, text))
        fail_msg("%s: %.*s", name, (int)ended(3, id)->fields_len,
                 (const char *)ended(3, id)->fields);
}

// Who can ask nobody is told at once why, and what he wants done is done when it can be.
static void test_without_a_network(void **state)
{
    uint8_t key[32];
    (void)state;
    brains.lab = true;
    brains_init(&brains, 12, 308);
    brains_add_key(&brains, 3, "restored0", 7, key);
    int cloud = unplug(3);
    brains.cloud = "lab";
    int64_t begun_us = brains.now_us;
    check_failure("publish", brains_publish(&brains, 3, "restored0.web", 443, NULL),
                  CONTROL_ERROR_TIMED_OUT, NO_NET CORE_CLOUD_LATER);
    check_failure("unsecured", brains_publish(&brains, 3, "0.printer", 631, NULL),
                  CONTROL_ERROR_TIMED_OUT, NO_NET CORE_CLOUD_LATER);
    check_failure("ping", brains_ask(&brains, 3, "ping", write_ping, NULL), CONTROL_ERROR_FAILED,
                  NO_NET);
    assert_true(brains.now_us - begun_us < SECOND);
    check_failure("resolve", brains_resolve(&brains, 3, helper_name(key, ".a"), "all"),
                  CONTROL_ERROR_TIMED_OUT, NO_NET);
    uint32_t list = brains_ask(&brains, 3, "publications", NULL, NULL);
    for (size_t i = 0; i < 2; i++) { // of both the error is told, and no time
        const struct brains_answer *one = brains_answer(&brains, 3, list, CONTROL_ANSWER_RESULT, i);
        assert_true(helper_has_text(one, CONTROL_KEY_LAST_ERROR, NO_NET));
        assert_int_equal(helper_number(one, CONTROL_KEY_RENEW_S), -1);
    }
    plug(3, cloud);
    brains_run(&brains, MINUTE);
    assert_int_equal(helper_resolve(&brains, 8, helper_name(key, ".web"), "all"), 443);
    assert_int_equal(helper_resolve(&brains, 8, "0.printer", "all"), 631);
    // An address, and nobody there.
    unplug(3);
    for (size_t i = 0; i < 12; i++)
        if (i != 3)
            brains_kill(&brains, i);
    plug(3, cloud);
    brains_run(&brains, 31 * SECOND);
    begun_us = brains.now_us;
    check_failure("alone", brains_publish(&brains, 3, "restored0.b", 443, NULL),
                  CONTROL_ERROR_TIMED_OUT, NOBODY CORE_CLOUD_LATER);
    check_failure("alone, unsecured", brains_publish(&brains, 3, "0.b", 631, NULL),
                  CONTROL_ERROR_TIMED_OUT, NOBODY CORE_CLOUD_LATER);
    assert_true(brains.now_us - begun_us < SECOND);
    check_failure("alone, resolve", brains_resolve(&brains, 3, helper_name(key, ".a"), "all"),
                  CONTROL_ERROR_TIMED_OUT, NOBODY);
    brains.cloud = NULL;
    brains_fini(&brains);
}

static void test_an_engine_goes_in_the_middle(void **state)
{
    uint8_t key[32];
    (void)state;
    brains.lab = true;
    brains_init(&brains, 12, 306);
    brains_add_key(&brains, 3, "restored0", 7, key);
    brains.cloud = "lab";
    for (int64_t after_us = 0; after_us < SECOND; after_us += 20000) {
        uint32_t resolve = brains_resolve(&brains, 3, helper_name(key, ".a"), "all");
        uint32_t publish = brains_publish(&brains, 3, "restored0.web", 443, NULL);
        brains_run(&brains, after_us);
        int cloud = unplug(3);
        assert_int_equal(node_cloud_state(brains.nodes[3], cloud), NODE_CLOUD_NO_NET);
        brains_run(&brains, SECOND);
        assert_non_null(ended(3, resolve));
        plug(3, cloud);
        assert_non_null(brains_wait(&brains, 3, publish));
        brains_run(&brains, 20 * SECOND);
    }
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    assert_int_equal(helper_resolve(&brains, 8, helper_name(key, ".web"), "all"), 443);
    brains_fini(&brains);
}

static void test_contacts_and_items_are_kept_by_cloud(void **state)
{
    uint8_t key[32];
    (void)state;
    brains.lab = true;
    brains_init(&brains, 12, 307);
    brains_add_key(&brains, 3, "restored0", 7, key);
    assert_int_equal(publish_in("lab", 3, "restored0.web", 443), 0);
    brains_run(&brains, 6 * MINUTE);
    struct dht_info lab;
    struct dht_info global;
    dht_info(node_engine(brains.nodes[8], 0), &global);
    dht_info(node_engine(brains.nodes[8], 1), &lab);
    assert_int_equal(global.items, 0);
    assert_true(lab.items > 0);
    uint32_t items = lab.items;
    brains_kill(&brains, 8);
    brains_kill(&brains, 0);
    brains_start(&brains, 8);
    dht_info(node_engine(brains.nodes[8], 0), &global);
    dht_info(node_engine(brains.nodes[8], 1), &lab);
    assert_int_equal(global.items, 0);
    assert_int_equal(lab.items, items);
    brains_run(&brains, 20 * SECOND);
    assert_int_equal(node_cloud_state(brains.nodes[8], 0), NODE_CLOUD_ACTIVE);
    assert_int_equal(node_cloud_state(brains.nodes[8], 1), NODE_CLOUD_ACTIVE);
    brains_start(&brains, 0);
    brains_fini(&brains);
}

// ---- what clients see ----

static void write_watch(struct dht_bencode_writer *writer, const void *ctx)
{
    (void)ctx;
    dht_bencode_pair_int(writer, CONTROL_KEY_WATCH, 1);
}

// The last result of the request says so of the cloud.
static void check_told(size_t node, uint32_t id, const char *name, const char *state,
                       const char *event)
{
    size_t count = brains_count(&brains, node, id, CONTROL_ANSWER_RESULT);
    assert_true(count > 0);
    const struct brains_answer *last =
        brains_answer(&brains, node, id, CONTROL_ANSWER_RESULT, count - 1);
    assert_true(helper_has_text(last, CONTROL_KEY_NAME, name));
    assert_true(helper_has_text(last, CONTROL_KEY_STATE, state));
    if (event != NULL)
        assert_true(helper_has_text(last, CONTROL_KEY_EVENT, event));
}

static void test_changes_are_told_to_who_watches(void **state)
{
    struct node_cloud_config config;
    (void)state;
    brains_init(&brains, 5, 308);
    struct node *node = brains.nodes[3];
    uint32_t list = brains_ask(&brains, 3, "clouds", NULL, NULL);
    check_told(3, list, "Global_", "active", NULL);
    assert_int_equal(
        helper_number(brains_answer(&brains, 3, list, CONTROL_ANSWER_DONE, 0), "count"), 1);
    int64_t idle_us = node_deadline(node);
    uint32_t watch = brains_ask(&brains, 3, "clouds", write_watch, NULL);
    assert_true(node_deadline(node) < idle_us || idle_us <= brains.now_us + SECOND / 2);
    check_told(3, watch, "Global_", "active", NULL);
    assert_true(helper_has_text(brains_answer(&brains, 3, watch, CONTROL_ANSWER_PROGRESS, 0),
                                CONTROL_KEY_STEP, "watching"));
    node_cloud_config_init(&config, "eth0");
    config.scope = NODE_SCOPE_LINK;
    config.scope_id = 7;
    int cloud = node_add_cloud(node, brains.now_us, &config);
    brains_run(&brains, SECOND);
    check_told(3, watch, "eth0", "no-net", "added");
    struct dht_config engine;
    dht_config_init(&engine, DHT_IPV6);
    int number = node_add_engine(node, brains.now_us, cloud, &engine);
    brains_run(&brains, SECOND);
    check_told(3, watch, "eth0", "synchronising", "changed");
    brains_run(&brains, 31 * SECOND);
    check_told(3, watch, "eth0", "alone", "changed");
    size_t count = brains_count(&brains, 3, watch, CONTROL_ANSWER_RESULT);
    brains_run(&brains, MINUTE); // nothing new, so nothing is told
    assert_int_equal(brains_count(&brains, 3, watch, CONTROL_ANSWER_RESULT), count);
    node_remove_engine(node, brains.now_us, number);
    brains_run(&brains, SECOND);
    check_told(3, watch, "eth0", "no-net", "changed");
    // Another who comes later gets the whole picture, and the first hears nothing of that.
    count = brains_count(&brains, 3, watch, CONTROL_ANSWER_RESULT);
    list = brains_ask(&brains, 3, "clouds", write_watch, NULL);
    assert_int_equal(brains_count(&brains, 3, list, CONTROL_ANSWER_RESULT), 2);
    assert_int_equal(brains_count(&brains, 3, watch, CONTROL_ANSWER_RESULT), count);
    node_remove_cloud(node, brains.now_us, cloud);
    brains_run(&brains, SECOND);
    check_told(3, watch, "eth0", "dead", "gone");
    check_told(3, list, "eth0", "dead", "gone");
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_numbers),
        cmocka_unit_test(test_the_one_meant_by_default),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_names_of_one_are_not_of_the_other),
        cmocka_unit_test(test_results_name_their_cloud),
        cmocka_unit_test(test_results_tell_their_link),
        cmocka_unit_test(test_what_is_under_way_ends_with_its_cloud),
        cmocka_unit_test(test_withdrawn_without_its_cloud),
        cmocka_unit_test(test_withdrawn_when_its_cloud_returns),
        cmocka_unit_test(test_publications_wait_for_their_cloud),
        cmocka_unit_test(test_without_a_network),
        cmocka_unit_test(test_an_engine_goes_in_the_middle),
        cmocka_unit_test(test_changes_are_told_to_who_watches),
        cmocka_unit_test(test_contacts_and_items_are_kept_by_cloud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
