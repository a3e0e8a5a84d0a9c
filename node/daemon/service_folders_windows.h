// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_SERVICE_FOLDERS_WINDOWS_H
#define PNR_DAEMON_SERVICE_FOLDERS_WINDOWS_H

// The folders of a service on Windows, made ready for its account by the administrator who sets it
// up: %ProgramData%\pnr, its log, its state and its keys; of a service of another name than the
// usual ones %ProgramData%\pnr-NAME, and state elsewhere. They belong to the administrators; the
// account, the system and the administrators may do anything there, others nothing.
//
// Anybody may make a folder in %ProgramData%: one that others can change, or that is theirs, is not
// taken over. Neither is a folder for state or keys that has other things in it, since these would
// be locked away, or removed, with pnrd's own.

#include "node/daemon/config.h"
#include "node/daemon/paths.h"

// Whether name is one of the two that share the usual folders: there can be one of these.
bool daemon_service_folders_is_usual(const char *name);

// The log file of the service of that name. Returns ret_path.
const char *daemon_service_folders_log(const char *name, char ret_path[DAEMON_PATHS_MAX]);

// Makes what is missing and admits the account to all that is there. False with an error that says
// which folder and why.
bool daemon_service_folders_admit(const char *name, const struct daemon_config *config,
                                  struct daemon_error *ret_error);

// With purge removes what is pnrd's in its folders; in any case those of them that are empty.
void daemon_service_folders_remove(const char *name, const struct daemon_config *config,
                                   bool purge);

#endif
