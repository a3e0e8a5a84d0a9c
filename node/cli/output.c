// SPDX-License-Identifier: MIT
#include "node/cli/output.h"

#include "node/cli/terminal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define STDOUT        1
#define STDERR        2
#define WIDTH_UNKNOWN 80 // columns of a terminal that does not say

static const char *const sequences[] = {
    [CLI_STYLE_PLAIN] = "\033[0m", [CLI_STYLE_BOLD] = "\033[1m",  [CLI_STYLE_DIM] = "\033[2m",
    [CLI_STYLE_GOOD] = "\033[32m", [CLI_STYLE_WARN] = "\033[33m", [CLI_STYLE_BAD] = "\033[31m",
};

void *cli_output_alloc(size_t size)
{
    void *memory = malloc(size);
    if (memory == NULL) {
        fputs("pnr: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

// ---- terminals ----

static bool wants_color(enum cli_color color, int fd)
{
    const char *no_color = getenv("NO_COLOR");
    if (color != CLI_COLOR_AUTO) {
        return color == CLI_COLOR_ALWAYS;
    }
    return cli_terminal_is_smart(fd) && (no_color == NULL || no_color[0] == '\0');
}

static size_t terminal_width(int fd)
{
    uint32_t columns;
    const char *told = getenv("COLUMNS");
    if (!cli_terminal_is(fd)) {
        return 0;
    }
    if (cli_terminal_columns(fd) > 0) {
        return cli_terminal_columns(fd);
    }
    bool is_told = told != NULL && cli_text_parse_number(told, 20, 1000, &columns);
    return is_told ? columns : WIDTH_UNKNOWN;
}

void cli_output_init(struct cli_output *output, const struct cli_options *options)
{
    *output = (struct cli_output){
        .json = options->json,
        .out_color = wants_color(options->color, STDOUT),
        .err_color = wants_color(options->color, STDERR),
        .out_is_terminal = cli_terminal_is(STDOUT),
        .shows_progress = cli_terminal_is_smart(STDERR) && options->verbosity >= 0,
        .verbosity = options->verbosity,
        .width = terminal_width(STDOUT),
    };
}

const char *cli_output_style(const struct cli_output *output, enum cli_style style)
{
    return output->out_color ? sequences[style] : "";
}

// ---- talk ----

void cli_output_error(struct cli_output *output, const char *format, ...)
{
    char text[PNR_TEXT_MAX + 512];
    char shown[PNR_TEXT_MAX + 512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cli_output_progress_end(output);
    fflush(stdout);
    fprintf(stderr, "%spnr:%s %s\n", output->err_color ? sequences[CLI_STYLE_BAD] : "",
            output->err_color ? sequences[CLI_STYLE_PLAIN] : "",
            cli_text_printable(text, strlen(text), shown, sizeof shown));
}

static void print_dim(const struct cli_output *output, const char *indent, const char *text)
{
    char shown[PNR_TEXT_MAX + 512];
    if (output->verbosity >= 0) {
        fprintf(stderr, "%s%s%s%s\n", output->err_color ? sequences[CLI_STYLE_DIM] : "", indent,
                cli_text_printable(text, strlen(text), shown, sizeof shown),
                output->err_color ? sequences[CLI_STYLE_PLAIN] : "");
    }
}

void cli_output_note(struct cli_output *output, const char *format, ...)
{
    char text[PNR_TEXT_MAX + 512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cli_output_progress_end(output);
    fflush(stdout);
    print_dim(output, "", text);
}

void cli_output_hint(struct cli_output *output, const char *format, ...)
{
    char text[PNR_TEXT_MAX + 512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    print_dim(output, "     ", text);
}

void cli_output_progress(struct cli_output *output, const char *text)
{
    char shown[256];
    size_t width = terminal_width(STDERR);
    if (!output->shows_progress) {
        return;
    }
    // A line that wraps could not be drawn over, so it stays below the width; one byte a column at
    // least makes the cut safe.
    size_t room = width > 8 && width < sizeof shown ? width : sizeof shown;
    cli_text_printable(text, strlen(text), shown, room);
    fprintf(stderr, "\r\033[K%s%s%s", output->err_color ? sequences[CLI_STYLE_DIM] : "", shown,
            output->err_color ? sequences[CLI_STYLE_PLAIN] : "");
    fflush(stderr);
    output->line_stands = true;
}

void cli_output_progress_end(struct cli_output *output)
{
    if (output->line_stands) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        output->line_stands = false;
    }
}

bool cli_output_finish(struct cli_output *output)
{
    cli_output_progress_end(output);
    errno = 0;
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return true;
    }
    cli_output_error(output, "cannot write the output: %s",
                     errno != 0 ? strerror(errno) : "an earlier write failed");
    return false;
}
