// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_COMMANDS_H
#define PNR_DAEMON_COMMANDS_H

// The commands that a testnet reads from stdin (node/daemon/testnet.h), one a line: a verb and
// numbers of nodes. A line of more than DAEMON_COMMANDS_LINE_MAX bytes, or one that is no command,
// is answered `error ...` on stdout.

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#define DAEMON_COMMANDS_LINE_MAX  65536
#define DAEMON_COMMANDS_NODES_MAX 16384

enum daemon_command_type {
    DAEMON_COMMAND_STOP,
    DAEMON_COMMAND_START,
};

struct daemon_command {
    enum daemon_command_type type;
    const uint32_t *nodes;
    size_t count;
};

typedef void (*daemon_command_fn)(void *ctx, const struct daemon_command *command);

struct daemon_commands;

// Begins to read fd. NULL where fd is a file or closed, so that nobody can give commands there, or
// where memory is short.
struct daemon_commands *daemon_commands_new(struct event_base *base, int fd, daemon_command_fn fn,
                                            void *ctx);
void daemon_commands_free(struct daemon_commands *commands);

#endif
