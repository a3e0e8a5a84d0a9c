// SPDX-License-Identifier: MIT
#include "node/daemon/multicast.h"

#include "dht/neighbours.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_BYTES 65536

struct daemon_multicast {
    struct daemon_udp *udp;
};

static bool join(int fd, enum dht_family family, const struct dht_addr *group, uint32_t index)
{
    if (family == DHT_IPV4) {
        struct ip_mreqn request = {.imr_ifindex = (int)index};
        memcpy(&request.imr_multiaddr, group->ip, 4);
        return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0;
    }
    struct ipv6_mreq request = {.ipv6mr_interface = index};
    memcpy(&request.ipv6mr_multiaddr, group->ip, 16);
    return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request) == 0;
}

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
    multicast->udp = daemon_udp_open_on(&group, &shared, BUFFER_BYTES, ret_error);
    if (multicast->udp == NULL) {
        free(multicast);
        return NULL;
    }
    if (join(daemon_udp_fd(multicast->udp), family, &group, link->index))
        return multicast;
    daemon_error_set(ret_error, "cannot hear the neighbours at %s: %s", link->name,
                     strerror(errno));
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
