// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_WATCHER_H
#define PNR_CORE_WATCHER_H

// One client's part in a watch (node/core/watch.h): its request, and the picture of what it was
// told. It belongs to the request and ends with it. A client that does not read is told nothing
// until it has read; then it is told how what there is by then differs from its picture.

#include "node/core/picture.h"
#include "node/core/result.h"

struct core_watch;

struct core_watcher {
    struct core_watcher *next; // of the watch
    struct core_watch *watch;
    struct core_request *request;
    struct core_picture picture;
    bool behind;     // something could not be told, the client being slow
    bool told_whole; // that all that there is has been told
};

// A watcher of the request that knows what its arguments say (`known`). NULL where memory is short,
// or they make no sense, which *ret_wrong tells then: a sentence, or NULL.
struct core_watcher *core_watcher_new(struct core_request *request, struct dht_span arguments,
                                      const char **ret_wrong);
void core_watcher_free(struct core_watcher *watcher);

// Tells what is new: what there is are the results of `what`, whose `event` is not looked at; none
// where its record is NULL. whole: that is all that there is, as far as anybody knows.
void core_watcher_show(struct node *node, struct core_watcher *watcher,
                       const struct core_result *what, bool whole);

#endif
