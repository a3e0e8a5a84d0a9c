// SPDX-License-Identifier: MIT
// include/pnr/clouds.h: what its requests say, and what is read of the answers and what refused.
#include "pnr/clouds.h"

#include "tests/control/fake.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

// ---- requests ----

static void clouds_are_asked_for(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    uint32_t request = 0;
    assert_int_equal(pnr_clouds(fake->client, false, &request), PNR_OK);
    fake_hears(fake, "d1:ad5:watchi0ee1:ii1e1:q6:cloudse");
    assert_int_equal(pnr_clouds(fake->client, true, &request), PNR_OK);
    fake_hears(fake, "d1:ad5:watchi1ee1:ii2e1:q6:cloudse");
    fake_stop(fake);
}

static void clouds_stream(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    struct pnr_cloud_info info;
    struct pnr_progress progress;
    struct pnr_event event;
    uint32_t request = 0;
    assert_int_equal(pnr_clouds(fake->client, true, &request), PNR_OK);
    fake_answer(fake, request, "result", "d4:name3:lan5:scope4:link5:state5:alonee");
    assert_int_equal(pnr_client_wait(fake->client, request, -1, &event), PNR_OK);
    assert_true(pnr_read_cloud_info(&event, &info));
    assert_int_equal(info.event, PNR_CLOUD_EVENT_NONE);
    fake_answer(fake, request, "progress", "d4:step8:watchinge");
    assert_int_equal(pnr_client_wait(fake->client, request, -1, &event), PNR_OK);
    assert_true(pnr_read_step(&event, &progress));
    assert_int_equal(progress.step, PNR_STEP_WATCHING);
    fake_answer(fake, request, "result", "d5:event4:gone4:name3:lan5:scope4:link5:state4:deade");
    assert_int_equal(pnr_client_wait(fake->client, request, -1, &event), PNR_OK);
    assert_true(pnr_read_cloud_info(&event, &info));
    assert_int_equal(info.event, PNR_CLOUD_EVENT_GONE);
    fake_stop(fake);
}

static char long_text[2048 + 2]; // filled below

static const struct unpublish_row {
    const char *name;
    const char *cloud;
    const char *peer_name;
    const char *heard; // NULL: refused
} unpublish_rows[] = {
    {"in a cloud", "lab", "a.web", "d1:ad5:cloud3:lab4:name5:a.webe1:ii1e1:q9:unpublishe"},
    {"in no cloud", NULL, "a.web", "d1:ad4:name5:a.webe1:ii1e1:q9:unpublishe"},
    {"empty cloud", "", "a.web", NULL},
    {"cloud too long", long_text, "a.web", NULL},
    {"no name", "lab", NULL, NULL},
    {"no name in no cloud", NULL, NULL, NULL},
    {"empty name", "lab", "", NULL},
    {"name too long", "lab", long_text, NULL},
};

static void unpublishes_in_a_cloud(void **state)
{
    (void)state;
    memset(long_text, 'a', sizeof long_text - 1);
    for (size_t i = 0; i < sizeof unpublish_rows / sizeof *unpublish_rows; i++) {
        const struct unpublish_row *row = &unpublish_rows[i];
        struct fake *fake = fake_start();
        uint32_t request = 0;
        enum pnr_error error = pnr_unpublish_in(fake->client, row->cloud, row->peer_name, &request);
        if (error != (row->heard != NULL ? PNR_OK : PNR_ERROR_USAGE)) {
            fail_msg("%s: %d", row->name, error);
        }
        if (row->heard != NULL) {
            fake_hears(fake, row->heard);
        }
        fake_stop(fake);
    }
}

static void asks_of_a_cloud(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    uint32_t request = 0;
    assert_int_equal(pnr_ping_in(fake->client, "lab", "1.2.3.4:5", 9, &request), PNR_OK);
    fake_hears(fake, "d1:ad4:addr9:1.2.3.4:55:cloud3:lab10:timeout_msi9ee1:ii1e1:q4:pinge");
    assert_int_equal(pnr_status_in(fake->client, "lab", &request), PNR_OK);
    fake_hears(fake, "d1:ad5:cloud3:labe1:ii2e1:q6:statuse");
    assert_int_equal(pnr_unregister_in(fake->client, "lab", "0.a", &request), PNR_OK);
    fake_hears(fake, "d1:ad5:cloud3:lab4:name3:0.ae1:ii3e1:q10:unregistere");
    assert_int_equal(pnr_unregister_in(fake->client, NULL, "0.a", &request), PNR_OK);
    fake_hears(fake, "d1:ad4:name3:0.ae1:ii4e1:q10:unregistere");
    assert_int_equal(pnr_unregister_in(fake->client, "", "0.a", &request), PNR_ERROR_USAGE);
    assert_int_equal(pnr_ping_in(fake->client, "", "1.2.3.4:5", 9, &request), PNR_ERROR_USAGE);
    assert_int_equal(pnr_ping_in(fake->client, "lab", NULL, 9, &request), PNR_ERROR_USAGE);
    assert_int_equal(pnr_status_in(fake->client, "", &request), PNR_ERROR_USAGE);
    assert_int_equal(pnr_status_in(fake->client, long_text, &request), PNR_ERROR_USAGE);
    fake_stop(fake);
}

// ---- answers ----

// Bytes with NULs inside, as a span.
#define FIELDS(text)                                                                               \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define END "5:scope4:link5:state6:activee"

static const struct info_row {
    const char *name;
    struct pnr_fields fields;
    bool ok;
    struct pnr_cloud_info info;
} info_rows[] = {
    {"least",
     FIELDS("d4:name3:lan" END),
     true,
     {.name = "lan", .scope = PNR_SCOPE_LINK, .state = PNR_CLOUD_STATE_ACTIVE}},
    {"whole",
     FIELDS("d5:event7:changed8:familiesli4ei6ee4:name8:lan%eth05:scope4:link8:scope_idi7e"
            "5:state6:no-nete"),
     true,
     {.name = "lan%eth0",
      .scope = PNR_SCOPE_LINK,
      .scope_id = 7,
      .state = PNR_CLOUD_STATE_NO_NET,
      .has_ipv4 = true,
      .has_ipv6 = true,
      .event = PNR_CLOUD_EVENT_CHANGED}},
    {"IPv6 alone",
     FIELDS("d8:familiesli6ee4:name1:a5:scope6:global5:state7:virtuale"),
     true,
     {.name = "a", .scope = PNR_SCOPE_GLOBAL, .state = PNR_CLOUD_STATE_VIRTUAL, .has_ipv6 = true}},
    {"no families",
     FIELDS("d8:familiesle4:name1:a5:scope4:site5:state8:disablede"),
     true,
     {.name = "a", .scope = PNR_SCOPE_SITE, .state = PNR_CLOUD_STATE_DISABLED}},
    {"another family",
     FIELDS("d8:familiesli4ei9ee4:name1:a" END),
     true,
     {.name = "a", .scope = PNR_SCOPE_LINK, .state = PNR_CLOUD_STATE_ACTIVE, .has_ipv4 = true}},
    {"came",
     FIELDS("d5:event5:added4:name1:a5:scope6:global5:state13:synchronisinge"),
     true,
     {.name = "a",
      .scope = PNR_SCOPE_GLOBAL,
      .state = PNR_CLOUD_STATE_SYNCHRONISING,
      .event = PNR_CLOUD_EVENT_ADDED}},
    {"unknown keys",
     FIELDS("d4:name1:a3:newld1:xleee" END),
     true,
     {.name = "a", .scope = PNR_SCOPE_LINK, .state = PNR_CLOUD_STATE_ACTIVE}},
    {"no name", FIELDS("d" END), false, {.name = ""}},
    {"name an int", FIELDS("d4:namei1e" END), false, {.name = ""}},
    {"NUL in the name", FIELDS("d4:name3:a\0b" END), false, {.name = ""}},
    {"no scope", FIELDS("d4:name1:a5:state6:activee"), false, {.name = ""}},
    {"unknown scope", FIELDS("d4:name1:a5:scope4:moon5:state6:activee"), false, {.name = ""}},
    {"no state", FIELDS("d4:name1:a5:scope4:linke"), false, {.name = ""}},
    {"unknown state", FIELDS("d4:name1:a5:scope4:link5:state4:goode"), false, {.name = ""}},
    {"unknown event", FIELDS("d5:event4:lost4:name1:a" END), false, {.name = ""}},
    {"event an int", FIELDS("d5:eventi1e4:name1:a" END), false, {.name = ""}},
    {"families an int", FIELDS("d8:familiesi4e4:name1:a" END), false, {.name = ""}},
    {"a family in words", FIELDS("d8:familiesl4:IPv4e4:name1:a" END), false, {.name = ""}},
    {"scope_id negative",
     FIELDS("d4:name1:a5:scope4:link8:scope_idi-1e5:state6:activee"),
     false,
     {.name = ""}},
    {"scope_id too great",
     FIELDS("d4:name1:a5:scope4:link8:scope_idi4294967296e5:state6:activee"),
     false,
     {.name = ""}},
    {"name too long",
     FIELDS("d4:name64:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" END),
     false,
     {.name = ""}},
};

static bool is_same(const struct pnr_cloud_info *a, const struct pnr_cloud_info *b)
{
    return strcmp(a->name, b->name) == 0 && a->scope == b->scope && a->scope_id == b->scope_id &&
           a->state == b->state && a->has_ipv4 == b->has_ipv4 && a->has_ipv6 == b->has_ipv6 &&
           a->event == b->event;
}

static void reads_clouds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof info_rows / sizeof *info_rows; i++) {
        const struct info_row *row = &info_rows[i];
        struct pnr_event event = {
            .type = PNR_EVENT_RESULT, .request = 1, .text = "", .fields = row->fields};
        struct pnr_cloud_info info = {.name = ""};
        if (pnr_read_cloud_info(&event, &info) != row->ok) {
            fail_msg("%s: not %s", row->name, row->ok ? "read" : "refused");
        }
        if (!is_same(&info, &row->info)) { // written on success alone
            fail_msg("%s: not as it is", row->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clouds_are_asked_for),   cmocka_unit_test(clouds_stream),
        cmocka_unit_test(unpublishes_in_a_cloud), cmocka_unit_test(asks_of_a_cloud),
        cmocka_unit_test(reads_clouds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
