// SPDX-License-Identifier: MIT
#include "node/daemon/node.h"

#include "node/daemon/process.h"
#include "node/daemon/state.h"
#include "tests/daemon/fake_node.h"
#include "tests/daemon/unit.h"

static struct daemon_process process;
static struct daemon_node_options options;

static int setup(void **state)
{
    struct daemon_process_options all = {.node_count = 2, .clients_max = 4};
    unit_dir_make(state);
    memset(&options, 0, sizeof options);
    node_config_init(&options.config);
    return daemon_process_open(&process, &all, NULL) ? 0 : -1;
}

static int teardown(void **state)
{
    daemon_process_close(&process);
    return unit_dir_remove(state);
}

static void put_row(struct daemon_state *state, enum daemon_state_kind kind)
{
    struct dht_span text = {(const uint8_t *)"x", 1};
    struct daemon_state_row row = {.kind = kind, .key = text, .value = text};
    assert_int_equal(daemon_state_write(state, 0, true, &row), DAEMON_STATE_TAKEN);
}

// What an earlier run left comes in the order that the brain needs, keys before the start.
static void test_restore(void **state)
{
    static const enum node_row_kind order[] = {
        NODE_ROW_META, NODE_ROW_SEQUENCE, NODE_ROW_PUBLICATION, NODE_ROW_CONTACT, NODE_ROW_ITEM};
    (void)state;
    struct daemon_state_options rows = {.dir = unit_path("state"), .synchronous = true};
    struct daemon_state *earlier = daemon_state_open(&rows, NULL);
    assert_non_null(earlier);
    for (int kind = NODE_ROW_PUBLICATION; kind <= NODE_ROW_META; kind++)
        put_row(earlier, (enum daemon_state_kind)kind);
    daemon_state_close(earlier);
    struct daemon_keys *keys = daemon_keys_open(unit_path("keys"), 8, NULL);
    uint8_t key[DHT_KEY_LEN];
    assert_true(daemon_keys_create(keys, "earlier", key, NULL));
    daemon_keys_close(keys);

    options.state_dir = unit_path("state");
    options.keys_dir = unit_path("keys");
    process.nodes[0] = daemon_node_open(&process.shared, &options, NULL);
    assert_non_null(process.nodes[0]);
    struct fake_node_seen *seen = fake_node_seen(daemon_node_brain(process.nodes[0]));
    assert_int_equal(seen->restored_count, UNIT_COUNT(order));
    assert_memory_equal(seen->restored, order, sizeof order);
    daemon_node_start(process.nodes[0]);
    assert_string_equal(seen->key_label, "earlier");
    assert_true(seen->is_started);
    // It signs, and says no to keys that are not its own.
    uint8_t sig[DHT_SIG_LEN];
    struct dht_span msg = {(const uint8_t *)"msg", 3};
    struct dht_crypto crypto = fake_node_crypto(daemon_node_brain(process.nodes[0]));
    assert_true(crypto.sign(crypto.ctx, key, msg, sig));
    assert_true(crypto.verify(crypto.ctx, key, sig, msg));
    key[0] ^= 1;
    assert_false(crypto.sign(crypto.ctx, key, msg, sig));
}

// Two nodes with one directory of keys, as those of two clouds: what one makes the other has.
static void test_shared_keys(void **state)
{
    struct node_out want = {.type = NODE_OUT_KEY};
    (void)state;
    want.key.verb = NODE_KEY_NEW;
    want.key.label = "common";
    options.keys_dir = unit_path("keys");
    for (uint32_t i = 0; i < 2; i++) {
        process.nodes[i] = daemon_node_open(&process.shared, &options, NULL);
        assert_non_null(process.nodes[i]);
        daemon_node_start(process.nodes[i]);
    }
    struct node *first = daemon_node_brain(process.nodes[0]);
    fake_node_seen(first)->key_code = -1;
    fake_node_ask(first, &want);
    daemon_node_settle(process.nodes[0]);
    while (fake_node_seen(daemon_node_brain(process.nodes[1]))->keys == 0)
        daemon_loop_once(process.loop);
    assert_int_equal(fake_node_seen(first)->key_code, 0);
    assert_int_equal(fake_node_seen(first)->keys, 1);
    daemon_process_stop_node(&process, 0);
    daemon_node_reload_keys(process.nodes[1]);
    daemon_process_stop_node(&process, 1); // with a job under way
}

// Two nodes of this process get to know each other over real sockets.
static void test_join(void **state)
{
    struct dht_info info;
    (void)state;
    options.keys_dir = unit_path("keys");
    options.keys_lazy = true;
    options.cloud.engine_count = 1;
    options.cloud.engines[0].socket_buffer_bytes = 65536;
    for (uint32_t i = 0; i < 2; i++) {
        struct dht_config *config = &options.cloud.engines[0].config;
        dht_config_init(config, DHT_IPV4);
        config->lab = true;
        config->role = DHT_ROLE_SERVER;
        config->addr = (struct dht_addr){.ip = {127, 0, 0, 1}, .ip_len = 4};
        options.config.node_index = i;
        options.seed[0] = (uint8_t)i;
        process.nodes[i] = daemon_node_open(&process.shared, &options, NULL);
        assert_non_null(process.nodes[i]);
        daemon_node_start(process.nodes[i]);
    }
    struct dht_addr first = daemon_node_addr(process.nodes[0], 0);
    assert_int_not_equal(first.port, 0);
    assert_false(daemon_node_is_joined(process.nodes[1]));
    struct dht_addr other = {.ip = {[15] = 1}, .port = 9, .ip_len = 16};
    daemon_node_bootstrap(process.nodes[1], &other, 1);
    assert_true(daemon_node_is_alone(process.nodes[1], 0)); // of another family
    daemon_node_bootstrap(process.nodes[1], &first, 1);
    assert_false(daemon_node_is_alone(process.nodes[1], 0));
    assert_true(daemon_node_is_alone(process.nodes[0], 0)); // nobody has asked it yet
    while (!daemon_node_is_joined(process.nodes[1]))
        daemon_loop_once(process.loop);
    dht_info(node_engine(daemon_node_brain(process.nodes[1]), 0), &info);
    assert_int_equal(info.contacts, 1);
    assert_false(daemon_file_exists(unit_path("keys"))); // lazily: not made
}

// What cannot be opened says why, and leaves nothing behind that a next try would run into.
static void test_failures(void **state)
{
    struct daemon_error why;
    struct dht_addr taken = {.ip = {127, 0, 0, 1}, .ip_len = 4};
    struct daemon_udp_info info;
    (void)state;
    struct daemon_udp *holder = daemon_udp_open(&taken, NULL, 65536, NULL);
    assert_non_null(holder);
    daemon_udp_info(holder, &info);
    unit_write(unit_path("file"), "");
    options.keys_dir = unit_path("file");
    options.state_dir = unit_path("state");
    assert_null(daemon_node_open(&process.shared, &options, &why));
    unit_has("keys", why.text, "file");
    options.keys_dir = unit_path("keys");
    options.cloud.engine_count = 1;
    dht_config_init(&options.cloud.engines[0].config, DHT_IPV4);
    options.cloud.engines[0].config.addr = info.addr;
    assert_null(daemon_node_open(&process.shared, &options, &why));
    unit_has("socket", why.text, "the port is taken");
    daemon_udp_close(holder);
    options.cloud.engine_count = 0;
    process.nodes[0] = daemon_node_open(&process.shared, &options, &why);
    assert_non_null(process.nodes[0]);
    process.nodes[1] = daemon_node_open(&process.shared, &options, &why);
    assert_null(process.nodes[1]);
    unit_has("lock", why.text, "in use");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_restore, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shared_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_join, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
    };
    return unit_run(tests);
}
