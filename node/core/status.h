// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_STATUS_H
#define PNR_CORE_STATUS_H

// What a client can see of the node: the answers to `status` and `peers`.

#include "node/core/session.h"

void core_status_answer(struct node *node, struct core_request *request);
void core_status_peers(struct node *node, struct core_request *request);

#endif
