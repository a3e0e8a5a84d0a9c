// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_SEQ_H
#define PNR_CORE_SEQ_H

// Sequence numbers (BEP 44's seq, pkarr's timestamp): microseconds. The next one is above the last
// that was used here, which is durable, and above the newest seen in the DHT; otherwise it is the
// wall clock's. So it never goes back and is never used twice, whatever the clock, a crash or a
// second machine does.

#include "pnr/dht.h"

// From here up a name would soon be locked for good: nothing above can be published after it.
#define CORE_SEQ_MAX (INT64_C(1) << 62)

// The next sequence number, given the last one used and the newest one seen (DHT_SEQ_NONE: none).
// False where it would be CORE_SEQ_MAX or more.
bool core_seq_next(int64_t wall_us, int64_t last_used, int64_t seen, int64_t *ret_seq);

// Its durable form, 8 bytes big endian.
void core_seq_write(int64_t seq, uint8_t ret_bytes[8]);
// False where the bytes are no sequence number.
bool core_seq_read(struct dht_span bytes, int64_t *ret_seq);

#endif
