// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_PLACE_H
#define PNR_DAEMON_PLACE_H

// One place where clients find pnrd: two Unix sockets, one for each level of access, or one port of
// loopback TCP with two rendezvous files (docs/control.md). A place knows how to come into being
// and how to leave nothing behind; node/daemon/listener.h accepts what comes in.
//
//               control                resolve
//   socket      PATH, 0660             PATH.resolve, 0666
//   rendezvous  FILE, 0640             FILE.resolve, 0644     (secrets new at each start)
//
// The system chooses the port, unless the address names one (tcp:HOST:PORT).
//
// With a group, control's file belongs to it; without one it has 0600. The folder is made, 0755,
// where it is not there (its parent has to be). A socket that a crash left behind is removed if
// nobody answers at it. Work on disk is done at the start and at the end only.

#include "node/control/address.h"
#include "node/control/rendezvous.h"
#include "node/daemon/error.h"
#include "node/daemon/file.h"

// A file of ours, by what it is, so that no other pnrd's file of that name is removed.
struct daemon_place_file {
    char path[CONTROL_ADDRESS_PATH_MAX]; // "": none
    struct daemon_file_id id;
};

struct daemon_place {
    enum control_address_type type;
    int control_fd; // listening, nonblocking
    int resolve_fd; // of a Unix socket; -1 for TCP, where control_fd serves both
    uint16_t port;  // of TCP
    uint8_t control_secret[CONTROL_SECRET_LEN]; // of TCP
    uint8_t resolve_secret[CONTROL_SECRET_LEN];
    struct daemon_place_file control_file;
    struct daemon_place_file resolve_file;
};

// Begins to listen. group: DAEMON_FILE_NO_GROUP for none. False, with nothing left behind, where
// the path is too long, somebody else's, or answered by another daemon, or the port is taken.
bool daemon_place_open(const struct control_address *address, unsigned group,
                       struct daemon_place *ret_place, struct daemon_error *ret_error);

// Stops, removes the files and wipes the secrets.
void daemon_place_close(struct daemon_place *place);

#endif
