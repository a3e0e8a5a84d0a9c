// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_RECORD_FILE_H
#define PNR_DAEMON_RECORD_FILE_H

// The file of a recording (node/recording/format.h), written by a thread of its own: the loop never
// waits for the disk. Entries are put into one buffer while the other is written out. Where the
// disk is so slow that an entry does not fit, or fails, the recording ends there with one line in
// the log, and the node goes on without it. Where a bug ends the process (an assert, a bad access),
// what was put is written first, with a handler for such signals that are nobody else's.
//
// Bounds: two buffers of DAEMON_RECORD_FILE_BUFFER bytes, touched as they fill.

#include "node/daemon/error.h"
#include "node/recording/entry.h"

#define DAEMON_RECORD_FILE_BUFFER ((size_t)4 << 20)

struct daemon_record_file;

// Makes the file, with mode 0600. buffer_bytes 0: DAEMON_RECORD_FILE_BUFFER. NULL where there is a
// file already, or it cannot be made, or there is no memory or thread. Opened and closed by one
// thread.
struct daemon_record_file *daemon_record_file_open(const char *path, size_t buffer_bytes,
                                                   struct daemon_error *ret_error);
// Ends the recording in order, and waits until it is written. NULL is let pass.
void daemon_record_file_close(struct daemon_record_file *file);

// Puts one entry.
void daemon_record_file_put(struct daemon_record_file *file, const struct recording_entry *entry);

// Ends the recording now, unless it has ended; why stands in the log.
void daemon_record_file_give_up(struct daemon_record_file *file, const char *why);

#endif
