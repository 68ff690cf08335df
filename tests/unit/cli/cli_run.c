/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cli_run.h"

#include "cli/command.h"
#include "cmocka_all.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX 40

char *cli_out;
char *cli_err;
static char *folder;
static char out_path[400]; /* not of temp_path(): the caller may hold some of its buffers */
static char err_path[400];
static char received[256 * 1024];

int cli_run_setup(void **state)
{
    (void)state;
    folder = temp_dir_make();
    (void)snprintf(out_path, sizeof out_path, "%s/out", folder);
    (void)snprintf(err_path, sizeof err_path, "%s/err", folder);
    set_environment("BERTH_ENDPOINT", temp_endpoint(folder, "berth.sock"));
    return 0;
}

int cli_run_teardown(void **state)
{
    (void)state;
    temp_dir_remove(folder);
    free(cli_out);
    free(cli_err);
    cli_out = NULL;
    cli_err = NULL;
    set_environment("BERTH_ENDPOINT", NULL);
    return 0;
}

static int split(char *line, const char **words)
{
    int count = 0;
    char *rest = NULL;

    words[count++] = "berth";
    for (char *word = strtok_r(line, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        for (char *c = strchr(word, '_'); c != NULL; c = strchr(c, '_')) {
            *c = ' ';
        }
        assert_true(count < WORDS_MAX);
        words[count++] = word;
    }
    return count;
}

int cli_run_wide(const char *line, const struct scripted_rule *rules, size_t count, unsigned width)
{
    const char *words[WORDS_MAX];
    char *copy = strdup(line);
    size_t size;
    struct scripted_server *server = NULL;

    free(cli_out);
    free(cli_err);
    if (count != 0) {
        server = scripted_server_start(getenv("BERTH_ENDPOINT"), rules, count, 0, NULL);
        assert_non_null(server);
    }
    FILE *out = fopen(out_path, "wb");
    FILE *err = fopen(err_path, "wb");
    assert_non_null(out);
    assert_non_null(err);
    int status = berth_cli_main(split(copy, words), words, out, err, width);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(fclose(err), 0);
    cli_out = read_whole_file(out_path, &size);
    cli_err = read_whole_file(err_path, &size);
    received[0] = '\0';
    if (server != NULL) {
        (void)scripted_server_received(server, received, sizeof received);
    }
    scripted_server_stop(server);
    free(copy);
    return status;
}

int cli_run(const char *line, const struct scripted_rule *rules, size_t count)
{
    return cli_run_wide(line, rules, count, 0);
}

const char *cli_received(void)
{
    return received;
}

void expect_run(const char *line, const char *reply, int status, const char *out, const char *err)
{
    const struct scripted_rule rule = {NULL, reply, false};
    int got = cli_run(line, &rule, reply != NULL ? 1 : 0);

    assert_string_equal(cli_err, err);
    assert_string_equal(cli_out, out);
    assert_int_equal(got, status);
}
