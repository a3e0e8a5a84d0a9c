// SPDX-License-Identifier: MIT
#include "node/core/record.h"

#include "node/core/name.h"
#include "tests/core/record_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define UNTIL 1700007200 // signed-until in tests, seconds

static size_t encode(const struct core_record *record, uint8_t ret_msg[CORE_RECORD_LEN_MAX])
{
    size_t len = 0;
    assert_int_equal(core_record_encode(record, helper_key, ret_msg, &len), CORE_RECORD_OK);
    return len;
}

// Reads a copy that ends where the message ends, so that the sanitizer sees reads past it.
static enum core_record_error decode(const uint8_t *msg, size_t len, struct core_record *ret_record)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, msg, len);
    enum core_record_error error =
        core_record_decode(helper_key, (struct dht_span){copy, len}, ret_record);
    free(copy);
    return error;
}

static void replace(struct core_record *record, uint8_t machine,
                    const struct core_record_endpoint *endpoints, size_t count)
{
    struct core_record_entry entry = helper_entry(machine, UNTIL);
    assert_int_equal(core_record_replace(record, &entry, endpoints, count), CORE_RECORD_OK);
}

static void set_comment(struct core_record *record, const char *text)
{
    uint8_t units[CORE_RECORD_COMMENT_MAX];
    assert_int_equal(core_record_set_comment(record, helper_units(text, units)), CORE_RECORD_OK);
}

static void set_payload(struct core_record *record, enum core_record_payload_type type, size_t len,
                        bool by_reference)
{
    struct dht_crypto crypto = helper_crypto(NULL);
    uint8_t bytes[CORE_RECORD_PAYLOAD_MAX];
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)i;
    }
    assert_int_equal(
        core_record_set_payload(record, &crypto, type, (struct dht_span){bytes, len}, by_reference),
        CORE_RECORD_OK);
}

// ---- the vectors of docs/record.md ----

static void build_tombstone(struct core_record *ret_record)
{
    core_record_init(ret_record);
}

static void build_one_machine(struct core_record *ret_record)
{
    const struct core_record_endpoint endpoints[] = {helper_v4(1, 3540, 6), helper_v6(1, 3540, 6)};
    core_record_init(ret_record);
    ret_record->ttl_s = 3600;
    replace(ret_record, 1, endpoints, 2);
    set_comment(ret_record, "build server");
}

static void build_two_machines(struct core_record *ret_record)
{
    const struct core_record_endpoint first[] = {helper_v4(1, 80, 6), helper_v4(1, 53, 17),
                                                 helper_v4(1, 53, 6)};
    const struct core_record_endpoint second[] = {helper_v6(2, 0, 0)};
    static const uint8_t comment[] = {0x41, 0x00, 0x00, 0xd8}; // an A and half a pair
    core_record_init(ret_record);
    replace(ret_record, 2, second, 1);
    replace(ret_record, 1, first, 3);
    replace(ret_record, 3, NULL, 0);
    assert_int_equal(core_record_set_comment(ret_record, (struct dht_span){comment, 4}),
                     CORE_RECORD_OK);
    set_payload(ret_record, CORE_RECORD_PAYLOAD_BINARY, 300, false);
}

static void build_reference(struct core_record *ret_record)
{
    const struct core_record_endpoint endpoint = helper_v4(1, 3540, 6);
    core_record_init(ret_record);
    replace(ret_record, 1, &endpoint, 1);
    set_payload(ret_record, CORE_RECORD_PAYLOAD_STRING, 2000, true);
}

static void decode_hex(const char *hex, struct core_record *ret_record)
{
    uint8_t msg[CORE_DNS_READ_MAX];
    size_t len = helper_unhex(hex, msg, sizeof(msg));
    assert_int_equal(decode(msg, len, ret_record), CORE_RECORD_OK);
}

static void build_pkarr(struct core_record *ret_record)
{
    decode_hex(
        "00008000000000010000000003666f6f343437706a6f79636e7372666d78696b6d39356a6831337938"
        "386538716e687a75356b756e676a707879657067743761386b72707900000100010000012c000468153b"
        "1e",
        ret_record);
}

// The same key with records of its owner, one address of which we come to publish ourselves.
static void build_imported(struct core_record *ret_record)
{
    const struct core_record_endpoint endpoints[] = {helper_v4(1, 3540, 6), helper_v4(2, 3540, 6)};
    decode_hex("0000 8000 0000 0003 0000 0000"
               "34 3437706a6f79636e7372666d78696b6d39356a6831337938386538716e687a75356b756e676a7078"
               "79657067743761386b727079 00 0001 0001 00000e10 0004 c0000201"
               "c00c 0010 0001 00000e10 0004 03 616263"
               "03777777 c00c 0005 0001 00000e10 0002 c00c",
               ret_record);
    replace(ret_record, 1, endpoints, 2);
}

struct vector {
    const char *name; // the heading in docs/record.md
    void (*build)(struct core_record *ret_record);
};

static const struct vector vectors[] = {
    {"Tombstone", build_tombstone},         {"One machine", build_one_machine},
    {"Three machines", build_two_machines}, {"Payload by reference", build_reference},
    {"A record of pkarr", build_pkarr},     {"An imported key", build_imported},
};

// The text of docs/record.md; the caller frees it.
static char *read_page(void)
{
    FILE *file = fopen(PNR_DOCS "/record.md", "rb");
    assert_non_null(file);
    char *page = calloc(1, 100000);
    assert_non_null(page);
    assert_true(fread(page, 1, 99999, file) > 0);
    fclose(file);
    return page;
}

// Finds the digits behind "name: " under "### heading"; they may go on in further lines. Returns
// how many bytes.
static size_t find_vector(const char *page, const char *heading, const char *name,
                          uint8_t *ret_bytes, size_t cap)
{
    char text[100];
    char hex[4 * CORE_RECORD_LEN_MAX] = "";
    snprintf(text, sizeof(text), "\n### %s\n", heading);
    const char *at = strstr(page, text);
    snprintf(text, sizeof(text), "\n%s: ", name);
    at = at == NULL ? NULL : strstr(at, text);
    if (at == NULL) {
        return 0;
    }
    at += strlen(text);
    size_t len = strspn(at, "0123456789abcdef \n");
    assert_true(len < sizeof(hex));
    memcpy(hex, at, len);
    return helper_unhex(hex, ret_bytes, cap);
}

// Prints in full what fail_msg() would cut off, to be copied into the page.
static void fail_vector(const struct vector *vector, const char *name, const uint8_t *bytes,
                        size_t len)
{
    char hex[2 * CORE_RECORD_LEN_MAX + 1];
    printf("%s: %s: %s\n", vector->name, name, helper_hex(bytes, len, hex));
    fail_msg("%s: another %s", vector->name, name);
}

static void check_vector(const char *page, const struct vector *vector)
{
    struct core_record record;
    struct core_record again;
    uint8_t msg[CORE_RECORD_LEN_MAX];
    uint8_t want[CORE_RECORD_LEN_MAX];
    uint8_t sig[DHT_SIG_LEN] = {0};
    uint8_t want_sig[DHT_SIG_LEN] = {0};
    vector->build(&record);
    size_t len = encode(&record, msg);
    if (find_vector(page, vector->name, "v", want, sizeof(want)) != len ||
        memcmp(msg, want, len) != 0) {
        fail_vector(vector, "v", msg, len);
    }
    assert_int_equal(decode(msg, len, &again), CORE_RECORD_OK);
    if (!core_record_same_content(&record, &again) || encode(&again, want) != len ||
        memcmp(msg, want, len) != 0) {
        fail_msg("%s: reads differently", vector->name);
    }
    // Signed as BEP 44 has it, with seq 1700000000000000 and without a salt.
    uint8_t seed[32];
    helper_unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", seed, 32);
    struct dht_crypto crypto = helper_crypto(seed);
    uint8_t text[CORE_RECORD_LEN_MAX + 50];
    int head = snprintf((char *)text, 50, "3:seqi1700000000000000e1:v%zu:", len);
    memcpy(text + head, msg, len);
    assert_true(
        crypto.sign(crypto.ctx, helper_key, (struct dht_span){text, (size_t)head + len}, sig));
    find_vector(page, vector->name, "sig", want_sig, sizeof(want_sig));
    if (memcmp(sig, want_sig, sizeof(sig)) != 0) {
        fail_vector(vector, "sig", sig, sizeof(sig));
    }
}

static void test_vectors(void **state)
{
    (void)state;
    char *page = read_page();
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        check_vector(page, &vectors[i]);
    }
    free(page);
}

static void test_vector_fields(void **state)
{
    (void)state;
    struct core_record record;
    uint8_t msg[CORE_RECORD_LEN_MAX];
    struct core_record again;
    build_two_machines(&record);
    size_t len = encode(&record, msg);
    assert_int_equal(decode(msg, len, &again), CORE_RECORD_OK);
    assert_int_equal(again.entry_count, 3);
    assert_int_equal(again.entries[2].machine[7], 3);
    assert_int_equal(again.entries[2].signed_until_s, UNTIL);
    assert_int_equal(again.entries[2].lifetime_s, 3600);
    assert_int_equal(again.endpoint_count, 4);
    assert_int_equal(again.endpoints[0].protocol, 6);
    assert_int_equal(again.endpoints[0].addr.port, 53);
    assert_int_equal(again.endpoints[2].protocol, 17);
    assert_int_equal(again.endpoints[3].entry, 1);
    assert_int_equal(again.endpoints[3].addr.ip_len, 16);
    assert_int_equal(again.endpoints[3].addr.ip[15], 2);
    assert_int_equal(again.comment_len, 4);
    assert_int_equal(again.comment[3], 0xd8);
    assert_int_equal(again.payload.type, CORE_RECORD_PAYLOAD_BINARY);
    assert_int_equal(again.payload.len, 300);
    assert_int_equal(again.payload.bytes[299], 299 & 0xff);
    assert_false(core_record_is_tombstone(&again));
    build_tombstone(&record);
    assert_true(core_record_is_tombstone(&record));
    build_pkarr(&record);
    assert_false(core_record_is_tombstone(&record));
    assert_int_equal(record.endpoint_count, 0); // its address stands below the apex
    build_imported(&record);
    assert_int_equal(record.endpoint_count, 2);
    assert_true(core_record_remove(&record, record.entries[0].machine));
    assert_true(core_record_is_tombstone(&record));
    assert_int_equal(record.endpoint_count, 1);
    assert_int_equal(record.endpoints[0].addr.port, 0);
    assert_int_equal(record.endpoints[0].entry, CORE_RECORD_NO_MACHINE);
}

// ---- broken marks and services ----

#define M1      "12 6d 0101010101010101 006553f100 00000e10 "
#define M2      "12 6d 0202020202020202 006553f100 00000e10 "
#define PNR1    "04 706e7231 "
#define SERVICE "0001 00 0003 0002 0050 0004 0004 c0000201 ff00 0002 0006"
#define ID      "0000000000000000000000000000000000000000"

struct broken {
    const char *name;
    const char *service; // data of an SVCB record before the mark, or NULL
    const char *mark;    // data of the mark
    enum core_record_error error;
    const char *service_again; // one more, or NULL
};

static const struct broken brokens[] = {
    {"in order", SERVICE, PNR1 M1, CORE_RECORD_OK, NULL},
    {"two entries", SERVICE, PNR1 M1 M2, CORE_RECORD_OK, NULL},
    {"tombstone", NULL, PNR1, CORE_RECORD_OK, NULL},
    {"entries fall", NULL, PNR1 M2 M1, CORE_RECORD_MALFORMED, NULL},
    {"entry twice", NULL, PNR1 M1 M1, CORE_RECORD_MALFORMED, NULL},
    {"entry too short", NULL, PNR1 "11 6d 0101010101010101 006553f100 00000e",
     CORE_RECORD_MALFORMED, NULL},
    {"empty string", NULL, PNR1 M1 "00", CORE_RECORD_MALFORMED, NULL},
    {"unknown string", NULL, PNR1 M1 "01 7a", CORE_RECORD_MALFORMED, NULL},
    {"comment", NULL, PNR1 M1 "03 63 4100", CORE_RECORD_OK, NULL},
    {"comment without entry", NULL, PNR1 "03 63 4100", CORE_RECORD_MALFORMED, NULL},
    {"comment before entry", NULL, PNR1 "03 63 4100" M1, CORE_RECORD_MALFORMED, NULL},
    {"two comments", NULL, PNR1 M1 "03 63 4100 03 63 4100", CORE_RECORD_MALFORMED, NULL},
    {"empty comment", NULL, PNR1 M1 "01 63", CORE_RECORD_MALFORMED, NULL},
    {"odd comment", NULL, PNR1 M1 "02 63 41", CORE_RECORD_MALFORMED, NULL},
    {"payload", NULL, PNR1 M1 "02 62 ff", CORE_RECORD_OK, NULL},
    {"payload and comment", NULL, PNR1 M1 "02 62 ff 03 63 4100", CORE_RECORD_MALFORMED, NULL},
    {"empty payload", NULL, PNR1 M1 "01 62", CORE_RECORD_MALFORMED, NULL},
    {"payload in bits", NULL, PNR1 M1 "02 62 ff 02 62 ff", CORE_RECORD_MALFORMED, NULL},
    {"odd string", NULL, PNR1 M1 "02 73 ff", CORE_RECORD_MALFORMED, NULL},
    {"payload without entry", NULL, PNR1 "02 62 ff", CORE_RECORD_MALFORMED, NULL},
    {"reference", NULL, PNR1 M1 "17 42 03e4" ID, CORE_RECORD_OK, NULL},
    {"reference of odd string", NULL, PNR1 M1 "17 53 03e3" ID, CORE_RECORD_MALFORMED, NULL},
    {"reference with one target too few", NULL, PNR1 M1 "17 42 03e5" ID, CORE_RECORD_MALFORMED,
     NULL},
    {"reference to nothing", NULL, PNR1 M1 "03 42 0000", CORE_RECORD_MALFORMED, NULL},
    {"reference without length", NULL, PNR1 M1 "02 42 00", CORE_RECORD_MALFORMED, NULL},
    {"reference to 4097 bytes", NULL, PNR1 M1 "67 42 1001" ID ID ID ID ID, CORE_RECORD_MALFORMED,
     NULL},
    {"reference to 4096 bytes", NULL, PNR1 M1 "67 42 1000" ID ID ID ID ID, CORE_RECORD_OK, NULL},
    {"reference and payload", NULL, PNR1 M1 "02 62 ff 17 42 03e4" ID, CORE_RECORD_MALFORMED, NULL},
    {"entry number 1 of 1", "0001 00 0004 0004 c0000201 ff00 0002 0106", PNR1 M1,
     CORE_RECORD_MALFORMED, NULL},
    {"service of a tombstone", SERVICE, PNR1, CORE_RECORD_MALFORMED, NULL},
    {"eleven endpoints",
     "0001 00 0004 002c 00000000 00000001 00000002 00000003 00000004 00000005 00000006 00000007"
     "00000008 00000009 0000000a ff00 0002 0006",
     PNR1 M1, CORE_RECORD_MALFORMED, NULL},
    {"ten endpoints and one again",
     "0001 00 0003 0002 0050 0004 0028 00000000 00000001 00000002 00000003 00000004 00000005"
     "00000006 00000007 00000008 c0000201 ff00 0002 0006",
     PNR1 M1, CORE_RECORD_OK, SERVICE},
};

static void put_rr(struct core_dns_writer *writer, const char *label, uint16_t type,
                   const char *rdata)
{
    struct core_dns_head head = {.type = type, .rr_class = CORE_DNS_CLASS_IN, .ttl_s = 300};
    uint8_t data[CORE_DNS_RDATA_MAX];
    core_dns_name_root(&head.name);
    assert_true(core_dns_name_prepend(&head.name,
                                      "47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy", 52));
    if (label != NULL) {
        assert_true(core_dns_name_prepend(&head.name, label, strlen(label)));
    }
    core_dns_open(writer, &head);
    core_dns_put_bytes(writer, data, helper_unhex(rdata, data, sizeof(data)));
    core_dns_close(writer);
}

static void test_broken_marks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(brokens) / sizeof(brokens[0]); i++) {
        const struct broken *row = &brokens[i];
        uint8_t msg[CORE_RECORD_LEN_MAX];
        struct core_record record;
        struct core_dns_writer writer = core_dns_writer(msg, sizeof(msg));
        if (row->service != NULL) {
            put_rr(&writer, NULL, CORE_DNS_SVCB, row->service);
        }
        if (row->service_again != NULL) {
            put_rr(&writer, NULL, CORE_DNS_SVCB, row->service_again);
        }
        put_rr(&writer, "_pnr", CORE_DNS_TXT, row->mark);
        enum core_record_error error = decode(msg, core_dns_written(&writer), &record);
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
    put_rr(&writer, "_pnr", CORE_DNS_TXT, PNR1 M1);
    put_rr(&writer, "_PNR", CORE_DNS_TXT, PNR1 M1);
    assert_int_equal(decode(msg, core_dns_written(&writer), &record), CORE_RECORD_MALFORMED);
}

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
        NULL, CORE_DNS_SVCB, SERVICE                                                               \
    }
#define NEXT                                                                                       \
    {                                                                                              \
        NULL, CORE_DNS_SVCB, "0001 00 0003 0002 0051 0004 0004 c0000202"                           \
    }
#define MARK                                                                                       \
    {                                                                                              \
        "_pnr", CORE_DNS_TXT, PNR1 M1                                                              \
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
    {"tombstone beside an address", {{"_pnr", CORE_DNS_TXT, PNR1}, A("01")}, "1:0/0", 1},
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
            put_rr(&writer, rr->label, rr->type, rr->rdata);
        }
        if (decode(msg, core_dns_written(&writer), &record) != CORE_RECORD_OK) {
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
            put_rr(&writer, rr->label, rr->type, rr->rdata);
        }
        assert_int_equal(decode(msg, core_dns_written(&writer), &before), CORE_RECORD_OK);
        struct core_record changed = before;
        replace(&changed, 1, &endpoint, 1);
        size_t len = encode(&changed, msg);
        assert_int_equal(decode(msg, len, &after), CORE_RECORD_OK);
        if (!core_record_same_content(&changed, &after) ||
            before.foreign_len != after.foreign_len ||
            memcmp(before.foreign, after.foreign, before.foreign_len) != 0) {
            fail_msg("%s: not carried along", row->name);
        }
        assert_true(core_record_remove(&after, after.entries[0].machine));
        len = encode(&after, msg);
        assert_int_equal(decode(msg, len, &after), CORE_RECORD_OK);
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
    put_rr(&writer, NULL, CORE_DNS_A, "c0000201");
    for (int i = 0; i < 40; i++) {
        put_rr(&writer, NULL, CORE_DNS_SRV, "0000 0000 0050 c00c");
    }
    assert_int_equal(decode(msg, core_dns_written(&writer), &record), CORE_RECORD_OK);
    assert_true(record.foreign_lost);
    assert_int_equal(record.endpoint_count, 1);
    replace(&record, 1, &endpoint, 1);
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
            put_rr(&writer, crowds[i].label, crowds[i].type, crowds[i].rdata);
        }
        assert_true(len > CORE_DNS_READ_MAX - 20);
        assert_int_equal(decode(msg, len, &record), CORE_RECORD_OK);
        assert_int_equal(record.endpoint_count, i == 0 ? 1 : 0);
        assert_false(record.foreign_lost);
    }
}

// ---- sizes and limits ----

// The longest record that one machine can make: 10 addresses on 10 ports, over two protocols, the
// longest comment and the longest payload. A registration of Winsock may have all of them at once.
static void test_largest_machine(void **state)
{
    (void)state;
    struct core_record record;
    struct core_record_endpoint endpoints[10];
    uint8_t msg[CORE_RECORD_LEN_MAX];
    for (uint8_t i = 0; i < 10; i++) {
        endpoints[i] = helper_v6(i, (uint16_t)(1000 + i), i % 2 == 0 ? 6 : 17);
    }
    core_record_init(&record);
    replace(&record, 1, endpoints, 10);
    set_comment(&record, "123456789012345678901234567890123456789");
    set_payload(&record, CORE_RECORD_PAYLOAD_BINARY, CORE_RECORD_PAYLOAD_MAX, true);
    assert_int_equal(encode(&record, msg), 991);
}

static void test_sizes(void **state)
{
    (void)state;
    struct core_record record;
    uint8_t msg[CORE_RECORD_LEN_MAX];
    build_one_machine(&record);
    assert_true(encode(&record, msg) < 300);
    // 10 endpoints, no two alike in address or port, of 3 machines, and the longest comment.
    core_record_init(&record);
    struct core_record_endpoint endpoints[10];
    for (uint8_t i = 0; i < 10; i++) {
        endpoints[i] = helper_v6(i, (uint16_t)(1000 + i), 6);
    }
    replace(&record, 1, endpoints, 4);
    replace(&record, 2, endpoints + 4, 3);
    replace(&record, 3, endpoints + 7, 3);
    set_comment(&record, "123456789012345678901234567890123456789");
    size_t len = encode(&record, msg);
    assert_int_equal(len, 931);
    for (size_t payload_len = 1; payload_len < 80; payload_len++) {
        set_payload(&record, CORE_RECORD_PAYLOAD_BINARY, payload_len, false);
        bool fits = len + 2 + payload_len <= CORE_RECORD_LEN_MAX;
        size_t with_payload = 0;
        assert_int_equal(core_record_encode(&record, helper_key, msg, &with_payload),
                         fits ? CORE_RECORD_OK : CORE_RECORD_TOO_LARGE);
        assert_int_equal(with_payload, fits ? len + 2 + payload_len : 0);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct dht_crypto crypto = helper_crypto(NULL);
    struct core_record record;
    struct core_record_endpoint endpoints[11];
    uint8_t bytes[CORE_RECORD_PAYLOAD_MAX + 2] = {0};
    uint8_t msg[CORE_RECORD_LEN_MAX];
    size_t len;
    for (uint8_t i = 0; i < 11; i++) {
        endpoints[i] = helper_v4(i, 80, 6);
    }
    core_record_init(&record);
    struct core_record_entry entry = helper_entry(1, UNTIL);
    assert_int_equal(core_record_replace(&record, &entry, endpoints, 11), CORE_RECORD_ENDPOINTS);
    assert_int_equal(record.entry_count, 0); // nothing half done
    replace(&record, 1, endpoints, 10);
    entry = helper_entry(2, UNTIL);
    assert_int_equal(core_record_replace(&record, &entry, endpoints, 1), CORE_RECORD_ENDPOINTS);
    replace(&record, 1, endpoints, 0);
    for (uint8_t i = 2; i <= 10; i++) {
        replace(&record, i, NULL, 0);
    }
    entry = helper_entry(11, UNTIL);
    assert_int_equal(core_record_replace(&record, &entry, NULL, 0), CORE_RECORD_ENTRIES);
    entry = helper_entry(1, -1);
    assert_int_equal(core_record_replace(&record, &entry, NULL, 0), CORE_RECORD_ENTRY_RANGE);
    entry = helper_entry(1, CORE_RECORD_UNTIL_MAX_S + 1);
    assert_int_equal(core_record_replace(&record, &entry, NULL, 0), CORE_RECORD_ENTRY_RANGE);
    entry = helper_entry(1, CORE_RECORD_UNTIL_MAX_S);
    endpoints[1].addr.ip_len = 0;
    assert_int_equal(core_record_replace(&record, &entry, endpoints, 2),
                     CORE_RECORD_ENDPOINT_FAMILY);
    assert_int_equal(core_record_set_comment(&record, (struct dht_span){bytes, 78}),
                     CORE_RECORD_OK);
    assert_int_equal(core_record_set_comment(&record, (struct dht_span){bytes, 80}),
                     CORE_RECORD_COMMENT);
    assert_int_equal(core_record_set_comment(&record, (struct dht_span){bytes, 3}),
                     CORE_RECORD_COMMENT);
    assert_int_equal(core_record_set_payload(&record, &crypto, CORE_RECORD_PAYLOAD_BINARY,
                                             (struct dht_span){bytes, 4097}, true),
                     CORE_RECORD_PAYLOAD);
    assert_int_equal(core_record_set_payload(&record, &crypto, CORE_RECORD_PAYLOAD_STRING,
                                             (struct dht_span){bytes, 3}, false),
                     CORE_RECORD_PAYLOAD);
    assert_int_equal(core_record_set_payload(&record, &crypto, CORE_RECORD_PAYLOAD_BINARY,
                                             (struct dht_span){bytes, 997}, false),
                     CORE_RECORD_TOO_LARGE);
    core_record_init(&record);
    set_comment(&record, "x");
    assert_int_equal(core_record_encode(&record, helper_key, msg, &len), CORE_RECORD_NO_ENTRY);
}

static void test_parts(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint32_t parts;
        size_t last;
    } cases[] = {{1, 1, 1}, {996, 1, 996}, {997, 2, 1}, {1992, 2, 996}, {4096, 5, 112}};
    uint8_t bytes[CORE_RECORD_PAYLOAD_MAX] = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dht_span payload = {bytes, cases[i].len};
        assert_int_equal(core_record_part_count(payload.len), cases[i].parts);
        assert_int_equal(core_record_part(payload, cases[i].parts - 1).len, cases[i].last);
    }
    // BEP 44's own immutable item.
    struct dht_crypto crypto = helper_crypto(NULL);
    struct dht_id target;
    char hex[41];
    core_record_part_target(&crypto, (struct dht_span){(const uint8_t *)"Hello World!", 12},
                            &target);
    assert_string_equal(helper_hex(target.bytes, DHT_ID_LEN, hex),
                        "e5f96f6f38320f0f33959cb4d3d656452117aadb");
}

// ---- merging, time and content ----

// Machines that publish in any order, and over what they had before, end with the same bytes.
static void test_order_does_not_matter(void **state)
{
    (void)state;
    uint64_t random = 5;
    for (int run = 0; run < 500; run++) {
        uint8_t first[CORE_RECORD_LEN_MAX];
        size_t first_len = 0;
        for (int order = 0; order < 4; order++) {
            struct core_record record;
            uint8_t msg[CORE_RECORD_LEN_MAX];
            core_record_init(&record);
            for (int step = 0; step < 8; step++) {
                // The last three steps set three machines, whatever came before.
                int machine = step < 5 ? (int)helper_below(&random, 4) + 1 : (step + order) % 3 + 1;
                struct core_record_endpoint endpoints[] = {
                    helper_v4((uint8_t)machine, (uint16_t)(run + 1), 6), helper_v6(9, 80, 6),
                    helper_v4((uint8_t)machine, 17, 17)};
                if (order % 2 == 1) {
                    struct core_record_endpoint swap = endpoints[0];
                    endpoints[0] = endpoints[2];
                    endpoints[2] = swap;
                }
                struct core_record_entry entry = helper_entry((uint8_t)machine, UNTIL);
                core_record_replace(&record, &entry, endpoints, step < 5 ? 1 : 3);
                size_t len = encode(&record, msg);
                assert_int_equal(decode(msg, len, &record), CORE_RECORD_OK);
            }
            core_record_remove(&record, helper_entry(4, 0).machine);
            size_t len = encode(&record, msg);
            assert_int_equal(record.entry_count, 3);
            if (order == 0) {
                memcpy(first, msg, len);
                first_len = len;
            }
            assert_int_equal(len, first_len);
            assert_memory_equal(msg, first, len);
        }
    }
}

static void test_prune(void **state)
{
    (void)state;
    const struct core_record_endpoint endpoints[] = {helper_v4(1, 80, 6), helper_v4(2, 80, 6)};
    struct core_record record;
    core_record_init(&record);
    for (uint8_t machine = 1; machine <= 2; machine++) {
        struct core_record_entry entry = helper_entry(machine, UNTIL + machine);
        assert_int_equal(core_record_replace(&record, &entry, &endpoints[machine - 1], 1),
                         CORE_RECORD_OK);
    }
    set_comment(&record, "x");
    set_payload(&record, CORE_RECORD_PAYLOAD_BINARY, 5, false);
    assert_int_equal(core_record_prune(&record, UNTIL + 1 + CORE_RECORD_GRACE_S), 0);
    assert_int_equal(core_record_prune(&record, UNTIL + 2 + CORE_RECORD_GRACE_S), 1);
    assert_int_equal(record.entry_count, 1);
    assert_int_equal(record.entries[0].machine[0], 2);
    assert_int_equal(record.endpoint_count, 1);
    assert_int_equal(record.endpoints[0].entry, 0);
    assert_int_equal(record.endpoints[0].addr.ip[3], 2);
    assert_int_equal(record.comment_len, 2);
    assert_int_equal(core_record_prune(&record, UNTIL + 3 + CORE_RECORD_GRACE_S), 1);
    assert_true(core_record_is_tombstone(&record));
    assert_int_equal(record.endpoint_count + record.comment_len + record.payload.len, 0);
}

static void test_same_content(void **state)
{
    (void)state;
    struct core_record a;
    struct core_record b;
    build_two_machines(&a);
    b = a;
    b.entries[0].signed_until_s++;
    b.entries[0].lifetime_s++;
    b.ttl_s++;
    assert_true(core_record_same_content(&a, &b));
    b = a;
    set_comment(&b, "y");
    assert_false(core_record_same_content(&a, &b));
    b = a;
    b.payload.bytes[299]++;
    assert_false(core_record_same_content(&a, &b));
    b = a;
    b.payload.type = CORE_RECORD_PAYLOAD_STRING;
    assert_false(core_record_same_content(&a, &b));
    b = a;
    assert_true(core_record_remove(&b, b.entries[2].machine));
    assert_false(core_record_same_content(&a, &b));
    b = a;
    b.endpoints[1].addr.port++;
    assert_false(core_record_same_content(&a, &b));
    build_imported(&a);
    b = a;
    b.foreign[b.foreign_len - 1]++;
    assert_false(core_record_same_content(&a, &b));
    build_reference(&a);
    b = a;
    b.payload.parts[2].bytes[0]++;
    assert_false(core_record_same_content(&a, &b));
}

static void test_ttl(void **state)
{
    (void)state;
    struct core_record record;
    uint8_t msg[CORE_RECORD_LEN_MAX];
    build_one_machine(&record);
    static const struct {
        uint32_t ttl_s, want_s;
    } cases[] = {{0, 300}, {300, 300}, {3601, 3601}, {86401, 86400}, {UINT32_MAX, 86400}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        record.ttl_s = cases[i].ttl_s;
        size_t len = encode(&record, msg);
        struct core_record again;
        assert_int_equal(decode(msg, len, &again), CORE_RECORD_OK);
        assert_int_equal(again.ttl_s, cases[i].want_s);
        assert_int_equal(core_record_ttl_s(&again), cases[i].want_s);
    }
    // A foreign record's TTL counts too, but is not ours.
    build_imported(&record);
    record.ttl_s = 86400;
    size_t len = encode(&record, msg);
    assert_int_equal(decode(msg, len, &record), CORE_RECORD_OK);
    assert_int_equal(record.ttl_s, 86400);
    assert_int_equal(core_record_ttl_s(&record), 3600);
    decode_hex("0000 8000 0000 0000 0000 0000", &record);
    assert_int_equal(core_record_ttl_s(&record), 300);
}

// ---- everything at random ----

static void test_random_records(void **state)
{
    (void)state;
    uint64_t random = 6;
    int encoded = 0;
    for (int i = 0; i < 20000; i++) {
        struct core_record record;
        struct core_record again;
        uint8_t msg[CORE_RECORD_LEN_MAX];
        uint8_t msg_again[CORE_RECORD_LEN_MAX];
        size_t len = 0;
        helper_random_record(&random, &record);
        if (core_record_encode(&record, helper_key, msg, &len) == CORE_RECORD_TOO_LARGE) {
            continue;
        }
        encoded++;
        assert_int_equal(decode(msg, len, &again), CORE_RECORD_OK);
        assert_true(core_record_same_content(&record, &again));
        assert_memory_equal(record.entries, again.entries,
                            record.entry_count * sizeof(record.entries[0]));
        assert_int_equal(encode(&again, msg_again), len);
        assert_memory_equal(msg, msg_again, len);
    }
    assert_true(encoded > 19000);
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
            vectors[(size_t)i % (sizeof(vectors) / sizeof(vectors[0]))].build(&record);
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
        if (decode(msg, len, &record) != CORE_RECORD_OK ||
            core_record_encode(&record, helper_key, msg, &len) != CORE_RECORD_OK) {
            continue;
        }
        assert_int_equal(decode(msg, len, &again), CORE_RECORD_OK);
        assert_true(core_record_same_content(&record, &again));
        understood++;
    }
    assert_true(understood > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_vector_fields),
        cmocka_unit_test(test_broken_marks),
        cmocka_unit_test(test_two_marks),
        cmocka_unit_test(test_readings),
        cmocka_unit_test(test_foreign_survive),
        cmocka_unit_test(test_foreign_lost),
        cmocka_unit_test(test_foreign_crowds),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_largest_machine),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_prune),
        cmocka_unit_test(test_same_content),
        cmocka_unit_test(test_ttl),
        cmocka_unit_test(test_random_records),
        cmocka_unit_test(test_broken_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
