// SPDX-License-Identifier: MIT
#include "node/core/foreign.h"

#include <assert.h>
#include <string.h>

// A message of 1000 bytes holds at most 58 addresses or 62 services at one apex.
#define ADDRS_MAX    64
#define SERVICES_MAX 64

#define HTTPS_PORT   443
#define PROTOCOL_TCP 6

// An SVCB or HTTPS record, by the place to read it from again.
struct service {
    struct core_dns_reader at;
    uint16_t priority;
};

struct findings {
    struct dht_addr addrs[ADDRS_MAX];
    uint32_t addr_count;
    struct service services[SERVICES_MAX]; // by ascending priority
    uint32_t service_count;
};

struct endpoints {
    struct core_record_endpoint *list;
    uint32_t count;
    bool cut;
};

bool core_foreign_addr(const struct core_dns_rr *rr, const struct core_dns_name *apex,
                       struct dht_addr *ret_addr)
{
    if ((rr->head.type != CORE_DNS_A && rr->head.type != CORE_DNS_AAAA) ||
        rr->head.rr_class != CORE_DNS_CLASS_IN || !core_dns_name_equal(&rr->head.name, apex)) {
        return false;
    }
    struct dht_addr addr = {.ip_len = (uint8_t)rr->rdata_len};
    memcpy(addr.ip, rr->rdata, rr->rdata_len); // 4 or 16: core_dns_next() has checked it
    *ret_addr = addr;
    return true;
}

static bool same_ip(const struct dht_addr *a, const struct dht_addr *b)
{
    return a->ip_len == b->ip_len && memcmp(a->ip, b->ip, a->ip_len) == 0;
}

bool core_foreign_has_addr(struct dht_span msg, const struct core_dns_name *apex,
                           const struct dht_addr *addr)
{
    struct core_dns_reader reader = core_dns_reader(msg);
    struct core_dns_rr rr;
    while (core_dns_next(&reader, &rr)) {
        struct dht_addr found;
        if (core_foreign_addr(&rr, apex, &found) && same_ip(&found, addr)) {
            return true;
        }
    }
    return false;
}

// Whether every key that a client has to understand is one that RFC 9460 itself describes.
static bool mandatory_is_known(const struct core_dns_svcb *svcb)
{
    struct dht_span keys;
    if (!core_dns_svcb_param(svcb, CORE_DNS_MANDATORY, &keys)) {
        return true;
    }
    for (size_t i = 0; i < keys.len; i += 2) {
        uint32_t key = (uint32_t)keys.data[i] << 8 | keys.data[i + 1];
        if (key < CORE_DNS_ALPN || key > CORE_DNS_IPV6HINT) {
            return false;
        }
    }
    return true;
}

// Whether rr is a service at the apex itself.
static bool is_service(const struct core_dns_rr *rr, const struct core_dns_name *apex,
                       uint16_t *ret_priority)
{
    struct core_dns_svcb svcb;
    if ((rr->head.type != CORE_DNS_SVCB && rr->head.type != CORE_DNS_HTTPS) ||
        rr->head.rr_class != CORE_DNS_CLASS_IN || !core_dns_name_equal(&rr->head.name, apex) ||
        !core_dns_svcb((struct dht_span){rr->rdata, rr->rdata_len}, &svcb)) {
        return false;
    }
    if (svcb.priority == 0 || !mandatory_is_known(&svcb) ||
        (svcb.target.len != 1 && !core_dns_name_equal(&svcb.target, apex))) {
        return false;
    }
    *ret_priority = svcb.priority;
    return true;
}

static void add_service(struct findings *findings, const struct core_dns_reader *at,
                        uint16_t priority)
{
    assert(findings->service_count < SERVICES_MAX);
    uint32_t i = findings->service_count++;
    for (; i > 0 && findings->services[i - 1].priority > priority; i--) {
        findings->services[i] = findings->services[i - 1];
    }
    findings->services[i] = (struct service){*at, priority};
}

static void find(struct dht_span msg, const struct core_dns_name *apex,
                 struct findings *ret_findings)
{
    ret_findings->addr_count = 0;
    ret_findings->service_count = 0;
    struct core_dns_reader reader = core_dns_reader(msg);
    struct core_dns_reader before = reader;
    struct core_dns_rr rr;
    for (; core_dns_next(&reader, &rr); before = reader) {
        uint16_t priority;
        struct dht_addr addr;
        if (core_foreign_addr(&rr, apex, &addr)) {
            assert(ret_findings->addr_count < ADDRS_MAX);
            ret_findings->addrs[ret_findings->addr_count++] = addr;
        } else if (is_service(&rr, apex, &priority)) {
            add_service(ret_findings, &before, priority);
        }
    }
}

static void add_endpoint(struct endpoints *endpoints, const struct dht_addr *addr, uint16_t port,
                         uint8_t protocol)
{
    for (uint32_t i = 0; i < endpoints->count; i++) {
        const struct core_record_endpoint *have = &endpoints->list[i];
        if (same_ip(&have->addr, addr) && have->addr.port == port && have->protocol == protocol) {
            return;
        }
    }
    if (endpoints->count == CORE_RECORD_ENDPOINTS_MAX) {
        endpoints->cut = true;
        return;
    }
    struct core_record_endpoint *endpoint = &endpoints->list[endpoints->count++];
    *endpoint = (struct core_record_endpoint){*addr, protocol, CORE_RECORD_NO_MACHINE};
    endpoint->addr.port = port;
}

// Adds the addresses of one hint parameter. Returns whether there were any.
static bool add_hints(struct endpoints *endpoints, const struct core_dns_svcb *svcb,
                      struct core_record_endpoint like, size_t ip_len)
{
    struct dht_span hints;
    uint16_t key = ip_len == 4 ? CORE_DNS_IPV4HINT : CORE_DNS_IPV6HINT;
    if (!core_dns_svcb_param(svcb, key, &hints)) {
        return false;
    }
    for (size_t at = 0; at < hints.len; at += ip_len) {
        struct dht_addr addr = {.ip_len = (uint8_t)ip_len};
        memcpy(addr.ip, hints.data + at, ip_len);
        add_endpoint(endpoints, &addr, like.addr.port, like.protocol);
    }
    return true;
}

static void add_service_endpoints(struct endpoints *endpoints, const struct findings *findings,
                                  const struct service *service)
{
    struct core_dns_reader reader = service->at;
    struct core_dns_rr rr;
    struct core_dns_svcb svcb;
    bool read = core_dns_next(&reader, &rr) &&
                core_dns_svcb((struct dht_span){rr.rdata, rr.rdata_len}, &svcb);
    assert(read); // find() has read it before
    bool https = rr.head.type == CORE_DNS_HTTPS;
    struct core_record_endpoint like = {.protocol = https ? PROTOCOL_TCP : 0};
    like.addr.port = https ? HTTPS_PORT : 0;
    struct dht_span port;
    if (core_dns_svcb_param(&svcb, CORE_DNS_PORT, &port)) {
        like.addr.port = (uint16_t)(port.data[0] << 8 | port.data[1]);
    }
    bool hinted = add_hints(endpoints, &svcb, like, 4);
    hinted = add_hints(endpoints, &svcb, like, 16) || hinted;
    for (uint32_t i = 0; i < findings->addr_count && !hinted; i++) {
        add_endpoint(endpoints, &findings->addrs[i], like.addr.port, like.protocol);
    }
}

// Adds the addresses that no service has named.
static void add_bare_addrs(struct endpoints *endpoints, const struct findings *findings)
{
    for (uint32_t i = 0; i < findings->addr_count; i++) {
        bool named = false;
        for (uint32_t e = 0; e < endpoints->count && !named; e++) {
            named = same_ip(&endpoints->list[e].addr, &findings->addrs[i]);
        }
        if (!named) {
            add_endpoint(endpoints, &findings->addrs[i], 0, 0);
        }
    }
}

uint32_t core_foreign_endpoints(struct dht_span msg, const struct core_dns_name *apex,
                                struct core_record_endpoint *ret_endpoints, bool *ret_cut)
{
    struct findings findings;
    find(msg, apex, &findings);
    struct endpoints endpoints = {.list = ret_endpoints};
    for (uint32_t i = 0; i < findings.service_count; i++) {
        add_service_endpoints(&endpoints, &findings, &findings.services[i]);
    }
    add_bare_addrs(&endpoints, &findings);
    *ret_cut = endpoints.cut;
    return endpoints.count;
}
