// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_MACHINE_H
#define PNR_SIMNET_MACHINE_H

// A machine of the simulated internet: addresses, and behind them a real brain (include/pnr/node.h)
// with one engine an address, or an actor, which is anything else that takes part: an adversary. It
// is small, for there may be a million: what only some machines have (a disk of their own, a wall
// clock that is off, keys, clients) is in its host (simnet/host.h), made when first needed.
//
//     OFF --start--> UP --stop, crash--> OFF
//     UP --sleep--> ASLEEP --wake--> UP
//
// Owned by the world. Machines are numbered from 0 and stay where they are.

#include "pnr/node.h"
#include "simnet/element.h"

enum simnet_machine_state {
    SIMNET_MACHINE_OFF,
    SIMNET_MACHINE_UP,
    SIMNET_MACHINE_ASLEEP,
};

// What is asked of a machine while its outputs are being taken is done by who takes them.
enum simnet_machine_settling {
    SIMNET_MACHINE_SETTLED,
    SIMNET_MACHINE_SETTLING,
    SIMNET_MACHINE_STOPPING, // ends in order once its outputs are taken
    SIMNET_MACHINE_CUT,      // these take no further output, and end
    SIMNET_MACHINE_KILLED,
};

// Something else than a brain that takes part. Its own state begins with a struct simnet_actor.
struct simnet_actor;
struct simnet_machine;

struct simnet_actor_class {
    const char *name;
    void (*receive)(struct simnet_actor *actor, struct simnet_world *world,
                    struct simnet_machine *machine, const struct dht_datagram *datagram,
                    int engine);
    // Called when the time that deadline() names has come. Either may be NULL.
    void (*tick)(struct simnet_actor *actor, struct simnet_world *world,
                 struct simnet_machine *machine);
    int64_t (*deadline)(const struct simnet_actor *actor);
    void (*free)(struct simnet_actor *actor);
};

struct simnet_actor {
    const struct simnet_actor_class *class;
};

struct simnet_disk_config;
struct simnet_host;
struct simnet_profile;

struct simnet_machine {
    struct node *node;          // NULL while it is off, or an actor's
    struct simnet_actor *actor; // NULL: a brain's
    int64_t armed_us;           // the earliest event that is in the queue to wake it; INT64_MAX
    struct simnet_world *world;
    const struct simnet_profile *profile; // how its brain is made
    struct simnet_host *host;             // NULL until needed
    struct simnet_element *way_out; // what its packets go through first; NULL: the internet at once
    uint32_t number;
    uint32_t place;        // on the internet, for latencies: its own number, or that of its site
    uint32_t starts;       // how often it was started
    uint8_t state;         // enum simnet_machine_state
    uint8_t address_count; // engines
    uint8_t settling;      // enum simnet_machine_settling
    uint8_t is_honest : 1; // no adversary: checkers count on it
    uint8_t has_clock : 1; // of its own, in its host
    uint8_t is_unplugged : 1;
    uint8_t has_answers : 1;                 // its host has something to tell the brain
    struct dht_addr addrs[NODE_ENGINES_MAX]; // as it knows them itself
};

// How brains are made: configuration shared by many machines. It has to outlive them.
struct simnet_profile {
    struct node_config node;
    struct dht_config engine; // of either family; family, id and addr are filled in for each
    int signature;            // enum simnet_signature
    uint32_t bootstrap_count; // how many running machines a new one is told about
    // What their disks do (simnet/disk.h); NULL: every row is durable at once.
    const struct simnet_disk_config *disk;
};

// A small profile for networks of size: small tables and stores, no snapshots, outputs kept in
// little memory.
void simnet_profile_init(struct simnet_profile *profile);
// For networks of up to a million: as above, with first buckets and replacements that cost less. No
// part of a node is left out: it answers, stores and resolves as any other.
void simnet_profile_million(struct simnet_profile *profile);

// Starts the brain of a machine that is off, from what its disk holds, or its actor. Its first
// contacts are the machines named; brains that have contacts of their own need none.
void simnet_machine_start(struct simnet_machine *machine, const uint32_t *bootstrap, size_t count);
// Ends it in order: the brain is told, and writes what it has to. From within its outputs, such as
// a tap's or a sink's calls, it ends once these are taken.
void simnet_machine_stop(struct simnet_machine *machine);
// Ends it as a power cut does: nothing more is written, and what the disk had not made durable is
// lost. From within a tap's sight of an output, no later output is taken.
void simnet_machine_crash(struct simnet_machine *machine);
// Ends its process as SIGKILL does: what its disk has committed stays, durable or not.
void simnet_machine_kill(struct simnet_machine *machine);
// While asleep it hears and does nothing. Its monotonic clock runs on, as the one that pnrd reads
// on Linux does, unless it has another (simnet/clock.h); what became due is done when it wakes.
void simnet_machine_sleep(struct simnet_machine *machine);
void simnet_machine_wake(struct simnet_machine *machine);

// pnrd looks at its addresses this often.
#define SIMNET_MACHINE_LOOKS_US INT64_C(30000000)

// It has another address from now on. The brain is told that its network changed when the machine
// next looks, at most SIMNET_MACHINE_LOOKS_US later, or as it wakes.
void simnet_machine_move(struct simnet_machine *machine, int engine, const struct dht_addr *addr);
// It has other addresses, one for each engine, and another way out, or none (NULL: its addresses
// lead to it from the internet): what NATs and sites (simnet/nat.h, simnet/site.h) do it by, which
// see to the way in.
void simnet_machine_rewire(struct simnet_machine *machine, const struct dht_addr *addrs,
                           struct simnet_element *way_out);
// Its cable is out: nothing is sent or heard, and nobody tells the brain.
void simnet_machine_unplug(struct simnet_machine *machine);
void simnet_machine_plug(struct simnet_machine *machine);

// Whether an address of the machine is of use to itself alone: it is behind a NAT.
bool simnet_machine_is_hidden(const struct simnet_machine *machine, uint8_t engine);

// The machine's monotonic clock.
int64_t simnet_machine_now(const struct simnet_machine *machine);
// When it wants to be woken, by that clock; INT64_MAX: never.
int64_t simnet_machine_deadline(const struct simnet_machine *machine);
// The machine's monotonic clock, before an input to its brain: a brain whose machine has a clock of
// its own is told the wall time first, where it was not told for a second, as pnrd does.
int64_t simnet_machine_enter(struct simnet_machine *machine);

// Takes what the brain has put out, sends its datagrams, and sees when it wants to be woken. After
// every input that somebody else than the world gives it.
void simnet_machine_settle(struct simnet_machine *machine);

// Sends a datagram from an actor's machine.
void simnet_machine_send(struct simnet_machine *machine, int engine, const struct dht_addr *to,
                         struct dht_span bytes);

#endif
