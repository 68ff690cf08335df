/* SPDX-License-Identifier: MIT */
/* The table of events: what Windows's message file, the documentation and the text on Linux make
 * of it. */
#include "daemon/system_log.h"

#include "cmocka_all.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const severity_names[] = {"Informational", "Warning", "Error"};

static char *source_file(const char *name)
{
    char path[1000];
    size_t size;

    (void)snprintf(path, sizeof path, "%s/%s", TEST_SOURCE_ROOT, name);
    return read_whole_file(path, &size);
}

static void table__ids__are_ascending_and_strings_are_those_of_the_text(void **state)
{
    unsigned before = 0;

    (void)state;
    for (int event = 0; event < BERTH_NOTICE_COUNT; event++) {
        const struct berth_notice_info *info = berth_notice_info((enum berth_notice)event);
        unsigned used = 0;
        assert_true(info->id > before && info->id < 0x10000);
        before = info->id;
        assert_true(info->strings <= BERTH_NOTICE_STRINGS_MAX);
        assert_true(strlen(info->text) < 128);
        for (const char *at = strchr(info->text, '%'); at != NULL; at = strchr(at + 1, '%')) {
            assert_true(at[1] >= '1' && (unsigned)(at[1] - '0') <= info->strings);
            used |= 1U << (at[1] - '1');
        }
        assert_int_equal(used, (1U << info->strings) - 1);
    }
}

/* Event Viewer shows the text of the message file, everybody else that of the table. */
static void table__message_file__says_the_same(void **state)
{
    char *file = source_file("daemon/windows/messages.mc");
    char expected[400];
    int messages = 0;

    (void)state;
    for (int event = 0; event < BERTH_NOTICE_COUNT; event++) {
        const struct berth_notice_info *info = berth_notice_info((enum berth_notice)event);
        (void)snprintf(expected, sizeof expected,
                       "MessageId=%u\nSeverity=%s\nFacility=Berth\nSymbolicName=BERTH_MESSAGE_%s\n"
                       "Language=English\n%s\n.\n",
                       info->id, severity_names[info->severity], info->name, info->text);
        if (strstr(file, expected) == NULL) {
            fail_msg("messages.mc has not:\n%s", expected);
        }
    }
    for (const char *at = strstr(file, "MessageId="); at != NULL;
         at = strstr(at + 1, "MessageId=")) {
        messages++;
    }
    assert_int_equal(messages, BERTH_NOTICE_COUNT);
    free(file);
}

static void table__documentation__has_a_row_for_each(void **state)
{
    char *page = source_file("docs/windows.md");
    char expected[64];

    (void)state;
    for (int event = 0; event < BERTH_NOTICE_COUNT; event++) {
        const struct berth_notice_info *info = berth_notice_info((enum berth_notice)event);
        (void)snprintf(expected, sizeof expected, "\n| %u | %s |", info->id,
                       info->severity == BERTH_NOTICE_SEVERITY_INFO      ? "information"
                       : info->severity == BERTH_NOTICE_SEVERITY_WARNING ? "warning"
                                                                         : "error");
        if (strstr(page, expected) == NULL) {
            fail_msg("docs/windows.md has no row %s", expected);
        }
    }
    free(page);
}

static void text__puts_each_string_in_its_place(void **state)
{
    const char *strings[] = {"c-1", "8080", "two sites: \"A\"\nand \x1B[2J"};
    char text[BERTH_NOTICE_TEXT_SIZE];

    (void)state;
    assert_string_equal(berth_notice_text(text, BERTH_NOTICE_CONFLICT_ERROR, strings),
                        "Conflict c-1 on port 8080: two sites: \"A\"?and ?[2J");
}

static void string__too_long__is_cut_between_characters(void **state)
{
    static char longer[3 * BERTH_NOTICE_STRING_SIZE];
    char out[BERTH_NOTICE_STRING_SIZE];

    (void)state;
    for (size_t i = 0; i + 3 < sizeof longer; i += 3) {
        memcpy(longer + i, "\xE2\x82\xAC", 3); /* the euro sign: 2047 is no multiple of 3 */
    }
    assert_ptr_equal(berth_notice_string(out, longer), out);
    assert_int_equal(strlen(out), 2046);
    assert_memory_equal(out, longer, 2046);
    assert_string_equal(berth_notice_string(out, "\xFF\xE2\x82"), "???");
}

static void text__all_strings_at_their_longest__fits(void **state)
{
    static char longest[BERTH_NOTICE_STRING_SIZE];
    const char *strings[BERTH_NOTICE_STRINGS_MAX] = {longest, longest, longest};
    char text[BERTH_NOTICE_TEXT_SIZE];

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    for (int event = 0; event < BERTH_NOTICE_COUNT; event++) {
        (void)berth_notice_text(text, (enum berth_notice)event, strings);
        assert_true(strlen(text) >= strlen(longest));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__ids__are_ascending_and_strings_are_those_of_the_text),
        cmocka_unit_test(table__message_file__says_the_same),
        cmocka_unit_test(table__documentation__has_a_row_for_each),
        cmocka_unit_test(text__puts_each_string_in_its_place),
        cmocka_unit_test(string__too_long__is_cut_between_characters),
        cmocka_unit_test(text__all_strings_at_their_longest__fits),
    };
    return cmocka_run_group_tests_name("daemon.system_log", tests, NULL, NULL);
}
