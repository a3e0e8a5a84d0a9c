// SPDX-License-Identifier: MIT
#include "nsp/guid.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
// clang-format on

// As they are printed in documents and registries.
struct row {
    const char *name;
    const GUID *guid;
    const char *text;
    enum nsp_provider provider;
    enum nsp_class class;
};
static const GUID hostname = {
    0x0002a800, 0x0000, 0x0000, {0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46}};
static const GUID nothing;
static const struct row rows[] = {
    {"provider of names", &NS_PROVIDER_PNRPNAME, "03fe89cd-766d-4976-b9c1-bb9bc42c7b4d",
     NSP_PROVIDER_NAME, NSP_CLASS_FOREIGN},
    {"provider of clouds", &NS_PROVIDER_PNRPCLOUD, "03fe89ce-766d-4976-b9c1-bb9bc42c7b4d",
     NSP_PROVIDER_CLOUD, NSP_CLASS_FOREIGN},
    {"names V1", &SVCID_PNRPNAME_V1, "c2239ce5-00c0-4fbf-bad6-18139385a49a", NSP_PROVIDER_FOREIGN,
     NSP_CLASS_NAME_V1},
    {"clouds", &SVCID_PNRPCLOUD, "c2239ce6-00c0-4fbf-bad6-18139385a49a", NSP_PROVIDER_FOREIGN,
     NSP_CLASS_CLOUD},
    {"names V2", &SVCID_PNRPNAME_V2, "c2239ce7-00c0-4fbf-bad6-18139385a49a", NSP_PROVIDER_FOREIGN,
     NSP_CLASS_NAME_V2},
    {"host names", &hostname, "0002a800-0000-0000-c000-000000000046", NSP_PROVIDER_FOREIGN,
     NSP_CLASS_FOREIGN},
    {"zero", &nothing, "00000000-0000-0000-0000-000000000000", NSP_PROVIDER_FOREIGN,
     NSP_CLASS_FOREIGN},
};
#define ROWS (sizeof rows / sizeof rows[0])

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const GUID *g = rows[i].guid;
        char text[40];
        (void)snprintf(text, sizeof text, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                       (unsigned)g->Data1, g->Data2, g->Data3, g->Data4[0], g->Data4[1],
                       g->Data4[2], g->Data4[3], g->Data4[4], g->Data4[5], g->Data4[6],
                       g->Data4[7]);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_whose(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        if (nsp_guid_provider(rows[i].guid) != rows[i].provider ||
            nsp_guid_class(rows[i].guid) != rows[i].class) {
            fail_msg("%s", rows[i].name);
        }
    }
    assert_int_equal(nsp_guid_provider(NULL), NSP_PROVIDER_FOREIGN);
    assert_int_equal(nsp_guid_class(NULL), NSP_CLASS_FOREIGN);
}

static void test_equal(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < ROWS; j++) {
            assert_int_equal(nsp_guid_equal(rows[i].guid, rows[j].guid), i == j);
        }
    }
    // Each byte counts.
    for (size_t at = 0; at < sizeof(GUID); at++) {
        GUID other = SVCID_PNRPNAME_V1;
        ((uint8_t *)&other)[at] ^= 0x80;
        assert_false(nsp_guid_equal(&SVCID_PNRPNAME_V1, &other));
        assert_int_equal(nsp_guid_class(&other), NSP_CLASS_FOREIGN);
    }
}

static void test_unaligned(void **state)
{
    (void)state;
    uint8_t bytes[1 + sizeof(GUID)];
    memcpy(bytes + 1, &SVCID_PNRPCLOUD, sizeof(GUID));
    assert_int_equal(nsp_guid_class((const void *)(bytes + 1)), NSP_CLASS_CLOUD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_whose),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_unaligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
