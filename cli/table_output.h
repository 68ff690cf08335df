/* SPDX-License-Identifier: MIT */
/* Writes tables for people: aligned with blanks, cut to the terminal's width. */
#ifndef BERTH_CLI_TABLE_OUTPUT_H
#define BERTH_CLI_TABLE_OUTPUT_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct berth_table_column {
    const char *title;
    bool right;  /* aligned to the right: numbers */
    bool shrink; /* may be cut where the terminal is too narrow; ends then in "…" */
};

#define BERTH_TABLE_COLUMNS_MAX 10u

/** A table that is filled cell by cell, row by row. Running out of memory sticks. */
struct berth_table {
    const struct berth_table_column *columns;
    unsigned column_count;
    struct berth_text cells; /* one after another, each with a NUL */
    size_t cell_count;
};

/** Makes an empty table; `columns` (at most BERTH_TABLE_COLUMNS_MAX) must outlive it. */
void berth_table_init(struct berth_table *table, const struct berth_table_column *columns,
                      unsigned count);

/** Gives the memory back. */
void berth_table_fini(struct berth_table *table);

/** Adds the next cell. The text may come from outside: it is made safe to show. NULL is "". */
void berth_table_text(struct berth_table *table, const char *text);

/** Adds a number as the next cell; a negative one is shown as "-": not known. */
void berth_table_number(struct berth_table *table, long long number);

/** Writes titles and rows, each row with `indent` blanks before it and none at its end.
 *  @param[in] width  the terminal's columns; 0: nothing is cut
 *  A failure of the table becomes one of `out`. */
void berth_table_write(const struct berth_table *table, struct berth_text *out, unsigned indent,
                       unsigned width);

#endif
