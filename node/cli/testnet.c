// SPDX-License-Identifier: MIT
#include "node/cli/command.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define NODES_MAX   100000
#define WORDS_MAX   12
#define DAEMON_NAME "pnrd"

// Runs pnrd where it lies beside this program, as in a build tree or an unpacked archive. Returns
// only where there is none.
static void run_beside(char *const words[])
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - sizeof DAEMON_NAME);
    if (len <= 0) {
        return;
    }
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        memcpy(slash + 1, DAEMON_NAME, sizeof DAEMON_NAME);
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
    run_beside(exec_words);
    execvp(DAEMON_NAME, exec_words);
    cli_output_error(&context->output, "cannot run %s: %s", DAEMON_NAME, strerror(errno));
    cli_output_hint(&context->output, "it belongs beside pnr, or into PATH");
    return CLI_EXIT_ERROR;
}
