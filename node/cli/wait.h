// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_WAIT_H
#define PNR_CLI_WAIT_H

// How pnr waits for its daemon and is told to stop meanwhile: SIGINT and SIGTERM, on Windows the
// console's events.

#include "pnr/client.h"

#include <stdbool.h>
#include <stdint.h>

// From now on a word to stop does not end the process. And back: where one has come, the process
// ends as it would have done.
void cli_wait_hold(void);
void cli_wait_release(void);

// Whether a word to stop has come.
bool cli_wait_is_stopped(void);

// Waits until the client has something to do, or there is a word to stop, but at most wait_ms; -1:
// for ever. May return early.
void cli_wait(struct pnr_client *client, int wait_ms);

int64_t cli_wait_now_us(void); // monotonic

#endif
