// SPDX-License-Identifier: MIT
#include "simnet/directory.h"

#include "dht/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum verb { SET, REMOVE, FIND };

struct row {
    const char *name;
    enum verb verb;
    const char *addr;
    uint32_t value; // FIND: what is expected
};

#define NOBODY SIMNET_DIRECTORY_NOBODY

// One story, told in order.
static const struct row rows[] = {
    {"nobody at all", FIND, "192.0.2.1:7000", NOBODY},
    {"one listens", SET, "192.0.2.1:7000", 1},
    {"and is found", FIND, "192.0.2.1:7000", 1},
    {"not at another port", FIND, "192.0.2.1:7001", NOBODY},
    {"nor at another address", FIND, "192.0.2.2:7000", NOBODY},
    {"all ports of one", SET, "192.0.2.9:0", 2},
    {"any port is found", FIND, "192.0.2.9:4242", 2},
    {"a port of its own goes first", SET, "192.0.2.9:4242", 3},
    {"and is found", FIND, "192.0.2.9:4242", 3},
    {"IPv6", SET, "[2001:db8::1]:7000", 4},
    {"is found", FIND, "[2001:db8::1]:7000", 4},
    {"another takes its place", SET, "192.0.2.1:7000", 5},
    {"and is found instead", FIND, "192.0.2.1:7000", 5},
    {"it goes", REMOVE, "192.0.2.1:7000", 0},
    {"and is gone", FIND, "192.0.2.1:7000", NOBODY},
    {"twice does no harm", REMOVE, "192.0.2.1:7000", 0},
    {"all ports go", REMOVE, "192.0.2.9:0", 0},
    {"any port is nobody's", FIND, "192.0.2.9:1", NOBODY},
    {"the one of its own stays", FIND, "192.0.2.9:4242", 3},
};

static void finds_who_listens(void **state)
{
    (void)state;
    struct simnet_directory directory = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct dht_addr addr;
        assert_true(dht_addr_from_text(row->addr, &addr));
        if (row->verb == SET)
            assert_true(simnet_directory_set(&directory, &addr, row->value));
        else if (row->verb == REMOVE)
            simnet_directory_remove(&directory, &addr);
        else if (simnet_directory_find(&directory, &addr) != row->value)
            fail_msg("%s", row->name);
    }
    simnet_directory_fini(&directory);
}

static struct dht_addr numbered(uint32_t number)
{
    struct dht_addr addr = {.ip_len = 4, .port = 6881};
    for (int i = 0; i < 4; i++)
        addr.ip[i] = (uint8_t)(number >> (8 * i));
    return addr;
}

// Many come and go, so that places of those that are gone are used again.
static void grows_and_forgets(void **state)
{
    (void)state;
    struct simnet_directory directory = {0};
    for (uint32_t i = 0; i < 10000; i++) {
        struct dht_addr addr = numbered(i);
        assert_true(simnet_directory_set(&directory, &addr, i));
        addr = numbered(i / 2);
        if (i % 2 == 1)
            simnet_directory_remove(&directory, &addr);
    }
    for (uint32_t i = 0; i < 10000; i++) {
        struct dht_addr addr = numbered(i);
        assert_int_equal(i < 5000 ? NOBODY : i, simnet_directory_find(&directory, &addr));
    }
    simnet_directory_fini(&directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_who_listens),
                                       cmocka_unit_test(grows_and_forgets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
