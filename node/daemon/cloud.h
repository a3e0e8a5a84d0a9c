// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_CLOUD_H
#define PNR_DAEMON_CLOUD_H

// A cloud of a node: its sockets, with what hears the neighbours of a link, and its bootstrap. Part
// of node/daemon/node.h, which owns the clouds; sockets come and go while the cloud stays, as
// interfaces do.

#include "node/daemon/bootstrap.h"
#include "node/daemon/multicast.h"
#include "node/daemon/node.h"
#include "node/daemon/udp.h"

struct daemon_cloud;

struct daemon_cloud_engine {
    struct daemon_cloud *cloud;
    int number; // the brain's of it; -1: none
    struct daemon_udp *udp;
    struct event *event;
    struct daemon_multicast *multicast; // of a link; NULL: none
    struct event *multicast_event;
    struct dht_addr addr;
    bool has_bootstrap;                            // was given an address of its family to ask
    struct dht_datagram waiting[DAEMON_UDP_BATCH]; // borrowed from the brain
    size_t waiting_count;
};

struct daemon_cloud {
    struct daemon_node *node;
    int number; // the brain's of it
    struct node_cloud_config config;
    struct daemon_cloud_engine engines[NODE_ENGINES_MAX];
    struct daemon_bootstrap *bootstrap;
    struct daemon_config_hosts hosts;
};

// Adds it to the brain, without sockets. NULL where memory is short, there is one of its name, or
// there are too many.
struct daemon_cloud *daemon_cloud_open(struct daemon_node *node,
                                       const struct daemon_node_cloud *options,
                                       struct daemon_error *ret_error);
// Closes the sockets. The brain is told with remove set; otherwise it is gone, or goes with all.
void daemon_cloud_close(struct daemon_cloud *cloud, bool remove);

// Opens a socket and its engine. False for the reasons that udp.h and multicast.h name.
bool daemon_cloud_open_engine(struct daemon_cloud *cloud, const struct daemon_node_engine *options,
                              struct daemon_error *ret_error);
void daemon_cloud_close_engine(struct daemon_cloud *cloud, enum dht_family family);
// NULL where there is none.
struct daemon_cloud_engine *daemon_cloud_engine(struct daemon_cloud *cloud, enum dht_family family);

// Hands addresses to the engines of their families.
void daemon_cloud_bootstrap(struct daemon_cloud *cloud, const struct dht_addr *addrs, size_t count);
bool daemon_cloud_is_joined(struct daemon_cloud *cloud);

// A datagram of the brain's: sent with others, by daemon_cloud_send() at the latest.
void daemon_cloud_take(struct daemon_cloud_engine *engine, const struct dht_datagram *datagram);
void daemon_cloud_send(struct daemon_cloud *cloud);

#endif
