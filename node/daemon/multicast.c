// SPDX-License-Identifier: MIT
#include "node/daemon/multicast.h"

#include "dht/neighbours.h"

#include <stdlib.h>

#define BUFFER_BYTES 65536

struct daemon_multicast {
    struct daemon_udp *udp;
};

struct daemon_multicast *daemon_multicast_open(enum dht_family family,
                                               const struct daemon_udp_link *link,
                                               struct daemon_error *ret_error)
{
    struct dht_addr group = dht_neighbours_group(family);
    struct daemon_udp_link shared = *link;
    struct daemon_multicast *multicast = calloc(1, sizeof *multicast);
    if (multicast == NULL) {
        daemon_error_set(ret_error, "no memory for a multicast socket");
        return NULL;
    }
    shared.is_shared = true; // several programs of a machine hear the same group
    multicast->udp = daemon_udp_open(&group, &shared, BUFFER_BYTES, ret_error);
    if (multicast->udp == NULL) {
        free(multicast);
        return NULL;
    }
    struct daemon_error why;
    if (daemon_udp_join(multicast->udp, &group, link->index, &why))
        return multicast;
    daemon_error_set(ret_error, "cannot hear the neighbours at %s: %.200s", link->name, why.text);
    daemon_multicast_close(multicast);
    return NULL;
}

void daemon_multicast_close(struct daemon_multicast *multicast)
{
    if (multicast == NULL)
        return;
    daemon_udp_close(multicast->udp);
    free(multicast);
}

int daemon_multicast_fd(const struct daemon_multicast *multicast)
{
    return daemon_udp_fd(multicast->udp);
}

size_t daemon_multicast_receive(struct daemon_multicast *multicast,
                                const struct dht_datagram **ret_datagrams)
{
    return daemon_udp_receive(multicast->udp, ret_datagrams);
}
