// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_LINKS_H
#define PNR_DAEMON_LINKS_H

// The machine's network interfaces, and word of their changes (netlink on Linux; elsewhere there is
// none, and the owner looks now and then). Bound: DAEMON_LINKS_MAX interfaces are looked at.

#include "node/daemon/loop.h"
#include "node/daemon/udp.h"

#define DAEMON_LINKS_MAX 24

// One that can carry multicast, other than loopback.
struct daemon_links_one {
    struct daemon_udp_link link;
    bool is_up;            // up, and with a carrier
    struct dht_addr addr4; // its first IPv4 address, with port 0; ip_len 0: none
    struct dht_addr addr6; // its IPv6 link-local address, likewise
};

// Returns how many; 0 also where the system does not tell.
size_t daemon_links_list(struct daemon_links_one ret_links[DAEMON_LINKS_MAX]);

// Takes an address of the interface, as the system has it in its list, where it is the first of its
// kind; for the system's part of this file.
void daemon_links_note(struct daemon_links_one *one, const void *sockaddr);

struct daemon_links;

// changed is called after each change of an interface or an address, several at once where they
// come together. NULL where the system has no such word, or memory is short.
struct daemon_links *daemon_links_new(struct daemon_loop *loop, void (*changed)(void *ctx),
                                      void *ctx);
void daemon_links_free(struct daemon_links *links);

#endif
