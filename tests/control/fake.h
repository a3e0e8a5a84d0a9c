// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_CONTROL_FAKE_H
#define PNR_TESTS_CONTROL_FAKE_H

// A daemon that says what a test tells it to, at the other end of a real socket, in the test's own
// thread: the client's descriptor-driven calls make that possible. A client of its own belongs to
// each. It listens on loopback TCP, as on every system; what Unix sockets are besides is
// fake_unix.h's.

#include "node/control/frame.h"
#include "node/control/handshake.h"
#include "node/control/outbuf.h"
#include "node/control/rendezvous.h"
#include "node/daemon/file.h"
#include "pnr/client.h"

struct fake {
    char dir[DAEMON_FILE_PATH_MAX];          // a temporary folder
    char path[DAEMON_FILE_PATH_MAX + 8];     // in it: of the rendezvous file, or the Unix socket
    char address[DAEMON_FILE_PATH_MAX + 16]; // for the client
    struct control_rendezvous rendezvous;    // of TCP
    int listener;
    int fd; // the connection; -1 where there is none
    struct control_outbuf out;
    struct pnr_client *client;
    uint8_t heard[CONTROL_FRAME_MAX]; // the last frame's body
    size_t heard_len;
};

// Makes a listener, a client of it, and lets them greet each other.
struct fake *fake_start(void);
// Only makes the folder and the names in it; the listener as well.
struct fake *fake_new(void);
struct fake *fake_listen(void);
void fake_stop(struct fake *fake);

// Writes what the client may find at the path, for its owner alone.
void fake_write_file(struct fake *fake, const void *data, size_t len);
void fake_write_rendezvous(struct fake *fake, const struct control_rendezvous *rendezvous);

// Accepts the client's connection.
void fake_accept(struct fake *fake);
void fake_hang_up(struct fake *fake);
void fake_stop_listening(struct fake *fake);

// Hears one frame of the handshake and answers it, as the daemon.
void fake_shake(struct fake *fake, struct control_handshake *handshake);

// Says bytes; all of a string; an answer of a kind with these fields (a bencoded dict).
void fake_say(struct fake *fake, const void *data, size_t len);
void fake_answer(struct fake *fake, uint32_t id, const char *kind, const char *fields);
void fake_welcome(struct fake *fake, const char *access);
// Says bytes where the client takes what was said before. Whether it did; what it does not take of
// them waits.
bool fake_say_if_room(struct fake *fake, const void *data, size_t len);
void fake_go_on(struct fake *fake); // says what waits and is taken now

// Lets the client send, and reads one frame of it into heard.
void fake_hear(struct fake *fake);
// The same, and the body has to be this text.
void fake_hears(struct fake *fake, const char *body);

// Lets time pass until the client has something to do.
void fake_idle(struct fake *fake);

#endif
