// SPDX-License-Identifier: MIT
// Whom a lookup starts with: the closest contacts, and where these may all be somebody's, others.
#include "dht/search.h"

#include "dht/id.h"
#include "dht/region.h"
#include "tests/core/crypto_helper.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#define NODES    2000
#define CONTACTS 300 // at random, as a node has that is up for a while
#define PACKED   32  // as many as a lookup starts with

static struct dht *make_engine(void)
{
    static const uint8_t seed[32] = {1};
    struct dht_crypto crypto = helper_crypto(NULL);
    struct dht_config config;
    dht_config_init(&config, DHT_IPV4);
    config.role = DHT_ROLE_SERVER;
    memset(config.id.bytes, 'M', sizeof config.id.bytes);
    struct dht *dht = dht_new(&config, &crypto, seed, 1000000);
    assert_non_null(dht);
    return dht;
}

static void random_id(uint64_t *random, struct dht_id *ret_id)
{
    for (int i = 0; i < DHT_ID_LEN; i++)
        ret_id->bytes[i] = (uint8_t)helper_below(random, 256);
}

// A contact with that id, at an address of a prefix of its own.
static void add_contact(struct dht *dht, const struct dht_id *id, uint32_t number)
{
    struct dht_addr addr = {.ip = {(uint8_t)(20 + number / 200), (uint8_t)(number % 200), 1, 1},
                            .ip_len = 4,
                            .port = 1};
    dht_table_answered(&dht->table, id, &addr, 0, dht_engine_now_s(dht));
}

static void learn_size(struct dht *dht, uint64_t *random)
{
    for (int i = 0; i < DHT_ESTIMATE_LOOKUPS; i++) {
        uint64_t distances[DHT_ESTIMATE_CLOSEST];
        struct dht_id target;
        random_id(random, &target);
        for (uint32_t j = 0; j < DHT_ESTIMATE_CLOSEST; j++)
            distances[j] = dht_region_radius(NODES, j + 1);
        dht_estimate_add(&dht->estimate, &target, distances, dht_engine_now_s(dht));
    }
}

static const struct row {
    const char *name;
    bool stores;
    bool knows_size;
    uint32_t packed;      // of its contacts stand next to the target
    uint32_t least, most; // candidates beyond the region
} rows[] = {
    {"nobody is packed", true, true, 0, 20, 32},
    {"some", true, true, PACKED - 8, 8, 8},
    {"all", true, true, PACKED, 4, 8},
    {"all, of a network of unknown size", true, false, PACKED, 0, 0},
    {"all, of a lookup that reads", false, true, PACKED, 0, 0},
};

static void test_start(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        uint64_t random = 7;
        uint32_t beyond = 0;
        struct dht *dht = make_engine();
        struct dht_get get = {.seq_known = DHT_SEQ_NONE, .hold = row->stores};
        uint64_t region = dht_region_radius(NODES, 20);
        struct dht_id id;
        memset(get.target.bytes, 0xc0, sizeof get.target.bytes); // in the largest bucket
        for (uint32_t j = 0; j < row->packed; j++) {
            id = get.target;
            id.bytes[6] ^= (uint8_t)(j + 1);
            add_contact(dht, &id, j);
        }
        for (uint32_t j = 0; j < CONTACTS; j++) {
            random_id(&random, &id);
            if (dht_id_distance64(&id, &get.target) > region)
                add_contact(dht, &id, PACKED + j);
        }
        if (row->knows_size)
            learn_size(dht, &random);
        const struct dht_op *op = dht_op_find(&dht->ops, dht_get(dht, dht->now_us, &get));
        assert_non_null(op);
        for (uint32_t j = 0; j < op->lookup.count; j++)
            beyond += dht_id_distance64(&op->lookup.candidates[j].id, &get.target) > region;
        if (beyond < row->least || beyond > row->most)
            fail_msg("%s: %u beyond", row->name, beyond);
        dht_free(dht);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
