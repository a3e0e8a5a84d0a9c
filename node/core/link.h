// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_LINK_H
#define PNR_CORE_LINK_H

// What an engine of a link's cloud has beside others: it announces itself to the link's group and
// pings who else does (dht/neighbours.h), and so needs no bootstrap.

#include "node/core/cloud.h"

// False where memory is short.
bool core_link_open(struct node *node, struct core_engine *engine);
void core_link_close(struct node *node, struct core_engine *engine);

// Its timer rang: announces.
void core_link_timer(struct node *node, struct dht_timer *timer);

#endif
