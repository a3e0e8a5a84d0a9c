// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SOURCE_H
#define PNR_NSP_SOURCE_H

// Where a lookup's results come from: which requests it makes of the daemon, and what their events
// mean. All that names and clouds have in common, the waiting, the queue and the notifications, is
// nsp/lookup.h. What is here is called on the link's thread with no lock held, and keeps nothing.

#include "nsp/inbox.h"
#include "nsp/query.h"
#include "pnr/client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What an event says.
struct nsp_source_news {
    enum nsp_inbox_what what;
    struct nsp_result *result;      // NULL of NSP_INBOX_GONE; else NULL says that it is no news
    uint8_t key[PNR_PUBLISHER_LEN]; // of NSP_INBOX_GONE
};

struct nsp_source {
    // One request is search and watch: it has no end, a progress (PNR_STEP_WATCHING) tells the end
    // of the search, and Next waits for changes after that instead of saying again that there is no
    // more. `watch` is NULL then.
    bool is_watch;

    // Makes the search. timeout_ms: what is left of the time for it.
    enum pnr_error (*search)(const struct nsp_query *query, struct pnr_client *client,
                             uint32_t timeout_ms, uint32_t *ret_id);
    // Makes the watch, of which what is known already is no news.
    enum pnr_error (*watch)(const struct nsp_query *query, struct pnr_client *client,
                            const struct pnr_known *known, size_t known_count, uint32_t *ret_id);
    // Reads an event of type PNR_EVENT_RESULT of either request. WSA_NOT_ENOUGH_MEMORY, or
    // WSANO_RECOVERY where it makes no sense. The result has its key and mark in `known`.
    int (*read)(const struct pnr_event *event, const struct nsp_query *query,
                const struct nsp_memory *memory, struct nsp_source_news *ret_news);
    // What Next says of a search that ended with an event of type PNR_EVENT_ERROR.
    int (*error)(const struct pnr_event *event, const struct nsp_query *query);
};

extern const struct nsp_source nsp_source_name;  // nsp/source_name.c
extern const struct nsp_source nsp_source_cloud; // nsp/source_cloud.c: all that pass the filter

#endif
