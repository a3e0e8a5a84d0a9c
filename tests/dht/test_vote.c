// SPDX-License-Identifier: MIT
// The vote on our external address.
#include "dht/vote.h"

#include "dht/addr.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#include <string.h>

// A ballot: voters 1 to 9 in order, each for an address "a", "b" with a port, as two characters.
struct row {
    const char *name;
    const char *ballots; // "a1a1b2": the first voter says a:1, the second a:1, the third b:2
    const char *winner;  // "a1", "a0", or "" for none
};

static const struct row rows[] = {
    {"nobody", "", ""},
    {"three are too few", "a1a1a1", ""},
    {"four are enough", "a1a1a1a1", "a1"},
    {"half is not more than half", "a1a1a1a1b1b1b1b1", ""},
    {"more than half", "a1a1a1a1a1b1b1b1b1", "a1"},
    {"four others of different minds", "a1a1a1a1b1c1d1", "a1"},
    {"ports differ", "a1a2a3a4", "a0"},
    {"most ports agree", "a1a1a1a4", "a1"},
    {"half of the ports agree", "a1a1a2a3", "a0"},
    {"no port told", "a0a0a0a0", "a0"},
};

static struct dht_addr address(const char *ballot)
{
    struct dht_addr addr = {.ip = {20, 0, 0, (uint8_t)ballot[0]}, .ip_len = 4};
    addr.port = (uint16_t)(ballot[1] - '0');
    return addr;
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dht_vote vote;
        dht_vote_init(&vote);
        for (size_t j = 0; rows[i].ballots[2 * j] != '\0'; j++) {
            struct dht_addr addr = address(rows[i].ballots + 2 * j);
            dht_vote_cast(&vote, j + 1, &addr);
        }
        struct dht_addr winner = dht_vote_winner(&vote);
        struct dht_addr wanted = {0};
        if (rows[i].winner[0] != '\0')
            wanted = address(rows[i].winner);
        if (winner.ip_len != wanted.ip_len ||
            (wanted.ip_len != 0 && !dht_addr_equal(&winner, &wanted)))
            fail_msg("%s", rows[i].name);
        dht_vote_fini(&vote);
    }
}

// A voter has one vote, its latest.
static void test_change_of_mind(void **state)
{
    struct dht_vote vote;
    struct dht_addr a = address("a1");
    struct dht_addr b = address("b1");
    (void)state;
    dht_vote_init(&vote);
    for (int i = 0; i < 100; i++)
        dht_vote_cast(&vote, 1, &a);
    assert_int_equal(vote.count, 1);
    for (uint64_t voter = 1; voter <= 4; voter++)
        dht_vote_cast(&vote, voter, &a);
    assert_int_equal(dht_vote_winner(&vote).ip[3], 'a');
    for (uint64_t voter = 1; voter <= 4; voter++)
        dht_vote_cast(&vote, voter, &b);
    assert_int_equal(dht_vote_winner(&vote).ip[3], 'b');
    dht_vote_fini(&vote);
}

// The oldest voter gives way to a new one.
static void test_window(void **state)
{
    struct dht_vote vote;
    struct dht_addr a = address("a1");
    struct dht_addr b = address("b1");
    (void)state;
    dht_vote_init(&vote);
    for (uint64_t voter = 1; voter <= DHT_VOTE_VOTERS; voter++)
        dht_vote_cast(&vote, voter, &a);
    for (uint64_t voter = 101; voter <= 100 + DHT_VOTE_VOTERS / 2; voter++)
        dht_vote_cast(&vote, voter, &b);
    assert_int_equal(dht_vote_winner(&vote).ip_len, 0);
    dht_vote_cast(&vote, 500, &b);
    assert_int_equal(dht_vote_winner(&vote).ip[3], 'b');
    assert_int_equal(vote.count, DHT_VOTE_VOTERS);
    dht_vote_fini(&vote);
}

// Every voter sees something else, again and again; then they agree.
static void test_all_differ(void **state)
{
    struct dht_vote vote;
    struct dht_addr a = address("a1");
    (void)state;
    dht_vote_init(&vote);
    for (uint32_t i = 0; i < 1000; i++) {
        struct dht_addr addr = {.ip = {20, 1, (uint8_t)(i >> 8), (uint8_t)i}, .ip_len = 4};
        assert_true(dht_vote_cast(&vote, i + 1, &addr));
        assert_int_equal(dht_vote_winner(&vote).ip_len, 0);
    }
    uint32_t changes = 0;
    for (uint32_t i = 0; i < 100; i++)
        changes += dht_vote_cast(&vote, i + 1001, &a);
    assert_int_equal(changes, DHT_VOTE_VOTERS);
    assert_int_equal(dht_vote_winner(&vote).ip[3], 'a');
    dht_vote_fini(&vote);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_change_of_mind),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_all_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
