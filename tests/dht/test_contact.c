// SPDX-License-Identifier: MIT
// Packed contacts: what goes in comes out, and times that are kept in few bits.
#include "dht/contact.h"

#include "dht/id.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// and then itself
#include <cmocka.h>

static void test_name(void **state)
{
    static const struct row {
        const char *name;
        enum dht_family family;
        struct dht_addr addr;
        size_t len, node_len;
    } rows[] = {
        {"IPv4", DHT_IPV4, {{192, 0, 2, 7}, 0x1a2b, 4}, 32, 26},
        {"IPv6", DHT_IPV6, {{0x2a, 1, 2, 3, [15] = 9}, 0x1a2b, 16}, 44, 38},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        union dht_contact_room room = {{0}};
        struct dht_id id;
        uint8_t node[38];
        for (uint8_t byte = 0; byte < DHT_ID_LEN; byte++)
            id.bytes[byte] = (uint8_t)(byte * 13 + 200);
        size_t len = dht_contact_len(rows[i].family);
        dht_contact_name(&room.contact, &id, &rows[i].addr);
        struct dht_contact_ref ref = {dht_id_head(&id), &room.contact};
        struct dht_id id_back = dht_contact_id(ref);
        struct dht_addr addr_back = dht_contact_addr(ref.contact, len);
        bool good = len == rows[i].len && dht_id_equal(&id, &id_back) &&
                    memcmp(&addr_back, &rows[i].addr, sizeof addr_back) == 0 &&
                    dht_contact_write(ref, len, node) == rows[i].node_len &&
                    memcmp(node, id.bytes, DHT_ID_LEN) == 0 &&
                    memcmp(node + DHT_ID_LEN, rows[i].addr.ip, rows[i].addr.ip_len) == 0 &&
                    node[rows[i].node_len - 2] == 0x1a && node[rows[i].node_len - 1] == 0x2b;
        if (!good)
            fail_msg("%s", rows[i].name);
    }
}

static void test_good(void **state)
{
    static const struct row {
        const char *name;
        uint32_t answered_s, heard_s, fails;
        uint32_t now_s;
        bool good;
    } rows[] = {
        {"just answered", 2000, 2000, 0, 2000, true},
        {"answered within 15 minutes", 1101, 1101, 0, 2000, true},
        {"too long ago", 1100, 1100, 0, 2000, false},
        {"answered once, heard lately", 1, 2000, 0, 2000, true},
        {"heard within 15 minutes", 1, 1101, 0, 2000, true},
        {"heard too long ago", 1, 1100, 0, 2000, false},
        {"answered days ago", 1, 200000, 0, 200000, false},
        {"failed since", 2000, 2000, 1, 2000, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        union dht_contact_room room = {{.answered_s = rows[i].answered_s}};
        room.contact.fails = rows[i].fails & DHT_CONTACT_FAILS_MAX;
        dht_contact_heard(&room.contact, rows[i].heard_s);
        if (dht_contact_is_good(&room.contact, rows[i].now_s) != rows[i].good)
            fail_msg("%s", rows[i].name);
    }
}

static void test_time(void **state)
{
    static const struct row {
        const char *name;
        uint32_t time_s, now_s, back_s;
    } rows[] = {
        {"now", 5, 5, 5},
        {"a while ago", 5, 60000, 5},
        {"across the end of the low bits", 65530, 65540, 65530},
        {"far on", 1000000, 1000009, 1000000},
        {"so long ago that it looks recent", 5, 65541 + 2, 65541},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (dht_contact_time_s((uint16_t)rows[i].time_s, rows[i].now_s) != rows[i].back_s)
            fail_msg("%s", rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
