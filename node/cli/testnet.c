// SPDX-License-Identifier: MIT
#include "node/cli/command.h"
#include "node/cli/launch.h"

#include <errno.h>
#include <string.h>

#define NODES_MAX   10000 // pnrd's own bound
#define WORDS_MAX   12
#define DAEMON_NAME "pnrd"

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
    int code = cli_launch(exec_words);
    if (code >= 0) {
        return code;
    }
    cli_output_error(&context->output, "cannot run %s: %s", DAEMON_NAME, strerror(errno));
    cli_output_hint(&context->output, "it belongs beside pnr, or into PATH");
    return CLI_EXIT_ERROR;
}
