// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_ANSWER_H
#define PNR_SIMNET_ANSWER_H

// What the answers of a control session say (docs/control.md), read out of their fields. Plain
// values; the spans in them point into the fields that were read, and are valid as long as those.
// What an answer leaves out is 0, but for what is said below.

#include "node/control/fields.h"
#include "pnr/dht.h"

// The work that a request has cost so far.
struct simnet_answer_work {
    uint32_t asked;     // nodes queried
    uint32_t answered;  // nodes that replied
    uint32_t hops;      // the longest chain of nodes that answered
    int64_t elapsed_us; // since the request came in, by the machine's clock
};

// A `result` of resolve.
struct simnet_answer_result {
    struct simnet_answer_work work;
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    size_t endpoint_count;
    struct dht_span comment; // data NULL where there is none, as of payload and machine
    struct dht_span payload;
    struct dht_span machine;
    int64_t seq; // DHT_SEQ_NONE where the name has none
    int64_t ttl_s;
    int64_t age_s;
    int source; // enum control_source; -1 where it is none of them
    uint32_t copies;
    bool is_final; // nothing newer of this publisher follows
};

// A `progress` of step `hop`: a query of a traced lookup has ended.
struct simnet_answer_hop {
    struct dht_span addr;
    struct dht_id id; // all zero where it is not known
    bool has_id;
    int outcome; // enum control_outcome; -1 where it is none of them
    uint32_t depth;
    uint32_t named;
    int64_t rtt_us; // -1 where silent
};

// A final answer: `done` or `error`.
struct simnet_answer_final {
    struct simnet_answer_work work;
    enum control_error code; // CONTROL_ERROR_OK: done
    struct dht_span text;    // of an error
    uint32_t count;          // results
    uint32_t copies;
    uint32_t stored, targets; // of a publication
    int64_t renew_s;
    int64_t seq; // DHT_SEQ_NONE where it is not told
};

// Each is false where the fields are none of the kind, or make no sense.
bool simnet_answer_result(struct dht_span fields, struct simnet_answer_result *ret_result);
// What a `result` of watch says has happened: enum control_event; -1 where it says nothing of it.
int simnet_answer_event(struct dht_span fields);
bool simnet_answer_hop(struct dht_span fields, struct simnet_answer_hop *ret_hop);
bool simnet_answer_final(enum control_answer kind, struct dht_span fields,
                         struct simnet_answer_final *ret_final);

#endif
