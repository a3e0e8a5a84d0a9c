// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DAEMON_UDP_HELPER_H
#define PNR_TESTS_DAEMON_UDP_HELPER_H

// Sockets of loopback and datagrams to them.

#include "dht/addr.h"
#include "node/daemon/udp.h"
#include "tests/daemon/unit.h"

#define BUFFER_BYTES ((size_t)2 << 20)

static inline struct dht_addr addr_of(const char *text)
{
    struct dht_addr addr;
    assert_true(dht_addr_from_text(text, &addr));
    return addr;
}

static inline struct daemon_udp *open_at(const char *text)
{
    struct dht_addr addr = addr_of(text);
    struct daemon_error error = {.text = ""};
    struct daemon_udp *udp = daemon_udp_open(&addr, NULL, BUFFER_BYTES, &error);
    if (udp == NULL)
        fail_msg("%s", error.text);
    return udp;
}

static inline struct daemon_udp_info info_of(const struct daemon_udp *udp)
{
    struct daemon_udp_info info;
    daemon_udp_info(udp, &info);
    return info;
}

static inline struct dht_datagram datagram_to(const struct daemon_udp *udp, const char *text)
{
    return (struct dht_datagram){info_of(udp).addr, {(const uint8_t *)text, strlen(text)}};
}

static inline bool has_ipv6(void)
{
    struct dht_addr addr = addr_of("[::1]:0");
    struct daemon_udp *udp = daemon_udp_open(&addr, NULL, BUFFER_BYTES, NULL);
    daemon_udp_close(udp);
    return udp != NULL;
}

#endif
