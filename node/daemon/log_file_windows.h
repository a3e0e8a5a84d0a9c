// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_LOG_FILE_WINDOWS_H
#define PNR_DAEMON_LOG_FILE_WINDOWS_H

// A log in a file, for a service of Windows, which has no stream to write to. Bounds: a line that
// would make the file longer than bytes_max begins a new one; the full one becomes PATH.1, that
// PATH.2, and PATH.3 is no more. Whoever may read the folder may read it.

#include "node/daemon/error.h"
#include "pnr/dht.h"

#define DAEMON_LOG_FILE_KEPT 3 // PATH.1 to PATH.3

struct daemon_log_file;

// Goes on at the end of what is there. NULL where it cannot be opened: the error says why.
struct daemon_log_file *daemon_log_file_open(const char *path, uint64_t bytes_max,
                                             struct daemon_error *ret_error);
// Any thread. What the disk does not take is lost, and counted.
void daemon_log_file_write(struct daemon_log_file *file, struct dht_span line);
// What this process writes to stderr goes to the end of the file as well, as it is now: the words
// of an assertion that fails. Once, in a process that has no stderr of its own.
void daemon_log_file_take_stderr(struct daemon_log_file *file);
uint64_t daemon_log_file_lost(struct daemon_log_file *file);
void daemon_log_file_close(struct daemon_log_file *file);

// Removes a log that nobody writes, with those that were full.
void daemon_log_file_remove(const char *path);

#endif
