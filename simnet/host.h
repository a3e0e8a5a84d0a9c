// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_HOST_H
#define PNR_SIMNET_HOST_H

// What only some machines have: a disk with rows, keys, a clock of their own, clients. Made when
// first needed, owned by its machine, and it outlives the brain: that is what a crash leaves.

#include "simnet/clock.h"
#include "simnet/disk.h"
#include "simnet/machine.h"

struct simnet_host;

// The machine's host, made where there is none.
struct simnet_host *simnet_host_of(struct simnet_machine *machine);
void simnet_host_free(struct simnet_host *host);

// ---- clocks ----

// The machine's wall clock, microseconds since 1970.
int64_t simnet_host_wall(const struct simnet_machine *machine);
// Gives the machine clocks of its own from now on: a machine that is off, or whose clocks go on
// from where the world's are.
void simnet_host_set_clock(struct simnet_machine *machine,
                           const struct simnet_clock_config *config);
// The machine's own clocks; it has to have some. Owned by the host.
struct simnet_clock *simnet_host_clock(const struct simnet_machine *machine);
// Sets the wall clock forwards or back, now or at some time. The brain hears of it with its next
// input, a second after it last did, as from pnrd.
void simnet_host_jump(struct simnet_machine *machine, int64_t by_us);
void simnet_host_jump_at(struct simnet_machine *machine, int64_t at_us, int64_t by_us);

// ---- the disk ----

// The machine's disk, made as the profile says where there is none.
struct simnet_disk *simnet_host_disk(struct simnet_machine *machine);
// Whether it was made.
bool simnet_host_has_disk(const struct simnet_machine *machine);
// Power is cut in place of the brain's output after that many more: 0, the next one.
void simnet_host_cut_after(struct simnet_machine *machine, uint64_t outputs);

// ---- keys ----

// Gives the machine a key, made from a number; the brain is told now if it runs, and at each start.
void simnet_host_add_key(struct simnet_machine *machine, const char *label, uint64_t number,
                         uint8_t ret_key[DHT_KEY_LEN]);

// The crypto table's sign for this machine: ctx is the machine.
bool simnet_host_sign(void *ctx, const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                      uint8_t ret_sig[DHT_SIG_LEN]);

// ---- control sessions ----

// Who owns a control session: what a client is. Both are called while no output of the brain is
// being taken, so that they may give it inputs; they may also close the session, or end the
// machine, which then ends once its outputs are taken.
struct simnet_session_sink {
    // Bytes for the client, borrowed until it returns. Returns how many of them it reads: those are
    // acknowledged to the brain. With less than all, it stops to read: what is left waits and is
    // not acknowledged, and more comes only after simnet_host_read_session().
    size_t (*bytes)(void *ctx, struct simnet_machine *machine, uint32_t session,
                    struct dht_span bytes);
    // The session is over, and its number void: the brain hung up, or has ended with its machine.
    // Not called for what the client itself closed. What waits unread then is lost. May be NULL.
    void (*hangup)(void *ctx, struct simnet_machine *machine, uint32_t session);
    void *ctx;
};

// Opens a session, past its handshake. Returns its number, never 0; 0 where the machine is not up
// with a brain, or the brain refuses another. sink is copied; its ctx has to outlive the session.
uint32_t simnet_host_open_session(struct simnet_machine *machine, enum node_access access,
                                  const struct simnet_session_sink *sink);
// The client writes. False where there is no such session, or the machine is not up: nothing is
// taken.
bool simnet_host_session_bytes(struct simnet_machine *machine, uint32_t session,
                               struct dht_span bytes);
// The client that had stopped to read does so again.
void simnet_host_read_session(struct simnet_machine *machine, uint32_t session);
// The client is gone: its sink is not called again. A machine asleep tells its brain as it wakes,
// before anything else.
void simnet_host_close_session(struct simnet_machine *machine, uint32_t session);

// ---- for machine.c ----

// The machine is being started: its clocks are set, where power had been cut.
void simnet_host_boot(struct simnet_machine *machine);
// The brain has just been made: restores rows, tells of keys.
void simnet_host_restore(struct simnet_machine *machine);
// Tells the brain the wall time, if it was not told for a second.
void simnet_host_tell_wall(struct simnet_machine *machine);
// The machine has another address: the brain is told when the machine looks, which is now for
// simnet_host_look().
void simnet_host_moved(struct simnet_machine *machine);
void simnet_host_look(struct simnet_machine *machine);
// Whether power is cut now: see simnet_host_cut_after(). To be asked once for each output.
bool simnet_host_is_cut(struct simnet_machine *machine);
// What the brain has put out, except datagrams.
void simnet_host_output(struct simnet_machine *machine, const struct node_out *out);
// All outputs were taken, and machine->has_answers: gives the brain what they have brought about.
void simnet_host_answer(struct simnet_machine *machine);
// The brain is gone.
void simnet_host_gone(struct simnet_machine *machine, enum simnet_disk_end how);

#endif
