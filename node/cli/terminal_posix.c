// SPDX-License-Identifier: MIT
#include "node/cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool cli_terminal_is(int fd)
{
    return isatty(fd) == 1;
}

bool cli_terminal_is_smart(int fd)
{
    const char *term = getenv("TERM");
    return cli_terminal_is(fd) && (term == NULL || strcmp(term, "dumb") != 0);
}

size_t cli_terminal_columns(int fd)
{
    struct winsize size;
    return cli_terminal_is(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool cli_terminal_startup(int *inout_argc, char ***inout_argv)
{
    (void)inout_argc;
    (void)inout_argv;
    return true;
}
