/* SPDX-License-Identifier: MIT */
/* The listener's Unix socket as a file among others. */
#include "tests/unit/daemon/listener_case.h"

static void open__path_of_the_longest_length__and_one_more(void **state)
{
    struct listener_case *fixture = *state;
    struct berth_listener *listener;
    struct berth_error err;
    char path[200];
    size_t length = strlen(fixture->folder);

    memcpy(path, fixture->folder, length);
    path[length] = '/';
    memset(path + length + 1, 'x', sizeof path - length - 1);
    path[108] = '\0';
    assert_code(berth_listener_open(&listener, &fixture->loop, path, &nobody, never, NULL, &err),
                BERTH_TOO_LARGE);
    assert_non_null(strstr(err.detail, "107 bytes"));
    path[107] = '\0';
    assert_ok(berth_listener_open(&listener, &fixture->loop, path, &nobody, never, NULL, &err),
              &err);
    berth_listener_close(listener);
}

static void open__where_it_cannot__says_why_and_leaves_all_as_it_was(void **state)
{
    struct listener_case *fixture = *state;
    struct berth_listener *listener;
    struct berth_error err;
    char path[250];
    size_t size;

    (void)snprintf(path, sizeof path, "%s/none/b.sock", fixture->folder);
    assert_code(berth_listener_open(&listener, &fixture->loop, path, &nobody, never, NULL, &err),
                BERTH_IO);
    assert_non_null(strstr(err.detail, path));
    write_file(fixture->endpoint, "kept", 4);
    assert_code(berth_listener_open(&listener, &fixture->loop, fixture->endpoint, &nobody, never,
                                    NULL, &err),
                BERTH_IO);
    assert_non_null(strstr(err.detail, "is not a socket"));
    char *content = read_whole_file(fixture->endpoint, &size);
    assert_string_equal(content, "kept");
    free(content);
}

static void open__twice__names_the_process_that_has_it(void **state)
{
    struct listener_case *fixture = *state;
    struct berth_listener *first;
    struct berth_listener *second = NULL;
    struct berth_error err;

    assert_ok(
        berth_listener_open(&first, &fixture->loop, fixture->endpoint, &nobody, never, NULL, &err),
        &err);
    assert_code(
        berth_listener_open(&second, &fixture->loop, fixture->endpoint, &nobody, never, NULL, &err),
        BERTH_BUSY);
    assert_non_null(strstr(err.detail, "another berthd (pid "));
    berth_listener_close(first);
}

#define CASE(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, listener_case_setup, listener_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(open__path_of_the_longest_length__and_one_more),
        CASE(open__where_it_cannot__says_why_and_leaves_all_as_it_was),
        CASE(open__twice__names_the_process_that_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
