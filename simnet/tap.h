// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_TAP_H
#define PNR_SIMNET_TAP_H

// Taps see what happens in a world and change nothing. They are their makers', and have to stay
// where they are until they are taken off, or the world is gone.

#include "pnr/node.h"
#include "simnet/packet.h"

struct simnet_world;
struct simnet_machine;

// Sees packets: for captures, traces and checkers. A world calls its taps in the order in which
// they were added.
enum simnet_tap_event {
    SIMNET_TAP_SENT,      // by a machine
    SIMNET_TAP_DELIVERED, // to a machine, just before it takes it
    SIMNET_TAP_DROPPED,   // by an element
};

struct simnet_tap {
    // machine: the sender, the receiver, or NULL where dropped; element: where dropped, else NULL.
    void (*see)(void *ctx, struct simnet_world *world, enum simnet_tap_event event,
                const struct simnet_machine *machine, const struct simnet_element *element,
                const struct simnet_packet *packet);
    // Sees what a brain puts out beside its datagrams, after its host has. May be NULL.
    void (*see_out)(void *ctx, struct simnet_world *world, struct simnet_machine *machine,
                    const struct node_out *out);
    void *ctx;
    struct simnet_tap *next; // the world's
};

struct simnet_tap_sight {
    enum simnet_tap_event event;
    const struct simnet_machine *machine;
    const struct simnet_element *element;
    const struct simnet_packet *packet;
};

// What a world does with its taps.
void simnet_tap_add(struct simnet_tap **taps, struct simnet_tap *tap);
void simnet_tap_remove(struct simnet_tap **taps, const struct simnet_tap *tap);
void simnet_tap_tell(const struct simnet_tap *taps, struct simnet_world *world,
                     const struct simnet_tap_sight *sight);
void simnet_tap_tell_out(const struct simnet_tap *taps, struct simnet_world *world,
                         struct simnet_machine *machine, const struct node_out *out);

#endif
