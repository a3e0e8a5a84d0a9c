// SPDX-License-Identifier: MIT
#include "node/core/dns.h"

#include "tests/core/crypto_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEADER(answers) "0000 8000 0000 00" answers " 0000 0000 "
#define NAME_A          "01 61 00 " // a.
#define HEAD(type)      "00" type " 0001 0000012c "

// Reads all answers of a message. Returns how many; -1 where it is refused.
static int read_all(struct dht_span msg, struct core_dns_rr *ret_last)
{
    struct core_dns_reader reader = core_dns_reader(msg);
    int count = 0;
    while (core_dns_next(&reader, ret_last)) {
        count++;
    }
    return reader.ok ? count : -1;
}

struct row {
    const char *name;
    const char *msg; // hex
    int answers;     // -1: refused
    const char *rdata;
};

static const struct row rows[] = {
    {"empty", "", -1, NULL},
    {"11 bytes", "0000 8000 0000 0000 0000 00", -1, NULL},
    {"no answers", HEADER("00"), 0, NULL},
    {"pkarr's A",
     "00008000000000010000000003666f6f343437706a6f79636e7372666d78696b6d39356a6831337938386538716e"
     "687a75356b756e676a707879657067743761386b72707900000100010000012c000468153b1e",
     1, "68153b1e"},
    {"flags 0", "0000 0000 0000 0001 0000 0000" NAME_A HEAD("01") "0004 01020304", 1, "01020304"},
    {"question passed over",
     "0000 8000 0001 0001 0000 0000" NAME_A "0001 0001 c00c" HEAD("01") "0004 01020304", 1,
     "01020304"},
    {"question cut off", "0000 8000 0001 0001 0000 0000" NAME_A "0001 00", -1, NULL},
    {"bytes behind the answers", HEADER("01") NAME_A HEAD("01") "0004 01020304 ff", 1, "01020304"},
    {"fewer answers than told", HEADER("02") NAME_A HEAD("01") "0004 01020304", -1, NULL},
    {"head cut off", HEADER("01") NAME_A "0001 0001 0000012c 00", -1, NULL},
    {"data cut off", HEADER("01") NAME_A HEAD("01") "0004 010203", -1, NULL},
    {"A of 5 bytes", HEADER("01") NAME_A HEAD("01") "0005 0102030405", -1, NULL},
    {"A of class CH", HEADER("01") NAME_A "0001 0003 00000000 0003 010203", 1, "010203"},
    {"AAAA of 4 bytes", HEADER("01") NAME_A HEAD("1c") "0004 01020304", -1, NULL},
    {"unknown type", HEADER("01") NAME_A "ff37 0001 00000000 0003 c0ffee", 1, "c0ffee"},
    {"empty data of an unknown type", HEADER("01") NAME_A "ff37 0001 00000000 0000", 1, ""},
    // Names.
    {"name without root", HEADER("01") "01 61", -1, NULL},
    {"label cut off", HEADER("01") "3f 61", -1, NULL},
    {"label type 01", HEADER("01") "41 61 00" HEAD("01") "0004 01020304", -1, NULL},
    {"label type 10", HEADER("01") "81 61 00" HEAD("01") "0004 01020304", -1, NULL},
    {"pointer to itself", HEADER("01") "c00c" HEAD("01") "0004 01020304", -1, NULL},
    {"pointer forward", HEADER("01") "c01c" HEAD("01") "0004 01020304" NAME_A, -1, NULL},
    {"pointer into the header", HEADER("01") "c004" HEAD("01") "0004 01020304", -1, NULL},
    {"pointer into its own name", HEADER("01") "01 61 c00c" HEAD("01") "0004 01020304", -1, NULL},
    {"pointer cut off", HEADER("01") "c0", -1, NULL},
    // The names inside data.
    {"CNAME by pointer", HEADER("01") NAME_A HEAD("05") "0002 c00c", 1, "016100"},
    {"CNAME of label and pointer", HEADER("01") NAME_A HEAD("05") "0004 0162 c00c", 1,
     "0162016100"},
    {"CNAME runs past its data", HEADER("01") NAME_A HEAD("05") "0001 c00c", -1, NULL},
    {"CNAME leaves bytes over", HEADER("01") NAME_A HEAD("05") "0003 c00c00", -1, NULL},
    {"CNAME to itself", HEADER("01") NAME_A HEAD("05") "0002 c019", -1, NULL},
    {"MX", HEADER("01") NAME_A HEAD("0f") "0004 000a c00c", 1, "000a016100"},
    {"MX without name", HEADER("01") NAME_A HEAD("0f") "0002 000a", -1, NULL},
    {"MX too short", HEADER("01") NAME_A HEAD("0f") "0001 00", -1, NULL},
    {"SRV", HEADER("01") NAME_A HEAD("21") "0008 0001 0002 0050 c00c", 1, "000100020050016100"},
    {"SOA",
     HEADER("01") NAME_A HEAD("06") "0018 c00c c00c 0000000100000002000000030000000400000005", 1,
     "0161000161000000000100000002000000030000000400000005"},
    {"SOA too short",
     HEADER("01") NAME_A HEAD("06") "0017 c00c c00c 00000001000000020000000300000004000000", -1,
     NULL},
    // Strings.
    {"TXT", HEADER("01") NAME_A HEAD("10") "0003 02 6162", 1, "026162"},
    {"TXT of empty strings", HEADER("01") NAME_A HEAD("10") "0002 0000", 1, "0000"},
    {"TXT without strings", HEADER("01") NAME_A HEAD("10") "0000", -1, NULL},
    {"TXT cut off", HEADER("01") NAME_A HEAD("10") "0003 03 6162", -1, NULL},
    // SVCB.
    {"SVCB", HEADER("01") NAME_A HEAD("40") "0009 0001 00 0003 0002 0050", 1,
     "0001000003 00020050"},
    {"SVCB without parameters", HEADER("01") NAME_A HEAD("41") "0003 0001 00", 1, "000100"},
    {"SVCB without target", HEADER("01") NAME_A HEAD("40") "0002 0001", -1, NULL},
    {"SVCB with a compressed target", HEADER("01") NAME_A HEAD("40") "0004 0001 c00c", -1, NULL},
    {"SVCB with half a port", HEADER("01") NAME_A HEAD("40") "0008 0001 00 0003 0001 50", -1, NULL},
    {"SVCB parameter cut off", HEADER("01") NAME_A HEAD("40") "0008 0001 00 0003 0002 50", -1,
     NULL},
    {"SVCB parameter head cut off", HEADER("01") NAME_A HEAD("40") "0006 0001 00 000300", -1, NULL},
    {"SVCB keys twice", HEADER("01") NAME_A HEAD("40") "000f 0001 00 0003 0002 0050 0003 0002 0050",
     -1, NULL},
    {"SVCB keys falling", HEADER("01") NAME_A HEAD("40") "000d 0001 00 0003 0002 0050 0002 0000",
     -1, NULL},
    {"SVCB hint of 5 bytes", HEADER("01") NAME_A HEAD("40") "000c 0001 00 0004 0005 0102030405", -1,
     NULL},
    {"SVCB hint of nothing", HEADER("01") NAME_A HEAD("40") "0007 0001 00 0006 0000", -1, NULL},
};

static void test_reader(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t buf[CORE_DNS_READ_MAX];
        uint8_t rdata[CORE_DNS_RDATA_MAX];
        struct core_dns_rr rr;
        size_t len = helper_unhex(rows[i].msg, buf, sizeof(buf));
        // A copy of its own length lets the sanitizer see reads past the end.
        uint8_t *msg = malloc(len > 0 ? len : 1);
        assert_non_null(msg);
        memcpy(msg, buf, len);
        int answers = read_all((struct dht_span){msg, len}, &rr);
        free(msg);
        if (answers != rows[i].answers) {
            fail_msg("%s: %d answers", rows[i].name, answers);
        }
        if (rows[i].rdata != NULL) {
            size_t rdata_len = helper_unhex(rows[i].rdata, rdata, sizeof(rdata));
            if (rr.rdata_len != rdata_len || memcmp(rr.rdata, rdata, rdata_len) != 0) {
                fail_msg("%s: data", rows[i].name);
            }
        }
    }
}

static void test_reader_bounds(void **state)
{
    (void)state;
    uint8_t msg[CORE_DNS_READ_MAX + 1] = {0};
    struct core_dns_rr rr;
    assert_int_equal(read_all((struct dht_span){msg, CORE_DNS_READ_MAX}, &rr), 0);
    assert_int_equal(read_all((struct dht_span){msg, CORE_DNS_READ_MAX + 1}, &rr), -1);
}

// Builds one A record whose name has label_count labels of one byte and a label of last_len bytes.
static size_t long_name(uint8_t *msg, size_t label_count, size_t last_len)
{
    size_t len = helper_unhex(HEADER("01"), msg, CORE_DNS_READ_MAX);
    for (size_t i = 0; i < label_count; i++) {
        msg[len++] = 1;
        msg[len++] = 'x';
    }
    msg[len++] = (uint8_t)last_len;
    memset(msg + len, 'y', last_len);
    len += last_len;
    return len + helper_unhex("00" HEAD("01") "0004 01020304", msg + len, CORE_DNS_READ_MAX - len);
}

static void test_longest_name(void **state)
{
    (void)state;
    uint8_t msg[CORE_DNS_READ_MAX];
    struct core_dns_rr rr;
    // 126 * 2 + 2 + 1 is 255.
    size_t len = long_name(msg, 126, 1);
    assert_int_equal(read_all((struct dht_span){msg, len}, &rr), 1);
    assert_int_equal(rr.head.name.len, CORE_DNS_NAME_MAX);
    len = long_name(msg, 126, 2);
    assert_int_equal(read_all((struct dht_span){msg, len}, &rr), -1);
}

static void make_name(const char *text, struct core_dns_name *ret_name)
{
    const char *ends = text + strlen(text);
    core_dns_name_root(ret_name);
    while (ends > text) {
        const char *start = ends;
        while (start > text && start[-1] != '.') {
            start--;
        }
        assert_true(core_dns_name_prepend(ret_name, start, (size_t)(ends - start)));
        ends = start > text ? start - 1 : text;
    }
}

static void test_names(void **state)
{
    (void)state;
    struct core_dns_name a;
    struct core_dns_name b;
    char label[64];
    memset(label, 'z', sizeof(label));
    make_name("www.Example.COM", &a);
    make_name("WWW.exaMple.com", &b);
    assert_true(core_dns_name_equal(&a, &b));
    make_name("www.example.con", &b);
    assert_false(core_dns_name_equal(&a, &b));
    core_dns_name_root(&a);
    assert_false(core_dns_name_prepend(&a, label, 0));
    assert_false(core_dns_name_prepend(&a, label, 64));
    for (int i = 0; i < 3; i++) {
        assert_true(core_dns_name_prepend(&a, label, 63));
    }
    assert_false(core_dns_name_prepend(&a, label, 62)); // 1 + 3 * 64 + 63 is 256
    assert_true(core_dns_name_prepend(&a, label, 61));
    assert_int_equal(a.len, CORE_DNS_NAME_MAX);
}

static void put_a(struct core_dns_writer *writer, const char *name)
{
    static const uint8_t address[] = {1, 2, 3, 4};
    struct core_dns_head head = {.type = CORE_DNS_A, .rr_class = CORE_DNS_CLASS_IN, .ttl_s = 300};
    make_name(name, &head.name);
    core_dns_open(writer, &head);
    core_dns_put_bytes(writer, address, 4);
    core_dns_close(writer);
}

static void test_writer_compresses(void **state)
{
    (void)state;
    uint8_t buf[CORE_DNS_WRITE_MAX];
    char hex[2 * CORE_DNS_WRITE_MAX + 1];
    struct core_dns_writer writer = core_dns_writer(buf, sizeof(buf));
    put_a(&writer, "b.c");
    put_a(&writer, "a.b.c");
    put_a(&writer, "x.c");
    put_a(&writer, "a.b.c");
    put_a(&writer, "B.c");
    put_a(&writer, "");
    size_t len = core_dns_written(&writer);
    assert_string_equal(helper_hex(buf, len, hex), "000080000000000600000000"
                                                   "0162016300000100010000012c000401020304"
                                                   "0161c00c000100010000012c000401020304"
                                                   "0178c00e000100010000012c000401020304"
                                                   "c01f000100010000012c000401020304"
                                                   "0142c00e000100010000012c000401020304"
                                                   "00000100010000012c000401020304");
    struct core_dns_rr rr;
    assert_int_equal(read_all((struct dht_span){buf, len}, &rr), 6);
}

// A writer that runs full says so, writes nothing behind its buffer, and was not full one byte
// earlier.
static void test_writer_full(void **state)
{
    (void)state;
    uint8_t big[CORE_DNS_WRITE_MAX];
    struct core_dns_writer writer = core_dns_writer(big, sizeof(big));
    put_a(&writer, "first.of.many");
    put_a(&writer, "second.of.many");
    size_t len = core_dns_written(&writer);
    for (size_t cap = CORE_DNS_HEADER_LEN; cap <= len; cap++) {
        uint8_t *buf = malloc(cap);
        assert_non_null(buf);
        writer = core_dns_writer(buf, cap);
        put_a(&writer, "first.of.many");
        put_a(&writer, "second.of.many");
        assert_int_equal(core_dns_written(&writer), cap == len ? len : 0);
        free(buf);
    }
}

static void test_put_rr(void **state)
{
    (void)state;
    // Each of them keeps its data through a read and a write; MX comes back compressed, SRV not.
    static const struct row kept[] = {
        {"MX", HEADER("01") NAME_A HEAD("0f") "0004 000a c00c", 1, NULL},
        {"SOA",
         HEADER("01") NAME_A HEAD("06") "0018 c00c c00c"
                                        "0000000100000002000000030000000400000005",
         1, NULL},
        {"SRV", HEADER("01") NAME_A HEAD("21") "0009 0001 0002 0050 016100", 1, NULL},
        {"unknown", HEADER("01") NAME_A "ff37 0003 ffffffff 0003 c0ffee", 1, NULL},
    };
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        uint8_t msg[CORE_DNS_READ_MAX];
        uint8_t out[CORE_DNS_WRITE_MAX];
        struct core_dns_rr rr;
        size_t len = helper_unhex(kept[i].msg, msg, sizeof(msg));
        assert_int_equal(read_all((struct dht_span){msg, len}, &rr), 1);
        struct core_dns_writer writer = core_dns_writer(out, sizeof(out));
        core_dns_put_rr(&writer, &rr);
        if (core_dns_written(&writer) != len || memcmp(out, msg, len) != 0) {
            fail_msg("%s", kept[i].name);
        }
    }
}

static void test_svcb_params(void **state)
{
    (void)state;
    uint8_t rdata[64];
    size_t len = helper_unhex("0002 00 0003 0002 0050 0004 0008 01020304 05060708 ff00 0000", rdata,
                              sizeof(rdata));
    struct core_dns_svcb svcb;
    struct dht_span value;
    assert_true(core_dns_svcb((struct dht_span){rdata, len}, &svcb));
    assert_int_equal(svcb.priority, 2);
    assert_int_equal(svcb.target.len, 1);
    assert_true(core_dns_svcb_param(&svcb, CORE_DNS_PORT, &value));
    assert_int_equal(value.len, 2);
    assert_int_equal(value.data[1], 0x50);
    assert_true(core_dns_svcb_param(&svcb, CORE_DNS_IPV4HINT, &value));
    assert_int_equal(value.len, 8);
    assert_true(core_dns_svcb_param(&svcb, CORE_DNS_PRIVATE, &value));
    assert_int_equal(value.len, 0);
    assert_false(core_dns_svcb_param(&svcb, CORE_DNS_IPV6HINT, &value));
}

// Truncations, flipped bits and noise: an answer each time, and what was read can be written.
static void test_broken_messages(void **state)
{
    (void)state;
    uint64_t random = 3;
    for (int i = 0; i < 200000; i++) {
        const struct row *row = &rows[helper_below(&random, sizeof(rows) / sizeof(rows[0]))];
        uint8_t buf[CORE_DNS_READ_MAX];
        size_t len = helper_unhex(row->msg, buf, sizeof(buf));
        if (len > 0 && i % 2 == 0) {
            len = helper_below(&random, (uint32_t)len);
        }
        for (uint32_t flips = len > 0 ? helper_below(&random, 4) : 0; flips > 0; flips--) {
            buf[helper_below(&random, (uint32_t)len)] ^= (uint8_t)(1u << helper_below(&random, 8));
        }
        uint8_t *msg = malloc(len > 0 ? len : 1);
        assert_non_null(msg);
        memcpy(msg, buf, len);
        struct core_dns_reader reader = core_dns_reader((struct dht_span){msg, len});
        uint8_t out[CORE_DNS_WRITE_MAX];
        struct core_dns_writer writer = core_dns_writer(out, sizeof(out));
        struct core_dns_rr rr;
        while (core_dns_next(&reader, &rr)) {
            core_dns_put_rr(&writer, &rr);
        }
        free(msg);
        size_t written = core_dns_written(&writer);
        assert_true(written == 0 || read_all((struct dht_span){out, written}, &rr) >= 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader),
        cmocka_unit_test(test_reader_bounds),
        cmocka_unit_test(test_longest_name),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_writer_compresses),
        cmocka_unit_test(test_writer_full),
        cmocka_unit_test(test_put_rr),
        cmocka_unit_test(test_svcb_params),
        cmocka_unit_test(test_broken_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
