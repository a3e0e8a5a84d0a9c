// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_PICTURE_H
#define PNR_CORE_PICTURE_H

// What one client was last told of a name: its publishers, and the mark of what each said. What
// there is now is laid beside it, and the difference is what the client has to be told. So nothing
// waits for a client that is slow: changes that come meanwhile fall together into that difference.
//
//     begin; look at each result that there is; then what was not seen is gone, and what is new is
//     put, once it has been told
//
// Bound: CORE_PICTURE_MAX publishers.

#include "node/core/mark.h"

#define CORE_PICTURE_MAX CONTROL_KNOWN_MAX

enum core_picture_change {
    CORE_PICTURE_SAME,
    CORE_PICTURE_ADDED,   // a publisher that is not in it
    CORE_PICTURE_CHANGED, // one that says something else
};

struct core_picture_entry {
    struct core_mark_identity identity;
    bool seen; // since core_picture_begin()
};

struct core_picture {
    struct core_picture_entry *entries; // in no order
    uint32_t count, capacity;
};

void core_picture_fini(struct core_picture *picture);

// What there is now is laid beside it: nothing was seen so far.
void core_picture_begin(struct core_picture *picture);
// Notes that the publisher is there; says how what he says differs from what was told.
enum core_picture_change core_picture_look(struct core_picture *picture,
                                           const struct core_mark_identity *identity);
// One that was not seen; NULL where there is none. Good until the picture is next changed.
const struct core_mark_identity *core_picture_missing(const struct core_picture *picture);

// The client is told: what a publisher says, as seen; or that he is gone. core_picture_put() is
// false where the picture is full, or memory is short; it is as it was then.
bool core_picture_put(struct core_picture *picture, const struct core_mark_identity *identity);
void core_picture_remove(struct core_picture *picture, const struct core_mark_identity *identity);

#endif
