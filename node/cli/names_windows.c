// SPDX-License-Identifier: MIT
#include "node/cli/names.h"

// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
// clang-format on

#include <string.h>

size_t cli_names_read_ip(const char *text, uint8_t ret_ip[16])
{
    if (inet_pton(AF_INET, text, ret_ip) == 1) {
        return 4;
    }
    return inet_pton(AF_INET6, text, ret_ip) == 1 ? 16 : 0;
}

void cli_names_write_ip(const uint8_t *ip, size_t ip_len, char ret_text[CLI_NAMES_IP_TEXT_MAX])
{
    if (inet_ntop(ip_len == 4 ? AF_INET : AF_INET6, ip, ret_text, CLI_NAMES_IP_TEXT_MAX) == NULL) {
        ret_text[0] = '\0';
    }
}

const char *cli_names_find(const char *host, uint8_t ret_ip[16], size_t *ret_ip_len)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found;
    int error = getaddrinfo(host, NULL, &hints, &found);
    if (error != 0) {
        return error == WSAHOST_NOT_FOUND || error == WSANO_DATA ? "no such host is known"
                                                                 : "the system cannot look it up";
    }
    if (found->ai_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, found->ai_addr, sizeof v6);
        memcpy(ret_ip, &v6.sin6_addr, 16);
        *ret_ip_len = 16;
    } else {
        struct sockaddr_in v4;
        memcpy(&v4, found->ai_addr, sizeof v4);
        memcpy(ret_ip, &v4.sin_addr, 4);
        *ret_ip_len = 4;
    }
    freeaddrinfo(found);
    return NULL;
}
