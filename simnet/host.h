// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_HOST_H
#define PNR_SIMNET_HOST_H

// What only some machines have: a disk with rows, keys, a clock of their own, clients. Made when
// first needed, owned by its machine, and it outlives the brain: that is what a crash leaves.

#include "simnet/machine.h"

struct simnet_host;

// The machine's host, made where there is none.
struct simnet_host *simnet_host_of(struct simnet_machine *machine);
void simnet_host_free(struct simnet_host *host);

// The machine's wall clock, microseconds since 1970.
int64_t simnet_host_wall(const struct simnet_machine *machine);

// Gives the machine a key, made from a number; the brain is told now if it runs, and at each start.
void simnet_host_add_key(struct simnet_machine *machine, const char *label, uint64_t number,
                         uint8_t ret_key[DHT_KEY_LEN]);

// The crypto table's sign for this machine: ctx is the machine.
bool simnet_host_sign(void *ctx, const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                      uint8_t ret_sig[DHT_SIG_LEN]);

// The brain has just been made: restores rows, tells of keys.
void simnet_host_restore(struct simnet_machine *machine);
// What the brain has put out, except datagrams.
void simnet_host_output(struct simnet_machine *machine, const struct node_out *out);
// All outputs were taken: gives the brain what they have brought about. True where it did, and
// there may be more.
bool simnet_host_answer(struct simnet_machine *machine);
// The brain is gone: what was not durable is lost where crashed.
void simnet_host_gone(struct simnet_machine *machine, bool crashed);

#endif
