// SPDX-License-Identifier: MIT
#include "simnet/loss.h"

#include "simnet/world.h"

#include <assert.h>
#include <stdlib.h>

struct loss {
    struct simnet_element element;
    struct simnet_stream stream;
    double rate;
};

static void forward(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet)
{
    struct loss *loss = (struct loss *)element;
    if (simnet_stream_chance(&loss->stream, loss->rate))
        simnet_element_drop(element, world, packet);
    else
        simnet_element_pass(element, world, packet);
}

static void free_loss(struct simnet_element *element)
{
    free(element);
}

void simnet_loss_set(struct simnet_element *element, double rate)
{
    assert(rate >= 0 && rate <= 1);
    ((struct loss *)element)->rate = rate;
}

struct simnet_element *simnet_loss_new(uint64_t seed, double rate)
{
    static const struct simnet_element_class class = {"loss", forward, free_loss};
    struct loss *loss = simnet_world_need(calloc(1, sizeof *loss));
    loss->element.class = &class;
    simnet_stream_init(&loss->stream, seed, "loss", 0);
    simnet_loss_set(&loss->element, rate);
    return &loss->element;
}
