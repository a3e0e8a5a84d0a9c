// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_STATE_DIR_H
#define PNR_DAEMON_STATE_DIR_H

// The state directory, held by one pnrd at a time: two with the same sequence numbers would publish
// against each other. A file `lock` in it is locked (flock) for as long as the directory is held
// and carries the holder's process id, for messages. The lock ends with the process, however that
// ends.

#include "node/daemon/error.h"

#include <stdbool.h>

// Makes the directory, mode 0700, where it is not there (its parent has to be) and takes the lock.
// Returns the lock's descriptor, to be given to daemon_state_dir_release(); -1 where path is no
// directory, cannot be written, or is held by another process.
int daemon_state_dir_hold(const char *path, struct daemon_error *ret_error);
void daemon_state_dir_release(int lock_fd);

// Warns, in the log, of folders "cloud-NAME" in it: an earlier version kept each cloud but the
// first there, and nothing reads them any more.
void daemon_state_dir_warn(const char *path);

#endif
