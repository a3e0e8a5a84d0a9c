// SPDX-License-Identifier: MIT
#include "node/core/foreign.h"

#include "tests/core/record_helper.h"

// ---- what is ours and what is foreign ----

struct rr {
    const char *label; // below the apex; NULL: the apex
    uint16_t type;
    const char *rdata;
};

struct reading {
    const char *name;
    struct rr rrs[13];     // up to one without data
    const char *endpoints; // "address last byte:port/protocol@entry ..."
    int foreign;           // foreign resource records
};

#define A(n)                                                                                       \
    {                                                                                              \
        NULL, CORE_DNS_A, "c00002" n                                                               \
    }
#define AAAA(n)                                                                                    \
    {                                                                                              \
        NULL, CORE_DNS_AAAA, "20010db80000000000000000000000" n                                    \
    }
#define OURS                                                                                       \
    {                                                                                              \
        NULL, CORE_DNS_SVCB, HELPER_SERVICE                                                        \
    }
#define NEXT                                                                                       \
    {                                                                                              \
        NULL, CORE_DNS_SVCB, "0001 00 0003 0002 0051 0004 0004 c0000202"                           \
    }
#define MARK                                                                                       \
    {                                                                                              \
        "_pnr", CORE_DNS_TXT, HELPER_PNR1 HELPER_M1                                                \
    }

static const struct reading readings[] = {
    {"nothing", {{0}}, "", 0},
    {"addresses", {A("02"), AAAA("01"), A("01")}, "2:0/0 1:0/0 1:0/0", 3},
    {"an address twice", {A("02"), A("02")}, "2:0/0", 2},
    {"address below the apex", {{"www", CORE_DNS_A, "c0000201"}}, "", 1},
    {"text alone", {{NULL, CORE_DNS_TXT, "03 616263"}}, "", 1},
    {"HTTPS on its port", {{NULL, CORE_DNS_HTTPS, "0001 00"}, A("01")}, "1:443/6", 2},
    {"HTTPS with a port",
     {A("01"), A("02"), {NULL, CORE_DNS_HTTPS, "0001 00 0003 0002 1f90"}},
     "1:8080/6 2:8080/6",
     3},
    {"SVCB with a hint",
     {A("01"), {NULL, CORE_DNS_SVCB, "0001 00 0003 0002 0050 0004 0004 c0000203"}},
     "3:80/0 1:0/0",
     2},
    {"SVCB with its hint at the apex",
     {A("03"), {NULL, CORE_DNS_SVCB, "0001 00 0003 0002 0050 0004 0004 c0000203"}},
     "3:80/0",
     2},
    {"both hints",
     {{NULL, CORE_DNS_SVCB,
       "0001 00 0004 0004 c0000203 0006 0010 20010db8000000000000000000000007"}},
     "3:0/0 7:0/0",
     1},
    {"by priority",
     {A("01"),
      {NULL, CORE_DNS_SVCB, "0002 00 0003 0002 0002"},
      {NULL, CORE_DNS_SVCB, "0001 00 0003 0002 0001"},
      {NULL, CORE_DNS_SVCB, "0002 00 0003 0002 0003"}},
     "1:1/0 1:2/0 1:3/0",
     4},
    {"AliasMode", {A("01"), {NULL, CORE_DNS_HTTPS, "0000 00"}}, "1:0/0", 2},
    {"another target", {A("01"), {NULL, CORE_DNS_HTTPS, "0001 0161 00"}}, "1:0/0", 2},
    {"the apex as target",
     {A("01"),
      {NULL, CORE_DNS_HTTPS,
       "0001 34 3437504a4f59434e5352464d58494b4d39354a4831335938384538514e485a55354b554e474a"
       "505859455047543741384b525059 00"}},
     "1:443/6",
     2},
    {"mandatory port",
     {A("01"), {NULL, CORE_DNS_SVCB, "0001 00 0000 0002 0003 0003 0002 0050"}},
     "1:80/0",
     2},
    {"mandatory unknown",
     {A("01"), {NULL, CORE_DNS_SVCB, "0001 00 0000 0002 0007 0003 0002 0050"}},
     "1:0/0",
     2},
    {"mandatory itself",
     {A("01"), {NULL, CORE_DNS_SVCB, "0001 00 0000 0002 0000 0003 0002 0050"}},
     "1:0/0",
     2},
    {"HTTPS below the apex", {A("01"), {"www", CORE_DNS_HTTPS, "0001 00"}}, "1:0/0", 2},
    {"eleven addresses",
     {A("01"), A("02"), A("03"), A("04"), A("05"), A("06"), A("07"), A("08"), A("09"), A("0a"),
      A("0b")},
     "1:0/0 2:0/0 3:0/0 4:0/0 5:0/0 6:0/0 7:0/0 8:0/0 9:0/0 10:0/0",
     11},
    {"ours", {A("01"), OURS, MARK}, "1:80/6@0", 0},
    {"ours without an address at the apex", {OURS, MARK}, "1:80/6@0", 0},
    {"our service behind the mark", {A("01"), MARK, OURS}, "", 2},
    {"address behind the mark", {OURS, MARK, A("01")}, "1:80/6@0", 1},
    {"another address before the mark", {A("02"), A("01"), OURS, MARK}, "1:80/6@0", 1},
    {"ours without hint",
     {{NULL, CORE_DNS_SVCB, "0001 00 0003 0002 0050 ff00 0002 0006"}, MARK},
     "",
     1},
    {"entry and protocol as before", {OURS, NEXT, MARK}, "1:80/6@0 2:81/6@0", 0},
    {"before nothing", {NEXT, OURS, MARK}, "1:80/6@0", 1},
    {"behind something else", {OURS, A("01"), NEXT, MARK}, "1:80/6@0", 1},
    {"empty parameter",
     {OURS, {NULL, CORE_DNS_SVCB, "0001 00 0004 0004 c0000202 ff00 0000"}, MARK},
     "1:80/6@0",
     1},
    {"services of both", {OURS, {NULL, CORE_DNS_HTTPS, "0001 00"}, MARK}, "1:80/6@0", 1},
    {"not our form",
     {A("01"),
      {NULL, CORE_DNS_SVCB, "0001 00 0001 0003 026832 0003 0002 0050 ff00 0002 0006"},
      MARK},
     "",
     2},
    {"tombstone beside an address", {{"_pnr", CORE_DNS_TXT, HELPER_PNR1}, A("01")}, "1:0/0", 1},
    {"another text at the mark's name",
     {A("01"), {"_pnr", CORE_DNS_TXT, "04 706e7232"}},
     "1:0/0",
     2},
};

static void print_endpoints(const struct core_record *record, char *ret_text, size_t cap)
{
    size_t len = 0;
    ret_text[0] = '\0';
    for (uint32_t i = 0; i < record->endpoint_count; i++) {
        const struct core_record_endpoint *endpoint = &record->endpoints[i];
        len += (size_t)snprintf(ret_text + len, cap - len, "%s%u:%u/%u", i > 0 ? " " : "",
                                endpoint->addr.ip[endpoint->addr.ip_len - 1], endpoint->addr.port,
                                endpoint->protocol);
        if (endpoint->entry != CORE_RECORD_NO_MACHINE) {
            len += (size_t)snprintf(ret_text + len, cap - len, "@%u", endpoint->entry);
        }
    }
}

static void test_readings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
        const struct reading *row = &readings[i];
        uint8_t msg[CORE_RECORD_LEN_MAX];
        struct core_record record;
        char text[300];
        struct core_dns_writer writer = core_dns_writer(msg, sizeof(msg));
        for (const struct rr *rr = row->rrs; rr->rdata != NULL; rr++) {
            helper_put_rr(&writer, rr->label, rr->type, rr->rdata);
        }
        if (helper_decode(msg, core_dns_written(&writer), &record) != CORE_RECORD_OK) {
            fail_msg("%s: not decoded", row->name);
        }
        print_endpoints(&record, text, sizeof(text));
        int foreign = record.foreign_len == 0 ? 0 : record.foreign[7];
        if (strcmp(text, row->endpoints) != 0 || foreign != row->foreign) {
            fail_msg("%s: %s and %d foreign", row->name, text, foreign);
        }
        assert_int_equal(record.foreign_cut, strcmp(row->name, "eleven addresses") == 0);
    }
}

// Whatever foreign records there are, they come back in the same order and form, with ours before
// them, and resolve as before once ours are gone.
static void test_foreign_survive(void **state)
{
    (void)state;
    const struct core_record_endpoint endpoint = helper_v4(1, 3540, 6);
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
        const struct reading *row = &readings[i];
        uint8_t msg[CORE_RECORD_LEN_MAX];
        struct core_record before;
        struct core_record after;
        struct core_dns_writer writer = core_dns_writer(msg, sizeof(msg));
        for (const struct rr *rr = row->rrs; rr->rdata != NULL; rr++) {
            helper_put_rr(&writer, rr->label, rr->type, rr->rdata);
        }
        assert_int_equal(helper_decode(msg, core_dns_written(&writer), &before), CORE_RECORD_OK);
        struct core_record changed = before;
        helper_replace(&changed, 1, &endpoint, 1);
        size_t len = helper_encode(&changed, msg);
        assert_int_equal(helper_decode(msg, len, &after), CORE_RECORD_OK);
        if (!core_record_same_content(&changed, &after) ||
            before.foreign_len != after.foreign_len ||
            memcmp(before.foreign, after.foreign, before.foreign_len) != 0) {
            fail_msg("%s: not carried along", row->name);
        }
        assert_true(core_record_remove(&after, after.entries[0].machine));
        len = helper_encode(&after, msg);
        assert_int_equal(helper_decode(msg, len, &after), CORE_RECORD_OK);
        if (after.endpoint_count != before.foreign_endpoint_count ||
            before.foreign_len != after.foreign_len) {
            fail_msg("%s: lost on withdrawal", row->name);
        }
    }
}

// A foreign part that grows beyond a message when its names are written out (SRV may not be
// compressed) is never dropped in silence.
static void test_foreign_lost(void **state)
{
    (void)state;
    const struct core_record_endpoint endpoint = helper_v4(1, 3540, 6);
    uint8_t msg[CORE_RECORD_LEN_MAX];
    struct core_record record;
    size_t len = 0;
    struct core_dns_writer writer = core_dns_writer(msg, sizeof(msg));
    helper_put_rr(&writer, NULL, CORE_DNS_A, "c0000201");
    for (int i = 0; i < 40; i++) {
        helper_put_rr(&writer, NULL, CORE_DNS_SRV, "0000 0000 0050 c00c");
    }
    assert_int_equal(helper_decode(msg, core_dns_written(&writer), &record), CORE_RECORD_OK);
    assert_true(record.foreign_lost);
    assert_int_equal(record.endpoint_count, 1);
    helper_replace(&record, 1, &endpoint, 1);
    assert_int_equal(core_record_encode(&record, helper_key, msg, &len), CORE_RECORD_FOREIGN);
}

// The most addresses, and the most services, that one message can hold.
static void test_foreign_crowds(void **state)
{
    (void)state;
    static const struct rr crowds[] = {{NULL, CORE_DNS_A, "c0000201"},
                                       {NULL, CORE_DNS_HTTPS, "0001 00"}};
    for (size_t i = 0; i < 2; i++) {
        uint8_t msg[CORE_DNS_READ_MAX];
        struct core_record record;
        struct core_dns_writer writer = core_dns_writer(msg, sizeof(msg));
        size_t len = 0;
        while (!writer.full) {
            len = core_dns_written(&writer);
            helper_put_rr(&writer, crowds[i].label, crowds[i].type, crowds[i].rdata);
        }
        assert_true(len > CORE_DNS_READ_MAX - 20);
        assert_int_equal(helper_decode(msg, len, &record), CORE_RECORD_OK);
        assert_int_equal(record.endpoint_count, i == 0 ? 1 : 0);
        assert_false(record.foreign_lost);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readings),
        cmocka_unit_test(test_foreign_survive),
        cmocka_unit_test(test_foreign_lost),
        cmocka_unit_test(test_foreign_crowds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
