// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_RESULT_H
#define PNR_CORE_RESULT_H

// The results of a name, told to one request: one for each publishing machine of a record, or
// one for all of a foreign record. A request to resolve gets them all and its end, one to watch
// those that are news to it.

#include "node/core/mark.h"
#include "node/core/record.h"
#include "node/core/session.h"

struct core_result {
    const struct core_name *name; // of kind KEY, or HASH with key set
    const uint8_t *key;
    const struct core_record *record;
    struct dht_span payload; // whole; empty where there is none or it could not be had
    int64_t seq;
    int64_t age_s;
    enum control_source source;
    struct dht_tally tally;
    const char *event; // of a watch: what has happened to it; NULL: none
    bool is_first;     // a lookup goes on behind it
};

// Whether the record has anything to tell once what has expired is left out.
bool core_result_is_found(const struct core_record *record);

// Sends them all, or, where something was sent first, what is different now: nothing that is older,
// nor the same twice. Then `done`. The request is gone afterwards.
void core_result_answer(struct node *node, struct core_request *request,
                        const struct core_result *result);
// Sends what is known before the lookup, unless it is to be sorted with what that finds. Whether it
// is all that is wanted: the request is answered then, and gone.
bool core_result_answer_first(struct node *node, struct core_request *request,
                              const struct core_result *result);
// The lookup has found that there is nothing, which result->seq says, or DHT_SEQ_NONE: it has found
// nothing. text: why. The request is gone afterwards.
void core_result_answer_none(struct node *node, struct core_request *request,
                             const struct core_result *result, const char *text);

// Walks what a record's results are about: its entries, and CORE_RECORD_NO_MACHINE where there are
// addresses of nobody's. *inout_at starts at 0. False at the end.
bool core_result_next(const struct core_record *record, uint32_t *inout_at, uint8_t *ret_entry);
// Who says it: the machine, its id and zeros behind it; of nobody's addresses zeros.
void core_result_identity(const struct node *node, const struct core_record *record, uint8_t entry,
                          struct core_mark_identity *ret_identity);
// Whether the request's criteria want it.
bool core_result_is_wanted(const struct node *node, const struct core_request *request,
                           const struct core_result *result, uint8_t entry);
// Sends one of them.
void core_result_tell(struct node *node, struct core_request *request,
                      const struct core_result *result, uint8_t entry);
// Says that one that was told before is gone.
void core_result_tell_gone(struct node *node, struct core_request *request,
                           const struct core_name *name, const struct core_mark_identity *identity);

// Ends a request that was told results.
void core_result_done(struct node *node, struct core_request *request,
                      const struct dht_tally *tally);

// Ends a request whose lookup found nothing, with what was done to find it.
void core_result_not_found(struct node *node, struct core_request *request,
                           const struct dht_tally *tally, const char *text);

// One query of a traced lookup of target ended. step: CONTROL_STEP_HOP, or CONTROL_STEP_WHO of one
// that asked a node what it publishes; `named` is then of how many publishers it told.
void core_result_hop(struct node *node, struct core_request *request, const struct dht_id *target,
                     const struct dht_out *hop, enum control_step step);

// Which cloud the request is about, where that does not go without saying: where there are several,
// or one that is not Global_.
void core_result_put_cloud(const struct node *node, struct dht_bencode_writer *writer,
                           const struct core_request *request);

// Which link the endpoints are of, where the request's cloud is of one.
void core_result_put_scope(struct dht_bencode_writer *writer, const struct core_request *request);

#endif
