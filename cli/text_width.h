/* SPDX-License-Identifier: MIT */
/* How many columns a text takes on a terminal, and texts from outside made safe to show there. */
#ifndef BERTH_CLI_TEXT_WIDTH_H
#define BERTH_CLI_TEXT_WIDTH_H

#include "base/text.h"

#include <stddef.h>

/** Gives the columns that a UTF-8 text takes: 2 for East Asian wide characters and emoji, 0 for
 *  combining marks, 1 for the rest.  @thread any  @source Unicode UAX #11, in blocks */
unsigned berth_text_width(const char *text);

/** Gives how many bytes of `text` fit into `columns` columns, never inside a character.
 *  @param[out] used  the columns that they take  @thread any */
size_t berth_text_fit(const char *text, unsigned columns, unsigned *used);

/** Adds a text from outside: control characters (also U+0080 to U+009F and those that turn the
 *  direction of writing) and bytes that are not UTF-8 become '?', so that no name can steer a
 *  terminal.  @thread any  @source CWE-150 */
void berth_text_add_shown(struct berth_text *out, const char *text);

#endif
