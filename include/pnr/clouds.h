// SPDX-License-Identifier: MIT
#ifndef PNR_CLOUDS_H
#define PNR_CLOUDS_H

// Clouds, the networks that a daemon takes part in: part of libpnr, beside pnr/client.h, which
// tells how requests and events work. docs/clouds.md tells what clouds are.

#include "pnr/client.h"

#ifdef __cplusplus
extern "C" {
#endif

// What clouds there are. Results: pnr_read_cloud_info(). watch: goes on after what there is now, of
// which a progress tells the end, with each change; never done.
PNR_API enum pnr_error pnr_clouds(struct pnr_client *client, bool watch, uint32_t *ret_request);

// As pnr_unpublish(), pnr_unregister() and pnr_ping(), in a cloud; NULL: Global_, or the first that
// is enabled.
PNR_API enum pnr_error pnr_unpublish_in(struct pnr_client *client, const char *cloud,
                                        const char *name, uint32_t *ret_request);
PNR_API enum pnr_error pnr_unregister_in(struct pnr_client *client, const char *cloud,
                                         const char *name, uint32_t *ret_request);
PNR_API enum pnr_error pnr_ping_in(struct pnr_client *client, const char *cloud, const char *addr,
                                   uint32_t timeout_ms, uint32_t *ret_request);

// As pnr_status(), of one cloud; NULL: of all.
PNR_API enum pnr_error pnr_status_in(struct pnr_client *client, const char *cloud,
                                     uint32_t *ret_request);

enum pnr_scope {
    PNR_SCOPE_GLOBAL,
    PNR_SCOPE_SITE,
    PNR_SCOPE_LINK,
};

// PNRP's states and numbers.
enum pnr_cloud_state {
    PNR_CLOUD_STATE_VIRTUAL,       // not begun
    PNR_CLOUD_STATE_SYNCHRONISING, // joins
    PNR_CLOUD_STATE_ACTIVE,        // joined, and others are there
    PNR_CLOUD_STATE_DEAD,          // none of the others answers any more
    PNR_CLOUD_STATE_DISABLED,      // switched off by the configuration
    PNR_CLOUD_STATE_NO_NET,        // there is no address to use
    PNR_CLOUD_STATE_ALONE,         // nobody else is there
};

enum pnr_cloud_event {
    PNR_CLOUD_EVENT_NONE, // is there
    PNR_CLOUD_EVENT_ADDED,
    PNR_CLOUD_EVENT_CHANGED,
    PNR_CLOUD_EVENT_GONE,
};

struct pnr_cloud_info {
    char name[PNR_WORD_MAX];
    enum pnr_scope scope;
    uint32_t scope_id; // of a link: the index of its interface; else 0
    enum pnr_cloud_state state;
    bool has_ipv4;
    bool has_ipv6;
    enum pnr_cloud_event event;
};
// False where the event is none, or makes no sense.
PNR_API bool pnr_read_cloud_info(const struct pnr_event *event, struct pnr_cloud_info *ret_info);

#ifdef __cplusplus
}
#endif

#endif
