// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_CONNECT_H
#define PNR_CONTROL_CONNECT_H

// How a client finds its daemon: the places to try, one after the other, up to the client's hello.

#include "node/control/client.h"

// Fills in the places to try, for the level that the client wants. address NULL: the default. False
// where it cannot be read.
bool control_connect_places(struct pnr_client *client, const char *address);

// Tries the current place and those after it. Leaves the client BUSY, CONNECTING, GREETING with its
// hello waiting to be sent, or BROKEN.
void control_connect_start(struct pnr_client *client);

// Looks after a client that is CONNECTING or BUSY; leaves it as control_connect_start() does.
void control_connect_go_on(struct pnr_client *client);

// Breaks the client off, with the place's path before the reason.
void control_connect_break(struct pnr_client *client, enum pnr_error error, const char *why);

#endif
