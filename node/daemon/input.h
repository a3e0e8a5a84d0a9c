// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_INPUT_H
#define PNR_DAEMON_INPUT_H

// Standard input as something that the loop can poll: itself, or, on Windows, where only sockets
// can be polled, a socket that a thread of ours feeds. There is one in a process.

#include <stdbool.h>
#include <stddef.h>

// Returns the descriptor to poll and to read; -1 where fd is a file or closed, so that nobody can
// say anything there, or where memory is short.
int daemon_input_open(int fd);
void daemon_input_close(int polled_fd);

// Bytes read, 0 where none wait after all, -1 at the end.
ptrdiff_t daemon_input_read(int polled_fd, void *buf, size_t buf_len);

#endif
