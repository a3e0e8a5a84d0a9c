// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_SOCKET_ADDR_H
#define PNR_DAEMON_SOCKET_ADDR_H

// Addresses as the system's calls take and give them (struct sockaddr_in, struct sockaddr_in6), for
// the platform files that make these calls.

#include "pnr/dht.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Holds either; its pointer is what the calls want, cast to struct sockaddr *.
struct daemon_socket_addr {
    _Alignas(8) uint8_t bytes[32];
};

// Returns its length. scope_id is of IPv6: the interface of a link-local address, or 0.
int daemon_socket_addr_put(const struct dht_addr *addr, uint32_t scope_id,
                           struct daemon_socket_addr *ret_socket_addr);

// Reads what a call has given: sockaddr points to all of it. False, with ret_addr of no family,
// where it is neither IPv4 nor IPv6.
bool daemon_socket_addr_get(const void *sockaddr, struct dht_addr *ret_addr);

#endif
