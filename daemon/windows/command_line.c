/* SPDX-License-Identifier: MIT */
#include "daemon/windows/command_line.h"

static void add_backslashes(struct berth_text *line, size_t count)
{
    for (; count > 0; count--) {
        berth_text_putc(line, '\\');
    }
}

void berth_command_line_add(struct berth_text *line, const char *argument)
{
    size_t backslashes = 0;

    berth_text_puts(line, line->length == 0 ? "\"" : " \"");
    for (; *argument != '\0'; argument++) {
        if (*argument == '\\') {
            backslashes++;
            continue;
        }
        add_backslashes(line, *argument == '"' ? 2 * backslashes + 1 : backslashes);
        backslashes = 0;
        berth_text_putc(line, *argument);
    }
    add_backslashes(line, 2 * backslashes);
    berth_text_putc(line, '"');
}
