// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_TABLE_H
#define PNR_CLI_TABLE_H

// Tables on stdout, for people.

#include "node/cli/output.h"

#define CLI_TABLE_COLUMNS_MAX 10

// Rows of text, aligned. A heading that begins with '>' is of numbers, set flush right.
struct cli_table {
    const char *headings[CLI_TABLE_COLUMNS_MAX];
    size_t column_count;
    char **cells;
    size_t cell_count;
    size_t capacity;
};

// headings ends in NULL; it is borrowed.
void cli_table_init(struct cli_table *table, const char *const headings[]);
// The next cell, row by row, copied and made safe for a terminal.
void cli_table_add(struct cli_table *table, const char *text);
// Takes the last column out where all its cells are this text: it would tell nothing.
void cli_table_drop_last(struct cli_table *table, const char *text);
// Prints the table, without its heading where -q is given.
void cli_table_print(const struct cli_table *table, const struct cli_output *output);
void cli_table_free(struct cli_table *table);

// Ends a command whose answer is a table: prints it where the command did well and has rows, or
// says `none` on stderr where it has no rows; frees it. Prints nothing with --json.
void cli_table_end(struct cli_table *table, struct cli_output *output, bool did_well,
                   const char *none);

#endif
