// SPDX-License-Identifier: MIT
#include "node/core/record.h"

#include "tests/core/record_helper.h"

#define ID "0000000000000000000000000000000000000000"

struct broken {
    const char *name;
    const char *service; // data of an SVCB record before the mark, or NULL
    const char *mark;    // data of the mark
    enum core_record_error error;
    const char *service_again; // one more, or NULL
};

static const struct broken brokens[] = {
    {"in order", HELPER_SERVICE, HELPER_PNR1 HELPER_M1, CORE_RECORD_OK, NULL},
    {"two entries", HELPER_SERVICE, HELPER_PNR1 HELPER_M1 HELPER_M2, CORE_RECORD_OK, NULL},
    {"tombstone", NULL, HELPER_PNR1, CORE_RECORD_OK, NULL},
    {"entries fall", NULL, HELPER_PNR1 HELPER_M2 HELPER_M1, CORE_RECORD_MALFORMED, NULL},
    {"entry twice", NULL, HELPER_PNR1 HELPER_M1 HELPER_M1, CORE_RECORD_MALFORMED, NULL},
    {"entry too short", NULL, HELPER_PNR1 "11 6d 0101010101010101 006553f100 00000e",
     CORE_RECORD_MALFORMED, NULL},
    {"empty string", NULL, HELPER_PNR1 HELPER_M1 "00", CORE_RECORD_MALFORMED, NULL},
    {"unknown string", NULL, HELPER_PNR1 HELPER_M1 "01 7a", CORE_RECORD_MALFORMED, NULL},
    {"comment", NULL, HELPER_PNR1 HELPER_M1 "03 63 4100", CORE_RECORD_OK, NULL},
    {"comment without entry", NULL, HELPER_PNR1 "03 63 4100", CORE_RECORD_MALFORMED, NULL},
    {"comment before entry", NULL, HELPER_PNR1 "03 63 4100" HELPER_M1, CORE_RECORD_MALFORMED, NULL},
    {"two comments", NULL, HELPER_PNR1 HELPER_M1 "03 63 4100 03 63 4100", CORE_RECORD_MALFORMED,
     NULL},
    {"empty comment", NULL, HELPER_PNR1 HELPER_M1 "01 63", CORE_RECORD_MALFORMED, NULL},
    {"odd comment", NULL, HELPER_PNR1 HELPER_M1 "02 63 41", CORE_RECORD_MALFORMED, NULL},
    {"payload", NULL, HELPER_PNR1 HELPER_M1 "02 62 ff", CORE_RECORD_OK, NULL},
    {"payload and comment", NULL, HELPER_PNR1 HELPER_M1 "02 62 ff 03 63 4100",
     CORE_RECORD_MALFORMED, NULL},
    {"empty payload", NULL, HELPER_PNR1 HELPER_M1 "01 62", CORE_RECORD_MALFORMED, NULL},
    {"payload in bits", NULL, HELPER_PNR1 HELPER_M1 "02 62 ff 02 62 ff", CORE_RECORD_MALFORMED,
     NULL},
    {"odd string", NULL, HELPER_PNR1 HELPER_M1 "02 73 ff", CORE_RECORD_MALFORMED, NULL},
    {"payload without entry", NULL, HELPER_PNR1 "02 62 ff", CORE_RECORD_MALFORMED, NULL},
    {"reference", NULL, HELPER_PNR1 HELPER_M1 "17 42 03e4" ID, CORE_RECORD_OK, NULL},
    {"reference of odd string", NULL, HELPER_PNR1 HELPER_M1 "17 53 03e3" ID, CORE_RECORD_MALFORMED,
     NULL},
    {"reference with one target too few", NULL, HELPER_PNR1 HELPER_M1 "17 42 03e5" ID,
     CORE_RECORD_MALFORMED, NULL},
    {"reference to nothing", NULL, HELPER_PNR1 HELPER_M1 "03 42 0000", CORE_RECORD_MALFORMED, NULL},
    {"reference without length", NULL, HELPER_PNR1 HELPER_M1 "02 42 00", CORE_RECORD_MALFORMED,
     NULL},
    {"reference to 4097 bytes", NULL, HELPER_PNR1 HELPER_M1 "67 42 1001" ID ID ID ID ID,
     CORE_RECORD_MALFORMED, NULL},
    {"reference to 4096 bytes", NULL, HELPER_PNR1 HELPER_M1 "67 42 1000" ID ID ID ID ID,
     CORE_RECORD_OK, NULL},
    {"reference and payload", NULL, HELPER_PNR1 HELPER_M1 "02 62 ff 17 42 03e4" ID,
     CORE_RECORD_MALFORMED, NULL},
    {"entry number 1 of 1", "0001 00 0004 0004 c0000201 ff00 0002 0106", HELPER_PNR1 HELPER_M1,
     CORE_RECORD_MALFORMED, NULL},
    {"service of a tombstone", HELPER_SERVICE, HELPER_PNR1, CORE_RECORD_MALFORMED, NULL},
    {"eleven endpoints",
     "0001 00 0004 002c 00000000 00000001 00000002 00000003 00000004 00000005 00000006 00000007"
     "00000008 00000009 0000000a ff00 0002 0006",
     HELPER_PNR1 HELPER_M1, CORE_RECORD_MALFORMED, NULL},
    {"ten endpoints and one again",
     "0001 00 0003 0002 0050 0004 0028 00000000 00000001 00000002 00000003 00000004 00000005"
     "00000006 00000007 00000008 c0000201 ff00 0002 0006",
     HELPER_PNR1 HELPER_M1, CORE_RECORD_OK, HELPER_SERVICE},
};

static void test_broken_marks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(brokens) / sizeof(brokens[0]); i++) {
        const struct broken *row = &brokens[i];
        uint8_t msg[CORE_RECORD_LEN_MAX];
        struct core_record record;
        struct core_dns_writer writer = core_dns_writer(msg, sizeof(msg));
        if (row->service != NULL) {
            helper_put_rr(&writer, NULL, CORE_DNS_SVCB, row->service);
        }
        if (row->service_again != NULL) {
            helper_put_rr(&writer, NULL, CORE_DNS_SVCB, row->service_again);
        }
        helper_put_rr(&writer, "_pnr", CORE_DNS_TXT, row->mark);
        enum core_record_error error = helper_decode(msg, core_dns_written(&writer), &record);
        if (error != row->error) {
            fail_msg("%s: %s", row->name, core_record_error_text(error));
        }
        if (error == CORE_RECORD_OK && (record.is_foreign || record.foreign_len != 0)) {
            fail_msg("%s: taken for foreign", row->name);
        }
    }
}

static void test_two_marks(void **state)
{
    (void)state;
    uint8_t msg[CORE_RECORD_LEN_MAX];
    struct core_record record;
    struct core_dns_writer writer = core_dns_writer(msg, sizeof(msg));
    helper_put_rr(&writer, "_pnr", CORE_DNS_TXT, HELPER_PNR1 HELPER_M1);
    helper_put_rr(&writer, "_PNR", CORE_DNS_TXT, HELPER_PNR1 HELPER_M1);
    assert_int_equal(helper_decode(msg, core_dns_written(&writer), &record), CORE_RECORD_MALFORMED);
}

// Other software's records, ours beside them three times out of four.
static void build_imported(uint64_t *random, struct core_record *ret_record)
{
    const struct core_record_endpoint endpoints[] = {helper_v4(1, 80, 6), helper_v6(2, 53, 17)};
    uint8_t msg[CORE_RECORD_LEN_MAX];
    struct core_dns_writer writer = core_dns_writer(msg, sizeof(msg));
    helper_put_rr(&writer, NULL, CORE_DNS_A, "c0000201");
    helper_put_rr(&writer, "www", CORE_DNS_CNAME, "c00c");
    helper_put_rr(&writer, NULL, CORE_DNS_MX, "000a 046d61696c c00c");
    helper_put_rr(&writer, NULL, CORE_DNS_HTTPS, "0001 00 0003 0002 1f90");
    helper_put_rr(&writer, NULL, CORE_DNS_TXT, "03 616263");
    size_t len = core_dns_written(&writer);
    assert_int_equal(helper_decode(msg, len, ret_record), CORE_RECORD_OK);
    if (helper_below(random, 4) > 0) {
        helper_replace(ret_record, 1, endpoints, 2);
        helper_set_comment(ret_record, "x");
    }
}

// Truncations and flipped bits: an answer each time; and what was understood can be written again
// and is then understood alike.
static void test_broken_records(void **state)
{
    (void)state;
    uint64_t random = 7;
    int understood = 0;
    for (int i = 0; i < 100000; i++) {
        struct core_record record;
        struct core_record again;
        uint8_t msg[CORE_RECORD_LEN_MAX];
        if (i % 4 == 0) {
            helper_random_record(&random, &record);
        } else {
            build_imported(&random, &record);
        }
        size_t len = 0;
        if (core_record_encode(&record, helper_key, msg, &len) != CORE_RECORD_OK) {
            continue;
        }
        if (i % 5 == 0) {
            len = helper_below(&random, (uint32_t)len);
        }
        for (uint32_t flips = len > 0 ? helper_below(&random, 5) : 0; flips > 0; flips--) {
            msg[helper_below(&random, (uint32_t)len)] ^= (uint8_t)(1u << helper_below(&random, 8));
        }
        if (helper_decode(msg, len, &record) != CORE_RECORD_OK ||
            core_record_encode(&record, helper_key, msg, &len) != CORE_RECORD_OK) {
            continue;
        }
        assert_int_equal(helper_decode(msg, len, &again), CORE_RECORD_OK);
        assert_true(core_record_same_content(&record, &again));
        understood++;
    }
    assert_true(understood > 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken_marks),
        cmocka_unit_test(test_two_marks),
        cmocka_unit_test(test_broken_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
