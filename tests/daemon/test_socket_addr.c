// SPDX-License-Identifier: MIT
#include "node/daemon/socket_addr.h"

#include "dht/addr.h"
#include "tests/daemon/unit.h"

static const char *const rows[] = {"192.0.2.1:65535", "0.0.0.0:0", "[2001:db8::1]:3540",
                                   "[fe80::1]:1"};

// What is put is got again; the scope is no part of it.
static void test_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_socket_addr socket_addr;
        struct dht_addr addr, got;
        assert_true(dht_addr_from_text(rows[i], &addr));
        int len = daemon_socket_addr_put(&addr, 7, &socket_addr);
        bool ok = daemon_socket_addr_get(&socket_addr, &got);
        if (!ok || !dht_addr_equal(&addr, &got) || len != (addr.ip_len == 4 ? 16 : 28))
            fail_msg("row %s: %d bytes", rows[i], len);
    }
}

static void test_other_family(void **state)
{
    struct daemon_socket_addr socket_addr = {.bytes = {0}};
    struct dht_addr got;
    (void)state;
    assert_false(daemon_socket_addr_get(&socket_addr, &got));
    assert_int_equal(got.ip_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_other_family),
    };
    return unit_run(tests);
}
