// SPDX-License-Identifier: MIT
#include "node/daemon/socket_addr.h"

#include <assert.h>
#include <event2/util.h> // of each system's headers, those with its socket addresses
#include <string.h>

static_assert(sizeof(struct sockaddr_in6) <= sizeof(struct daemon_socket_addr), "it holds either");

int daemon_socket_addr_put(const struct dht_addr *addr, uint32_t scope_id,
                           struct daemon_socket_addr *ret_socket_addr)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(addr->port)};
    memset(ret_socket_addr, 0, sizeof *ret_socket_addr);
    if (addr->ip_len == 4) {
        memcpy(&v4.sin_addr, addr->ip, 4);
        memcpy(ret_socket_addr, &v4, sizeof v4);
        return sizeof v4;
    }
    v6.sin6_scope_id = scope_id;
    memcpy(&v6.sin6_addr, addr->ip, 16);
    memcpy(ret_socket_addr, &v6, sizeof v6);
    return sizeof v6;
}

bool daemon_socket_addr_get(const void *sockaddr, struct dht_addr *ret_addr)
{
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memset(ret_addr, 0, sizeof *ret_addr);
    memcpy(&any, sockaddr, sizeof any);
    if (any.sa_family == AF_INET) {
        memcpy(&v4, sockaddr, sizeof v4);
        memcpy(ret_addr->ip, &v4.sin_addr, 4);
        ret_addr->port = ntohs(v4.sin_port);
        ret_addr->ip_len = 4;
    } else if (any.sa_family == AF_INET6) {
        memcpy(&v6, sockaddr, sizeof v6);
        memcpy(ret_addr->ip, &v6.sin6_addr, 16);
        ret_addr->port = ntohs(v6.sin6_port);
        ret_addr->ip_len = 16;
    }
    return ret_addr->ip_len != 0;
}
