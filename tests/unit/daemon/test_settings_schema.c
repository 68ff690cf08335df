/* SPDX-License-Identifier: MIT */
/* Holds berthd.xsd against the fixtures with xmllint: what an editor says is what the daemon says,
 * as far as a schema can say it. Skipped where xmllint is missing. */
#define _POSIX_C_SOURCE 200809L
#include "cmocka_all.h"

#include "daemon/settings.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define SCHEMA TEST_SOURCE_ROOT "/config/berthd.xsd"

static bool xmllint_accepts(const char *path)
{
    char command[1500];

    (void)snprintf(command, sizeof command,
                   "xmllint --noout --nonet --schema '%s' '%s' >/dev/null 2>&1", SCHEMA, path);
    int status = system(command); /* names of the source tree only */
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == 0;
}

static bool daemon_accepts(const char *path)
{
    struct berth_settings settings;
    struct berth_diagnostics list;
    struct berth_error err;

    berth_diagnostics_init(&list);
    bool accepted = berth_settings_load(&settings, path, &list, &err) == BERTH_OK;
    if (accepted) {
        berth_settings_fini(&settings);
    }
    berth_diagnostics_fini(&list);
    return accepted;
}

/* valid-: both accept it; schema-: both refuse it; meaning-: the daemon alone refuses it;
 * broken-: not well-formed, or with a document type, which xmllint has nothing against. */
static void schema__each_fixture__is_judged_alike(void **state)
{
    DIR *folder = opendir(TEST_DATA "/settings");
    struct dirent *entry;
    int files = 0;

    (void)state;
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        char path[1000];
        const char *name = entry->d_name;
        if (name[0] == '.') {
            continue;
        }
        (void)snprintf(path, sizeof path, TEST_DATA "/settings/%s", name);
        print_message("%s\n", name);
        assert_int_equal(daemon_accepts(path), strncmp(name, "valid-", 6) == 0);
        if (strncmp(name, "broken-", 7) != 0) {
            assert_int_equal(xmllint_accepts(path), strncmp(name, "schema-", 7) != 0);
        }
        files++;
    }
    (void)closedir(folder);
    assert_true(files >= 10);
}

static void schema__sample__is_accepted(void **state)
{
    (void)state;
    assert_true(xmllint_accepts(TEST_SOURCE_ROOT "/config/berthd.config"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema__each_fixture__is_judged_alike),
        cmocka_unit_test(schema__sample__is_accepted),
    };

    if (system("xmllint --version >/dev/null 2>&1") != 0) {
        (void)printf("xmllint is missing\n");
        return 77;
    }
    return cmocka_run_group_tests_name("settings_schema", tests, NULL, NULL);
}
