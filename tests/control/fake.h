// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_CONTROL_FAKE_H
#define PNR_TESTS_CONTROL_FAKE_H

// A daemon that says what a test tells it to, at the other end of a real socket, in the test's own
// thread: the client's descriptor-driven calls make that possible. A client of its own belongs to
// each.

#include "node/control/frame.h"
#include "pnr/client.h"

struct fake {
    char dir[32];  // a temporary folder
    char path[64]; // of the listener's Unix socket, in it
    int listener;
    int fd; // the connection; -1 where there is none
    struct pnr_client *client;
    uint8_t heard[CONTROL_FRAME_MAX]; // the last frame's body
    size_t heard_len;
};

// Makes a listener, a client of it, and lets them greet each other.
struct fake *fake_start(void);
// Only makes the folder, the listener (backlog as told; -1: none) and the path.
struct fake *fake_listen(int backlog);
void fake_stop(struct fake *fake);

// Accepts the client's connection, and makes small socket buffers of it.
void fake_accept(struct fake *fake);
void fake_hang_up(struct fake *fake);

// Says bytes; all of a string; an answer of a kind with these fields (a bencoded dict).
void fake_say(struct fake *fake, const void *data, size_t len);
void fake_answer(struct fake *fake, uint32_t id, const char *kind, const char *fields);
void fake_welcome(struct fake *fake, const char *access);

// Lets the client send, and reads one frame of it into heard.
void fake_hear(struct fake *fake);
// The same, and the body has to be this text.
void fake_hears(struct fake *fake, const char *body);

#endif
