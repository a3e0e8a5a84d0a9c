// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_WAKE_H
#define PNR_DAEMON_WAKE_H

// How a thread wakes the loop: two descriptors, of which the first becomes readable when the second
// is rung. A pipe, or, on Windows, where only sockets can be polled, two UDP sockets of loopback
// that hear each other alone. Neither end waits, ever; rings that were not hushed yet are one.
//
// Descriptors of sockets are int on every system: Windows gives its handles no more than 32
// significant bits, so that programs of either size can share them.

#include <stdbool.h>

// ret_fds: the end to poll, the end to ring. False, with none open, where there are no descriptors.
bool daemon_wake_open(int ret_fds[2]);

// May be called by any thread. That a ring gets lost where many wait is no loss.
void daemon_wake_ring(int ring_fd);

// Takes all rings away, so that the polled end is no longer readable.
void daemon_wake_hush(int poll_fd);

// Closes one end; -1 is none.
void daemon_wake_close(int fd);

#endif
