// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_NAMES_H
#define PNR_DAEMON_NAMES_H

// Names of hosts, as the system looks them up. Waits for the network, unless only numbers count.

#include "pnr/dht.h"

enum daemon_names_kind {
    DAEMON_NAMES_NUMERIC, // an address in figures, or nothing; waits for nobody
    DAEMON_NAMES_ANY,     // of the families that this machine has addresses of
};

// Appends host's addresses, with that port, to addrs, which has room for max in all. Returns NULL,
// or why there are none: a text that stays, of the system's.
const char *daemon_names_find(const char *host, enum daemon_names_kind kind, uint16_t port,
                              struct dht_addr *addrs, size_t max, size_t *inout_count);

#endif
