// SPDX-License-Identifier: MIT
// The second opinion on records: whatever record we write, ldns finds the same fields in it.

#include "node/core/record.h"

#include "tests/core/record_helper.h"

#include <ldns/ldns.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define APEX "47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy."

// Finds count bytes among all A or AAAA records at the apex. Returns how many records have them.
static int count_addrs(const ldns_pkt *pkt, const struct dht_addr *addr)
{
    int found = 0;
    ldns_rr_list *list = ldns_pkt_answer(pkt);
    ldns_rr_type type = addr->ip_len == 4 ? LDNS_RR_TYPE_A : LDNS_RR_TYPE_AAAA;
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        if (ldns_rr_get_type(rr) == type) {
            const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);
            assert_int_equal(ldns_rdf_size(rdf), addr->ip_len);
            found += memcmp(ldns_rdf_data(rdf), addr->ip, addr->ip_len) == 0;
        }
    }
    return found;
}

// The data of a record as one run of bytes.
static size_t rdata_of(const ldns_rr *rr, uint8_t *ret_bytes, size_t cap)
{
    size_t len = 0;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *rdf = ldns_rr_rdf(rr, i);
        assert_true(ldns_rdf_size(rdf) <= cap - len);
        memcpy(ret_bytes + len, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
        len += ldns_rdf_size(rdf);
    }
    return len;
}

static uint32_t u16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

// What the pnr parameter of this service, or of the last one before that has it, says.
struct pnr {
    uint8_t entry;
    uint8_t protocol;
};

// Whether the SVCB data tells this endpoint. A reading of RFC 9460 that shares nothing with ours.
static bool service_tells(const uint8_t *data, size_t len, const struct core_record_endpoint *want,
                          struct pnr *pnr)
{
    assert_true(len >= 3 && u16(data) == 1 && data[2] == 0);
    uint32_t port = 0;
    bool addr_fits = false;
    for (size_t at = 3; at < len; at += 4 + u16(data + at + 2)) {
        const uint8_t *value = data + at + 4;
        uint32_t value_len = u16(data + at + 2);
        uint32_t key = u16(data + at);
        if (key == 3) {
            port = u16(value);
        } else if (key == (want->addr.ip_len == 4 ? 4 : 6)) {
            for (uint32_t i = 0; i < value_len; i += want->addr.ip_len) {
                addr_fits = addr_fits || memcmp(value + i, want->addr.ip, want->addr.ip_len) == 0;
            }
        } else if (key == 65280) {
            *pnr = (struct pnr){value[0], value[1]};
        }
    }
    return addr_fits && port == want->addr.port && pnr->entry == want->entry &&
           pnr->protocol == want->protocol;
}

static int count_services(const ldns_pkt *pkt, const struct core_record_endpoint *endpoint)
{
    int found = 0;
    struct pnr pnr = {0xff, 0xff};
    ldns_rr_list *list = ldns_pkt_answer(pkt);
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        uint8_t data[CORE_DNS_RDATA_MAX];
        if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SVCB) {
            found += service_tells(data, rdata_of(rr, data, sizeof(data)), endpoint, &pnr);
        }
    }
    return found;
}

// Checks the mark's string number index.
static void check_string(const ldns_rr *mark, size_t index, char letter, const void *text,
                         size_t text_len)
{
    assert_true(index < ldns_rr_rd_count(mark));
    const ldns_rdf *rdf = ldns_rr_rdf(mark, index);
    const uint8_t *data = ldns_rdf_data(rdf);
    assert_int_equal(ldns_rdf_size(rdf), 2 + text_len);
    assert_int_equal(data[0], 1 + text_len);
    assert_int_equal(data[1], letter);
    assert_memory_equal(data + 2, text, text_len);
}

static void check_mark(const ldns_rr *mark, const struct core_record *record)
{
    size_t index = 1;
    assert_int_equal(ldns_rr_get_type(mark), LDNS_RR_TYPE_TXT);
    assert_memory_equal(ldns_rdf_data(ldns_rr_rdf(mark, 0)), "\x04pnr1", 5);
    for (uint32_t i = 0; i < record->entry_count; i++) {
        const struct core_record_entry *entry = &record->entries[i];
        uint8_t text[17] = {0};
        memcpy(text, entry->machine, 8);
        for (int byte = 0; byte < 5; byte++) {
            text[12 - byte] = (uint8_t)(entry->signed_until_s >> (8 * byte));
        }
        for (int byte = 0; byte < 4; byte++) {
            text[16 - byte] = (uint8_t)(entry->lifetime_s >> (8 * byte));
        }
        check_string(mark, index++, 'm', text, sizeof(text));
    }
    if (record->comment_len > 0) {
        check_string(mark, index++, 'c', record->comment, record->comment_len);
    }
    const struct core_record_payload *payload = &record->payload;
    if (payload->by_reference) {
        uint8_t text[102] = {(uint8_t)(payload->len >> 8), (uint8_t)payload->len};
        size_t parts_len = (payload->len + 995u) / 996 * 20;
        memcpy(text + 2, payload->parts, parts_len);
        check_string(mark, index++, payload->type == 1 ? 'B' : 'S', text, 2 + parts_len);
    } else {
        for (size_t at = 0; at < payload->len; at += 254) {
            size_t left = payload->len - at;
            check_string(mark, index++, payload->type == 1 ? 'b' : 's', payload->bytes + at,
                         left < 254 ? left : 254);
        }
    }
    assert_int_equal(index, ldns_rr_rd_count(mark));
}

// How many different addresses, and how many services, the endpoints make.
static size_t count_expected(const struct core_record *record)
{
    size_t count = 0;
    for (uint32_t i = 0; i < record->endpoint_count; i++) {
        const struct core_record_endpoint *a = &record->endpoints[i];
        bool new_addr = true;
        bool new_service = true;
        for (uint32_t j = 0; j < i; j++) {
            const struct core_record_endpoint *b = &record->endpoints[j];
            if (a->addr.ip_len == b->addr.ip_len &&
                memcmp(a->addr.ip, b->addr.ip, a->addr.ip_len) == 0) {
                new_addr = false;
            }
            if (a->entry == b->entry && a->protocol == b->protocol &&
                a->addr.port == b->addr.port) {
                new_service = false;
            }
        }
        count += (size_t)new_addr + (size_t)new_service;
    }
    return count;
}

static void check_packet(const ldns_pkt *pkt, const struct core_record *record)
{
    ldns_rr_list *list = ldns_pkt_answer(pkt);
    size_t count = ldns_rr_list_rr_count(list);
    assert_int_equal(ldns_pkt_id(pkt), 0);
    assert_true(ldns_pkt_qr(pkt));
    assert_int_equal(count, count_expected(record) + 1);
    for (uint32_t i = 0; i < record->endpoint_count; i++) {
        assert_int_equal(count_addrs(pkt, &record->endpoints[i].addr), 1);
        assert_int_equal(count_services(pkt, &record->endpoints[i]), 1);
    }
    for (size_t i = 0; i < count; i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        char *owner = ldns_rdf2str(ldns_rr_owner(rr));
        assert_string_equal(owner, i + 1 < count ? APEX : "_pnr." APEX);
        assert_int_equal(ldns_rr_ttl(rr), record->ttl_s);
        assert_int_equal(ldns_rr_get_class(rr), LDNS_RR_CLASS_IN);
        free(owner);
    }
    check_mark(ldns_rr_list_rr(list, count - 1), record);
}

static void test_records_read_by_ldns(void **state)
{
    (void)state;
    uint64_t random = 8;
    int checked = 0;
    for (int i = 0; i < 10000; i++) {
        struct core_record record;
        uint8_t msg[CORE_RECORD_LEN_MAX];
        size_t len = 0;
        helper_random_record(&random, &record);
        record.ttl_s = 300 + helper_below(&random, 86101);
        if (core_record_encode(&record, helper_key, msg, &len) == CORE_RECORD_OK) {
            ldns_pkt *pkt = NULL;
            assert_int_equal(ldns_wire2pkt(&pkt, msg, len), LDNS_STATUS_OK);
            check_packet(pkt, &record);
            ldns_pkt_free(pkt);
            checked++;
        }
    }
    assert_true(checked > 9000);
}

// A record as text of zone files.
struct zone {
    const char *name;
    const char *lines[6];
    const char *endpoints; // "address:port/protocol", IPv4 by its last byte
};

static const struct zone zones[] = {
    {"an address", {"@ 300 IN A 192.0.2.1"}, "1:0/0"},
    {"both families", {"@ 300 IN AAAA 2001:db8::9", "@ 300 IN A 192.0.2.1"}, "9:0/0 1:0/0"},
    {"mail and more",
     {"@ 300 IN MX 10 mail", "mail 300 IN A 192.0.2.7", "@ 300 IN SOA ns hostmaster 1 2 3 4 5",
      "@ 300 IN A 192.0.2.1", "@ 300 IN NS ns", "_x._tcp 300 IN SRV 0 0 80 www"},
     "1:0/0"},
    {"an alias", {"@ 300 IN CNAME www.example.", "www 300 IN A 192.0.2.1"}, ""},
    {"a service", {"@ 300 IN A 192.0.2.1", "@ 300 IN TYPE65 \\# 3 000100"}, "1:443/6"},
};

// Builds the message with ldns; the caller frees it.
static uint8_t *build_zone(const struct zone *zone, size_t *ret_len)
{
    ldns_pkt *pkt = ldns_pkt_new();
    ldns_rdf *origin = ldns_dname_new_frm_str(APEX);
    for (size_t i = 0; i < 6 && zone->lines[i] != NULL; i++) {
        ldns_rr *rr = NULL;
        assert_int_equal(ldns_rr_new_frm_str(&rr, zone->lines[i], 0, origin, NULL), LDNS_STATUS_OK);
        ldns_pkt_push_rr(pkt, LDNS_SECTION_ANSWER, rr);
    }
    uint8_t *wire = NULL;
    assert_int_equal(ldns_pkt2wire(&wire, pkt, ret_len), LDNS_STATUS_OK);
    ldns_rdf_deep_free(origin);
    ldns_pkt_free(pkt);
    return wire;
}

// The answers of msg as ldns prints them; the caller frees them.
static char *print_answers(const uint8_t *msg, size_t len)
{
    ldns_pkt *pkt = NULL;
    assert_int_equal(ldns_wire2pkt(&pkt, msg, len), LDNS_STATUS_OK);
    char *text = ldns_rr_list2str(ldns_pkt_answer(pkt));
    ldns_pkt_free(pkt);
    return text;
}

// Other software's records, written by ldns, resolve; and after our publishing and withdrawing ldns
// prints them as before, behind the mark.
static void test_zones_of_ldns(void **state)
{
    (void)state;
    const struct core_record_endpoint endpoint = helper_v4(1, 3540, 6);
    const struct core_record_entry entry = helper_entry(1, 1700000000);
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        struct core_record record;
        uint8_t msg[CORE_RECORD_LEN_MAX];
        char endpoints[200] = "";
        size_t len = 0;
        uint8_t *wire = build_zone(&zones[i], &len);
        char *before = print_answers(wire, len);
        assert_int_equal(core_record_decode(helper_key, (struct dht_span){wire, len}, &record),
                         CORE_RECORD_OK);
        free(wire);
        for (uint32_t e = 0; e < record.endpoint_count; e++) {
            const struct core_record_endpoint *have = &record.endpoints[e];
            size_t used = strlen(endpoints);
            snprintf(endpoints + used, sizeof(endpoints) - used, "%s%u:%u/%u", e > 0 ? " " : "",
                     have->addr.ip[have->addr.ip_len - 1], have->addr.port, have->protocol);
        }
        assert_string_equal(endpoints, zones[i].endpoints);
        assert_int_equal(core_record_replace(&record, &entry, &endpoint, 1), CORE_RECORD_OK);
        assert_int_equal(core_record_encode(&record, helper_key, msg, &len), CORE_RECORD_OK);
        char *after = print_answers(msg, len);
        size_t ours = strlen(after) - strlen(before);
        if (strlen(after) <= strlen(before) || strcmp(after + ours, before) != 0) {
            fail_msg("%s: before\n%safter\n%s", zones[i].name, before, after);
        }
        free(after);
        free(before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_read_by_ldns),
        cmocka_unit_test(test_zones_of_ldns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
