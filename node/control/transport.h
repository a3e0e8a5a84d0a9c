// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_TRANSPORT_H
#define PNR_CONTROL_TRANSPORT_H

// What libpnr needs of the operating system, and all of it: sockets, a clock, random bytes, a small
// file. transport_posix.c and transport_windows.c each carry it out; nothing else of node/control
// knows on what it runs. Nothing here waits except control_transport_poll(), and nothing raises a
// signal.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_TRANSPORT_NONE  ((intptr_t)-1) // no socket
#define CONTROL_TRANSPORT_READ  1u
#define CONTROL_TRANSPORT_WRITE 2u

enum control_transport_state {
    CONTROL_TRANSPORT_DONE,
    CONTROL_TRANSPORT_PENDING, // under way; wait until the socket can be written
    CONTROL_TRANSPORT_BUSY,    // the listener's queue is full; try again a little later
    CONTROL_TRANSPORT_DENIED,  // not permitted
    CONTROL_TRANSPORT_ABSENT,  // no such file, or nobody listens
    CONTROL_TRANSPORT_FAILED,  // anything else
};

// Begins to connect to a Unix socket, or to a port of 127.0.0.1. ret_socket is written where the
// state is DONE or PENDING. On Windows there are no Unix sockets: ABSENT.
enum control_transport_state control_transport_connect_unix(const char *path, intptr_t *ret_socket);
enum control_transport_state control_transport_connect_tcp(uint16_t port, intptr_t *ret_socket);

// How a pending connection stands.
enum control_transport_state control_transport_connected(intptr_t socket);

void control_transport_close(intptr_t socket);

// Bytes received or sent, 0 where the socket would have to wait, -1 where it is closed or broken.
ptrdiff_t control_transport_receive(intptr_t socket, void *buf, size_t buf_len);
ptrdiff_t control_transport_send(intptr_t socket, const void *data, size_t len);

// Waits until the socket can be read or written, as wanted, but at most timeout_ms; -1: for ever.
// May return early. socket may be CONTROL_TRANSPORT_NONE.
void control_transport_poll(intptr_t socket, unsigned wants, int timeout_ms);

int64_t control_transport_now_us(void);               // monotonic
bool control_transport_random(void *buf, size_t len); // unguessable bytes

// Reads a file that is at most buf_len bytes long. A file that is longer, or not a regular one:
// FAILED. ret_mode: its permission bits; 0 on Windows, where the folder's access list decides.
enum control_transport_state control_transport_read_file(const char *path, void *buf,
                                                         size_t buf_len, size_t *ret_len,
                                                         unsigned *ret_mode);

// Whether a path exists; ctx is not looked at.
bool control_transport_exists(void *ctx, const char *path);

// Copies an environment variable. False where it is not set or does not fit.
bool control_transport_environment(const char *name, char *buf, size_t buf_len);

#endif
