// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_LOCK_H
#define PNR_DAEMON_LOCK_H

// A file that one process at a time holds, for as long as it lives or until it lets go: flock(), or
// LockFileEx() on a byte far behind its text. The text is the holder's process id, for messages.

#include "node/daemon/error.h"

#include <stdbool.h>

enum daemon_lock_taken {
    DAEMON_LOCK_TAKEN,
    DAEMON_LOCK_HELD, // by another process
    DAEMON_LOCK_FAILED,
};

// Takes the lock of the file at path, made for its owner alone where it is not there. ret_lock is
// written where it is TAKEN; ret_holder where it is HELD, 0 where the file does not tell; ret_why
// where it FAILED.
enum daemon_lock_taken daemon_lock_take(const char *path, int *ret_lock, long *ret_holder,
                                        struct daemon_error *ret_why);

// The file stays: removing it could take away the lock of a process that just opened it. -1 is
// none.
void daemon_lock_release(int lock);

#endif
