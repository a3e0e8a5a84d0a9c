// SPDX-License-Identifier: MIT
#include "simnet/tap.h"

void simnet_tap_add(struct simnet_tap **taps, struct simnet_tap *tap)
{
    while (*taps != NULL)
        taps = &(*taps)->next;
    tap->next = NULL;
    *taps = tap;
}

void simnet_tap_remove(struct simnet_tap **taps, const struct simnet_tap *tap)
{
    while (*taps != NULL && *taps != tap)
        taps = &(*taps)->next;
    if (*taps != NULL)
        *taps = tap->next;
}

void simnet_tap_tell(const struct simnet_tap *taps, struct simnet_world *world,
                     const struct simnet_tap_sight *sight)
{
    for (const struct simnet_tap *tap = taps; tap != NULL; tap = tap->next)
        if (tap->see != NULL)
            tap->see(tap->ctx, world, sight->event, sight->machine, sight->element, sight->packet);
}

void simnet_tap_tell_out(const struct simnet_tap *taps, struct simnet_world *world,
                         struct simnet_machine *machine, const struct node_out *out)
{
    for (const struct simnet_tap *tap = taps; tap != NULL; tap = tap->next)
        if (tap->see_out != NULL)
            tap->see_out(tap->ctx, world, machine, out);
}
