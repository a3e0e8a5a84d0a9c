// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_KEY_DIR_H
#define PNR_DAEMON_KEY_DIR_H

// The directory that key files lie in, and these files as bytes, for their owner alone: modes 0700
// and 0600, on Windows an access list of the user, the system and the administrators. What others
// could get at is refused, not mended (node/daemon/key_file.h, which knows what is in the files).

#include "node/daemon/error.h"
#include "pnr/dht.h"

struct daemon_key_dir;

// Opens the directory at path (node/daemon/file.h), made for its owner alone where it is not there.
// NULL where it is none, is open to others, belongs to somebody else or cannot be made.
struct daemon_key_dir *daemon_key_dir_open(const char *path, struct daemon_error *ret_error);
void daemon_key_dir_close(struct daemon_key_dir *dir);

// As it was opened, for messages.
const char *daemon_key_dir_path(const struct daemon_key_dir *dir);

// Is given the name of each entry; false ends the walk.
typedef bool (*daemon_key_dir_fn)(void *ctx, const char *name);

// False where the directory cannot be read, with the error set, or fn said so.
bool daemon_key_dir_list(const struct daemon_key_dir *dir, daemon_key_dir_fn fn, void *ctx,
                         struct daemon_error *ret_error);

// Reads the file `name`. False where it is no plain file, open to others, somebody else's, or has
// buf_len bytes or more.
bool daemon_key_dir_read(const struct daemon_key_dir *dir, const char *name, uint8_t *buf,
                         size_t buf_len, size_t *ret_len, struct daemon_error *ret_error);

// Writes text to a new file `name`, durably: it is there in whole when this returns true, and not
// at all when it returns false. Never overwrites: DAEMON_ERROR_TAKEN.
bool daemon_key_dir_create(const struct daemon_key_dir *dir, const char *name, const char *text,
                           struct daemon_error *ret_error);

// Removes what a daemon_key_dir_create() that was cut off by a crash left behind.
void daemon_key_dir_tidy(const struct daemon_key_dir *dir);

#endif
