// SPDX-License-Identifier: MIT
#include "node/core/record.h"

#include "tests/core/page_helper.h"
#include "tests/core/record_helper.h"

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
    helper_replace(ret_record, 1, endpoints, 2);
    helper_set_comment(ret_record, "build server");
}

static void build_two_machines(struct core_record *ret_record)
{
    const struct core_record_endpoint first[] = {helper_v4(1, 80, 6), helper_v4(1, 53, 17),
                                                 helper_v4(1, 53, 6)};
    const struct core_record_endpoint second[] = {helper_v6(2, 0, 0)};
    static const uint8_t comment[] = {0x41, 0x00, 0x00, 0xd8}; // an A and half a pair
    core_record_init(ret_record);
    helper_replace(ret_record, 2, second, 1);
    helper_replace(ret_record, 1, first, 3);
    helper_replace(ret_record, 3, NULL, 0);
    assert_int_equal(core_record_set_comment(ret_record, (struct dht_span){comment, 4}),
                     CORE_RECORD_OK);
    helper_set_payload(ret_record, CORE_RECORD_PAYLOAD_BINARY, 300, false);
}

static void build_reference(struct core_record *ret_record)
{
    const struct core_record_endpoint endpoint = helper_v4(1, 3540, 6);
    core_record_init(ret_record);
    helper_replace(ret_record, 1, &endpoint, 1);
    helper_set_payload(ret_record, CORE_RECORD_PAYLOAD_STRING, 2000, true);
}

static void decode_hex(const char *hex, struct core_record *ret_record)
{
    uint8_t msg[CORE_DNS_READ_MAX];
    size_t len = helper_unhex(hex, msg, sizeof(msg));
    assert_int_equal(helper_decode(msg, len, ret_record), CORE_RECORD_OK);
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
    helper_replace(ret_record, 1, endpoints, 2);
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
    size_t len = helper_encode(&record, msg);
    if (find_vector(page, vector->name, "v", want, sizeof(want)) != len ||
        memcmp(msg, want, len) != 0) {
        fail_vector(vector, "v", msg, len);
    }
    assert_int_equal(helper_decode(msg, len, &again), CORE_RECORD_OK);
    if (!core_record_same_content(&record, &again) || helper_encode(&again, want) != len ||
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
    char *page = helper_page(PNR_DOCS "/record.md");
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
    size_t len = helper_encode(&record, msg);
    assert_int_equal(helper_decode(msg, len, &again), CORE_RECORD_OK);
    assert_int_equal(again.entry_count, 3);
    assert_int_equal(again.entries[2].machine[7], 3);
    assert_int_equal(again.entries[2].signed_until_s, HELPER_UNTIL);
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
    helper_replace(&record, 1, endpoints, 10);
    helper_set_comment(&record, "123456789012345678901234567890123456789");
    helper_set_payload(&record, CORE_RECORD_PAYLOAD_BINARY, CORE_RECORD_PAYLOAD_MAX, true);
    assert_int_equal(helper_encode(&record, msg), 991);
}

static void test_sizes(void **state)
{
    (void)state;
    struct core_record record;
    uint8_t msg[CORE_RECORD_LEN_MAX];
    build_one_machine(&record);
    assert_true(helper_encode(&record, msg) < 300);
    // 10 endpoints, no two alike in address or port, of 3 machines, and the longest comment.
    core_record_init(&record);
    struct core_record_endpoint endpoints[10];
    for (uint8_t i = 0; i < 10; i++) {
        endpoints[i] = helper_v6(i, (uint16_t)(1000 + i), 6);
    }
    helper_replace(&record, 1, endpoints, 4);
    helper_replace(&record, 2, endpoints + 4, 3);
    helper_replace(&record, 3, endpoints + 7, 3);
    helper_set_comment(&record, "123456789012345678901234567890123456789");
    size_t len = helper_encode(&record, msg);
    assert_int_equal(len, 931);
    for (size_t payload_len = 1; payload_len < 80; payload_len++) {
        helper_set_payload(&record, CORE_RECORD_PAYLOAD_BINARY, payload_len, false);
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
    struct core_record_entry entry = helper_entry(1, HELPER_UNTIL);
    assert_int_equal(core_record_replace(&record, &entry, endpoints, 11), CORE_RECORD_ENDPOINTS);
    assert_int_equal(record.entry_count, 0); // nothing half done
    helper_replace(&record, 1, endpoints, 10);
    entry = helper_entry(2, HELPER_UNTIL);
    assert_int_equal(core_record_replace(&record, &entry, endpoints, 1), CORE_RECORD_ENDPOINTS);
    helper_replace(&record, 1, endpoints, 0);
    for (uint8_t i = 2; i <= 10; i++) {
        helper_replace(&record, i, NULL, 0);
    }
    entry = helper_entry(11, HELPER_UNTIL);
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
    helper_set_comment(&record, "x");
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
                struct core_record_entry entry = helper_entry((uint8_t)machine, HELPER_UNTIL);
                core_record_replace(&record, &entry, endpoints, step < 5 ? 1 : 3);
                size_t len = helper_encode(&record, msg);
                assert_int_equal(helper_decode(msg, len, &record), CORE_RECORD_OK);
            }
            core_record_remove(&record, helper_entry(4, 0).machine);
            size_t len = helper_encode(&record, msg);
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
        struct core_record_entry entry = helper_entry(machine, HELPER_UNTIL + machine);
        assert_int_equal(core_record_replace(&record, &entry, &endpoints[machine - 1], 1),
                         CORE_RECORD_OK);
    }
    helper_set_comment(&record, "x");
    helper_set_payload(&record, CORE_RECORD_PAYLOAD_BINARY, 5, false);
    assert_int_equal(core_record_prune(&record, HELPER_UNTIL + 1 + CORE_RECORD_GRACE_S), 0);
    assert_int_equal(core_record_prune(&record, HELPER_UNTIL + 2 + CORE_RECORD_GRACE_S), 1);
    assert_int_equal(record.entry_count, 1);
    assert_int_equal(record.entries[0].machine[0], 2);
    assert_int_equal(record.endpoint_count, 1);
    assert_int_equal(record.endpoints[0].entry, 0);
    assert_int_equal(record.endpoints[0].addr.ip[3], 2);
    assert_int_equal(record.comment_len, 2);
    assert_int_equal(core_record_prune(&record, HELPER_UNTIL + 3 + CORE_RECORD_GRACE_S), 1);
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
    helper_set_comment(&b, "y");
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
        size_t len = helper_encode(&record, msg);
        struct core_record again;
        assert_int_equal(helper_decode(msg, len, &again), CORE_RECORD_OK);
        assert_int_equal(again.ttl_s, cases[i].want_s);
        assert_int_equal(core_record_ttl_s(&again), cases[i].want_s);
    }
    // A foreign record's TTL counts too, but is not ours.
    build_imported(&record);
    record.ttl_s = 86400;
    size_t len = helper_encode(&record, msg);
    assert_int_equal(helper_decode(msg, len, &record), CORE_RECORD_OK);
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
        assert_int_equal(helper_decode(msg, len, &again), CORE_RECORD_OK);
        assert_true(core_record_same_content(&record, &again));
        assert_memory_equal(record.entries, again.entries,
                            record.entry_count * sizeof(record.entries[0]));
        assert_int_equal(helper_encode(&again, msg_again), len);
        assert_memory_equal(msg, msg_again, len);
    }
    assert_true(encoded > 19000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_vector_fields),
        cmocka_unit_test(test_largest_machine),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_prune),
        cmocka_unit_test(test_same_content),
        cmocka_unit_test(test_ttl),
        cmocka_unit_test(test_random_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
