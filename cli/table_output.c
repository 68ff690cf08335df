/* SPDX-License-Identifier: MIT */
#include "table_output.h"

#include "text_width.h"

#include <string.h>

#define TABLE_BYTES_MAX ((size_t)256 * 1024 * 1024)
#define GAP 2u       /* blanks between columns */
#define NARROWEST 8u /* no column is cut below this */

void berth_table_init(struct berth_table *table, const struct berth_table_column *columns,
                      unsigned count)
{
    *table = (struct berth_table){.columns = columns, .column_count = count};
    berth_text_init(&table->cells, TABLE_BYTES_MAX);
}

void berth_table_fini(struct berth_table *table)
{
    berth_text_fini(&table->cells);
}

void berth_table_text(struct berth_table *table, const char *text)
{
    berth_text_add_shown(&table->cells, text != NULL ? text : "");
    berth_text_add(&table->cells, "", 1);
    table->cell_count++;
}

void berth_table_number(struct berth_table *table, long long number)
{
    if (number < 0) {
        berth_text_putc(&table->cells, '-');
    } else {
        berth_text_number(&table->cells, number);
    }
    berth_text_add(&table->cells, "", 1);
    table->cell_count++;
}

static size_t row_count(const struct berth_table *table)
{
    return table->column_count != 0 ? table->cell_count / table->column_count : 0;
}

static void measure(const struct berth_table *table, unsigned *widths)
{
    const char *cell = berth_text_string(&table->cells);

    for (unsigned c = 0; c < table->column_count; c++) {
        widths[c] = berth_text_width(table->columns[c].title);
    }
    for (size_t row = 0; row < row_count(table); row++) {
        for (unsigned c = 0; c < table->column_count; c++) {
            unsigned width = berth_text_width(cell);
            widths[c] = width > widths[c] ? width : widths[c];
            cell += strlen(cell) + 1;
        }
    }
}

static unsigned floor_of(const struct berth_table_column *column)
{
    unsigned title = berth_text_width(column->title);

    return title > NARROWEST ? title : NARROWEST;
}

/* Takes one place away from the widest column that may shrink, the last of several.  @return false:
 * none may */
static bool shrink_widest(const struct berth_table *table, unsigned *widths)
{
    unsigned *widest = NULL;

    for (unsigned c = 0; c < table->column_count; c++) {
        bool may = table->columns[c].shrink && widths[c] > floor_of(&table->columns[c]);
        if (may && (widest == NULL || widths[c] >= *widest)) {
            widest = &widths[c];
        }
    }
    if (widest != NULL) {
        (*widest)--;
    }
    return widest != NULL;
}

static void fit_columns(const struct berth_table *table, unsigned *widths, unsigned indent,
                        unsigned width)
{
    unsigned long long total = indent;

    for (unsigned c = 0; c < table->column_count; c++) {
        total += widths[c] + (c != 0 ? GAP : 0u);
    }
    while (width != 0 && total > width && shrink_widest(table, widths)) {
        total--;
    }
}

static void add_blanks(struct berth_text *out, unsigned count)
{
    while (count-- > 0) {
        berth_text_putc(out, ' ');
    }
}

/* Writes a cell, cut to `width`; gives the columns that it took. */
static unsigned add_cut(struct berth_text *out, const char *cell, unsigned width)
{
    unsigned used;
    size_t bytes = berth_text_fit(cell, width, &used);

    if (cell[bytes] != '\0' && width > 0) {
        bytes = berth_text_fit(cell, width - 1, &used);
        berth_text_add(out, cell, bytes);
        berth_text_puts(out, "\xE2\x80\xA6");
        return used + 1;
    }
    berth_text_add(out, cell, bytes);
    return used;
}

/* Blanks are owed until something follows them, so that no line ends in blanks. */
static void add_cell(struct berth_text *out, const struct berth_table_column *column,
                     const char *cell, unsigned width, unsigned *owed)
{
    unsigned natural = berth_text_width(cell);
    unsigned padding = natural < width ? width - natural : 0;

    if (cell[0] == '\0') {
        *owed += width;
        return;
    }
    add_blanks(out, *owed + (column->right ? padding : 0));
    *owed = 0;
    unsigned used = add_cut(out, cell, width);
    *owed = column->right || used >= width ? 0 : width - used;
}

/* Writes a row whose cells lie one after another from `cell`; gives the place behind them. With
 * `titles` the titles are written instead. */
static const char *add_row(const struct berth_table *table, struct berth_text *out,
                           const unsigned *widths, unsigned indent, const char *cell, bool titles)
{
    unsigned owed = indent;

    for (unsigned c = 0; c < table->column_count; c++) {
        const char *text = titles ? table->columns[c].title : cell;
        owed += c != 0 ? GAP : 0u;
        add_cell(out, &table->columns[c], text, widths[c], &owed);
        cell += titles ? 0 : strlen(cell) + 1;
    }
    berth_text_putc(out, '\n');
    return cell;
}

void berth_table_write(const struct berth_table *table, struct berth_text *out, unsigned indent,
                       unsigned width)
{
    unsigned widths[BERTH_TABLE_COLUMNS_MAX];
    const char *cell = berth_text_string(&table->cells);

    if (table->cells.failed != BERTH_OK) {
        out->failed = out->failed != BERTH_OK ? out->failed : table->cells.failed;
        return;
    }
    measure(table, widths);
    fit_columns(table, widths, indent, width);
    (void)add_row(table, out, widths, indent, cell, true);
    for (size_t row = 0; row < row_count(table); row++) {
        cell = add_row(table, out, widths, indent, cell, false);
    }
}
