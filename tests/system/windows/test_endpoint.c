/* SPDX-License-Identifier: MIT */
/* Endpoints that cannot be. */
#include "cmocka_all.h"
#include "daemon_process.h"

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
    static const char *const wrong[] = {
        "\\\\server\\pipe\\berth",
        "C:/berth",
        "\\\\.\\pipe\\a\\b",
    };
    struct daemon_process *daemon = *state;

    daemon_configure(daemon, "");
    for (size_t i = 0; i < BERTH_COUNT(wrong); i++) {
        expect_no_start(daemon, wrong[i], "it is no pipe of this machine; accepted is a name");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(start__endpoint_that_cannot_be__says_why, daemon_setup,
                                        daemon_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
