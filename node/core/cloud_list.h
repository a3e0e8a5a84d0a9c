// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_CLOUD_LIST_H
#define PNR_CORE_CLOUD_LIST_H

// The request `clouds`: what clouds there are and how they are doing, and, to who watches them,
// each change. What follows from inputs of the driver is told at once; a state that changes by
// itself within half a second, by a timer that runs only while somebody watches.

#include "node/core/cloud.h"

void core_cloud_list_answer(struct node *node, struct core_request *request, bool watch);

// The timer rang, or something has changed: tells those who watch what they do not know.
void core_cloud_list_tell(struct node *node);
// The cloud is about to go.
void core_cloud_list_gone(struct node *node, const struct core_cloud *cloud);

#endif
