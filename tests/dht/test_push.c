// SPDX-License-Identifier: MIT
// Pushes to very many: who is told when, how many at a time, and what those cost who do not answer.
#include "dht/push.h"

#include "dht/addr.h"
#include "tests/dht/lone_keeper.h"

#define WATCHERS 1000

static struct dht_info info_of(const struct lone_keeper *keeper)
{
    struct dht_info info;
    dht_info(keeper->dht, &info);
    return info;
}

// The number of the watcher that a push goes to.
static uint32_t number_of(const struct lone_taken *push)
{
    return (uint32_t)(push->to.ip[1] << 8 | push->to.ip[2]);
}

// A thousand watchers of one target: 64 are told at a time, each that has answered makes room for
// the next in the order that they came, and each is told once.
static void test_thousand(void **state)
{
    struct lone_keeper keeper = lone_begin(NULL);
    struct dht_item item = lone_item("3:one", 1);
    struct dht_addr publisher = lone_addr(60000, 1);
    static struct lone_taken queue[WATCHERS];
    uint8_t told[WATCHERS] = {0};
    size_t head = 0;
    size_t tail = 0;
    (void)state;
    for (uint32_t i = 0; i < WATCHERS; i++) {
        struct dht_addr addr = lone_addr(i, 6881);
        lone_accept(&keeper, &addr, &item.target, false);
    }
    assert_int_equal(info_of(&keeper).watchers, WATCHERS);
    lone_put(&keeper, &publisher, &item);
    assert_int_equal(keeper.taken_count, 1 + 64);
    for (size_t i = 1; i < keeper.taken_count; i++)
        queue[tail++] = keeper.taken[i];
    while (head < tail) {
        struct lone_taken *push = &queue[head++];
        assert_true(dht_krpc_parse((struct dht_span){push->bytes, push->len}, &push->msg));
        assert_int_equal(push->msg.seq, 1);
        told[number_of(push)]++;
        lone_acknowledge(&keeper, push);
        for (size_t i = 0; i < keeper.taken_count; i++)
            queue[tail++] = keeper.taken[i];
        assert_in_range(info_of(&keeper).pushes, 0, 64);
        if (tail < WATCHERS)
            assert_int_equal(info_of(&keeper).pushes, 64);
    }
    assert_int_equal(tail, WATCHERS);
    for (uint32_t i = 0; i < WATCHERS; i++)
        assert_int_equal(told[i], 1);
    lone_end(&keeper);
}

// Puts an item, and has all acknowledge who are told. Returns who was told first.
static uint32_t tell_all(struct lone_keeper *keeper, const struct dht_item *item, size_t count)
{
    static struct lone_taken queue[WATCHERS];
    struct dht_addr publisher = lone_addr(60000, 1);
    size_t tail = 0;
    lone_put(keeper, &publisher, item);
    for (size_t i = 1; i < keeper->taken_count; i++)
        queue[tail++] = keeper->taken[i];
    for (size_t head = 0; head < tail; head++) {
        struct lone_taken *push = &queue[head];
        assert_true(dht_krpc_parse((struct dht_span){push->bytes, push->len}, &push->msg));
        lone_acknowledge(keeper, push);
        for (size_t i = 0; i < keeper->taken_count; i++)
            queue[tail++] = keeper->taken[i];
    }
    assert_int_equal(tail, count);
    return number_of(&queue[0]);
}

// Who is told first is another one with each change, so that nobody is the last of all keepers.
static void test_turns(void **state)
{
    struct lone_keeper keeper = lone_begin(NULL);
    struct dht_item item = lone_item("3:one", 1);
    uint32_t first = 0;
    uint32_t others = 0;
    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        struct dht_addr addr = lone_addr(i, 6881);
        lone_accept(&keeper, &addr, &item.target, false);
    }
    for (int64_t seq = 1; seq <= 8; seq++) {
        item = lone_item("3:one", seq);
        uint32_t now_first = tell_all(&keeper, &item, 200);
        others += seq > 1 && now_first != first;
        first = now_first;
        lone_wait(&keeper, 2 * SECOND_US);
    }
    assert_in_range(others, 5, 7);
    lone_end(&keeper);
}

// Half of them are gone: they hold up the others for 14 seconds a place, and are forgotten.
static void test_half_gone(void **state)
{
    struct lone_keeper keeper = lone_begin(NULL);
    struct dht_item item = lone_item("3:one", 1);
    struct dht_addr publisher = lone_addr(60000, 1);
    uint8_t told[WATCHERS] = {0};
    (void)state;
    for (uint32_t i = 0; i < WATCHERS; i++) {
        struct dht_addr addr = lone_addr(i, 6881);
        lone_accept(&keeper, &addr, &item.target, false);
    }
    lone_put(&keeper, &publisher, &item);
    static struct lone_taken wave[TAKEN_MAX];
    for (int rounds = 0; rounds < 200 && info_of(&keeper).pushes > 0; rounds++) {
        // All that came is answered by the even ones, and what comes of that too.
        size_t count = keeper.taken_count;
        memcpy(wave, keeper.taken, count * sizeof wave[0]);
        for (size_t i = 0; i < count; i++) {
            struct lone_taken *push = &wave[i];
            assert_true(dht_krpc_parse((struct dht_span){push->bytes, push->len}, &push->msg));
            if (!lone_is_push(push) || number_of(push) % 2 != 0)
                continue;
            told[number_of(push)]++;
            lone_acknowledge(&keeper, push);
            memcpy(wave + count, keeper.taken, keeper.taken_count * sizeof wave[0]);
            count += keeper.taken_count;
        }
        lone_wait(&keeper, SECOND_US);
    }
    for (uint32_t i = 0; i < WATCHERS; i++)
        assert_int_equal(told[i], i % 2 == 0);
    assert_int_equal(info_of(&keeper).watchers, WATCHERS / 2);
    assert_int_equal(info_of(&keeper).counters.watchers_lost, WATCHERS / 2);
    assert_int_equal(info_of(&keeper).pushes, 0);
    lone_end(&keeper);
}

// Nobody of one prefix is proven any more: what they are sent is paid from the budget of the
// prefix, so not all are told at once; but all are told, and nobody is forgotten.
static void test_budget(void **state)
{
    struct lone_keeper keeper = lone_begin(NULL);
    struct dht_item item = lone_item("3:one", 1);
    struct dht_addr publisher = lone_addr(60000, 1);
    uint32_t items = 0;
    size_t unproven_bytes = 0;
    (void)state;
    for (uint16_t i = 0; i < 64; i++) {
        struct dht_addr addr = lone_addr(7, (uint16_t)(7000 + i));
        addr.ip[3] = (uint8_t)i;
        lone_accept(&keeper, &addr, &item.target, false);
    }
    lone_wait(&keeper, 601 * SECOND_US);
    lone_put(&keeper, &publisher, &item);
    static struct lone_taken wave[TAKEN_MAX];
    for (int seconds = 0; seconds < 600 && items < 64; seconds++) {
        size_t count = keeper.taken_count;
        memcpy(wave, keeper.taken, count * sizeof wave[0]);
        for (size_t i = 0; i < count; i++) {
            struct lone_taken *push = &wave[i];
            assert_true(dht_krpc_parse((struct dht_span){push->bytes, push->len}, &push->msg));
            if (!lone_is_push(push))
                continue;
            items += push->msg.value.data != NULL;
            unproven_bytes += push->msg.value.data != NULL ? 0 : push->len;
            lone_acknowledge(&keeper, push);
            memcpy(wave + count, keeper.taken, keeper.taken_count * sizeof wave[0]);
            count += keeper.taken_count;
        }
        if (seconds == 0) {
            assert_in_range(unproven_bytes, 1500, 2048);
            assert_in_range(items, 10, 15);
        }
        assert_in_range(unproven_bytes, 0, 2048 + 2048 * (size_t)(seconds + 60) / 60);
        lone_wait(&keeper, SECOND_US);
    }
    assert_int_equal(items, 64);
    assert_in_range(info_of(&keeper).counters.pushes_put_off, 50, 100000);
    assert_int_equal(info_of(&keeper).counters.watchers_lost, 0);
    lone_end(&keeper);
}

// Acknowledges the lot of peers that came, if one did; returns whether.
static uint32_t acknowledge_peers(struct lone_keeper *keeper, uint32_t *most)
{
    for (size_t at = 0; at < keeper->taken_count; at++) {
        struct lone_taken *push = &keeper->taken[at];
        if (!lone_is_push(push))
            continue;
        uint32_t count = (uint32_t)(push->msg.values.len - 2) / 8;
        *most = count > *most ? count : *most;
        lone_acknowledge(keeper, push);
        return 1;
    }
    return 0;
}

// However many announce, a watcher is sent one lot in five seconds, and at most 16 peers.
static void test_announces(void **state)
{
    struct lone_keeper keeper = lone_begin(NULL);
    struct dht_id info_hash = {"hhhhhhhhhhhhhhhhhhhh"};
    struct dht_addr watcher = lone_addr(1, 6881);
    uint32_t lots = 0;
    uint32_t most = 0;
    (void)state;
    lone_accept(&keeper, &watcher, &info_hash, true);
    for (uint32_t i = 0; i < 1000; i++) {
        struct dht_addr announcer = lone_addr(1000 + i, 6881);
        lone_announce(&keeper, &announcer, &info_hash, 80);
        lots += acknowledge_peers(&keeper, &most);
        lone_wait(&keeper, SECOND_US / 10);
        lots += acknowledge_peers(&keeper, &most);
    }
    assert_in_range(lots, 19, 21); // in 100 seconds
    assert_int_equal(most, 16);
    lone_end(&keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thousand),  cmocka_unit_test(test_turns),
        cmocka_unit_test(test_half_gone), cmocka_unit_test(test_budget),
        cmocka_unit_test(test_announces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
