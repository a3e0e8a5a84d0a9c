// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_MULTICAST_H
#define PNR_DAEMON_MULTICAST_H

// The socket that hears what neighbours of one link announce (docs/clouds.md): bound to the group
// and its port, on one interface. It only listens: what is announced goes out by the engine's own
// socket, so that its source is the address that can be asked.
//
// Bounds: one batch of daemon_udp_receive() a call; the system's smallest buffer.

#include "node/daemon/udp.h"

struct daemon_multicast;

// Joins the group of the family on the link. NULL where the system does not let it.
struct daemon_multicast *daemon_multicast_open(enum dht_family family,
                                               const struct daemon_udp_link *link,
                                               struct daemon_error *ret_error);
void daemon_multicast_close(struct daemon_multicast *multicast);

int daemon_multicast_fd(const struct daemon_multicast *multicast);

// As daemon_udp_receive().
size_t daemon_multicast_receive(struct daemon_multicast *multicast,
                                const struct dht_datagram **ret_datagrams);

#endif
