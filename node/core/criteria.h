// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_CRITERIA_H
#define PNR_CORE_CRITERIA_H

// Which of a name's publishers a request wants: PNRP's resolve criteria. "Remote" leaves out those
// of this daemon, "non-current process" those that the request's own connection has registered;
// "nearest" sorts them: by how long a prefix of an address the hint has, and where that is equal,
// or there is no hint, by measured round-trip time. That of an unsecured name's publishers comes
// from asking them, that of a secured one's machines from contacts at their addresses
// (node/core/result.c).

#include "node/control/fields.h"
#include "pnr/dht.h"

struct core_criteria {
    enum control_criteria which;
    uint32_t max; // results at most; 0: all
    uint8_t hint[16];
    uint8_t hint_len; // 4 or 16; 0: none
};

// Reads `criteria` alone, as a watch has it: any-peer-name where it is left out. Returns what is
// wrong with it, or NULL.
const char *core_criteria_read_which(struct dht_span arguments, enum control_criteria *ret_which);

// Reads `criteria`, `hint` and `max` of a resolve. Returns what is wrong with them, or NULL.
const char *core_criteria_read(struct dht_span arguments, struct core_criteria *ret_criteria);

// A publisher as criteria see it.
struct core_criteria_publisher {
    bool is_local;   // of this daemon
    bool is_current; // registered by the connection that asks
    int64_t rtt_us;  // -1: unknown
    const struct control_endpoint *endpoints;
    size_t endpoint_count;
};

bool core_criteria_wants(const struct core_criteria *criteria,
                         const struct core_criteria_publisher *publisher);

// Whether they have to be sorted before the first is told.
bool core_criteria_sorts(const struct core_criteria *criteria);

// Whether a stands before b.
bool core_criteria_is_nearer(const struct core_criteria *criteria,
                             const struct core_criteria_publisher *a,
                             const struct core_criteria_publisher *b);

// Whether so many results are all that is wanted.
bool core_criteria_is_enough(const struct core_criteria *criteria, uint32_t results);

#endif
