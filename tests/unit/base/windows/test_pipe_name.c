/* SPDX-License-Identifier: MIT */
#include "base/windows/pipe_name.h"

#include "cmocka_all.h"

static void name__each_spelling__is_the_pipe(void **state)
{
    static const char *const spellings[][2] = {
        {"berth", "\\\\.\\pipe\\berth"},
        {"\\\\.\\pipe\\berth", "\\\\.\\pipe\\berth"},
        {"\\\\.\\PIPE\\Berth-2", "\\\\.\\pipe\\Berth-2"},
        {"Hafen \xC3\xBC", "\\\\.\\pipe\\Hafen \xC3\xBC"},
        {"pipe", "\\\\.\\pipe\\pipe"},
    };
    char out[BERTH_PIPE_NAME_SIZE];
    struct berth_error err;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(spellings); i++) {
        assert_ok(berth_pipe_name(out, spellings[i][0], &err), &err);
        assert_string_equal(out, spellings[i][1]);
    }
}

static void name__no_pipe_of_this_machine__is_refused_with_what_is_accepted(void **state)
{
    static const char *const wrong[] = {
        "",
        "\\\\.\\pipe\\",
        "\\\\server\\pipe\\berth",
        "\\\\.\\pipe\\a\\b",
        "\\\\?\\pipe\\berth",
        "\\\\localhost\\pipe\\berth",
        "//./pipe/berth",
        "C:\\berth",
        "/run/berth/berth.sock",
        "a/b",
        "a\nb",
        "\xFF",
    };
    char out[BERTH_PIPE_NAME_SIZE];
    struct berth_error err;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(wrong); i++) {
        assert_code(berth_pipe_name(out, wrong[i], &err), BERTH_INVALID_PARAMS);
        assert_non_null(strstr(err.detail, "\\\\.\\pipe\\berth"));
    }
}

/* 256 characters with the prefix of 9, as Windows counts them: UTF-16 units. */
static void name__longest__and_one_more(void **state)
{
    char out[BERTH_PIPE_NAME_SIZE];
    char name[4 * BERTH_PIPE_NAME_MAX] = "";
    struct berth_error err;

    (void)state;
    memset(name, 'x', 247);
    assert_ok(berth_pipe_name(out, name, &err), &err);
    assert_int_equal(strlen(out), 256);
    name[247] = 'x';
    assert_code(berth_pipe_name(out, name, &err), BERTH_INVALID_PARAMS);
    assert_non_null(strstr(err.detail, "256"));
    /* three bytes and one unit each; then one of four bytes and two units */
    memset(name, 0, sizeof name);
    for (int i = 0; i < 246; i++) {
        memcpy(name + (size_t)3 * (size_t)i, "\xE2\x82\xAC", 3);
    }
    assert_ok(berth_pipe_name(out, name, &err), &err);
    memcpy(name + strlen(name), "\xF0\x9F\x9A\xA2", 4);
    assert_code(berth_pipe_name(out, name, &err), BERTH_INVALID_PARAMS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name__each_spelling__is_the_pipe),
        cmocka_unit_test(name__no_pipe_of_this_machine__is_refused_with_what_is_accepted),
        cmocka_unit_test(name__longest__and_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
