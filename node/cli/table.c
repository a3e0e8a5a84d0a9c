// SPDX-License-Identifier: MIT
#include "node/cli/table.h"

#include <stdlib.h>
#include <string.h>

#define COLUMN_GAP 2

void cli_table_init(struct cli_table *table, const char *const headings[])
{
    memset(table, 0, sizeof *table);
    while (table->column_count < CLI_TABLE_COLUMNS_MAX && headings[table->column_count] != NULL) {
        table->headings[table->column_count] = headings[table->column_count];
        table->column_count++;
    }
}

void cli_table_add(struct cli_table *table, const char *text)
{
    if (table->cell_count == table->capacity) {
        size_t capacity = table->capacity == 0 ? 64 : 2 * table->capacity;
        char **cells = cli_output_alloc(capacity * sizeof *cells);
        if (table->cell_count > 0) {
            memcpy(cells, table->cells, table->cell_count * sizeof *cells);
        }
        free(table->cells);
        table->cells = cells;
        table->capacity = capacity;
    }
    size_t room = 4 * strlen(text) + 8;
    char *cell = cli_output_alloc(room);
    cli_text_printable(text, strlen(text), cell, room);
    table->cells[table->cell_count++] = cell;
}

void cli_table_drop_last(struct cli_table *table, const char *text)
{
    size_t columns = table->column_count;
    size_t kept = 0;
    for (size_t i = columns - 1; i < table->cell_count; i += columns) {
        if (strcmp(table->cells[i], text) != 0) {
            return;
        }
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        if (i % columns == columns - 1) {
            free(table->cells[i]);
        } else {
            table->cells[kept++] = table->cells[i];
        }
    }
    table->cell_count = kept;
    table->column_count--;
}

static bool is_number_column(const struct cli_table *table, size_t column)
{
    return table->headings[column][0] == '>';
}

static const char *heading(const struct cli_table *table, size_t column)
{
    return table->headings[column] + is_number_column(table, column);
}

static void measure(const struct cli_table *table, size_t ret_widths[CLI_TABLE_COLUMNS_MAX])
{
    for (size_t column = 0; column < table->column_count; column++) {
        ret_widths[column] = cli_text_columns(heading(table, column));
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t columns = cli_text_columns(table->cells[i]);
        size_t column = i % table->column_count;
        ret_widths[column] = columns > ret_widths[column] ? columns : ret_widths[column];
    }
}

static void print_cell(const struct cli_table *table, size_t column, size_t width, const char *text)
{
    int pad = (int)(width - cli_text_columns(text));
    bool is_last = column + 1 == table->column_count;
    if (is_number_column(table, column)) {
        printf("%*s%s", pad, "", text);
    } else {
        printf("%s%*s", text, is_last ? 0 : pad, "");
    }
    printf("%*s", is_last ? 0 : COLUMN_GAP, "");
}

void cli_table_print(const struct cli_table *table, const struct cli_output *output)
{
    size_t widths[CLI_TABLE_COLUMNS_MAX] = {0};
    measure(table, widths);
    if (output->verbosity >= 0) {
        printf("%s", cli_output_style(output, CLI_STYLE_BOLD));
        for (size_t column = 0; column < table->column_count; column++) {
            print_cell(table, column, widths[column], heading(table, column));
        }
        printf("%s\n", cli_output_style(output, CLI_STYLE_PLAIN));
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % table->column_count;
        print_cell(table, column, widths[column], table->cells[i]);
        if (column + 1 == table->column_count) {
            putchar('\n');
        }
    }
}

void cli_table_free(struct cli_table *table)
{
    for (size_t i = 0; i < table->cell_count; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    memset(table, 0, sizeof *table);
}

void cli_table_end(struct cli_table *table, struct cli_output *output, bool did_well,
                   const char *none)
{
    if (did_well && !output->json) {
        if (table->cell_count > 0) {
            cli_table_print(table, output);
        } else {
            cli_output_note(output, "%s", none);
        }
    }
    cli_table_free(table);
}
