// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_PATHS_H
#define PNR_DAEMON_PATHS_H

// Where things lie on this system, and what a path is there.
//
//                       POSIX                             Windows
//   state, of a service /var/lib/pnr                      %ProgramData%\pnr\state
//   state, of a user    $XDG_STATE_HOME/pnr or            %LOCALAPPDATA%\pnr\state
//                       ~/.local/state/pnr
//   configuration       /etc/pnr/pnr.conf                 %ProgramData%\pnr\pnr.conf
//   log, of a service   the journal's                     %ProgramData%\pnr\log
//   control             unix:/run/pnr/control.sock or     tcp:%ProgramData%\pnr\control.rendezvous
//                       unix:$XDG_RUNTIME_DIR/pnr/...
//
// A service is what root or the service manager started, on Windows a service, and what
// runs with an administrator's rights.

#include "node/daemon/error.h"

#include <stdbool.h>
#include <stddef.h>

#define DAEMON_PATHS_MAX 1024 // with the NUL

// What stands on this system for one of the paths, or control addresses, that are the defaults on
// POSIX: itself there. Returns it or buf.
const char *daemon_paths_standard(const char *posix, char buf[DAEMON_PATHS_MAX]);

bool daemon_paths_is_service(void);

// Where a user who runs pnrd by hand keeps its state. False where the system does not tell.
bool daemon_paths_own_state(char ret_path[DAEMON_PATHS_MAX]);

// The folder of the control socket of a user's own pnrd. False where it has the service's place.
bool daemon_paths_own_control(char ret_path[DAEMON_PATHS_MAX]);

bool daemon_paths_is_absolute(const char *path);

// Writes path, put behind the working directory where it is relative. False with an error where
// that directory is not known, or the whole does not fit.
bool daemon_paths_make_absolute(const char *path, char *ret_path, size_t path_len,
                                struct daemon_error *ret_error);

// The last separator in path; NULL where there is none.
char *daemon_paths_last_slash(char *path);

// The first separator from path on, likewise.
char *daemon_paths_next_slash(char *path);

#endif
