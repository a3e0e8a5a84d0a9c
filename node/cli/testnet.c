// SPDX-License-Identifier: MIT
#include "node/cli/command.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define NODES_MAX   10000 // pnrd's own bound
#define WORDS_MAX   12
#define PLACE_MAX   16 // bytes of one of the places, with its NUL
#define DAEMON_NAME "pnrd"

// Where pnrd lies, seen from the folder of this program: beside it, as in an unpacked archive, or
// where an installation puts what runs a system, which is in few users' PATH.
static const char *const places[] = {"pnrd", "../sbin/pnrd"};

// Runs pnrd from one of these. Returns only where there is none.
static void run_near(char *const words[])
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - PLACE_MAX);
    if (len <= 0) {
        return;
    }
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    for (size_t i = 0; slash != NULL && i < sizeof places / sizeof places[0]; i++) {
        memcpy(slash + 1, places[i], strlen(places[i]) + 1);
        execv(path, words);
    }
}

static void add_option(const char *words[WORDS_MAX], size_t *count, const char *name,
                       const char *value)
{
    if (value != NULL) {
        words[(*count)++] = name;
        words[(*count)++] = value;
    }
}

int cli_testnet(struct cli_context *context)
{
    const struct cli_options *options = context->options;
    const char *words[WORDS_MAX] = {DAEMON_NAME};
    size_t count = 1;
    uint32_t nodes;
    if (!cli_text_parse_number(context->args[0], 1, NODES_MAX, &nodes)) {
        cli_output_error(&context->output, "expected a number of nodes from 1 to %d", NODES_MAX);
        return CLI_EXIT_USAGE;
    }
    add_option(words, &count, "--testnet", context->args[0]);
    add_option(words, &count, "--listen", options->listen);
    add_option(words, &count, "--port", options->port);
    add_option(words, &count, "--control", options->control);
    char *exec_words[WORDS_MAX];
    memcpy(exec_words, words, sizeof exec_words);
    run_near(exec_words);
    execvp(DAEMON_NAME, exec_words);
    cli_output_error(&context->output, "cannot run %s: %s", DAEMON_NAME, strerror(errno));
    cli_output_hint(&context->output, "it belongs beside pnr, or into PATH");
    return CLI_EXIT_ERROR;
}
