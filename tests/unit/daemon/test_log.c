/* SPDX-License-Identifier: MIT */
#include "daemon/log.h"

#include "base/text.h"
#include "cmocka_all.h"

#include <errno.h>
#include <stdlib.h>

static FILE *file;
static char text[8192];

static void begin(enum berth_log_level level, bool journal)
{
    file = tmpfile();
    assert_non_null(file);
    berth_log_use(file, level, journal);
}

/* What was logged since begin(). */
static const char *end(void)
{
    berth_log_use(NULL, BERTH_LOG_INFO, false);
    rewind(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    (void)fclose(file);
    return text;
}

static void log__below_the_level__is_left_out(void **state)
{
    (void)state;
    for (int level = BERTH_LOG_ERROR; level <= BERTH_LOG_DEBUG; level++) {
        begin((enum berth_log_level)level, false);
        berth_log(BERTH_LOG_ERROR, "first");
        berth_log(BERTH_LOG_WARNING, "second");
        berth_log(BERTH_LOG_INFO, "third");
        berth_log(BERTH_LOG_DEBUG, "fourth");
        const char *logged = end();
        assert_non_null(strstr(logged, "error   first\n"));
        assert_int_equal(strstr(logged, "warning second\n") != NULL, level >= BERTH_LOG_WARNING);
        assert_int_equal(strstr(logged, "info    third\n") != NULL, level >= BERTH_LOG_INFO);
        assert_int_equal(strstr(logged, "debug   fourth\n") != NULL, level >= BERTH_LOG_DEBUG);
    }
}

static void log__to_a_terminal__begins_with_the_time(void **state)
{
    (void)state;
    begin(BERTH_LOG_INFO, false);
    berth_log(BERTH_LOG_INFO, "%s %d", "text", 7);
    const char *logged = end();
    assert_int_equal(strlen(logged), strlen("2026-11-23T02:26:00.000Z info    text 7\n"));
    assert_int_equal(logged[10], 'T');
    assert_int_equal(logged[23], 'Z');
    assert_string_equal(logged + 24, " info    text 7\n");
}

static void log__to_the_journal__begins_with_the_priority(void **state)
{
    (void)state;
    begin(BERTH_LOG_DEBUG, true);
    berth_log(BERTH_LOG_ERROR, "a");
    berth_log(BERTH_LOG_WARNING, "b");
    berth_log(BERTH_LOG_INFO, "c");
    berth_log(BERTH_LOG_DEBUG, "d");
    assert_string_equal(end(), "<3>a\n<4>b\n<6>c\n<7>d\n");
}

static void log__control_characters__cannot_forge_a_line(void **state)
{
    (void)state;
    begin(BERTH_LOG_INFO, true);
    berth_log(BERTH_LOG_INFO, "site %s", "a\n<3>forged\r\x1B[2J\x7F\t\xC3\xBC");
    assert_string_equal(end(), "<6>site a?<3>forged??[2J??\xC3\xBC\n");
}

static void log__very_long__is_cut_to_one_line(void **state)
{
    char longer[5000];

    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    begin(BERTH_LOG_INFO, true);
    berth_log(BERTH_LOG_INFO, "%s", longer);
    berth_log(BERTH_LOG_INFO, "next");
    const char *logged = end();
    assert_true(strlen(logged) < 1100);
    assert_string_equal(logged + strlen(logged) - 9, "\n<6>next\n");
}

static void log__leaves_errno(void **state)
{
    (void)state;
    begin(BERTH_LOG_INFO, false);
    errno = EAGAIN;
    berth_log(BERTH_LOG_INFO, "text");
    int kept = errno;
    (void)end();
    assert_int_equal(kept, EAGAIN);
}

static void take_line(void *ctx, const char *line, size_t length)
{
    struct berth_text *out = ctx;

    berth_text_add(out, line, length);
}

static void log__into_a_sink__has_times_and_leaves_the_file_alone(void **state)
{
    struct berth_text lines;

    (void)state;
    berth_text_init(&lines, 1000);
    begin(BERTH_LOG_INFO, true);
    berth_log(BERTH_LOG_INFO, "before");
    berth_log_use_sink(take_line, &lines);
    berth_log(BERTH_LOG_WARNING, "%s", "into\nit");
    berth_log(BERTH_LOG_DEBUG, "below the level");
    berth_log_use_sink(NULL, NULL);
    berth_log(BERTH_LOG_INFO, "after");
    assert_string_equal(end(), "<6>before\n<6>after\n");
    assert_int_equal(lines.length, strlen("2026-11-23T02:26:00.000Z warning into?it\n"));
    assert_string_equal(berth_text_string(&lines) + 24, " warning into?it\n");
    berth_text_fini(&lines);
}

static void level_find__each_name(void **state)
{
    enum berth_log_level level = BERTH_LOG_DEBUG;

    (void)state;
    assert_true(berth_log_level_find("error", &level));
    assert_int_equal(level, BERTH_LOG_ERROR);
    assert_true(berth_log_level_find("warning", &level));
    assert_int_equal(level, BERTH_LOG_WARNING);
    assert_true(berth_log_level_find("info", &level));
    assert_int_equal(level, BERTH_LOG_INFO);
    assert_true(berth_log_level_find("debug", &level));
    assert_int_equal(level, BERTH_LOG_DEBUG);
    assert_false(berth_log_level_find("Debug", &level));
    assert_false(berth_log_level_find("", &level));
    assert_int_equal(level, BERTH_LOG_DEBUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log__below_the_level__is_left_out),
        cmocka_unit_test(log__to_a_terminal__begins_with_the_time),
        cmocka_unit_test(log__to_the_journal__begins_with_the_priority),
        cmocka_unit_test(log__control_characters__cannot_forge_a_line),
        cmocka_unit_test(log__very_long__is_cut_to_one_line),
        cmocka_unit_test(log__leaves_errno),
        cmocka_unit_test(log__into_a_sink__has_times_and_leaves_the_file_alone),
        cmocka_unit_test(level_find__each_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
