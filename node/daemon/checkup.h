// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_CHECKUP_H
#define PNR_DAEMON_CHECKUP_H

// What `pnr doctor` wants to know of this machine: the keys and their modes, the state directory,
// the clock. It looks at the disk, with the waits that this takes, and so is not for the loop.

#include "node/daemon/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAEMON_CHECKUP_MAX 4096 // bytes of the findings

struct daemon_checkup {
    const char *keys_dir;
    const struct daemon_error *keys_why; // they cannot be read; NULL: they can
    size_t key_count;
    const char *state_dir; // NULL: nothing is kept on disk
    int64_t wall_us;       // the time that the clock shows (daemon_clock_wall_us())
    bool is_clock_kept;    // daemon_clock_is_kept()
};

// Writes the findings as docs/control.md has them (`doctor`): a bencoded dictionary {findings: list
// of {check, remedy?, state, text}}. Returns its length.
size_t daemon_checkup(const struct daemon_checkup *checkup,
                      uint8_t ret_findings[DAEMON_CHECKUP_MAX]);

#endif
