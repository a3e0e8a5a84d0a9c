// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_CONTROL_READERS_HELPER_H
#define PNR_TESTS_CONTROL_READERS_HELPER_H

// Every reader of libpnr, for events that make no sense.

#include "pnr/client.h"

static inline void read_everything(const struct pnr_event *event)
{
    static union {
        struct pnr_result result;
        struct pnr_tally tally;
        struct pnr_hop hop;
        struct pnr_progress progress;
        struct pnr_report report;
        struct pnr_refusal refusal;
        struct pnr_publication publication;
        struct pnr_key key;
        struct pnr_status status;
        struct pnr_cloud cloud;
        struct pnr_peer peer;
        struct pnr_counter counter;
    } any;
    (void)pnr_read_result(event, &any.result);
    (void)pnr_read_tally(event, &any.tally);
    (void)pnr_read_hop(event, &any.hop);
    (void)pnr_read_step(event, &any.progress);
    (void)pnr_read_report(event, &any.report);
    (void)pnr_read_refusal(event, 0, &any.refusal);
    (void)pnr_read_refusal(event, 1, &any.refusal);
    (void)pnr_read_publication(event, &any.publication);
    (void)pnr_read_key(event, &any.key);
    (void)pnr_read_status(event, &any.status);
    (void)pnr_read_cloud(event, 0, &any.cloud);
    (void)pnr_read_peer(event, &any.peer);
    (void)pnr_read_counter(event->fields, 0, &any.counter);
}

#endif
