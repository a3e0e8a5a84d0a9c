// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_STREAM_H
#define PNR_DAEMON_STREAM_H

// The sockets of clients and those that clients connect to: loopback TCP, and Unix sockets where
// the system has them. Nothing here waits. Sockets are int on every system (node/daemon/wake.h).

#include "node/daemon/error.h"
#include "node/daemon/file.h"

#include <stddef.h>

// Listens at a port of 127.0.0.1; 0: one that the system chooses. Returns the socket, or -1.
int daemon_stream_listen_tcp(uint16_t port, uint16_t *ret_port, struct daemon_error *ret_error);

// How long the path of a Unix socket may be; 0 where the system has none.
size_t daemon_stream_unix_max(void);

// Listens at a Unix socket whose file has mode 0600, 0660 (group: whose) or 0666 from the moment on
// at which anybody can connect. A socket that a crash left behind is removed if nobody answers at
// it. Writes what the file is once it is there, even where -1 is returned; the caller removes it.
int daemon_stream_listen_unix(const char *path, enum daemon_file_readers who, unsigned group,
                              struct daemon_file_id *ret_id, struct daemon_error *ret_error);

enum daemon_stream_accepted {
    DAEMON_STREAM_ACCEPTED,
    DAEMON_STREAM_NOBODY,    // that waits
    DAEMON_STREAM_EXHAUSTED, // somebody does, and the process or system has no descriptor for it
    DAEMON_STREAM_LOST,      // somebody did, and went
};

// Takes one client. ret_why is written for EXHAUSTED.
enum daemon_stream_accepted daemon_stream_accept(int listening, int *ret_stream,
                                                 struct daemon_error *ret_why);

// Bytes received, 0 where none wait, -1 where the client is gone or the socket broken.
ptrdiff_t daemon_stream_receive(int stream, void *buf, size_t buf_len);

// Sends what a new socket's buffer takes, which a greeting always fits.
void daemon_stream_send(int stream, const void *data, size_t len);

// Asked at once after evbuffer_write() failed: whether it is to be tried again once the socket can
// be written.
bool daemon_stream_would_wait(void);

// Says that nothing more will be sent.
void daemon_stream_end(int stream);

// Closes a socket of either kind; -1 is none.
void daemon_stream_close(int stream);

#endif
