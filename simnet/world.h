// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_WORLD_H
#define PNR_SIMNET_WORLD_H

// A simulated internet: machines that run real brains, and a network of elements between them, in
// virtual time. One clock, one queue of events, one seed. Nothing in it is global: two worlds in
// one process do not touch each other, and the same seed and calls give the same trace, hash for
// hash.
//
// How it is used: simnet_world_new(); elements of the internet by simnet_world_internet(); machines
// by simnet_world_add() and simnet_machine_start(); tasks by simnet_world_at(); then
// simnet_world_run() up to some time, as often as wanted, looking in between.
//
// Ownership: a world owns its machines, their brains, actors and hosts, its elements and packets.
// Bounds: memory, and 2^26 machines; where memory ends the simulation ends, by abort with a word,
// for half of an internet would show nothing.

#include "simnet/element.h"
#include "simnet/machine.h"
#include "simnet/queue.h"
#include "simnet/stream.h"
#include "simnet/tap.h"

#define SIMNET_SECOND_US INT64_C(1000000)
#define SIMNET_MINUTE_US (60 * SIMNET_SECOND_US)
#define SIMNET_HOUR_US   (60 * SIMNET_MINUTE_US)

#define SIMNET_START_US      SIMNET_SECOND_US          // of the virtual clock at birth
#define SIMNET_WALL_START_US INT64_C(1790000000000000) // and of the true wall clock then

struct simnet_counters {
    uint64_t events;
    uint64_t sent; // datagrams that machines sent
    uint64_t sent_bytes;
    uint64_t delivered; // and that machines received
    uint64_t delivered_bytes;
    uint64_t nobody;  // at the address: dropped by the route
    uint64_t wakings; // machines that were woken because something was due
};

typedef void (*simnet_task)(struct simnet_world *world, void *ctx, uint64_t number);

struct simnet_world *simnet_world_new(uint64_t seed);
void simnet_world_free(struct simnet_world *world);

uint64_t simnet_world_seed(const struct simnet_world *world);
int64_t simnet_world_now(const struct simnet_world *world);
int64_t simnet_world_wall(const struct simnet_world *world); // the true one
// The hash of all that has happened: every datagram delivered and every waking, with its time.
uint64_t simnet_world_hash(const struct simnet_world *world);
const struct simnet_counters *simnet_world_counters(const struct simnet_world *world);

// ---- the network ----

// Puts an element at the end of the internet's chain, which every packet passes, and owns it.
void simnet_world_internet(struct simnet_world *world, struct simnet_element *element);
// The first element of the internet's chain: what the elements of a site lead to.
struct simnet_element *simnet_world_core(struct simnet_world *world);
// An element, owned by the world, that hands all it gets to the machine: the end of a chain that
// leads to it.
struct simnet_element *simnet_world_door(struct simnet_world *world,
                                         struct simnet_machine *machine);
// Frees it at the end, where its class can be freed; those owned first are freed first, so a part
// of another element is given before the whole.
void simnet_world_own(struct simnet_world *world, struct simnet_element *element);
// All that it owns, in the order in which they were given; valid until the next is.
size_t simnet_world_elements(const struct simnet_world *world,
                             struct simnet_element *const **ret_all);

// Packets to this address go to `entry`, whatever their port where addr.port is 0; place: where
// that is. Takes the place of who listened there before.
void simnet_world_listen(struct simnet_world *world, const struct dht_addr *addr,
                         struct simnet_element *entry, uint32_t place);
void simnet_world_unlisten(struct simnet_world *world, const struct dht_addr *addr);
// Where those are who listen at the address; SIMNET_PACKET_NOBODY where none do.
uint32_t simnet_world_place(const struct simnet_world *world, const struct dht_addr *addr);

struct simnet_packet *simnet_world_packet(struct simnet_world *world, size_t len);
struct simnet_packet *simnet_world_copy(struct simnet_world *world,
                                        const struct simnet_packet *packet);
// The packet is to reach the element at that time.
void simnet_world_delay(struct simnet_world *world, struct simnet_packet *packet,
                        struct simnet_element *element, int64_t due_us);
void simnet_world_drop(struct simnet_world *world, struct simnet_packet *packet,
                       const struct simnet_element *element);
// Hands a packet to the machine, if it is up: what a NAT ends with, which knows the machine.
void simnet_world_deliver(struct simnet_world *world, struct simnet_packet *packet,
                          struct simnet_machine *machine);

// ---- machines ----

// A machine, which is off. addrs: one for each engine, at most NODE_ENGINES_MAX. They lead to it
// from the internet, unless way_out is not NULL: then it is behind that element, and whoever made
// the element finds it.
struct simnet_machine *simnet_world_add(struct simnet_world *world,
                                        const struct simnet_profile *profile,
                                        const struct dht_addr *addrs, size_t addr_count,
                                        struct simnet_element *way_out);
uint32_t simnet_world_machines(const struct simnet_world *world);
struct simnet_machine *simnet_world_machine(const struct simnet_world *world, uint32_t number);
// The machine that listens at the address on the internet; NULL where none does.
struct simnet_machine *simnet_world_find(const struct simnet_world *world,
                                         const struct dht_addr *addr);

// ---- time ----

// Calls task at that time, once.
void simnet_world_at(struct simnet_world *world, int64_t at_us, simnet_task task, void *ctx,
                     uint64_t number);
// The machine wants to be woken at that time, or before.
void simnet_world_wake(struct simnet_world *world, struct simnet_machine *machine, int64_t at_us);
// Runs until the clock shows until_us.
void simnet_world_run(struct simnet_world *world, int64_t until_us);

void simnet_world_tap(struct simnet_world *world, struct simnet_tap *tap);
void simnet_world_untap(struct simnet_world *world, struct simnet_tap *tap);

// ---- for machine.c and host.c ----

void simnet_world_send(struct simnet_world *world, struct simnet_machine *machine, int engine,
                       const struct dht_datagram *datagram);
// The machine listens at another address from now on.
void simnet_world_rename(struct simnet_world *world, struct simnet_machine *machine, int engine,
                         const struct dht_addr *addr);
void simnet_world_see_out(struct simnet_world *world, struct simnet_machine *machine,
                          const struct node_out *out);
// Ends the process with a word: memory is short.
void *simnet_world_need(void *memory);

#endif
