// SPDX-License-Identifier: MIT
#include "simnet/element.h"

#include "simnet/world.h"

#include <assert.h>

void simnet_element_chain(struct simnet_element **first, struct simnet_element *element)
{
    while (*first != NULL)
        first = &(*first)->next;
    *first = element;
}

void simnet_element_pass(struct simnet_element *element, struct simnet_world *world,
                         struct simnet_packet *packet)
{
    assert(element->next != NULL);
    element->passed++;
    element->bytes_passed += packet->len;
    element->next->class->forward(element->next, world, packet);
}

void simnet_element_delay(struct simnet_element *element, struct simnet_world *world,
                          struct simnet_packet *packet, int64_t due_us)
{
    assert(element->next != NULL);
    element->passed++;
    element->bytes_passed += packet->len;
    simnet_world_delay(world, packet, element->next, due_us);
}

void simnet_element_drop(struct simnet_element *element, struct simnet_world *world,
                         struct simnet_packet *packet)
{
    element->dropped++;
    simnet_world_drop(world, packet, element);
}
