// SPDX-License-Identifier: MIT
#include "node/daemon/names.h"

// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
// clang-format on

#include <string.h>

// gai_strerror() writes into memory that all threads share.
static const char *reason(int error)
{
    switch (error) {
    case WSAHOST_NOT_FOUND:
    case WSANO_DATA:
        return "no such host is known";
    case WSATRY_AGAIN:
        return "no name server answers";
    case WSA_NOT_ENOUGH_MEMORY:
        return "no memory";
    default:
        return "the system cannot look it up";
    }
}

static bool addr_from_system(const struct addrinfo *info, uint16_t port, struct dht_addr *ret_addr)
{
    struct dht_addr addr = {.port = port};
    if (info->ai_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, info->ai_addr, sizeof v4);
        memcpy(addr.ip, &v4.sin_addr, 4);
        addr.ip_len = 4;
    } else if (info->ai_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, info->ai_addr, sizeof v6);
        memcpy(addr.ip, &v6.sin6_addr, 16);
        addr.ip_len = 16;
    }
    *ret_addr = addr;
    return addr.ip_len != 0;
}

const char *daemon_names_find(const char *host, enum daemon_names_kind kind, uint16_t port,
                              struct dht_addr *addrs, size_t max, size_t *inout_count)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM,
                             .ai_flags =
                                 kind == DAEMON_NAMES_NUMERIC ? AI_NUMERICHOST : AI_ADDRCONFIG};
    struct addrinfo *list;
    int error = getaddrinfo(host, NULL, &hints, &list);
    if (error != 0)
        return reason(error);
    for (const struct addrinfo *info = list; info != NULL; info = info->ai_next) {
        if (*inout_count < max)
            *inout_count += addr_from_system(info, port, &addrs[*inout_count]);
    }
    freeaddrinfo(list);
    return NULL;
}
