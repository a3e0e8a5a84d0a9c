// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_ELEMENT_H
#define PNR_SIMNET_ELEMENT_H

// An element of the network: something that a packet passes through. All are of one kind, and
// chain: each takes a packet, and hands it to the next one at once, later, more than once, changed,
// or never. A chain ends at the world's own elements: the route, which finds who listens at the
// packet's address, and the door of the machine.
//
//     machine --> [elements of its site] --> [elements of the internet] --> route
//         --> [elements of the other site] --> door of the other machine
//
// An element's own state begins with a struct simnet_element. Elements are owned by the world that
// they were given to (simnet_world_own()), which frees them at its end. Chances are drawn from a
// stream of the element's own (simnet/stream.h).

#include "simnet/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct simnet_world;
struct simnet_element;

struct simnet_element_class {
    const char *name; // "loss", as reports and scenario files say it
    // Takes the packet over, and in the end passes, delays or drops it.
    void (*forward)(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet);
    void (*free)(struct simnet_element *element);
};

struct simnet_element {
    const struct simnet_element_class *class;
    struct simnet_element *next;
    uint64_t passed;
    uint64_t dropped;
    uint64_t bytes_passed;
};

// Puts an element at the end of a chain.
void simnet_element_chain(struct simnet_element **first, struct simnet_element *element);

// What forward() ends with. Each takes the packet over.
void simnet_element_pass(struct simnet_element *element, struct simnet_world *world,
                         struct simnet_packet *packet);
// Passes it at due_us, which may not lie in the past.
void simnet_element_delay(struct simnet_element *element, struct simnet_world *world,
                          struct simnet_packet *packet, int64_t due_us);
void simnet_element_drop(struct simnet_element *element, struct simnet_world *world,
                         struct simnet_packet *packet);

// What all elements of one name did, wherever in the network they are.
struct simnet_element_sum {
    const char *name;
    uint64_t passed;
    uint64_t dropped;
};

#define SIMNET_ELEMENT_NAMES_MAX 32 // different ones in a world (asserted)

// Sums up the world's elements by name, without those that saw no packet, in the order in which the
// first of each name was given to the world: the internet's, then those of sites. Returns how many
// names there are. Looks at every element.
size_t simnet_element_sums(const struct simnet_world *world,
                           struct simnet_element_sum ret_sums[SIMNET_ELEMENT_NAMES_MAX]);

#endif
