// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_SEQLOG_H
#define PNR_CORE_SEQLOG_H

// The last sequence number used under each target, of all names ever published here: a name that
// was withdrawn years ago must not begin anew. The rows on disk are the truth; this is their copy.
// Bound: CORE_SEQLOG_MAX targets, after which no new name can be published.

#include "dht/index.h"
#include "pnr/dht.h"

#define CORE_SEQLOG_MAX 1000000

struct core_seqlog {
    struct {
        struct dht_id target;
        int64_t seq;
    } * entries;
    uint32_t count, capacity;
    struct dht_index index;
};

void core_seqlog_fini(struct core_seqlog *log);

// The last one used, or DHT_SEQ_NONE.
int64_t core_seqlog_last(const struct core_seqlog *log, const struct dht_id *target);
// Notes one; a lower one than the last is passed over. False where there is no room.
bool core_seqlog_note(struct core_seqlog *log, const struct dht_id *target, int64_t seq);

#endif
