// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_TERMINAL_H
#define PNR_CLI_TERMINAL_H

// What stdout (1) and stderr (2) are.

#include <stdbool.h>
#include <stddef.h>

bool cli_terminal_is(int fd);

// Whether it understands the sequences that colour text and clear a line; on Windows they are
// switched on by asking. False where it is no terminal.
bool cli_terminal_is_smart(int fd);

// Columns; 0 where it is no terminal or does not tell.
size_t cli_terminal_columns(int fd);

// First of all: has the streams leave bytes alone and puts the command line, in UTF-8, in the place
// of main()'s where the system has it better; it stays. False where there are no sockets.
bool cli_terminal_startup(int *inout_argc, char ***inout_argv);

#endif
