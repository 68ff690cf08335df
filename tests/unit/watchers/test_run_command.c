/* SPDX-License-Identifier: MIT */
/* Runs itself, as a program that prints, fails, prints without end, or never ends. */
#include "cmocka_all.h"
#include "watchers/run_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define FOREVER_MS 600000u

static char self[4096];

static enum berth_code run(struct berth_text *out, const char *act, const char *word,
                           uint64_t timeout_ms, struct berth_error *err)
{
    const char *const arguments[] = {self, act, word, NULL};

    return berth_run_command(out, arguments, timeout_ms, err);
}

static void run__prints_and_ends__gives_what_it_printed(void **state)
{
    struct berth_text out;
    struct berth_error err;

    (void)state;
    berth_text_init(&out, 1000);
    assert_ok(run(&out, "print", "two words \"quoted\" and a\\", FOREVER_MS, &err), &err);
    assert_string_equal(berth_text_string(&out), "two words \"quoted\" and a\\");
    berth_text_fini(&out);
}

static void run__much_output__is_whole(void **state)
{
    struct berth_text out;
    struct berth_error err;

    (void)state;
    berth_text_init(&out, 2000000);
    assert_ok(run(&out, "flood", "1000000", FOREVER_MS, &err), &err);
    assert_int_equal(out.length, 1000000);
    berth_text_fini(&out);
}

static void run__too_much_output__is_ended(void **state)
{
    struct berth_text out;
    struct berth_error err;

    (void)state;
    berth_text_init(&out, 100000);
    assert_code(run(&out, "flood", "0", FOREVER_MS, &err), BERTH_TOO_LARGE);
    berth_text_fini(&out);
}

static void run__that_fails__tells_its_status(void **state)
{
    struct berth_text out;
    struct berth_error err;

    (void)state;
    berth_text_init(&out, 1000);
    assert_code(run(&out, "fail", NULL, FOREVER_MS, &err), BERTH_IO);
    assert_non_null(strstr(err.detail, "status 3"));
    berth_text_fini(&out);
}

static void run__that_never_ends__is_ended(void **state)
{
    struct berth_text out;
    struct berth_error err;

    (void)state;
    berth_text_init(&out, 1000);
    assert_code(run(&out, "hang", NULL, 100, &err), BERTH_IO);
    assert_int_equal(err.os_code, UV_ETIMEDOUT);
    berth_text_fini(&out);
}

static void run__no_such_program__is_not_found(void **state)
{
    const char *const arguments[] = {"/no/such/program", NULL};
    struct berth_text out;
    struct berth_error err;

    (void)state;
    berth_text_init(&out, 1000);
    assert_code(berth_run_command(&out, arguments, FOREVER_MS, &err), BERTH_NOT_FOUND);
    berth_text_fini(&out);
}

/* ---- the program that is run ---- */

static int act(const char *what, const char *word)
{
    if (strcmp(what, "print") == 0) {
        (void)fputs(word, stdout);
        (void)fputs("not to be seen", stderr);
        return 0;
    }
    if (strcmp(what, "flood") == 0) {
        unsigned long rest = strtoul(word, NULL, 10);
        for (unsigned long i = 0; rest == 0 || i < rest; i++) {
            if (putchar('x') == EOF) {
                return 0;
            }
        }
        return 0;
    }
    while (strcmp(what, "hang") == 0) {
        uv_sleep(1000);
    }
    return 3;
}

int main(int count, char **arguments)
{
    size_t size = sizeof self;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__prints_and_ends__gives_what_it_printed),
        cmocka_unit_test(run__much_output__is_whole),
        cmocka_unit_test(run__too_much_output__is_ended),
        cmocka_unit_test(run__that_fails__tells_its_status),
        cmocka_unit_test(run__that_never_ends__is_ended),
        cmocka_unit_test(run__no_such_program__is_not_found),
    };

    if (count > 1) {
        return act(arguments[1], count > 2 ? arguments[2] : "");
    }
    if (uv_exepath(self, &size) != 0) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
