// SPDX-License-Identifier: MIT
// The endpoints of an answer, and which of them have a scope.
#include "node/control/endpoint.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

#define V4(ip)        "9:endpointsld2:ip4:" ip "4:porti80e5:protoi6eee"
#define V6(head)      "9:endpointsld2:ip16:" head "bcdefghijklmno4:porti80e5:protoi6eee"
#define SCOPE(number) "8:scope_idi" #number "e"

static const struct row {
    const char *name;
    const char *dict;
    bool good;
    uint32_t scope_id; // of the first
} rows[] = {
    {"link-local", "d" V6("\xfe\x80") SCOPE(3) "e", true, 3},
    {"the last of them", "d" V6("\xfe\xbf") SCOPE(3) "e", true, 3},
    {"the largest scope", "d" V6("\xfe\x80") SCOPE(4294967295) "e", true, UINT32_MAX},
    {"no scope is told", "d" V6("\xfe\x80") "e", true, 0},
    {"scope 0", "d" V6("\xfe\x80") SCOPE(0) "e", true, 0},
    {"site-local", "d" V6("\xfe\xc0") SCOPE(3) "e", true, 0},
    {"multicast on the link", "d" V6("\xff\x02") SCOPE(3) "e", true, 0},
    {"before them", "d" V6("\xfe\x7f") SCOPE(3) "e", true, 0},
    {"global", "d" V6("\x20\x01") SCOPE(3) "e", true, 0},
    {"IPv4", "d" V4("\xfe\x80\1\2") SCOPE(3) "e", true, 0},
    {"too large a scope", "d" V6("\xfe\x80") SCOPE(4294967296) "e", false, 0},
    {"a negative one", "d" V6("\xfe\x80") SCOPE(-1) "e", false, 0},
    {"a scope that is text", "d" V6("\xfe\x80") "8:scope_id1:3e", false, 0},
};

static void scopes_are_of_link_local_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pnr_endpoint endpoints[PNR_ENDPOINTS_MAX];
        struct dht_span dict = {(const uint8_t *)rows[i].dict, strlen(rows[i].dict)};
        size_t count = 7;
        bool good = control_endpoint_read(dict, endpoints, &count);
        if (good != rows[i].good || count != (good ? 1 : 7) ||
            (good && endpoints[0].scope_id != rows[i].scope_id)) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static void each_has_its_own(void **state)
{
    (void)state;
    struct pnr_endpoint endpoints[PNR_ENDPOINTS_MAX];
    static const char two[] = "d9:endpointsl"
                              "d2:ip4:abcd4:porti80e5:protoi17ee"
                              "d2:ip16:\xfe\x80"
                              "bcdefghijklmno4:porti81e5:protoi6ee"
                              "e8:scope_idi9ee";
    struct dht_span dict = {(const uint8_t *)two, sizeof two - 1};
    size_t count;
    assert_true(control_endpoint_read(dict, endpoints, &count));
    assert_int_equal(count, 2);
    assert_int_equal(endpoints[0].ip_len, 4);
    assert_memory_equal(endpoints[0].ip, "abcd", 4);
    assert_int_equal(endpoints[0].port, 80);
    assert_int_equal(endpoints[0].proto, 17);
    assert_int_equal(endpoints[0].scope_id, 0);
    assert_int_equal(endpoints[1].ip_len, 16);
    assert_memory_equal(endpoints[1].ip,
                        "\xfe\x80"
                        "bcdefghijklmno",
                        16);
    assert_int_equal(endpoints[1].port, 81);
    assert_int_equal(endpoints[1].scope_id, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes_are_of_link_local_addresses),
        cmocka_unit_test(each_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
