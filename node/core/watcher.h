// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_WATCHER_H
#define PNR_CORE_WATCHER_H

// One client's part in a watch (node/core/watch.h): its request, and the picture of what it was
// told. It belongs to the request and ends with it. A client that does not read is told nothing
// until it has read; then it is told how what there is by then differs from its picture.

#include "node/core/picture.h"
#include "node/core/result.h"

struct core_watch;
struct core_swarm;

struct core_watcher {
    struct core_watcher *next; // of the watch
    struct core_watch *watch;  // of a secured name,
    struct core_swarm *swarm;  // or of an unsecured one
    struct core_request *request;
    struct core_picture picture;
    bool behind;     // something could not be told, the client being slow
    bool told_whole; // that all that there is has been told
};

// A watcher of the request that knows what its arguments say (`known`); the request's criteria,
// read before, say whom it is told of. NULL where memory is short,
// or they make no sense, which *ret_wrong tells then: a sentence, or NULL.
struct core_watcher *core_watcher_new(struct core_request *request, struct dht_span arguments,
                                      const char **ret_wrong);
void core_watcher_free(struct core_watcher *watcher);

// What is told of a result.
struct core_watcher_news {
    struct core_request *request;
    const char *event;
};

// What there is: results, numbered from 0, that their owner knows how to tell.
struct core_watcher_view {
    const struct core_name *name;
    uint32_t count;
    const void *what;
    void (*identify)(struct node *node, const void *what, uint32_t at,
                     struct core_mark_identity *ret_identity);
    // Whether the request's criteria want it.
    bool (*is_wanted)(struct node *node, const void *what, uint32_t at,
                      const struct core_request *request);
    void (*tell)(struct node *node, const void *what, uint32_t at,
                 const struct core_watcher_news *news);
};

// Tells what is new of what the watcher's request wants. whole: that is all that there is, as far
// as anybody knows.
void core_watcher_show(struct node *node, struct core_watcher *watcher,
                       const struct core_watcher_view *view, bool whole);
// The same of a record's results: those of *what, whose `event` is not looked at; none where its
// record is NULL.
void core_watcher_show_record(struct node *node, struct core_watcher *watcher,
                              const struct core_result *what, bool whole);

#endif
