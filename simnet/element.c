// SPDX-License-Identifier: MIT
#include "simnet/element.h"

#include "simnet/world.h"

#include <assert.h>
#include <string.h>

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

static void add_to_sum(struct simnet_element_sum *sums, size_t *count,
                       const struct simnet_element *element)
{
    size_t at = 0;
    if (element->passed + element->dropped == 0)
        return;
    while (at < *count && strcmp(sums[at].name, element->class->name) != 0)
        at++;
    assert(at < SIMNET_ELEMENT_NAMES_MAX);
    if (at == *count)
        sums[(*count)++] = (struct simnet_element_sum){.name = element->class->name};
    sums[at].passed += element->passed;
    sums[at].dropped += element->dropped;
}

size_t simnet_element_sums(const struct simnet_world *world,
                           struct simnet_element_sum ret_sums[SIMNET_ELEMENT_NAMES_MAX])
{
    struct simnet_element *const *elements;
    size_t element_count = simnet_world_elements(world, &elements);
    size_t count = 0;
    for (size_t i = 0; i < element_count; i++)
        add_to_sum(ret_sums, &count, elements[i]);
    return count;
}
