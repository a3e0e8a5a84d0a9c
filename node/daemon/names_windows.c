// SPDX-License-Identifier: MIT
#include "node/daemon/names.h"

#include "node/daemon/socket_addr.h"

// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
// clang-format on

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
        if (*inout_count == max || !daemon_socket_addr_get(info->ai_addr, &addrs[*inout_count]))
            continue;
        addrs[(*inout_count)++].port = port;
    }
    freeaddrinfo(list);
    return NULL;
}
