// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_ADDRESS_H
#define PNR_CONTROL_ADDRESS_H

// Where a daemon is to be found: "unix:PATH" is a Unix socket, "tcp:FILE" a rendezvous file, and a
// path alone is the first of these on Unix and the second on Windows. An address names the place
// for control; that for resolve lies beside it, with ".resolve" at its end.

#include "node/control/protocol.h"

#define CONTROL_ADDRESS_PATH_MAX 512 // bytes of a path, the NUL included
#define CONTROL_ADDRESS_UNIX_MAX 108 // of a Unix socket's: sizeof sun_path on Linux

#define CONTROL_ADDRESS_RESOLVE_SUFFIX ".resolve"

enum control_address_type {
    CONTROL_ADDRESS_UNIX,
    CONTROL_ADDRESS_TCP,
};

struct control_address {
    enum control_address_type type;
    char path[CONTROL_ADDRESS_PATH_MAX];
};

// Reads text. False where the path is empty or too long.
bool control_address_parse(const char *text, struct control_address *ret_address);

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

#endif
