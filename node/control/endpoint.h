// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_ENDPOINT_H
#define PNR_CONTROL_ENDPOINT_H

// The endpoints of an answer, as libpnr gives them to programs.

#include "dht/bencode.h"
#include "pnr/client.h"

#include <stdbool.h>
#include <stddef.h>

// Reads the endpoints of a dictionary, at most PNR_ENDPOINTS_MAX, and its `scope_id`: that is the
// scope of each link-local IPv6 address among them (fe80::/10, RFC 4007), and of no other. False
// where either makes no sense; where the list is left out there are none.
bool control_endpoint_read(struct dht_span dict,
                           struct pnr_endpoint ret_endpoints[PNR_ENDPOINTS_MAX], size_t *ret_count);

#endif
