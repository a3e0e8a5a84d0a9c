// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_OUTPUT_H
#define PNR_CLI_OUTPUT_H

// Where pnr's words go: data on stdout, talk on stderr; colour and a progress line on a terminal
// only. Tables are in table.h, JSON in json.h.

#include "node/cli/options.h"

#include <stdio.h>

enum cli_style {
    CLI_STYLE_PLAIN, // back to it
    CLI_STYLE_BOLD,
    CLI_STYLE_DIM,
    CLI_STYLE_GOOD,
    CLI_STYLE_WARN,
    CLI_STYLE_BAD,
};

struct cli_output {
    bool json;
    bool out_color;
    bool err_color;
    bool out_is_terminal;
    bool shows_progress;
    bool line_stands; // a progress line is on the terminal
    int verbosity;
    size_t width; // columns of the terminal on stdout; 0: there is none
};

// Decides on colour and progress. environment: NO_COLOR (no-color.org), TERM and COLUMNS.
void cli_output_init(struct cli_output *output, const struct cli_options *options);

// The escape sequence of a style on stdout; "" without colour.
const char *cli_output_style(const struct cli_output *output, enum cli_style style);

// "pnr: ..." on stderr, on a line of its own. Ends the progress line.
void cli_output_error(struct cli_output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// A sentence on stderr that is no trouble. Not with -q.
void cli_output_note(struct cli_output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// A line under an error that says what to do. Not with -q.
void cli_output_hint(struct cli_output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Draws the progress line again, on a terminal. It is cut to the terminal's width.
void cli_output_progress(struct cli_output *output, const char *text);
void cli_output_progress_end(struct cli_output *output);

// Whether everything went out to stdout; says so on stderr where not.
bool cli_output_finish(struct cli_output *output);

// Memory, or the end of the program with code 1: nothing here can go on without.
void *cli_output_alloc(size_t size);

#endif
