/* SPDX-License-Identifier: MIT */
/* berth import: hands leases that `berth leases --export` printed to a daemon. */
#include "commands.h"

#include "base/native.h"
#include "field.h"

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

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    json_t *root = NULL;
    json_t *result = NULL;
    size_t at = 0;
    enum berth_exit status = read_file(cli, parsed->arguments[0], &root);

    if (status != BERTH_EXIT_DONE) {
        return status;
    }
    const json_t *leases = berth_field_array(root, "leases");
    do {
        status = berth_cli_call(cli, "import", next_portion(leases, &at), &result);
        if (status == BERTH_EXIT_DONE) {
            status = cli->json ? berth_cli_put_json(cli, result) : BERTH_EXIT_DONE;
            json_decref(result);
        }
    } while (status == BERTH_EXIT_DONE && at < json_array_size(leases));
    if (status == BERTH_EXIT_DONE && !cli->json) {
        berth_text_printf(&cli->out, "imported %zu lease%s\n", at, at == 1 ? "" : "s");
    }
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
             "With --json each request's result stands on a line of its own.\n",
    .run = run,
};
