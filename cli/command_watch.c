/* SPDX-License-Identifier: MIT */
/* berth watch: prints what happens, one line an event, until it is stopped. */
#include "commands.h"

#include "event_text.h"
#include "params.h"

static const struct berth_option options[] = {
    {"topic", "T", "only ports, leases, conflicts, sources or pools", true},
    {"since", "R", "begin after this revision, with what was missed", false},
    {NULL, NULL, NULL, false},
};

static enum berth_exit follow(struct berth_cli *cli)
{
    struct berth_error err;

    for (;;) {
        json_t *event;
        if (berth_client_next_event(cli->client, &event, 0, &err) != BERTH_OK) {
            return berth_cli_fail_call(cli, &err);
        }
        if (cli->json) {
            (void)berth_cli_put_json(cli, event);
        } else {
            berth_event_add_line(&cli->out, event);
        }
        json_decref(event);
        if (!berth_cli_flush(cli)) {
            return BERTH_EXIT_FAILED;
        }
    }
}

static void add_topics(struct berth_params *params, const struct berth_parsed *parsed)
{
    size_t cursor = 0;
    const char *topic = berth_parsed_next(parsed, "topic", &cursor);
    json_t *topics = topic != NULL ? json_array() : NULL;

    if (topic == NULL) {
        return;
    }
    for (; topic != NULL; topic = berth_parsed_next(parsed, "topic", &cursor)) {
        json_t *name = json_string(topic);
        if (name == NULL) {
            berth_params_wrong(params, "--topic: it is not UTF-8");
        } else if (json_array_append_new(topics, name) != 0) {
            json_decref(topics);
            topics = NULL;
        }
    }
    berth_params_set(params, "topics", topics);
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    struct berth_params params;
    json_t *object;
    json_t *result;

    berth_params_init(&params, cli);
    add_topics(&params, parsed);
    berth_params_number(&params, "since", "--since", berth_parsed_value(parsed, "since"), 0,
                        INT64_MAX);
    enum berth_exit status = berth_params_take(&params, &object);
    if (status == BERTH_EXIT_DONE) {
        status = berth_cli_call(cli, "subscribe", object, &result);
    }
    if (status == BERTH_EXIT_DONE) {
        json_decref(result);
        status = follow(cli);
    }
    return status;
}

const struct berth_command berth_command_watch = {
    .name = "watch",
    .summary = "Print what happens until it is stopped",
    .synopsis = "[--topic T]... [--since R]",
    .options = options,
    .notes =
        "A line has the event's time, its revision, which is what --since takes, its type and "
        "what\n"
        "happened. With --json each event's object stands on a line of its own. An event\n"
        "events.lost says that what came after a revision is missing: list what matters anew.\n",
    .run = run,
};
