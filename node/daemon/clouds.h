// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_CLOUDS_H
#define PNR_DAEMON_CLOUDS_H

// Brings the clouds of pnrd's node into agreement with the configuration, at the start and when it
// is read again, and those of links with the network interfaces, whenever these change.

#include "node/daemon/config.h"
#include "node/daemon/links.h"
#include "node/daemon/node.h"

struct daemon_clouds {
    struct daemon_node *node;
    const struct daemon_config *config; // in force
    bool unlimited;                     // of the options
    struct daemon_links *links;         // NULL: no word of changes
    struct daemon_loop_alarm alarm;     // the next look at the interfaces
};

// The cloud as a node wants it. False where it is enabled and none of its addresses can be used.
bool daemon_clouds_fill(const struct daemon_config_cloud *cloud, bool unlimited,
                        struct daemon_node_cloud *ret_options, struct daemon_error *ret_error);

// Adds all clouds but the configuration's first, which the node was opened with, and those of
// links. clouds has node, config and unlimited set. False where one cannot be opened.
bool daemon_clouds_open(struct daemon_clouds *clouds, struct daemon_error *ret_error);
// The node is about to be closed.
void daemon_clouds_close(struct daemon_clouds *clouds);

// The configuration was another one before: clouds that are new, gone or different are added,
// removed or left and joined anew. What cannot be opened is logged.
void daemon_clouds_follow(struct daemon_clouds *clouds, const struct daemon_config *before);

#endif
