// SPDX-License-Identifier: MIT
// DNS messages: what is read is written and read again the same.
#include "node/core/dns.h"
#include "tests/fuzz/fuzz.h"

static bool rr_equal(const struct core_dns_rr *a, const struct core_dns_rr *b)
{
    return a->head.name.len == b->head.name.len &&
           memcmp(a->head.name.bytes, b->head.name.bytes, a->head.name.len) == 0 &&
           a->head.type == b->head.type && a->head.rr_class == b->head.rr_class &&
           a->head.ttl_s == b->head.ttl_s && a->rdata_len == b->rdata_len &&
           memcmp(a->rdata, b->rdata, a->rdata_len) == 0;
}

static void look_inside(const struct core_dns_rr *rr)
{
    struct dht_span rdata = {rr->rdata, rr->rdata_len};
    struct core_dns_svcb svcb;
    struct dht_span part;
    if (core_dns_svcb(rdata, &svcb))
        for (uint16_t key = 0; key < 8; key++)
            (void)core_dns_svcb_param(&svcb, key, &part);
    if (rr->head.type == CORE_DNS_TXT && rr->head.rr_class == CORE_DNS_CLASS_IN)
        while (core_dns_txt_next(&rdata, &part))
            FUZZ_CHECK(part.len <= 255);
}

static void write_and_read(struct dht_span msg)
{
    static uint8_t buf[8192];
    static struct core_dns_rr rrs[CORE_DNS_ANSWERS_MAX + 1];
    struct core_dns_rr again;
    size_t count = 0;
    struct core_dns_reader reader = core_dns_reader(msg);
    struct core_dns_writer writer = core_dns_writer(buf, sizeof buf);
    while (core_dns_next(&reader, &rrs[count])) {
        FUZZ_CHECK(count < CORE_DNS_ANSWERS_MAX);
        look_inside(&rrs[count]);
        core_dns_put_rr(&writer, &rrs[count++]);
    }
    size_t len = core_dns_written(&writer);
    if (len == 0 || len > CORE_DNS_READ_MAX)
        return;
    reader = core_dns_reader((struct dht_span){buf, len});
    for (size_t i = 0; i < count; i++)
        FUZZ_CHECK(core_dns_next(&reader, &again) && rr_equal(&again, &rrs[i]));
    FUZZ_CHECK(!core_dns_next(&reader, &again) && reader.ok);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dht_span msg = {data, size};
    struct core_dns_svcb svcb;
    struct dht_span value;
    write_and_read(msg);
    if (core_dns_svcb(msg, &svcb))
        (void)core_dns_svcb_param(&svcb, CORE_DNS_PORT, &value);
    return 0;
}
