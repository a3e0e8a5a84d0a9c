// SPDX-License-Identifier: MIT
#include "node/cli/launch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Seen from the folder of this program: beside it, as in an unpacked archive, or where an
// installation puts what runs a system, which is in few users' PATH.
static const char *const places[] = {"", "../sbin/"};

int cli_launch(char *const words[])
{
    char here[4096];
    char path[4096 + 64];
    ssize_t len = readlink("/proc/self/exe", here, sizeof here - 1);
    here[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(here, '/');
    for (size_t i = 0; slash != NULL && i < sizeof places / sizeof places[0]; i++) {
        slash[1] = '\0';
        snprintf(path, sizeof path, "%s%s%.40s", here, places[i], words[0]);
        execv(path, words);
    }
    execvp(words[0], words);
    return -1;
}
