// SPDX-License-Identifier: MIT
// The routing table: who is let in, who gives way, and which contacts are closest; the last against
// a list of all.
#include "dht/table.h"

#include "dht/addr.h"
#include "dht/id.h"
#include "tests/core/crypto_helper.h"
#include "tests/dht/failing_malloc.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

struct fixture {
    struct dht_table table;
    struct dht_id own;
};

static void start_family(struct fixture *fixture, enum dht_family family, bool lab,
                         uint32_t bucket_size, uint32_t first, uint32_t replacements)
{
    struct dht_config config;
    dht_config_init(&config, family);
    config.lab = lab;
    config.bucket_size = bucket_size;
    config.first_bucket_size = first;
    config.replacements = replacements;
    memset(fixture->own.bytes, 0, sizeof fixture->own.bytes);
    dht_table_init(&fixture->table, &config, &fixture->own);
}

static void start(struct fixture *fixture, bool lab, uint32_t bucket_size, uint32_t first,
                  uint32_t replacements)
{
    start_family(fixture, DHT_IPV4, lab, bucket_size, first, replacements);
}

// An id that shares depth bits with our own, which is zero; number tells it from others.
static struct dht_id id_at(uint32_t depth, uint32_t number)
{
    struct dht_id id = {{0}};
    id.bytes[depth / 8] = (uint8_t)(0x80 >> depth % 8);
    memcpy(id.bytes + 15, &number, sizeof number);
    return id;
}

// Hosts of different /16s, as far as there are.
static struct dht_addr host(uint32_t number)
{
    struct dht_addr addr = {.ip_len = 4, .port = 1000};
    addr.ip[0] = 20;
    addr.ip[1] = (uint8_t)number;
    addr.ip[2] = (uint8_t)(number >> 8);
    addr.ip[3] = 1;
    return addr;
}

static enum dht_table_result answered(struct fixture *fixture, uint32_t depth, uint32_t number,
                                      uint32_t now_s)
{
    struct dht_id id = id_at(depth, number);
    struct dht_addr addr = host(number);
    return dht_table_answered(&fixture->table, &id, &addr, 1000, now_s);
}

static bool failed(struct fixture *fixture, uint32_t depth, uint32_t number, uint32_t now_s)
{
    struct dht_id id = id_at(depth, number);
    struct dht_addr addr = host(number);
    return dht_table_failed(&fixture->table, &id, &addr, now_s);
}

static bool holds(const struct fixture *fixture, uint32_t depth, uint32_t number)
{
    struct dht_id id = id_at(depth, number);
    struct dht_addr addr = host(number);
    return dht_table_find(&fixture->table, &id, &addr) != NULL;
}

static void test_capacity(void **state)
{
    static const struct row {
        const char *name;
        uint32_t bucket_size, first, depth, capacity;
    } rows[] = {
        {"first", 8, 128, 0, 128},    {"second", 8, 128, 1, 64}, {"fourth", 8, 128, 3, 16},
        {"fifth", 8, 128, 4, 8},      {"sixth", 8, 128, 5, 8},   {"deep", 8, 128, 159, 8},
        {"no wide ones", 8, 0, 0, 8},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture;
        start(&fixture, false, rows[i].bucket_size, rows[i].first, 8);
        if (dht_table_bucket_capacity(&fixture.table, rows[i].depth) != rows[i].capacity)
            fail_msg("%s", rows[i].name);
        dht_table_fini(&fixture.table);
    }
}

// A full bucket of good contacts lets newcomers wait, the newest of them go first.
static void test_full_bucket(void **state)
{
    struct fixture fixture;
    (void)state;
    start(&fixture, true, 2, 0, 2);
    assert_int_equal(answered(&fixture, 3, 1, 1), DHT_TABLE_ADDED);
    assert_int_equal(answered(&fixture, 3, 1, 2), DHT_TABLE_KNOWN);
    assert_int_equal(answered(&fixture, 3, 2, 1), DHT_TABLE_ADDED);
    for (uint32_t i = 3; i <= 5; i++)
        assert_int_equal(answered(&fixture, 3, i, 1), DHT_TABLE_WAITING);
    assert_int_equal(fixture.table.count, 2);
    assert_int_equal(fixture.table.buckets[3].replacement_count, 2);
    struct dht_id stranger = id_at(3, 99);
    assert_false(dht_table_wants(&fixture.table, &stranger));
    // One failure: questionable. The second, later: replaced by who waited last.
    assert_false(failed(&fixture, 3, 1, 100));
    assert_true(dht_table_wants(&fixture.table, &stranger));
    assert_false(failed(&fixture, 3, 1, 100 + DHT_TABLE_FAIL_GAP_S - 1));
    assert_true(failed(&fixture, 3, 1, 100 + DHT_TABLE_FAIL_GAP_S));
    assert_false(holds(&fixture, 3, 1));
    assert_true(holds(&fixture, 3, 5));
    // A questionable one gives way to a newcomer at once.
    assert_false(failed(&fixture, 3, 2, 300));
    assert_int_equal(answered(&fixture, 3, 7, 300), DHT_TABLE_REPLACED);
    assert_false(holds(&fixture, 3, 2));
    assert_int_equal(fixture.table.count, 2);
    dht_table_fini(&fixture.table);
}

static void test_failures(void **state)
{
    struct fixture fixture;
    (void)state;
    start(&fixture, true, 8, 0, 8);
    answered(&fixture, 3, 1, 1);
    assert_false(failed(&fixture, 3, 2, 10));
    assert_false(failed(&fixture, 3, 1, 10));
    assert_false(failed(&fixture, 3, 1, 20));
    // An answer makes good for all of them.
    answered(&fixture, 3, 1, 25);
    assert_false(failed(&fixture, 3, 1, 30));
    assert_false(failed(&fixture, 3, 1, 40));
    assert_true(failed(&fixture, 3, 1, 50));
    assert_int_equal(fixture.table.count, 0);
    dht_table_fini(&fixture.table);
}

// Ids that fit their address take the place of those that do not (BEP 42), never the other way.
static void test_secure_first(void **state)
{
    struct fixture fixture;
    struct dht_id id;
    uint8_t random[DHT_ID_LEN] = {1};
    struct dht_addr addr = host(77);
    (void)state;
    dht_id_make(&addr, random, &id);
    uint32_t depth = 0;
    start(&fixture, false, 1, 0, 4);
    depth = dht_id_common_bits(&fixture.own, &id);
    assert_int_equal(answered(&fixture, depth, 1, 1), DHT_TABLE_ADDED);
    assert_int_equal(answered(&fixture, depth, 2, 1), DHT_TABLE_WAITING);
    assert_int_equal(dht_table_answered(&fixture.table, &id, &addr, 0, 1), DHT_TABLE_REPLACED);
    assert_int_equal(answered(&fixture, depth, 3, 1), DHT_TABLE_WAITING);
    assert_non_null(dht_table_find(&fixture.table, &id, &addr));
    dht_table_fini(&fixture.table);
}

static void test_prefix_caps(void **state)
{
    struct fixture fixture;
    (void)state;
    start(&fixture, false, 8, 128, 8);
    uint32_t added = 0;
    for (uint32_t depth = 0; depth < 8; depth++)
        for (uint32_t i = 0; i < 4; i++) {
            struct dht_id id = id_at(depth, i);
            struct dht_addr addr = host(1);
            addr.ip[3] = (uint8_t)(depth * 4 + i);
            enum dht_table_result result = dht_table_answered(&fixture.table, &id, &addr, 0, 1);
            bool room = i < DHT_TABLE_PREFIX_BUCKET && added < DHT_TABLE_PREFIX_TABLE;
            assert_int_equal(result, room ? DHT_TABLE_ADDED : DHT_TABLE_REFUSED);
            added += result == DHT_TABLE_ADDED;
        }
    assert_int_equal(added, DHT_TABLE_PREFIX_TABLE);
    dht_table_fini(&fixture.table);
}

// Each of another /48, all of one /32; or each of another /24, all of one /16.
static void test_wide_caps(void **state)
{
    (void)state;
    for (int family = 4; family <= 6; family += 2) {
        struct fixture fixture;
        start_family(&fixture, (enum dht_family)family, false, 8, 128, 8);
        uint32_t added = 0;
        for (uint32_t depth = 0; depth < 12; depth++)
            for (uint32_t i = 0; i < 4; i++) {
                struct dht_id id = id_at(depth, i);
                struct dht_addr addr = {
                    .ip = {0x2a, 1, 2, 3, (uint8_t)depth, (uint8_t)i}, .ip_len = 16, .port = 1};
                if (family == 4)
                    addr = (struct dht_addr){
                        .ip = {20, 1, (uint8_t)(depth * 4 + i), 1}, .ip_len = 4, .port = 1};
                added += dht_table_answered(&fixture.table, &id, &addr, 0, 1) == DHT_TABLE_ADDED;
                assert_true(fixture.table.buckets[depth].count <= DHT_TABLE_WIDE_BUCKET);
            }
        assert_int_equal(added, DHT_TABLE_WIDE_TABLE);
        dht_table_fini(&fixture.table);
    }
}

// Replacements have to pass the caps when they move up.
static void test_replacements_pass_caps(void **state)
{
    struct fixture fixture;
    (void)state;
    start(&fixture, false, 3, 0, 8);
    for (uint32_t i = 1; i <= 3; i++)
        answered(&fixture, 0, i, 1);
    for (uint32_t i = 0; i < 6; i++) {
        struct dht_id id = id_at(0, 50 + i);
        struct dht_addr addr = host(9);
        addr.ip[3] = (uint8_t)i;
        assert_int_equal(dht_table_answered(&fixture.table, &id, &addr, 0, 1), DHT_TABLE_WAITING);
    }
    for (uint32_t i = 1; i <= 3; i++) {
        failed(&fixture, 0, i, 100);
        assert_true(failed(&fixture, 0, i, 200));
    }
    assert_int_equal(fixture.table.buckets[0].count, DHT_TABLE_PREFIX_BUCKET);
    assert_int_equal(fixture.table.count, DHT_TABLE_PREFIX_BUCKET);
    dht_table_fini(&fixture.table);
}

// One contact a host; in a lab, a port. Who changes its id gives way to itself; a neighbour at
// another port does not push out who is there; an id that a live contact has is not taken over.
static void test_hosts(void **state)
{
    (void)state;
    for (int lab = 0; lab < 2; lab++) {
        struct fixture fixture;
        start(&fixture, lab == 1, 8, 128, 8);
        assert_int_equal(answered(&fixture, 0, 1, 1), DHT_TABLE_ADDED);
        struct dht_id id = id_at(1, 2);
        struct dht_addr addr = host(1);
        addr.port = 2000;
        assert_int_equal(dht_table_answered(&fixture.table, &id, &addr, 0, 1),
                         lab == 1 ? DHT_TABLE_ADDED : DHT_TABLE_REFUSED);
        assert_true(holds(&fixture, 0, 1));
        // The id is held by a live contact.
        id = id_at(0, 1);
        addr = host(5);
        assert_int_equal(dht_table_answered(&fixture.table, &id, &addr, 0, 1), DHT_TABLE_REFUSED);
        // Once that has failed, it is another story.
        failed(&fixture, 0, 1, 50);
        assert_int_equal(dht_table_answered(&fixture.table, &id, &addr, 0, 50), DHT_TABLE_ADDED);
        assert_false(holds(&fixture, 0, 1));
        // A new id at the same address and port.
        id = id_at(4, 6);
        assert_int_equal(dht_table_answered(&fixture.table, &id, &addr, 0, 50), DHT_TABLE_ADDED);
        assert_int_equal(fixture.table.count, 1 + lab);
        assert_true(dht_table_evict(&fixture.table, &addr));
        assert_false(dht_table_evict(&fixture.table, &addr));
        // Never our own id.
        assert_int_equal(dht_table_answered(&fixture.table, &fixture.own, &addr, 0, 50),
                         DHT_TABLE_REFUSED);
        assert_false(dht_table_wants(&fixture.table, &fixture.own));
        dht_table_fini(&fixture.table);
    }
}

static void test_rtt(void **state)
{
    struct fixture fixture;
    struct dht_id id = id_at(0, 1);
    struct dht_addr addr = host(1);
    (void)state;
    start(&fixture, false, 8, 128, 8);
    dht_table_answered(&fixture.table, &id, &addr, 0, 1);
    struct dht_contact *contact = dht_table_find(&fixture.table, &id, &addr);
    assert_int_equal(contact->rtt_us, 0);
    dht_table_answered(&fixture.table, &id, &addr, 8000, 1);
    assert_int_equal(contact->rtt_us, 8000);
    dht_table_answered(&fixture.table, &id, &addr, 16000, 1);
    assert_int_equal(contact->rtt_us, 9000);
    dht_table_answered(&fixture.table, &id, &addr, UINT32_MAX, 1);
    assert_int_equal(contact->rtt_us, (9000 * 7 + DHT_CONTACT_RTT_MAX_US) / 8);
    dht_table_fini(&fixture.table);
}

static void test_random_id(void **state)
{
    struct fixture fixture;
    struct dht_random random;
    uint8_t seed[32] = {3};
    (void)state;
    start(&fixture, false, 8, 128, 8);
    dht_random_init(&random, seed);
    for (int i = 0; i < 20; i++)
        fixture.table.own.bytes[i] = (uint8_t)(i * 37);
    for (uint32_t depth = 0; depth < 160; depth++)
        for (int i = 0; i < 20; i++) {
            struct dht_id id = dht_table_random_id(&fixture.table, depth, &random);
            assert_int_equal(dht_id_common_bits(&id, &fixture.table.own), depth);
        }
    dht_table_fini(&fixture.table);
}

static void test_no_memory(void **state)
{
    (void)state;
    for (long failing = 0; failing < 8; failing++) {
        struct fixture fixture;
        uint32_t added = 0;
        start(&fixture, true, 4, 0, 4);
        failing_malloc_left = failing;
        for (uint32_t i = 0; i < 20; i++)
            added += answered(&fixture, i % 2, i, 1) == DHT_TABLE_ADDED;
        failing_malloc_left = -1;
        assert_int_equal(fixture.table.count, added);
        for (uint32_t i = 20; i < 40; i++)
            answered(&fixture, i % 2, i, 1);
        assert_int_equal(fixture.table.count, 8);
        dht_table_fini(&fixture.table);
    }
}

// ---- against a list ----

static struct dht_id random_id(uint64_t *random)
{
    struct dht_id id;
    for (int i = 0; i < DHT_ID_LEN; i++)
        id.bytes[i] = (uint8_t)helper_random(random);
    // Many close to our own, so that there are deep buckets.
    for (uint32_t i = helper_below(random, 4); i > 0; i--)
        id.bytes[i - 1] = 0;
    return id;
}

// No host is there twice, however it moved in: what the roster is asked for.
static void check_hosts(const struct dht_table *table)
{
    struct dht_addr addrs[256];
    size_t count = 0;
    for (uint32_t depth = 0; depth < table->bucket_count; depth++)
        for (uint16_t i = 0; i < table->buckets[depth].count; i++) {
            struct dht_contact_ref ref = dht_table_at(table, &table->buckets[depth], i);
            assert_true(count < 256);
            addrs[count] = dht_contact_addr(ref.contact, table->contact_len);
            for (size_t other = 0; other < count; other++)
                assert_false(table->lab ? dht_addr_equal(&addrs[other], &addrs[count])
                                        : dht_addr_equal_ip(&addrs[other], &addrs[count]));
            count++;
        }
}

// All contacts that can be passed on, sorted by distance.
static size_t list_all(const struct dht_table *table, const struct dht_id *target,
                       struct dht_contact_ref *ret_sorted)
{
    size_t count = 0;
    for (uint32_t depth = 0; depth < table->bucket_count; depth++)
        for (uint16_t i = 0; i < table->buckets[depth].count; i++) {
            struct dht_contact_ref ref = dht_table_at(table, &table->buckets[depth], i);
            struct dht_id id = dht_contact_id(ref);
            if (ref.contact->fails > 0)
                continue;
            size_t at = count++;
            for (; at > 0; at--) {
                struct dht_id other = dht_contact_id(ret_sorted[at - 1]);
                if (dht_id_compare(target, &id, &other) >= 0)
                    break;
                ret_sorted[at] = ret_sorted[at - 1];
            }
            ret_sorted[at] = ref;
        }
    return count;
}

static void check_closest(const struct dht_table *table, uint64_t *random)
{
    static struct dht_contact_ref sorted[2048];
    struct dht_contact_ref closest[DHT_CLOSEST_MAX];
    struct dht_id target = random_id(random);
    size_t max = helper_below(random, DHT_CLOSEST_MAX + 1);
    size_t all = list_all(table, &target, sorted);
    size_t count = dht_table_closest(table, &target, max, closest);
    assert_int_equal(count, all < max ? all : max);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(closest[i].contact, sorted[i].contact);
}

static void check_whole(const struct dht_table *table)
{
    uint32_t count = 0;
    uint32_t listed = 0; // in the roster
    for (uint32_t depth = 0; depth < table->bucket_count; depth++) {
        const struct dht_bucket *bucket = &table->buckets[depth];
        count += bucket->count;
        assert_true(bucket->count <= dht_table_bucket_capacity(table, depth));
        assert_true(bucket->replacement_count <= table->replacements_max);
        uint32_t failing = 0;
        listed += dht_bucket_end(bucket);
        for (uint32_t i = 0; i < dht_bucket_end(bucket); i++) {
            struct dht_contact_ref ref = dht_table_at(table, bucket, i);
            struct dht_id id = dht_contact_id(ref);
            assert_int_equal(dht_id_common_bits(&table->own, &id), depth);
            failing += i < bucket->count && ref.contact->fails > 0;
        }
        assert_int_equal(failing, bucket->failing);
    }
    assert_int_equal(count, table->count);
    assert_int_equal(listed, table->roster.count);
}

static void test_at_random(void **state)
{
    (void)state;
    for (int lab = 0; lab < 2; lab++) {
        struct fixture fixture;
        struct dht_id known[64];
        struct dht_addr addrs[64];
        uint64_t random = 5 + (uint64_t)lab;
        start(&fixture, lab == 1, 4, 16, 4);
        for (int i = 0; i < 64; i++) {
            known[i] = random_id(&random);
            addrs[i] = host(helper_below(&random, 40));
            addrs[i].port = (uint16_t)(helper_below(&random, 3) + 1);
        }
        for (uint32_t step = 0; step < 20000; step++) {
            uint32_t which = helper_below(&random, 64);
            uint32_t other = helper_below(&random, 64);
            uint32_t what = helper_below(&random, 200);
            struct dht_table *table = &fixture.table;
            if (what < 100)
                dht_table_answered(table, &known[which], &addrs[which], what, step);
            else if (what < 110)
                dht_table_answered(table, &known[which], &addrs[other], what, step);
            else if (what < 170)
                dht_table_failed(table, &known[which], &addrs[which], step);
            else if (what < 180)
                dht_table_evict(table, &addrs[which]);
            else if (what == 180)
                dht_table_rekey(table, &known[which]);
            else
                check_closest(table, &random);
            check_whole(table);
            check_hosts(table);
        }
        dht_table_fini(&fixture.table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_full_bucket),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_secure_first),
        cmocka_unit_test(test_prefix_caps),
        cmocka_unit_test(test_wide_caps),
        cmocka_unit_test(test_replacements_pass_caps),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_rtt),
        cmocka_unit_test(test_random_id),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
