// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_BOOTSTRAP_H
#define PNR_DAEMON_BOOTSTRAP_H

// The list of bootstrap hosts, turned into addresses. Numeric ones are known at once. Names are
// resolved by a thread, since getaddrinfo() waits for the network, one thread for a whole round.
// What a round found is told; as long as the owner is not joined, further rounds follow with pauses
// that grow from 5 seconds to 10 minutes, since names may be found later, or stand for other
// machines then. The engine itself asks the addresses again (dht_bootstrap()).

#include "node/daemon/config_value.h"
#include "node/daemon/loop.h"

#define DAEMON_BOOTSTRAP_ADDRS_MAX 64 // told at once; the engine keeps no more

struct daemon_bootstrap;

struct daemon_bootstrap_calls {
    void *ctx;
    // These addresses were found. May be called from within daemon_bootstrap_start().
    void (*found)(void *ctx, const struct dht_addr *addrs, size_t count);
    // Whether no more are needed for now.
    bool (*joined)(void *ctx);
};

// NULL where memory is short or there is no descriptor left. loop has to outlive it.
struct daemon_bootstrap *daemon_bootstrap_new(struct daemon_loop *loop,
                                              const struct daemon_bootstrap_calls *calls);
// A thread that is waiting for the network is left behind and cleans up after itself.
void daemon_bootstrap_free(struct daemon_bootstrap *bootstrap);

// Begins with a list of hosts, which is copied; a list given before is dropped.
void daemon_bootstrap_start(struct daemon_bootstrap *bootstrap,
                            const struct daemon_config_hosts *hosts);

#endif
