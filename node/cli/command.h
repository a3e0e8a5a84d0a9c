// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_COMMAND_H
#define PNR_CLI_COMMAND_H

// The commands of pnr, each an entry of one table: what it is called, what it takes, what it tells
// about itself, and the function that does it.

#include "node/cli/output.h"

struct cli_context {
    const struct cli_options *options;
    const struct cli_command *command;
    const char *const *args; // the command's arguments, without its own words
    size_t arg_count;
    struct cli_output output;
    struct pnr_client *client; // session.h; NULL until it is opened
};

// Does the command and returns the program's exit code (enum cli_exit).
typedef int (*cli_command_function)(struct cli_context *context);

struct cli_command {
    const char *name;    // one word or two: "key new"
    const char *usage;   // its arguments
    const char *summary; // one line
    const char *help;    // the rest of --help, with examples; ends in a newline
    unsigned options;    // enum cli_option, beside the global ones
    size_t args_min;
    size_t args_max;
    cli_command_function function;
};

enum cli_exit {
    CLI_EXIT_DONE = 0,
    CLI_EXIT_ERROR = 1,
    CLI_EXIT_USAGE = 2,
    CLI_EXIT_NOT_FOUND = 3,
    CLI_EXIT_TIMED_OUT = 4,
    CLI_EXIT_UNREACHABLE = 5,
    CLI_EXIT_REFUSED = 6,
};

// Finds the command whose words args begins with. NULL where there is none.
const struct cli_command *cli_command_find(const char *const args[], size_t arg_count,
                                           size_t *ret_words);

// What was probably meant by a mistyped command; NULL where nothing comes close.
const char *cli_command_guess(const char *typed);

// Whether commands begin with this word and a second: "key".
bool cli_command_is_family(const char *word);

// Prints the help of all commands, of those of one family (its first word), or of one.
void cli_command_print_help(const struct cli_output *output, const char *family);
void cli_command_print_one(const struct cli_output *output, const struct cli_command *command);

// The commands. Each stands in the file of its first word.
int cli_key_new(struct cli_context *context);
int cli_key_list(struct cli_context *context);
int cli_key_show(struct cli_context *context);
int cli_key_import(struct cli_context *context);
int cli_key_export(struct cli_context *context);
int cli_publish(struct cli_context *context);
int cli_unpublish(struct cli_context *context);
int cli_publications(struct cli_context *context);
int cli_resolve(struct cli_context *context);
int cli_watch(struct cli_context *context);
int cli_status(struct cli_context *context);
int cli_clouds(struct cli_context *context);
int cli_peers(struct cli_context *context);
int cli_ping(struct cli_context *context);
int cli_doctor(struct cli_context *context);
int cli_testnet(struct cli_context *context);

#endif
