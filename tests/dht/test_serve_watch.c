// SPDX-License-Identifier: MIT
// Watches by the thousand, and from addresses that are not the sender's: bounded, counted, and
// nothing is left of them.
#include "dht/serve_watch.h"

#include "dht/push.h"
#include "tests/dht/lone_keeper.h"

static struct dht_info info_of(const struct lone_keeper *keeper)
{
    struct dht_info info;
    dht_info(keeper->dht, &info);
    return info;
}

static struct dht_id target_of(uint32_t number)
{
    struct dht_id id = {{(uint8_t)number, (uint8_t)(number >> 8)}};
    return id;
}

static void with_bounds(struct dht_config *config)
{
    config->watchers_max = 500;
    config->watchers_per_target_max = 200;
    config->watchers_per_source_max = 64;
}

// One bound after the other is reached, and never passed; what is too much is refused with 202.
static void test_flood(void **state)
{
    static const struct row {
        const char *name;
        bool one_source, one_target;
        uint32_t most;
    } rows[] = {{"anywhere", false, false, 500},
                {"one target", false, true, 200},
                {"one source", true, false, 64}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lone_keeper keeper = lone_begin(with_bounds);
        uint32_t full = 0;
        for (uint32_t n = 0; n < 3000; n++) {
            struct dht_addr addr = lone_addr(rows[i].one_source ? 1 : n, (uint16_t)(1000 + n));
            struct dht_id target = target_of(rows[i].one_target ? 1 : n);
            addr.ip[3] = (uint8_t)(n / 100 + 1);
            lone_watch(&keeper, &addr, &target, 1800, false);
            assert_true(keeper.taken_count >= 1);
            full += keeper.taken[0].msg.type == DHT_KRPC_ERROR &&
                    keeper.taken[0].msg.error_code == DHT_KRPC_ERROR_SERVER;
            // Nobody is pushed more than 64 things at a time.
            assert_in_range(info_of(&keeper).pushes, 0, 64);
            assert_in_range(keeper.taken_count, 1, 2);
        }
        if (info_of(&keeper).watchers != rows[i].most || full != 3000 - rows[i].most)
            fail_msg("%s: %u watchers, %u refused", rows[i].name, info_of(&keeper).watchers, full);
        assert_int_equal(info_of(&keeper).counters.reject_watch_full, full);
        // Nobody ever acknowledges: within minutes all are forgotten, or, where the budget of one
        // prefix does not stretch to ask them all three times, when their leases end.
        for (int seconds = 0; seconds < (rows[i].one_source ? 1800 : 300); seconds++)
            lone_wait(&keeper, SECOND_US);
        assert_int_equal(info_of(&keeper).watchers, 0);
        assert_int_equal(info_of(&keeper).pushes, 0);
        dht_rest(keeper.dht);
        assert_null(keeper.dht->watchers);
        lone_end(&keeper);
    }
}

// With tokens that are none: an error shorter than the query, no push, and nothing is allocated.
static void test_spoofed(void **state)
{
    struct lone_keeper keeper = lone_begin(NULL);
    struct dht_id target = target_of(1);
    size_t sent = 0;
    size_t received = 0;
    (void)state;
    for (uint32_t n = 0; n < 1000; n++) {
        uint8_t bytes[DHT_DATAGRAM_MAX];
        struct dht_addr victim = lone_addr(9, (uint16_t)(1000 + n));
        struct dht_bencode_writer writer = dht_bencode_writer(bytes, sizeof bytes);
        victim.ip[3] = (uint8_t)(n / 100 + 1);
        dht_krpc_open_query(&writer);
        dht_krpc_put_id(&writer, "id", &lone_asker);
        dht_bencode_pair_string(&writer, "nonce", "0123456789abcdef", 16);
        dht_krpc_put_id(&writer, "target", &target);
        dht_bencode_pair_string(&writer, "token", "tokentok", 8);
        sent += dht_bencode_written(&writer) + 40;
        lone_close(&keeper, &writer, &victim, "pnr_watch");
        for (size_t i = 0; i < keeper.taken_count; i++)
            received += keeper.taken[i].len;
        assert_in_range(keeper.taken_count, 0, 1);
    }
    assert_true(received < sent);
    assert_int_equal(info_of(&keeper).watchers, 0);
    assert_null(keeper.dht->watchers);
    assert_in_range(info_of(&keeper).counters.reject_token, 200, 1000);
    lone_end(&keeper);
}

// pnr_changed that nobody asked for, by the thousand, from one address: refused, at the rate of any
// queries, and by no more bytes than came.
static void test_unasked(void **state)
{
    struct lone_keeper keeper = lone_begin(NULL);
    struct dht_id target = target_of(1);
    struct dht_addr from = lone_addr(3, 6881);
    size_t sent = 0;
    size_t received = 0;
    (void)state;
    for (uint32_t n = 0; n < 5000; n++) {
        uint8_t bytes[DHT_DATAGRAM_MAX];
        struct dht_bencode_writer writer = dht_bencode_writer(bytes, sizeof bytes);
        dht_krpc_open_query(&writer);
        dht_krpc_put_id(&writer, "id", &lone_asker);
        dht_bencode_pair_string(&writer, "nonce", "0123456789abcdef", 16);
        dht_krpc_put_id(&writer, "target", &target);
        sent += dht_bencode_written(&writer);
        lone_close(&keeper, &writer, &from, "pnr_changed");
        for (size_t i = 0; i < keeper.taken_count; i++) {
            assert_int_equal(keeper.taken[i].msg.type, DHT_KRPC_ERROR);
            assert_int_equal(keeper.taken[i].msg.error_code, DHT_KRPC_ERROR_PROTOCOL);
            received += keeper.taken[i].len;
        }
    }
    assert_true(received < sent);
    assert_int_equal(info_of(&keeper).counters.query_changed, 0);
    assert_int_equal(info_of(&keeper).counters.reject_changed, 200); // 50 a second, and 4 s of it
    assert_int_equal(info_of(&keeper).counters.drop_rate, 4800);
    lone_end(&keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_spoofed),
        cmocka_unit_test(test_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
