/* SPDX-License-Identifier: MIT */
/* berth reload: lets the daemon read its configuration again. */
#include "commands.h"

#include "field.h"
#include "text_width.h"

static enum berth_exit show(struct berth_cli *cli, const json_t *result)
{
    const json_t *warnings = berth_field_array(result, "warnings");

    berth_text_puts(&cli->out, "the configuration was read again\n");
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        const char *warning = json_string_value(json_array_get(warnings, i));
        berth_text_puts(&cli->out, "warning: ");
        berth_text_add_shown(&cli->out, warning != NULL ? warning : "?");
        berth_text_putc(&cli->out, '\n');
    }
    return BERTH_EXIT_DONE;
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    (void)parsed;
    return berth_cli_ask(cli, "reload", json_object(), show);
}

const struct berth_command berth_command_reload = {
    .name = "reload",
    .summary = "Let the daemon read its configuration again",
    .synopsis = "",
    .run = run,
};
