// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_ADDRESS_H
#define PNR_CONTROL_ADDRESS_H

// Where a daemon is to be found: "unix:PATH" is a Unix socket, "tcp:FILE" a rendezvous file, and a
// path alone is the first of these on Unix and the second on Windows. "tcp:HOST:PORT" is a port of
// loopback TCP that does not change from start to start; its rendezvous file has a fixed name in a
// folder that the address does not say. An address names the place for control; that for resolve
// lies beside it, with ".resolve" at its end.

#include "node/control/protocol.h"

#define CONTROL_ADDRESS_PATH_MAX 512 // bytes of a path, the NUL included
#define CONTROL_ADDRESS_UNIX_MAX 108 // of a Unix socket's: sizeof sun_path on Linux

#define CONTROL_ADDRESS_RESOLVE_SUFFIX ".resolve"
#define CONTROL_ADDRESS_FILE           "control.rendezvous" // of tcp:HOST:PORT

enum control_address_type {
    CONTROL_ADDRESS_UNIX,
    CONTROL_ADDRESS_TCP,
};

struct control_address {
    enum control_address_type type;
    uint16_t port;                       // of tcp:HOST:PORT; 0: the rendezvous file tells it
    char path[CONTROL_ADDRESS_PATH_MAX]; // "" for tcp:HOST:PORT, until its folder is known
};

// Reads text. What ends in ':' and digits after tcp: and has no slash is HOST:PORT. False where the
// path is empty or too long, where HOST is neither 127.0.0.1 nor localhost, which is the same here
// (the daemon listens nowhere else, and a client asks nowhere else), or PORT not from 1 to 65535.
bool control_address_parse(const char *text, struct control_address *ret_address);

// What address_posix.c and address_windows.c share with address.c: a place of a type, false where
// path is empty or too long; and whether a variable of the environment says anything.
bool control_address_set(struct control_address *address, enum control_address_type type,
                         const char *path);
bool control_address_is_told(const char *value);

// The type of an address without a scheme: a Unix socket's path, on Windows a rendezvous file's.
enum control_address_type control_address_bare_type(void);

// Puts the rendezvous file of a tcp:HOST:PORT into folder; leaves other addresses alone. False
// where its path would be too long.
bool control_address_put(struct control_address *address, const char *folder);

// The place for resolve that lies beside address. False where its path would be too long.
bool control_address_resolve(const struct control_address *address,
                             struct control_address *ret_address);

// What the machine says about the default, asked by the caller: environment variables, NULL or
// empty where not set, and whether a path exists.
struct control_address_places {
    const char *pnr_control; // PNR_CONTROL
    const char *runtime_dir; // XDG_RUNTIME_DIR; on Windows not looked at
    const char *data_dir;    // on Windows: ProgramData
    bool (*exists)(void *ctx, const char *path);
    void *ctx;
};

// The address where none was told. On Unix: $PNR_CONTROL; $XDG_RUNTIME_DIR/pnr/control.sock where
// it or its resolve socket exists; /run/pnr/control.sock. On Windows: %PNR_CONTROL%;
// %ProgramData%\pnr\control.rendezvous. False where $PNR_CONTROL cannot be read, or where Windows
// does not say ProgramData.
bool control_address_default(const struct control_address_places *places,
                             struct control_address *ret_address);

// The same where $PNR_CONTROL is not set.
bool control_address_standard(const struct control_address_places *places,
                              struct control_address *ret_address);

// Finds the rendezvous file of a tcp:HOST:PORT whose folder is not known, for a client: on Unix
// $XDG_RUNTIME_DIR/pnr/control.rendezvous where it or that for resolve exists, else that in
// /run/pnr; on Windows that in %ProgramData%\pnr. Leaves other addresses alone. False for the
// reasons of control_address_default().
bool control_address_find(const struct control_address_places *places,
                          struct control_address *address);

#endif
