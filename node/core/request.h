// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_REQUEST_H
#define PNR_CORE_REQUEST_H

// What clients can ask for (docs/control.md): each request is read, checked, and handed to who does
// it, or refused with a sentence that says why.

#include "node/core/session.h"

// Starts the request; it may have ended, and be gone, afterwards.
void core_request_start(struct node *node, struct core_request *request, struct dht_span arguments);

// The ping that it waits for has ended; rtt_us is -1 where nobody answered. It is then sent again
// while the request has time left, unless it failed early: somebody or something has said no.
void core_request_pinged(struct node *node, struct core_request *request, int64_t rtt_us);

// The request that waits for the keeper of keys under this number, or NULL.
struct core_request *core_request_by_key(const struct node *node, uint32_t key_request);
void core_request_key_answered(struct node *node, struct core_request *request,
                               const struct node_key_answer *key_answer);

#endif
