/* SPDX-License-Identifier: MIT */
/* Endpoints that cannot be. */
#include "cmocka_all.h"
#include "daemon_process.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

static void expect_no_start(struct daemon_process *daemon, const char *endpoint, const char *why)
{
    const char *const arguments[] = {"--config", daemon->config, "--endpoint", endpoint, NULL};
    char *output;

    int status = daemon_run(daemon, arguments, &output);
    if (status != 1 || strstr(output, why) == NULL) {
        fail_msg("status %d: %s", status, output);
    }
    free(output);
}

static void start__endpoint_that_cannot_be__says_why(void **state)
{
    struct daemon_process *daemon = *state;
    char path[600];
    size_t size;

    daemon_configure(daemon, "");
    (void)snprintf(path, sizeof path, "%s/%0200d", daemon->folder, 1);
    expect_no_start(daemon, path, "is longer than 107 bytes");
    (void)snprintf(path, sizeof path, "%s/none/berth.sock", daemon->folder);
    expect_no_start(daemon, path, "No such file or directory");
    /* a file that is no socket is not replaced */
    (void)snprintf(path, sizeof path, "%s/file", daemon->folder);
    write_file(path, "precious", 8);
    expect_no_start(daemon, path, "is not a socket");
    char *content = read_whole_file(path, &size);
    assert_string_equal(content, "precious");
    free(content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(start__endpoint_that_cannot_be__says_why, daemon_setup,
                                        daemon_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
