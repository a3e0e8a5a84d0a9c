// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_WHO_H
#define PNR_DHT_WHO_H

// Asks one announced node what it has registered (`pnr_who`, docs/unsecured.md): the operation of
// dht_who().
//
//     TOKEN --it gives one--> DESCRIPTION --description, and the payload's beginning--> PART
//     DESCRIPTION, PART --that was all of it--> (WHO and DONE events) gone
//     PART --the payload's size has changed--> DESCRIPTION (it was replaced meanwhile)
//     any --an error (told with DONE), another id, or no such reply--> (DONE event) gone
//     any --silent three times--> (DONE event) gone
//
// A step's query is sent up to three times, each when the one before it has been silent for its
// soft timeout; an answer to any of them counts. Bound: 16 steps.

#include "dht/engine.h"

// Begins to ask, as operation op. False where the query could not be sent or memory is short; the
// caller then closes op.
bool dht_who_start(struct dht *dht, struct dht_op *op, const struct dht_addr *addr,
                   const struct dht_id *info_hash);

// Each may end the operation, which is gone then.
void dht_who_reply(struct dht *dht, const struct dht_transaction *transaction,
                   const struct dht_krpc *msg);
// It was silent for its soft timeout.
void dht_who_silent(struct dht *dht, const struct dht_transaction *transaction);
// It answered with an error of that code.
void dht_who_refused(struct dht *dht, const struct dht_transaction *transaction, int32_t code);
// It answered as somebody else, or cannot be reached.
void dht_who_failed(struct dht *dht, const struct dht_transaction *transaction);

#endif
