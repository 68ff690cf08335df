/* SPDX-License-Identifier: MIT */
/* Makes each of libxml2's allocations fail in turn while a configuration is read: never is a
 * configuration accepted that differs from what the file says.
 *
 * The turns run in a child, because libxml2 (2.9.14) itself falls over at some places where it does
 * not look at an allocation's result; such turns are counted and printed. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "cmocka_all.h"
#include "settings_case.h"
#include "temp_dir.h"

#include "base/memory.h"

#include <libxml/parser.h>
#include <libxml/xmlmemory.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum outcome { OUTCOME_SAME, OUTCOME_DIFFERENT, OUTCOME_ERROR };

static size_t calls;
static size_t fail_at;

static bool is_due(void)
{
    return ++calls == fail_at;
}

static void *failing_malloc(size_t size)
{
    return is_due() ? NULL : malloc(size);
}

static void *failing_realloc(void *block, size_t size)
{
    return is_due() ? NULL : realloc(block, size);
}

static char *failing_copy(const char *text)
{
    return is_due() ? NULL : strdup(text);
}

static enum outcome parse_once(const char *bytes, size_t size, const char *expected)
{
    struct berth_settings settings;
    struct berth_diagnostics list;
    struct berth_error err;
    struct berth_text summary;

    enum berth_code code = settings_case_parse(&settings, bytes, size, &list, &err);
    berth_diagnostics_fini(&list);
    if (code != BERTH_OK) {
        return OUTCOME_ERROR;
    }
    if (expected == NULL) {
        berth_settings_fini(&settings);
        return OUTCOME_DIFFERENT; /* the file is to be refused */
    }
    berth_text_init(&summary, 65536);
    berth_settings_write_summary(&summary, &settings, &(struct berth_settings_places){.log = NULL});
    bool same = strcmp(berth_text_string(&summary), expected) == 0;
    berth_text_fini(&summary);
    berth_settings_fini(&settings);
    return same ? OUTCOME_SAME : OUTCOME_DIFFERENT;
}

/* What a child tells, in memory shared with it. */
struct progress {
    size_t turn; /* the one under way */
    size_t errors;
    size_t same;
    size_t different; /* the first turn that accepted another configuration; 0: none */
    bool done;
};

/* Runs turns until there is no allocation left to fail, or the process falls over. */
static void run_turns(struct progress *progress, const char *bytes, size_t size,
                      const char *expected)
{
    /* cmocka's handler would go on with the parent's tests */
    (void)signal(SIGSEGV, SIG_DFL);
    (void)signal(SIGABRT, SIG_DFL);
    (void)signal(SIGBUS, SIG_DFL);
    for (;; progress->turn++) {
        fail_at = progress->turn;
        calls = 0;
        enum outcome outcome = parse_once(bytes, size, expected);
        if (calls < fail_at) {
            progress->done = true;
            return;
        }
        progress->errors += outcome == OUTCOME_ERROR;
        progress->same += outcome == OUTCOME_SAME;
        if (outcome == OUTCOME_DIFFERENT && progress->different == 0) {
            progress->different = progress->turn;
        }
    }
}

/* Starts children until one comes to the end.  @return how many fell over */
static size_t run_children(struct progress *progress, const char *bytes, size_t size,
                           const char *expected)
{
    size_t fallen = 0;

    while (!progress->done) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            run_turns(progress, bytes, size, expected);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFSIGNALED(status)) {
            print_message("allocation %zu: signal %d\n", progress->turn, WTERMSIG(status));
            progress->turn++;
            fallen++;
        } else {
            assert_int_equal(WEXITSTATUS(status), 0); /* else a sanitizer's finding */
        }
    }
    return fallen;
}

static void run_all_turns(const char *file, bool valid)
{
    size_t size;
    char *bytes = read_whole_file(file, &size);
    struct berth_text expected;
    struct berth_settings settings;
    struct berth_diagnostics list;
    struct berth_error err;
    struct progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(progress != MAP_FAILED);
    *progress = (struct progress){.turn = 1};
    berth_text_init(&expected, 65536);
    if (valid) {
        assert_ok(settings_case_parse(&settings, bytes, size, &list, &err), &err);
        berth_settings_write_summary(&expected, &settings,
                                     &(struct berth_settings_places){.log = NULL});
        berth_settings_fini(&settings);
        berth_diagnostics_fini(&list);
    }
    size_t fallen =
        run_children(progress, bytes, size, valid ? berth_text_string(&expected) : NULL);
    print_message("%zu allocations: %zu errors, %zu accepted unchanged, %zu ended in libxml2\n",
                  progress->turn - 1, progress->errors, progress->same, fallen);
    if (progress->different != 0) {
        fail_msg("allocation %zu failed, and another configuration was accepted",
                 progress->different);
    }
    assert_true(progress->errors > 10);
    assert_true(fallen * 10 < progress->errors);
    berth_text_fini(&expected);
    free(bytes);
    assert_int_equal(munmap(progress, sizeof *progress), 0);
}

static void parse__libxml2_has_no_memory__accepts_nothing_else(void **state)
{
    (void)state;
    run_all_turns(TEST_DATA "/settings/valid-everything.config", true);
}

static void parse__libxml2_has_no_memory__accepts_no_bad_file(void **state)
{
    (void)state;
    run_all_turns(TEST_DATA "/settings/schema-many-errors.config", false);
    run_all_turns(TEST_DATA "/settings/broken-doctype.config", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__libxml2_has_no_memory__accepts_nothing_else),
        cmocka_unit_test(parse__libxml2_has_no_memory__accepts_no_bad_file),
    };

    /* before libxml2's first allocation */
    if (xmlMemSetup(free, failing_malloc, failing_realloc, failing_copy) != 0) {
        return 1;
    }
    xmlInitParser();
    return cmocka_run_group_tests_name("settings_xml_memory", tests, NULL, NULL);
}
