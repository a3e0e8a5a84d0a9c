// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_ACL_WINDOWS_H
#define PNR_DAEMON_ACL_WINDOWS_H

// Who may get at a file on Windows: protected access lists (nothing is inherited) that give every
// right to this process's user, the system and the administrators, and to others what is told.

#include "node/daemon/error.h"
#include "node/daemon/file.h"
#include "node/daemon/wide_windows.h"

#include <windows.h>

// From now on the lists are made for a service's account in the place of this process's user, and
// it is trusted: for an administrator who makes folders ready for it. sid: as text, S-1-...
void daemon_acl_admit(const wchar_t *sid);
// One account more that may do anything; DAEMON_ACL_TRUSTED_MAX of them.
#define DAEMON_ACL_TRUSTED_MAX 4
void daemon_acl_trust(const wchar_t *sid);

// The path and the attributes for CreateFileW() and CreateDirectoryW(). What is in such a folder
// has the same list. False where the path is none, and where the system does not tell who we are;
// GetLastError() says so too. Free with daemon_acl_free().
bool daemon_acl_make(const char *path, enum daemon_file_readers readers,
                     wchar_t ret_wide[DAEMON_WIDE_PATH_MAX], SECURITY_ATTRIBUTES *ret_attributes,
                     struct daemon_error *ret_why);
void daemon_acl_free(SECURITY_ATTRIBUTES *attributes);

// Gives an existing file or folder such a list, in the place of its own.
bool daemon_acl_put(const char *path, enum daemon_file_readers readers,
                    struct daemon_error *ret_why);

// What others can do with an open file or folder.
enum daemon_acl_others {
    DAEMON_ACL_NOTHING,
    DAEMON_ACL_READ,
    DAEMON_ACL_CHANGE, // it, or its list; or it belongs to somebody else
};

// CHANGE too where the list cannot be read.
enum daemon_acl_others daemon_acl_others(HANDLE handle);

#endif
