/* SPDX-License-Identifier: MIT */
/* The table of commands is whole, and the help, the manual and the completion say what it says. */
#include "cmocka_all.h"

#include "cli/commands.h"
#include "cli/help.h"
#include "temp_dir.h"

#include <stdlib.h>

static void commands__synopsis__names_every_option(void **state)
{
    char words[100];

    (void)state;
    for (size_t i = 0; berth_commands[i] != NULL; i++) {
        const struct berth_command *command = berth_commands[i];
        for (const struct berth_option *o = command->options; o != NULL && o->name != NULL; o++) {
            (void)snprintf(words, sizeof words, "--%s%s%s", o->name, o->value != NULL ? " " : "",
                           o->value != NULL && strcmp(o->value, "F") != 0 ? o->value : "");
            if (strstr(command->synopsis, words) == NULL) {
                fail_msg("%s: the synopsis lacks %s", command->name, words);
            }
        }
    }
}

static void commands__names__are_unlike_and_found(void **state)
{
    (void)state;
    for (size_t i = 0; berth_commands[i] != NULL; i++) {
        assert_ptr_equal(berth_command_find(berth_commands[i]->name), berth_commands[i]);
        assert_non_null(berth_commands[i]->run);
        assert_true(berth_commands[i]->arguments_min <= berth_commands[i]->arguments_max);
    }
    assert_null(berth_command_find("allocat"));
    assert_null(berth_command_find(""));
}

static void help__every_command__fits_100_columns(void **state)
{
    struct berth_text out;

    (void)state;
    for (size_t i = 0; berth_commands[i] != NULL; i++) {
        berth_text_init(&out, 100000);
        berth_help_command(&out, berth_commands[i]);
        assert_int_equal(out.failed, BERTH_OK);
        for (const char *line = berth_text_string(&out); *line != '\0';
             line += strcspn(line, "\n") + 1) {
            assert_true(strcspn(line, "\n") <= 100);
        }
        berth_text_fini(&out);
    }
}

static void help__release__is_as_the_table_says(void **state)
{
    static const char expected[] =
        "usage: berth release (--lease L | --key K [--generation G] | --port N)\n"
        "\n"
        "Give back a port.\n"
        "\n"
        "options\n"
        "  --lease L               the lease of this id\n";
    struct berth_text out;

    (void)state;
    berth_text_init(&out, 100000);
    berth_help_command(&out, berth_command_find("release"));
    assert_int_equal(strncmp(berth_text_string(&out), expected, sizeof expected - 1), 0);
    berth_text_fini(&out);
}

/* Both are written by hand: whatever the table has must stand in them. */
static void expect_in_file(const char *path)
{
    size_t size;
    char *text = read_whole_file(path, &size);

    for (size_t i = 0; berth_commands[i] != NULL; i++) {
        if (strstr(text, berth_commands[i]->name) == NULL) {
            fail_msg("%s lacks the command %s", path, berth_commands[i]->name);
        }
        for (const struct berth_option *o = berth_commands[i]->options;
             o != NULL && o->name != NULL; o++) {
            if (strstr(text, o->name) == NULL) {
                fail_msg("%s lacks --%s of %s", path, o->name, berth_commands[i]->name);
            }
        }
    }
    free(text);
}

static void manual__every_command_and_option__is_described(void **state)
{
    (void)state;
    expect_in_file(TEST_SOURCE_ROOT "/docs/man/berth.1");
}

static void completion__every_command_and_option__is_offered(void **state)
{
    (void)state;
    expect_in_file(TEST_SOURCE_ROOT "/completions/berth.bash");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands__synopsis__names_every_option),
        cmocka_unit_test(commands__names__are_unlike_and_found),
        cmocka_unit_test(help__every_command__fits_100_columns),
        cmocka_unit_test(help__release__is_as_the_table_says),
        cmocka_unit_test(manual__every_command_and_option__is_described),
        cmocka_unit_test(completion__every_command_and_option__is_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
