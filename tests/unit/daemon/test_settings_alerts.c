/* SPDX-License-Identifier: MIT */
/* <alerts> in the configuration: what is accepted, and what is said of the rest. */
#include "cmocka_all.h"
#include "settings_case.h"

#include <stdio.h>

static void parse_alerts(struct berth_settings *out, const char *inside)
{
    char document[4096];
    struct berth_diagnostics list;
    struct berth_error err;

    (void)snprintf(document, sizeof document, "<berth><alerts>%s</alerts></berth>", inside);
    assert_ok(settings_case_parse(out, document, strlen(document), &list, &err), &err);
    assert_int_equal(list.count, 0);
    berth_diagnostics_fini(&list);
}

/* The one remark, on line 3, holds `part`. */
static void refuse(const char *inside, const char *part)
{
    char document[4096];
    struct berth_settings settings;
    struct berth_diagnostics list;
    struct berth_error err;

    (void)snprintf(document, sizeof document, "<berth>\n<alerts>\n%s\n</alerts></berth>", inside);
    assert_code(settings_case_parse(&settings, document, strlen(document), &list, &err),
                BERTH_MALFORMED);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].line, 3);
    if (strstr(list.items[0].text, part) == NULL) {
        fail_msg("%s\nsays: %s\nnot:  %s", inside, list.items[0].text, part);
    }
    berth_diagnostics_fini(&list);
}

static void command__arguments__are_taken_as_they_are(void **state)
{
    struct berth_settings settings;

    (void)state;
    parse_alerts(&settings, "<command path='/a'/><command path='/%ROOT%/b'><argument value='a b'/>"
                            "<argument value='%ROOT%'/><argument value=''/><argument "
                            "value='\"&#x27;\\'/></command><command path='/c' timeout='10m'/>");
    assert_int_equal(settings.alerts.command_count, 3);
    assert_int_equal(settings.alerts.commands[0].argument_count, 0);
    assert_string_equal(settings.alerts.commands[1].path, "//srv/root/b");
    assert_int_equal(settings.alerts.commands[1].argument_count, 4);
    assert_string_equal(settings.alerts.commands[1].arguments[0], "a b");
    assert_string_equal(settings.alerts.commands[1].arguments[1], "%ROOT%");
    assert_string_equal(settings.alerts.commands[1].arguments[2], "");
    assert_string_equal(settings.alerts.commands[1].arguments[3], "\"'\\");
    assert_int_equal(settings.alerts.commands[2].argument_count, 0);
    assert_int_equal(settings.alerts.commands[2].timeout_ms, 600000);
    berth_settings_fini(&settings);
}

static void command__names_that_only_look_like_batch_files__are_taken(void **state)
{
    struct berth_settings settings;

    (void)state;
    parse_alerts(&settings, "<command path='/ops.bat/run'/><command path='C:\\cmd'/>"
                            "<command path='C:\\x.cmd.exe'/><command path='/.cmdx'/>");
    assert_int_equal(settings.alerts.command_count, 4);
    berth_settings_fini(&settings);
}

static void alerts__wrong__is_named_with_what_is_accepted(void **state)
{
    static const char *const cases[][2] = {
        {"<command path='C:\\ops\\on-alert.cmd'/>",
         "<command>: path=\"C:\\ops\\on-alert.cmd\": a batch file is read by cmd.exe, which would "
         "run what names in an alert say; accepted is a program, such as powershell.exe with "
         "<argument value=\"-File\"/> and so on"},
        {"<command path='C:\\ops\\ON.BaT. '/>", "a batch file is read by cmd.exe"},
        {"<command path='/.bat'/>", "a batch file is read by cmd.exe"},
        {"<command path='on-alert.exe'/>", "\"on-alert.exe\" is not an absolute path"},
        {"<command/>", "<command>: the attribute path is missing"},
        {"<command path='/a' timeout='0s'/>",
         "<command> timeout=\"0s\": accepted is a duration from 1 s to 10 min"},
        {"<command path='/a' timeout='11m'/>", "accepted is a duration from 1 s to 10 min"},
        {"<command path='/a' arguments='-v'/>",
         "<command>: unknown attribute arguments; accepted is path, timeout"},
        {"<command path='/a'>-File</command>", "<command> holds text"},
        {"<command path='/a'><argument value='a&#10;b'/></command>",
         "<argument> value=\"a?b\": accepted is a text of up to 256 characters"},
        {"<command path='/a'><argument/></command>", "<argument>: the attribute value is missing"},
        {"<argument value='a'/>", "unknown element <argument> in <alerts>; accepted is "
                                  "<eventLog>, <syslog>, <command>, <metrics>"},
        {"<metrics path='/a' interval='2h'/>",
         "<metrics> interval=\"2h\": accepted is a duration from 1 s to 1 h"},
        {"<metrics path='berth.prom'/>", "\"berth.prom\" is not an absolute path"},
        {"<syslog facility='local0'/>", "<syslog>: unknown attribute facility; it has none"},
        {"<mail/>", "unknown element <mail> in <alerts>"},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        refuse(cases[i][0], cases[i][1]);
    }
}

static void command__too_many_arguments__are_refused(void **state)
{
    char inside[2000] = "<command path='/a'>";

    (void)state;
    for (int i = 0; i < BERTH_SETTINGS_ARGUMENTS_MAX + 1; i++) {
        (void)snprintf(inside + strlen(inside), sizeof inside - strlen(inside),
                       "<argument value='%d'/>", i);
    }
    (void)snprintf(inside + strlen(inside), sizeof inside - strlen(inside), "</command>");
    refuse(inside, "there are more than 16 <argument> elements");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command__arguments__are_taken_as_they_are),
        cmocka_unit_test(command__names_that_only_look_like_batch_files__are_taken),
        cmocka_unit_test(alerts__wrong__is_named_with_what_is_accepted),
        cmocka_unit_test(command__too_many_arguments__are_refused),
    };
    return cmocka_run_group_tests_name("daemon.settings_alerts", tests, NULL, NULL);
}
