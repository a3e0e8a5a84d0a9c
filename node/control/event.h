// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_EVENT_H
#define PNR_CONTROL_EVENT_H

// The client's answers as events, fetched and waited for: pnr_client_next(), pnr_client_wait() and
// pnr_client_finish() of include/pnr/client.h, those that wait for the greeting, and pnr_field_*().

#include "node/control/client.h"

// The code and text of an error's fields; PNR_ERROR_FAILED where there is no code. The text is cut
// at a NUL and where it is too long.
void control_event_read_error(struct dht_span fields, enum pnr_error *ret_error,
                              char ret_text[PNR_TEXT_MAX]);

#endif
