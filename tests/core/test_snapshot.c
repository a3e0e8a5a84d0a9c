// SPDX-License-Identifier: MIT
#include "node/core/snapshot.h"

#include "tests/core/brains_helper.h"

static struct brains brains;

static size_t rows_of(size_t node, enum node_row_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < brains.disks[node]->row_count; i++)
        count += brains.disks[node]->rows[i].kind == kind;
    return count;
}

static struct dht_info info_of(size_t node)
{
    struct dht_info info;
    dht_info(node_engine(brains.nodes[node], 0), &info);
    return info;
}

static void test_contacts_and_items_outlive_a_kill(void **state)
{
    uint8_t key[32];
    (void)state;
    brains_init(&brains, 12, 121);
    brains_add_key(&brains, 3, "restored0", 7, key);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    brains_run(&brains, 6 * MINUTE);
    uint32_t items = info_of(8).items;
    assert_true(items > 0);
    assert_int_equal(rows_of(8, NODE_ROW_ITEM), items);
    assert_true(rows_of(8, NODE_ROW_CONTACT) > 0);
    assert_int_equal(rows_of(8, NODE_ROW_META), 1);
    // It comes back with its items, and without the help of the node that bootstrapped it.
    brains_kill(&brains, 8);
    brains_kill(&brains, 0);
    brains_start(&brains, 8);
    assert_int_equal(info_of(8).items, items);
    brains_run(&brains, 20 * SECOND);
    assert_true(info_of(8).contacts_good > 3);
    assert_int_equal(helper_resolve(&brains, 8, helper_name(key, ".web"), "all"), 443);
    brains_start(&brains, 0);
    brains_fini(&brains);
}

static void test_what_has_expired_is_deleted(void **state)
{
    uint8_t key[32];
    (void)state;
    brains_init(&brains, 12, 122);
    brains_add_key(&brains, 3, "restored0", 7, key);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    brains_run(&brains, 6 * MINUTE);
    assert_true(rows_of(8, NODE_ROW_ITEM) > 0);
    brains_kill(&brains, 8);
    brains_kill(&brains, 3); // nobody renews it
    brains_run(&brains, 3 * HOUR);
    brains_start(&brains, 8);
    assert_int_equal(info_of(8).items, 0);
    brains_run(&brains, SECOND);
    assert_int_equal(rows_of(8, NODE_ROW_ITEM), 0);
    brains_start(&brains, 3);
    brains_fini(&brains);
}

// A node that is never restarted does not keep the rows of items that have expired either.
static void test_rows_go_with_their_items(void **state)
{
    uint8_t key[32];
    (void)state;
    brains_init(&brains, 12, 124);
    brains_add_key(&brains, 3, "restored0", 7, key);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    brains_run(&brains, 6 * MINUTE);
    assert_true(rows_of(8, NODE_ROW_ITEM) > 0);
    brains_run(&brains, 3 * HOUR); // renewed: still there
    assert_int_equal(rows_of(8, NODE_ROW_ITEM), info_of(8).items);
    assert_true(info_of(8).items > 0);
    brains_kill(&brains, 3);
    brains_run(&brains, 3 * HOUR);
    assert_int_equal(info_of(8).items, 0);
    assert_int_equal(rows_of(8, NODE_ROW_ITEM), 0);
    brains_start(&brains, 3);
    brains_fini(&brains);
}

static void test_rows_that_make_no_sense(void **state)
{
    static const struct {
        const char *name;
        enum node_row_kind kind;
        const char *key;
        const char *value;
    } rows[] = {
        {"unknown kind", (enum node_row_kind)99, "k", "v"},
        {"machine, short", NODE_ROW_META, "machine", "1234567"},
        {"machine, other key", NODE_ROW_META, "nothing", "12345678"},
        {"sequence, short key", NODE_ROW_SEQUENCE, "abc", "12345678"},
        {"sequence, short", NODE_ROW_SEQUENCE, "abcdefghij0123456789", "1234567"},
        {"sequence, negative", NODE_ROW_SEQUENCE, "abcdefghij0123456789",
         "\xff"
         "2345678"},
        {"publication, short key", NODE_ROW_PUBLICATION, "abc", "de"},
        {"publication, empty", NODE_ROW_PUBLICATION, "abcdefghijklmnopqrstuvwxyz012345", ""},
        {"publication, fields", NODE_ROW_PUBLICATION, "abcdefghijklmnopqrstuvwxyz012345", "de"},
        {"publication, name", NODE_ROW_PUBLICATION, "abcdefghijklmnopqrstuvwxyz012345\xff", "de"},
        {"contact, short", NODE_ROW_CONTACT, "ab", "abcdefghij0123456789"},
        {"contact, long key", NODE_ROW_CONTACT, "abc", "abcdefghij0123456789abcdef"},
        {"item, short key", NODE_ROW_ITEM, "abc", "d7:expiresi1e1:v1:xe"},
        {"item, no dictionary", NODE_ROW_ITEM,
         "\x04"
         "abcdefghij0123456789",
         "i1e"},
        {"item, no value", NODE_ROW_ITEM,
         "\x04"
         "abcdefghij0123456789",
         "d7:expiresi1ee"},
        {"item, another hash", NODE_ROW_ITEM,
         "\x04"
         "abcdefghij0123456789",
         "d7:expiresi1800000000000000e1:v3:1:xe"},
        {"item, short key field", NODE_ROW_ITEM,
         "\x04"
         "abcdefghij0123456789",
         "d7:expiresi1800000000000000e1:k1:x1:v3:1:xe"},
    };
    (void)state;
    brains_init(&brains, 1, 123);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dht_span key = {(const uint8_t *)rows[i].key, strlen(rows[i].key)};
        struct dht_span value = {(const uint8_t *)rows[i].value, strlen(rows[i].value)};
        if (node_restore(brains.nodes[0], rows[i].kind, key, value))
            fail_msg("%s", rows[i].name);
    }
    assert_int_equal(helper_info(&brains, 0).publications, 0);
    brains_fini(&brains);
}

static bool has_item_row(const char *key, size_t key_len)
{
    const struct brains_disk *disk = brains.disks[0];
    for (size_t i = 0; i < disk->row_count; i++)
        if (disk->rows[i].kind == NODE_ROW_ITEM && disk->rows[i].key_len == key_len &&
            memcmp(disk->rows[i].key, key, key_len) == 0)
            return true;
    return false;
}

// Items wait on disk for their cloud, as long as they live.
static void test_items_wait_for_their_cloud(void **state)
{
#define TARGET "abcdefghij0123456789"
#define LONG   "d7:expiresi1800000000000000e1:v3:1:xe"
#define OVER   "d7:expiresi1700000000000000e1:v3:1:xe"
    static const struct {
        const char *name;
        const char *key;
        const char *value;
        bool stays;
    } rows[] = {
        {"no such cloud", "\x04" TARGET "away", LONG, true},
        {"a disabled one", "\x04" TARGET "off", LONG, true},
        {"no such family", "\x06" TARGET, LONG, true},
        {"no such cloud, expired", "\x04" TARGET "gone", OVER, false},
        {"a disabled one, expired", "\x06" TARGET "off", OVER, false},
        {"no item", "\x04" TARGET, LONG, false}, // of another hash
    };
    struct node_cloud_config off;
    (void)state;
    brains_init(&brains, 1, 125);
    node_cloud_config_init(&off, "off");
    off.disabled = true;
    assert_true(node_add_cloud(brains.nodes[0], brains.now_us, &off) > 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct brains_row *row = &brains.disks[0]->rows[brains.disks[0]->row_count++];
        row->kind = NODE_ROW_ITEM;
        row->key_len = strlen(rows[i].key);
        row->value_len = strlen(rows[i].value);
        memcpy(row->key, rows[i].key, row->key_len);
        memcpy(row->value, rows[i].value, row->value_len);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        node_restore(brains.nodes[0], NODE_ROW_ITEM,
                     (struct dht_span){(const uint8_t *)rows[i].key, strlen(rows[i].key)},
                     (struct dht_span){(const uint8_t *)rows[i].value, strlen(rows[i].value)});
    assert_int_equal(helper_end(&brains, 0, brains_ask(&brains, 0, "clouds", NULL, NULL)), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (has_item_row(rows[i].key, strlen(rows[i].key)) != rows[i].stays)
            fail_msg("%s", rows[i].name);
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contacts_and_items_outlive_a_kill),
        cmocka_unit_test(test_what_has_expired_is_deleted),
        cmocka_unit_test(test_rows_go_with_their_items),
        cmocka_unit_test(test_rows_that_make_no_sense),
        cmocka_unit_test(test_items_wait_for_their_cloud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
