// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_CHECK_H
#define PNR_DHT_CHECK_H

// Who of those we know is still there, and who of those we have heard of is worth knowing. Each
// query is paid for out of the allowance (dht/allowance.h), so a table of hundreds cannot be
// checked all the time. What there is goes to
//
// - contacts that have failed: asked again, so that the dead go and the unlucky come back;
// - newcomers: nodes that asked us something, once their NAT mapping has had time to lapse (quirk
//   Q11), and nodes that others named, as far as the table has room for them, nearest to our own
//   id first;
// - the contact that has been silent for longest, where the silence of one of our own
//   neighbourhood, which must know itself (it stores what lies there), counts several times. It is
//   not pinged but asked for nodes around our own id, or in its bucket if that has room: as many
//   packets, and it names newcomers.
//
// Whoever asks us anything has shown by that that it lives, and is not asked soon.

#include "dht/engine.h"

#define DHT_CHECK_SILENT_US (12 * DHT_MINUTE_US) // nobody is checked who was heard of since

// When there is something to do; INT64_MAX: never.
int64_t dht_check_due_us(struct dht *dht);
void dht_check_run(struct dht *dht);

// The first lookup of our own id has ended: from now on contacts are checked.
void dht_check_start(struct dht *dht);
// A contact has failed.
void dht_check_failed(struct dht *dht);
// A node may be worth a place; it is asked at due_us. Bound: DHT_NEWCOMERS_MAX, the nearest to our
// own id; refusals are counted.
void dht_check_newcomer(struct dht *dht, const struct dht_krpc_node *node, int64_t due_us);
// The same of a node that has asked us. It has told its id itself: by that one it is asked,
// whatever it was called before, or others have called it.
void dht_check_asker(struct dht *dht, const struct dht_krpc_node *node, int64_t due_us);
// A contact that was checked has named nodes.
void dht_check_named(struct dht *dht, const struct dht_krpc *msg);

#endif
