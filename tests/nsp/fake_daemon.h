// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_NSP_FAKE_DAEMON_H
#define PNR_TESTS_NSP_FAKE_DAEMON_H

// A daemon that says what a test tells it to, in the test's own thread, at the other end of a real
// socket. It listens on loopback TCP, as on every system, and is found by a rendezvous file; what
// listens at a Unix socket is fake_unix.h's. Each call waits for its client as long as it takes;
// ctest ends one that waits in vain.

#include "node/control/handshake.h"
#include "tests/nsp/fake_system.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_daemon {
    char dir[FAKE_SYSTEM_PATH_MAX];          // a temporary folder
    char path[FAKE_SYSTEM_PATH_MAX + 8];     // in it, of the rendezvous file
    char address[FAKE_SYSTEM_PATH_MAX + 16]; // "tcp:PATH"
    enum control_access granted;             // without a proof; NONE, except at a Unix socket
    intptr_t listener;                       // -1: nobody listens
    intptr_t fd;                             // the connection, or -1
    char heard[16384];                       // the last frame's body, a NUL behind it
    size_t heard_len;
};

// Makes the folder and listens; fake_daemon_absent() makes the folder alone.
struct fake_daemon *fake_daemon_start(void);
struct fake_daemon *fake_daemon_absent(void);
void fake_daemon_stop(struct fake_daemon *daemon);

// Listens, each time at another port, and writes the rendezvous file.
void fake_daemon_listen(struct fake_daemon *daemon);
// The file alone, which says that it listens at this port.
void fake_daemon_write_rendezvous(struct fake_daemon *daemon, uint16_t port);
// Nobody listens any more, but the file or the Unix socket is still there, as after a crash.
void fake_daemon_crash(struct fake_daemon *daemon);

// Takes a connection, and greets it.
void fake_daemon_accept(struct fake_daemon *daemon);
void fake_daemon_greet(struct fake_daemon *daemon);
void fake_daemon_hang_up(struct fake_daemon *daemon);
// Waits until the client has hung up, skipping what it says until then.
void fake_daemon_expect_end(struct fake_daemon *daemon);

// Reads a frame; returns the id of the request in it.
uint32_t fake_daemon_hear(struct fake_daemon *daemon);
// The same; false where the client has hung up instead.
bool fake_daemon_hear_or_end(struct fake_daemon *daemon, uint32_t *ret_id);
// The same of a request with this word; fails the test where it is another.
uint32_t fake_daemon_expect(struct fake_daemon *daemon, const char *word);

// Answers a request: kind is "result", "progress", "done" or "error"; fields a bencoded dict.
void fake_daemon_answer(struct fake_daemon *daemon, uint32_t id, const char *kind,
                        const char *fields);
void fake_daemon_say(struct fake_daemon *daemon, const void *data, size_t len);

// The fields of a result: a publisher of 16 times `who`, a mark of 8 times `mark`, at a port.
// event: "added", "changed", "gone" of a watch; NULL of a resolve. Valid until the next call.
const char *fake_daemon_result(char who, char mark, unsigned port, const char *event);

#endif
