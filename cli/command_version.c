/* SPDX-License-Identifier: MIT */
/* berth version: tells the program's version and the daemon's. */
#include "commands.h"

#include "base/version.h"
#include "field.h"
#include "text_width.h"

static const char *or_unknown(const char *text)
{
    return text != NULL ? text : "?";
}

static enum berth_exit show(struct berth_cli *cli, const json_t *hello)
{
    berth_text_puts(&cli->out, "berthd ");
    berth_text_add_shown(&cli->out, or_unknown(berth_field_string(hello, "version")));
    berth_text_puts(&cli->out, " on ");
    berth_text_add_shown(&cli->out, or_unknown(berth_field_string(hello, "host")));
    berth_text_puts(&cli->out, " (");
    berth_text_add_shown(&cli->out, or_unknown(berth_field_string(hello, "platform")));
    berth_text_printf(&cli->out, "), protocol %lld, instance ",
                      berth_field_number(hello, "protocol", -1));
    berth_text_add_shown(&cli->out, or_unknown(berth_field_string(hello, "instance")));
    berth_text_putc(&cli->out, '\n');
    return BERTH_EXIT_DONE;
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    json_t *hello;
    enum berth_exit status;

    (void)parsed;
    if (!cli->json) {
        berth_text_puts(&cli->out, "berth " BERTH_VERSION "\n");
        return berth_cli_ask(cli, "hello", json_object(), show);
    }
    status = berth_cli_call(cli, "hello", json_object(), &hello);
    if (status == BERTH_EXIT_DONE) {
        json_t *both = json_pack("{s:s, s:o}", "client", BERTH_VERSION, "daemon", hello);
        if (both == NULL) {
            return berth_cli_fail(cli, BERTH_EXIT_FAILED, "internal", "out of memory");
        }
        status = berth_cli_put_json(cli, both);
        json_decref(both);
    }
    return status;
}

const struct berth_command berth_command_version = {
    .name = "version",
    .summary = "Print the versions of this program and of the daemon",
    .synopsis = "",
    .run = run,
};
