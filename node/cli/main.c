// SPDX-License-Identifier: MIT
#include "node/cli/session.h"
#include "node/cli/terminal.h"

#include <string.h>

static int fail_usage(struct cli_context *context, const char *text)
{
    const char *name = context->command != NULL ? context->command->name : "";
    cli_output_error(&context->output, "%s", text);
    cli_output_hint(&context->output, "'pnr %s%s--help' tells more", name,
                    name[0] != '\0' ? " " : "");
    return CLI_EXIT_USAGE;
}

static int fail_command(struct cli_context *context, const char *const args[])
{
    char text[256];
    char shown[80];
    // A family's word alone, or with a second that it doesn't have.
    if (cli_command_is_family(args[0])) {
        snprintf(text, sizeof text, "'%s' takes one of its commands: see 'pnr %s --help'", args[0],
                 args[0]);
        cli_output_error(&context->output, "%s", text);
        return CLI_EXIT_USAGE;
    }
    const char *guess = cli_command_guess(args[0]);
    snprintf(text, sizeof text, "there is no command '%s'%s%s%s",
             cli_text_printable(args[0], strlen(args[0]), shown, sizeof shown),
             guess != NULL ? "; did you mean '" : "", guess != NULL ? guess : "",
             guess != NULL ? "'?" : "");
    return fail_usage(context, text);
}

// Checks that the command takes what stands there. Returns an exit code.
static int check_command(struct cli_context *context)
{
    const struct cli_command *command = context->command;
    unsigned foreign = context->options->used & ~(CLI_OPTIONS_GLOBAL | command->options);
    char text[256];
    if (foreign != 0) {
        snprintf(text, sizeof text, "'%s' takes no %s", command->name, cli_options_name(foreign));
        return fail_usage(context, text);
    }
    bool is_empty = false;
    for (size_t i = 0; i < context->arg_count; i++) {
        is_empty = is_empty || context->args[i][0] == '\0';
    }
    if (context->arg_count < command->args_min || is_empty) {
        snprintf(text, sizeof text, "expected: pnr %s %s", command->name, command->usage);
        return fail_usage(context, text);
    }
    if (context->arg_count > command->args_max) {
        char shown[80];
        const char *arg = context->args[command->args_max];
        snprintf(text, sizeof text, "'%s' takes no further argument: %s", command->name,
                 cli_text_printable(arg, strlen(arg), shown, sizeof shown));
        return fail_usage(context, text);
    }
    return CLI_EXIT_DONE;
}

static int run_command(struct cli_context *context)
{
    const struct cli_options *options = context->options;
    const char *const *args = options->args;
    size_t arg_count = options->arg_count;
    bool wants_help = (options->used & CLI_OPTION_HELP) != 0;
    // "pnr help publish" is "pnr publish --help".
    if (arg_count > 0 && strcmp(args[0], "help") == 0) {
        wants_help = true;
        args++;
        arg_count--;
    }
    size_t words = 0;
    context->command = cli_command_find(args, arg_count, &words);
    if (arg_count == 0 ||
        (context->command == NULL && wants_help && cli_command_is_family(args[0]))) {
        cli_command_print_help(&context->output, arg_count > 0 ? args[0] : NULL);
        return CLI_EXIT_DONE;
    }
    if (context->command == NULL) {
        return fail_command(context, args);
    }
    if (wants_help) {
        cli_command_print_one(&context->output, context->command);
        return CLI_EXIT_DONE;
    }
    context->args = args + words;
    context->arg_count = arg_count - words;
    int code = check_command(context);
    return code != CLI_EXIT_DONE ? code : context->command->function(context);
}

int main(int argc, char *argv[])
{
    struct cli_options options;
    struct cli_context context = {.options = &options};
    if (!cli_terminal_startup(&argc, &argv)) {
        fputs("pnr: the system has no sockets\n", stderr);
        return CLI_EXIT_ERROR;
    }
    char why[CLI_OPTIONS_WHY_MAX];
    bool good = cli_options_parse(argc, argv, &options, why);
    cli_output_init(&context.output, &options);
    int code;
    if (!good) {
        size_t words;
        context.command = cli_command_find(options.args, options.arg_count, &words);
        code = fail_usage(&context, why);
    } else if ((options.used & CLI_OPTION_VERSION) != 0) {
        printf("pnr %s\n", PNR_VERSION);
        code = CLI_EXIT_DONE;
    } else if (options.arg_count == 0 && (options.used & CLI_OPTION_HELP) == 0) {
        code = fail_usage(&context, "which command?");
    } else {
        code = run_command(&context);
    }
    if (!cli_output_finish(&context.output) && code == CLI_EXIT_DONE) {
        code = CLI_EXIT_ERROR;
    }
    cli_session_close(&context);
    return code;
}
