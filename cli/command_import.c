/* SPDX-License-Identifier: MIT */
/* berth import: hands leases that `berth leases --export` printed to a daemon. */
#include "commands.h"

#include "base/native.h"
#include "field.h"
#include "text_width.h"

#include <errno.h>
#include <string.h>

/* A request may have 64 KiB (docs/protocol.md); this leaves room for what is around the leases. */
#define REQUEST_BYTES_MAX ((size_t)60 * 1024)

static enum berth_exit read_file(struct berth_cli *cli, const char *path, json_t **root)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : berth_open_file(path, "rb");
    json_error_t found = {.text = ""};

    if (file == NULL) {
        return berth_cli_fail(cli, BERTH_EXIT_FAILED, "internal", "cannot read %.200s: %s", path,
                              strerror(errno));
    }
    *root = json_loadf(file, JSON_REJECT_DUPLICATES, &found);
    if (!standard) {
        (void)fclose(file);
    }
    if (*root == NULL && found.text[0] == '\0') {
        return berth_cli_fail(cli, BERTH_EXIT_FAILED, "internal", "out of memory for %.200s", path);
    }
    if (*root == NULL) {
        return berth_cli_fail(cli, BERTH_EXIT_FAILED, "invalid_params",
                              "%.200s is not the output of 'berth leases --export': line %d: %s",
                              path, found.line, found.text);
    }
    if (berth_field_array(*root, "leases") == NULL) {
        json_decref(*root);
        return berth_cli_fail(cli, BERTH_EXIT_FAILED, "invalid_params",
                              "%.200s is not the output of 'berth leases --export': it has no "
                              "list of leases",
                              path);
    }
    return BERTH_EXIT_DONE;
}

/* Takes the next leases that fit into one request, from *at on, which moves.
 * @return the request's parameters; NULL: no memory */
static json_t *next_portion(const json_t *leases, size_t *at)
{
    json_t *portion = json_array();
    size_t bytes = 0;

    while (*at < json_array_size(leases)) {
        json_t *lease = json_array_get(leases, *at);
        bytes += json_dumpb(lease, NULL, 0, JSON_COMPACT) + 1;
        if (bytes > REQUEST_BYTES_MAX && json_array_size(portion) != 0) {
            break;
        }
        if (json_array_append(portion, lease) != 0) {
            json_decref(portion);
            return NULL;
        }
        (*at)++;
    }
    return json_pack("{s:o}", "leases", portion);
}

/* What the answers told so far. */
struct outcome {
    long long imported;
    struct berth_text skipped; /* a line for each */
};

/* "skipped port 49000 of key shop: port 49000 is leased to key blog here" */
static void add_skipped(struct berth_text *out, const json_t *entry)
{
    const char *key = berth_field_string(entry, "key");
    const char *reason = berth_field_string(entry, "reason");

    berth_text_printf(out, "skipped port %lld of key ", berth_field_number(entry, "port", 0));
    berth_text_add_shown(out, key != NULL ? key : "?");
    berth_text_puts(out, ": ");
    berth_text_add_shown(out, reason != NULL ? reason : "?");
    berth_text_putc(out, '\n');
}

static enum berth_exit take_answer(struct berth_cli *cli, const json_t *result,
                                   struct outcome *outcome)
{
    const json_t *skipped = berth_field_array(result, "skipped");
    long long imported = berth_field_number(result, "imported", -1);

    if (cli->json) {
        return berth_cli_put_json(cli, result);
    }
    if (imported < 0 || skipped == NULL) {
        return berth_cli_fail_answer(cli);
    }
    outcome->imported += imported;
    for (size_t i = 0; i < json_array_size(skipped); i++) {
        add_skipped(&outcome->skipped, json_array_get(skipped, i));
    }
    return BERTH_EXIT_DONE;
}

static void show_outcome(struct berth_cli *cli, const struct outcome *outcome, size_t count)
{
    berth_text_printf(&cli->out, "imported %lld of %zu lease%s\n", outcome->imported, count,
                      count == 1 ? "" : "s");
    berth_text_puts(&cli->out, berth_text_string(&outcome->skipped));
    if (outcome->skipped.failed != BERTH_OK) {
        cli->out.failed = outcome->skipped.failed;
    }
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    struct outcome outcome = {.imported = 0};
    json_t *root = NULL;
    json_t *result = NULL;
    size_t at = 0;
    enum berth_exit status = read_file(cli, parsed->arguments[0], &root);

    if (status != BERTH_EXIT_DONE) {
        return status;
    }
    const json_t *leases = berth_field_array(root, "leases");
    berth_text_init(&outcome.skipped, BERTH_CLI_OUTPUT_MAX);
    do {
        status = berth_cli_call(cli, "import", next_portion(leases, &at), &result);
        if (status == BERTH_EXIT_DONE) {
            status = take_answer(cli, result, &outcome);
            json_decref(result);
        }
    } while (status == BERTH_EXIT_DONE && at < json_array_size(leases));
    if (status == BERTH_EXIT_DONE && !cli->json) {
        show_outcome(cli, &outcome, at);
    }
    berth_text_fini(&outcome.skipped);
    json_decref(root);
    return status;
}

const struct berth_command berth_command_import = {
    .name = "import",
    .summary = "Hand exported leases to the daemon (administrators)",
    .synopsis = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .notes = "FILE is what 'berth leases --export' printed; - is standard input. Large files are\n"
             "handed over in several requests: after a failure, the same import may be repeated.\n"
             "What stands in a lease's way here is told as skipped, and is no failure.\n"
             "With --json each request's result stands on a line of its own.\n",
    .run = run,
};
