// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_FILE_H
#define PNR_DAEMON_FILE_H

// Files and folders of the shell, for what the systems do differently: who may read a file, how one
// takes another's place, how a folder is listed. The keys' directory has functions of its own
// (node/daemon/key_dir.h). Paths are UTF-8 and at most DAEMON_FILE_PATH_MAX bytes with their NUL;
// both '/' and, on Windows, '\' part them.
//
// Who may read is a mode on POSIX and a protected access list on Windows, where besides the owner
// the system and the administrators have every right, as root has elsewhere.
//
// Where a function fails, ret_why is the system's reason alone ("no space left on device"): what
// was to be done with which file is for the caller to say.

#include "node/daemon/error.h"
#include "pnr/dht.h"

#include <stdio.h>

#define DAEMON_FILE_PATH_MAX 1024
#define DAEMON_FILE_NO_GROUP ((unsigned)-1)

enum daemon_file_readers {
    DAEMON_FILE_OWNER,    // 0600; a folder 0700
    DAEMON_FILE_GROUP,    // 0640
    DAEMON_FILE_EVERYONE, // 0644; a folder 0755
};

// A file by what it is, not by its name.
struct daemon_file_id {
    uint64_t volume;
    uint64_t number;
};

bool daemon_file_exists(const char *path);

// What is at path; a symbolic link is itself. False where there is nothing.
bool daemon_file_identify(const char *path, struct daemon_file_id *ret_id);

// Removes a file; that there is none is no matter.
void daemon_file_remove(const char *path);

// Makes a folder where it is not there; its parent has to be. True too where something of that name
// is there, whatever it is. Not for DAEMON_FILE_GROUP.
bool daemon_file_make_folder(const char *path, enum daemon_file_readers readers,
                             struct daemon_error *ret_why);

// Makes a new folder for temporary files, for its owner alone, and writes its path, which begins
// with that of the system's own folder for these.
bool daemon_file_make_temporary(const char *name, char *ret_path, size_t path_len,
                                struct daemon_error *ret_why);

// Removes a folder and all in it, following no link.
void daemon_file_remove_folder(const char *path);

// Makes an empty file for its owner alone, where it is not there. False too where it is a symbolic
// link or cannot be written.
bool daemon_file_make_private(const char *path, struct daemon_error *ret_why);

// Writes text to a new file beside path and moves it there, so that nobody reads half of it. group
// is of DAEMON_FILE_GROUP.
bool daemon_file_replace(const char *path, struct dht_span text, enum daemon_file_readers readers,
                         unsigned group, struct daemon_error *ret_why);

// Opens a file for reading. NULL with ret_why.
FILE *daemon_file_open(const char *path, struct daemon_error *ret_why);

// Makes a file for its owner alone and opens it for writing bytes. NULL with ret_why; also where
// there is something of that name.
FILE *daemon_file_create(const char *path, struct daemon_error *ret_why);

// Is given each name in a folder but "." and "..".
typedef void (*daemon_file_entry_fn)(void *ctx, const char *name, bool is_folder);
bool daemon_file_list(const char *path, daemon_file_entry_fn fn, void *ctx,
                      struct daemon_error *ret_why);

// What pnr doctor asks of a folder: bytes free for us, and whether we may write in it.
struct daemon_file_folder {
    uint64_t free_bytes;
    bool others_may_write;
};
bool daemon_file_look(const char *path, struct daemon_file_folder *ret_folder,
                      struct daemon_error *ret_why);

// Whether what we put into a folder stays what it is. On Windows not where others may change the
// folder or own it: anybody may make folders in %ProgramData%, before us. Always on POSIX, where
// folders of services are root's and what lies in /tmp stays its owner's. ret_why has a remedy.
bool daemon_file_keeps(const char *path, struct daemon_error *ret_why);

#endif
