// SPDX-License-Identifier: MIT
// A name by the 40 hex digits of a key that nobody has published yet: its first publication is
// heard as soon as any other change.
#include "tests/core/watch_helper.h"

static struct brains brains;

#define PUBLISHER 3
#define WATCHER   9

// Nodes that keep no watches for others refuse them, and are polled.
static void refuse_watches(size_t node, struct node_config *config, struct dht_config *engine)
{
    (void)node;
    (void)config;
    engine->watchers_max = 0;
}

static const struct row {
    const char *name;
    bool is_polled;
    int64_t wait_us; // from the beginning of the watch to the first publication
    int64_t most_us; // from that to the watcher's hearing of it
} rows[] = {
    {"pushed, at once", false, SECOND, 2 * SECOND},
    {"pushed, after a while", false, 5 * MINUTE, 2 * SECOND},
    {"pushed, after hours", false, 5 * HOUR, 2 * SECOND},
    {"polled, at once", true, 30 * SECOND, MINUTE},
    {"polled, after a while", true, 5 * MINUTE, MINUTE},
    {"polled, after hours", true, 5 * HOUR, MINUTE},
};

static uint8_t key[32];

static void write_hex(struct dht_bencode_writer *writer, const void *ctx)
{
    struct dht_crypto crypto = helper_crypto(NULL);
    uint8_t hash[DHT_ID_LEN];
    char text[64];
    core_name_key_hash(&crypto, key, hash);
    for (size_t i = 0; i < DHT_ID_LEN; i++)
        sprintf(text + 2 * i, "%02x", hash[i]);
    strcat(text, ctx);
    dht_bencode_put_text(writer, CONTROL_KEY_NAME);
    dht_bencode_put_text(writer, text);
}

static void check_told(const char *name, uint32_t id, const char *wanted)
{
    if (strcmp(helper_told(&brains, WATCHER, id), wanted) != 0)
        fail_msg("%s: %s", name, helper_told(&brains, WATCHER, id));
}

static void test_first_publication(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        brains.configure = row->is_polled ? refuse_watches : NULL;
        brains_init(&brains, 16, 1 + i);
        brains_add_key(&brains, PUBLISHER, "alice", 7, key);
        uint32_t id = brains_ask(&brains, WATCHER, "watch", write_hex, ".web");
        uint32_t bare = brains_ask(&brains, WATCHER, "watch", write_hex, "");
        brains_run(&brains, row->wait_us);
        check_told(row->name, id, "w");
        assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 1000), 0);
        brains_run(&brains, row->most_us);
        check_told(row->name, id, "w +1000");
        // Whose key it is is known now, and what it says is told as of any other name.
        brains_run(&brains, 10 * MINUTE);
        assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 2000), 0);
        brains_run(&brains, row->most_us);
        check_told(row->name, id, "w +1000 ~2000");
        assert_int_equal(helper_publish(&brains, PUBLISHER, "alice", 3000), 0);
        brains_run(&brains, row->most_us);
        check_told(row->name, bare, "w +3000");
        brains_fini(&brains);
    }
}

static void write_cancel(struct dht_bencode_writer *writer, const void *ctx)
{
    const uint32_t *id = ctx;
    dht_bencode_pair_int(writer, CONTROL_KEY_CANCEL_ID, *id);
}

// Ended at any moment, nothing of it is left; looked for again where our network changes.
static void test_ended(void **state)
{
    (void)state;
    brains_init(&brains, 16, 20);
    brains_add_key(&brains, PUBLISHER, "alice", 7, key);
    struct dht_info info;
    uint32_t ops = helper_ops(&brains, WATCHER);
    for (int64_t pause_us = 0; pause_us < 2 * SECOND; pause_us += SECOND / 20) {
        uint32_t id = brains_ask(&brains, WATCHER, "watch", write_hex, ".web");
        brains_run(&brains, pause_us);
        node_network_changed(brains.nodes[WATCHER], brains.now_us);
        brains_run(&brains, pause_us);
        uint32_t cancel = brains_ask(&brains, WATCHER, "cancel", write_cancel, &id);
        assert_int_equal(helper_end(&brains, WATCHER, cancel), 0);
        assert_int_equal(helper_info(&brains, WATCHER).watches, 0);
        dht_info(node_engine(brains.nodes[WATCHER], 0), &info);
        assert_int_equal(info.watches, 0);
    }
    brains_run(&brains, MINUTE);
    assert_int_equal(helper_ops(&brains, WATCHER), ops);
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_publication),
        cmocka_unit_test(test_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
