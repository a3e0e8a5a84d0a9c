// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_DOCTOR_H
#define PNR_CORE_DOCTOR_H

// `doctor`: looks at all that commonly goes wrong, and tells each finding with what to do about it.
//
//     DISK       --the driver has looked at keys, state directory and clock (NODE_KEY_CHECKUP)-->
//     BOOTSTRAP  --the bootstrap nodes have answered, or have not; each cloud is told-->
//     NAMES      --each name published here was read back from the network; of an unsecured one,
//                  others name this node as its publisher--> done
//
// Bounds: CORE_DOCTOR_PINGS_MAX bootstrap nodes of an engine are asked, CORE_DOCTOR_NAMES_MAX names
// read back, one after the other. One doctor a request; it goes with it.

#include "node/core/lookup.h"
#include "node/core/session.h"

#define CORE_DOCTOR_PINGS_MAX 8
#define CORE_DOCTOR_NAMES_MAX 64

enum core_doctor_state {
    CORE_DOCTOR_DISK,
    CORE_DOCTOR_BOOTSTRAP,
    CORE_DOCTOR_NAMES,
};

struct core_doctor_ping {
    int engine;
    uint32_t op; // 0: it has ended
};

// Begins; the request is answered, and gone, sooner or later.
void core_doctor_start(struct node *node, struct core_request *request);

// The driver's findings have come.
void core_doctor_disk_checked(struct node *node, struct core_request *request,
                              const struct node_key_answer *answer);
// An event of one of its operations.
void core_doctor_event(struct node *node, struct core_doctor *doctor, int engine,
                       const struct dht_out *event);
// The request is gone.
void core_doctor_leave(struct node *node, struct core_doctor *doctor);

#endif
