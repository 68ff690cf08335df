/* SPDX-License-Identifier: MIT */
#include "help.h"

#include <string.h>

#define NAME_COLUMNS 24
#define LINE_COLUMNS 90

static void add_options(struct berth_text *out, const struct berth_option *options)
{
    char left[64];

    for (; options->name != NULL; options++) {
        (void)snprintf(left, sizeof left, "--%s%s%s", options->name,
                       options->value != NULL ? " " : "",
                       options->value != NULL ? options->value : "");
        berth_text_printf(out, "  %-*s%s%s\n", NAME_COLUMNS, left, options->help,
                          options->repeatable ? " (may be repeated)" : "");
    }
}

/* Gives the length of the next piece of a synopsis: up to a blank outside brackets. */
static size_t piece_length(const char *synopsis)
{
    size_t length = 0;
    int depth = 0;

    while (synopsis[length] != '\0' && (depth > 0 || synopsis[length] != ' ')) {
        depth += synopsis[length] == '[' || synopsis[length] == '(';
        depth -= synopsis[length] == ']' || synopsis[length] == ')';
        length++;
    }
    return length;
}

/* Writes "usage: berth NAME …" in lines, broken between the pieces of the synopsis. */
static void add_usage(struct berth_text *out, const struct berth_command *command)
{
    size_t indent = strlen("usage: berth ") + strlen(command->name);
    size_t column = indent;
    const char *at = command->synopsis;

    berth_text_printf(out, "usage: berth %s", command->name);
    while (*at != '\0') {
        size_t length = piece_length(at);
        if (column + 1 + length > LINE_COLUMNS && column > indent) {
            berth_text_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        berth_text_printf(out, " %.*s", (int)length, at);
        column += 1 + length;
        at += length;
        at += *at == ' ';
    }
    berth_text_putc(out, '\n');
}

void berth_help_overview(struct berth_text *out)
{
    berth_text_puts(out, "usage: berth [--endpoint E] [--json] [--timeout S] COMMAND ...\n\n"
                         "Asks the Berth daemon for free TCP ports and for who uses which.\n\n"
                         "commands\n");
    for (size_t i = 0; berth_commands[i] != NULL; i++) {
        berth_text_printf(out, "  %-*s%s\n", NAME_COLUMNS, berth_commands[i]->name,
                          berth_commands[i]->summary);
    }
    berth_text_puts(out, "\noptions of every command\n");
    add_options(out, berth_global_options);
    berth_text_puts(out, "\n'berth help COMMAND' tells more; the manual is berth(1).\n");
}

void berth_help_command(struct berth_text *out, const struct berth_command *command)
{
    add_usage(out, command);
    berth_text_printf(out, "\n%s.\n", command->summary);
    if (command->options != NULL) {
        berth_text_puts(out, "\noptions\n");
        add_options(out, command->options);
    }
    berth_text_puts(out, "\noptions of every command\n");
    add_options(out, berth_global_options);
    if (command->notes != NULL) {
        berth_text_printf(out, "\n%s", command->notes);
    }
}
