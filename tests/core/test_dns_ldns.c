// SPDX-License-Identifier: MIT
// The second opinion on DNS messages: what ldns writes, our reader reads alike, and what our writer
// makes of it, ldns reads alike.

#include "node/core/dns.h"

#include "tests/core/crypto_helper.h"

#include <ldns/ldns.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define APEX "47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy."

static const char *const owners[] = {
    APEX, "_pnr." APEX, "www." APEX, "a.b.www." APEX, "mail.example.", "."};
static const char *const datas[] = {
    "A 192.0.2.1",
    "A 255.255.255.255",
    "AAAA 2001:db8::1",
    "NS ns." APEX,
    "CNAME www." APEX,
    "CNAME www.example.",
    "PTR a.b.www." APEX,
    "MX 10 mail.example.",
    "SOA ns." APEX " mail.example. 1 2 3 4 5",
    "SRV 1 2 80 www." APEX,
    "DNAME other." APEX,
    "TXT \"v=spf1 -all\"",
    "TXT \"\" \"two\" \"\\000\\255\"",
    "TYPE65400 \\# 4 c0ffee00",
    "CAA 0 issue \"ca.example\"",
    "TYPE64 \\# 9 000100000300020050",
    "TYPE65 \\# 3 000100",
};

static ldns_rr *random_rr(uint64_t *random)
{
    char text[512];
    uint32_t owner = helper_below(random, sizeof(owners) / sizeof(owners[0]));
    uint32_t data = helper_below(random, sizeof(datas) / sizeof(datas[0]));
    snprintf(text, sizeof(text), "%s %u IN %s", owners[owner], helper_below(random, 100000),
             datas[data]);
    ldns_rr *rr = NULL;
    assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
    return rr;
}

// A record as uncompressed wire form.
static size_t flatten(const struct core_dns_rr *rr, uint8_t *ret_wire)
{
    size_t len = rr->head.name.len;
    memcpy(ret_wire, rr->head.name.bytes, len);
    const uint32_t numbers[] = {rr->head.type, rr->head.rr_class, rr->head.ttl_s >> 16,
                                rr->head.ttl_s & 0xffff, rr->rdata_len};
    for (size_t i = 0; i < 5; i++) {
        ret_wire[len++] = (uint8_t)(numbers[i] >> 8);
        ret_wire[len++] = (uint8_t)numbers[i];
    }
    memcpy(ret_wire + len, rr->rdata, rr->rdata_len);
    return len + rr->rdata_len;
}

static void assert_alike(const struct core_dns_rr *ours, const ldns_rr *theirs)
{
    uint8_t flat[CORE_DNS_NAME_MAX + 10 + CORE_DNS_RDATA_MAX];
    uint8_t *wire = NULL;
    size_t wire_len = 0;
    assert_int_equal(ldns_rr2wire(&wire, theirs, LDNS_SECTION_ANSWER, &wire_len), LDNS_STATUS_OK);
    size_t flat_len = flatten(ours, flat);
    assert_int_equal(flat_len, wire_len);
    assert_memory_equal(flat, wire, wire_len);
    free(wire);
}

// Reads msg with both and compares; writes what was read with our writer. Returns the new length.
static size_t compare(struct dht_span msg, uint8_t ret_copy[CORE_DNS_READ_MAX])
{
    ldns_pkt *pkt = NULL;
    assert_int_equal(ldns_wire2pkt(&pkt, msg.data, msg.len), LDNS_STATUS_OK);
    ldns_rr_list *list = ldns_pkt_answer(pkt);
    struct core_dns_reader reader = core_dns_reader(msg);
    struct core_dns_writer writer = core_dns_writer(ret_copy, CORE_DNS_READ_MAX);
    struct core_dns_rr rr;
    size_t count = 0;
    while (core_dns_next(&reader, &rr)) {
        assert_true(count < ldns_rr_list_rr_count(list));
        assert_alike(&rr, ldns_rr_list_rr(list, count));
        core_dns_put_rr(&writer, &rr);
        count++;
    }
    assert_true(reader.ok);
    assert_int_equal(count, ldns_rr_list_rr_count(list));
    ldns_pkt_free(pkt);
    return core_dns_written(&writer);
}

static void test_messages_of_ldns(void **state)
{
    (void)state;
    uint64_t random = 4;
    int compared = 0;
    for (int i = 0; i < 20000; i++) {
        ldns_pkt *pkt = ldns_pkt_new();
        ldns_pkt_set_qr(pkt, true);
        for (uint32_t count = helper_below(&random, 16); count > 0; count--) {
            ldns_pkt_push_rr(pkt, LDNS_SECTION_ANSWER, random_rr(&random));
        }
        uint8_t *wire = NULL;
        size_t len = 0;
        assert_int_equal(ldns_pkt2wire(&wire, pkt, &len), LDNS_STATUS_OK);
        uint8_t copy[CORE_DNS_READ_MAX];
        uint8_t again[CORE_DNS_READ_MAX];
        if (len <= CORE_DNS_READ_MAX) {
            size_t copy_len = compare((struct dht_span){wire, len}, copy);
            if (copy_len > len) {
                fail_msg("ours has %zu bytes, theirs %zu", copy_len, len);
            }
            if (copy_len > 0) {
                assert_int_equal(compare((struct dht_span){copy, copy_len}, again), copy_len);
                assert_memory_equal(copy, again, copy_len);
                compared++;
            }
        }
        free(wire);
        ldns_pkt_free(pkt);
    }
    assert_true(compared > 15000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_of_ldns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
