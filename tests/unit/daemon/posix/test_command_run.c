/* SPDX-License-Identifier: MIT */
/* Programs that are run: small scripts that behave and misbehave. */
#include "daemon/command_run.h"

#include "base/memory.h"
#include "base/text.h"
#include "cmocka_all.h"
#include "memory_faults.h"
#include "temp_dir.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONG_MS 60000 /* a time limit that is not meant to be reached */

static char *folder;
static uv_loop_t loop;
static struct berth_text lines;
static struct berth_command_outcome outcome;
static int ends;

static int set_up(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    folder = temp_dir_make();
    berth_text_init(&lines, 1 << 20);
    outcome = (struct berth_command_outcome){.status = -1};
    ends = 0;
    return uv_loop_init(&loop);
}

static int tear_down(void **state)
{
    (void)state;
    berth_text_fini(&lines);
    temp_dir_remove(folder);
    return uv_loop_close(&loop);
}

static char *script(const char *body)
{
    static char path[600];
    char text[2000];
    int length = snprintf(text, sizeof text, "#!/bin/sh\n%s\n", body);

    (void)snprintf(path, sizeof path, "%s/script", folder);
    write_file(path, text, (size_t)length);
    assert_int_equal(chmod(path, 0755), 0);
    return path;
}

static void on_line(void *ctx, const char *line)
{
    (void)ctx;
    berth_text_puts(&lines, line);
    berth_text_putc(&lines, '\n');
}

static void on_ended(void *ctx, const struct berth_command_outcome *result)
{
    (void)ctx;
    ends++;
    outcome = *result;
}

/* A block of NUL-ended strings, for the run to give back. */
static char *environment(void)
{
    static const char variables[] = "PATH=/usr/bin:/bin\0BERTH_EVENT_TYPE=a type\0";
    char *block = berth_alloc(sizeof variables, 1);

    if (block != NULL) {
        memcpy(block, variables, sizeof variables);
    }
    return block;
}

static enum berth_code start(char *path, const char *input, uint64_t timeout_ms,
                             struct berth_command_run **out, struct berth_error *err)
{
    struct berth_command_options options = {
        .path = path,
        .environment = environment(),
        .input = berth_copy(input),
        .timeout_ms = timeout_ms,
        .line = on_line,
        .ended = on_ended,
    };
    enum berth_code code = options.environment == NULL || options.input == NULL
                               ? berth_fail_memory(err, "the test")
                               : berth_command_start(out, &loop, &options, err);

    if (code != BERTH_OK) {
        berth_free(options.environment);
        berth_free(options.input);
    }
    return code;
}

static void run(char *path, const char *input, uint64_t timeout_ms)
{
    struct berth_command_run *command = NULL;
    struct berth_error err;

    assert_ok(start(path, input, timeout_ms, &command, &err), &err);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(ends, 1);
}

static void run__reads_its_input_and_environment__and_ends_well(void **state)
{
    (void)state;
    run(script("cat; echo \"[$BERTH_EVENT_TYPE]\" >&2; env | grep -c ^HOME="), "{\"a\":1}\n",
        LONG_MS);
    assert_int_equal(outcome.status, 1); /* grep found none: the environment is the given one */
    assert_false(outcome.timed_out);
    assert_non_null(strstr(berth_text_string(&lines), "{\"a\":1}\n"));
    assert_non_null(strstr(berth_text_string(&lines), "[a type]\n"));
}

static void run__no_shell__the_path_is_taken_as_it_is(void **state)
{
    char path[700];
    char body[] = "#!/bin/sh\necho plain\n";

    (void)state;
    (void)snprintf(path, sizeof path, "%s/a b; $(touch x) '", folder);
    write_file(path, body, strlen(body));
    assert_int_equal(chmod(path, 0755), 0);
    run(path, "", LONG_MS);
    assert_int_equal(outcome.status, 0);
    assert_string_equal(berth_text_string(&lines), "plain\n");
}

static void run__does_not_read_its_input__is_no_error(void **state)
{
    size_t size = 1 << 20;
    char *input = malloc(size + 1);

    (void)state;
    assert_non_null(input);
    memset(input, 'x', size);
    input[size] = '\0';
    run(script("exec 0<&-; exit 0"), input, LONG_MS);
    assert_int_equal(outcome.status, 0);
    free(input);
}

static void run__exit_status_and_signal__are_told(void **state)
{
    (void)state;
    run(script("exit 42"), "", LONG_MS);
    assert_int_equal(outcome.status, 42);
    ends = 0;
    run(script("kill -TERM $$"), "", LONG_MS);
    assert_int_equal(outcome.signal, SIGTERM);
}

static void run__never_ends__is_ended_with_what_it_started(void **state)
{
    size_t size;

    (void)state;
    char *path = script("sleep 1000 & echo $! > \"$0.pid\"; wait");
    run(path, "", 3000);
    assert_true(outcome.timed_out);
    assert_int_equal(outcome.signal, SIGKILL);
    /* its child was in its group: it is gone too, or nobody's zombie that init takes */
    char *pid = read_whole_file(temp_path(folder, "script.pid"), &size);
    char stat_path[64];
    (void)snprintf(stat_path, sizeof stat_path, "/proc/%ld/stat", strtol(pid, NULL, 10));
    free(pid);
    for (int tries = 0; access(stat_path, F_OK) == 0; tries++) {
        char *stat = read_whole_file(stat_path, &size);
        bool zombie = strstr(stat, ") Z ") != NULL;
        free(stat);
        if (zombie) {
            break;
        }
        assert_true(tries < 2000);
        (void)usleep(10000);
    }
}

static void run__leaves_a_child_that_holds_its_output__is_over_all_the_same(void **state)
{
    size_t size;

    (void)state;
    run(script("sleep 1000 & echo $! > \"$0.pid\"; echo said"), "", LONG_MS);
    assert_int_equal(outcome.status, 0);
    assert_string_equal(berth_text_string(&lines), "said\n");
    char *pid = read_whole_file(temp_path(folder, "script.pid"), &size);
    (void)kill((pid_t)strtol(pid, NULL, 10), SIGKILL);
    free(pid);
}

static void run__floods__lines_have_a_ceiling(void **state)
{
    size_t count = 0;

    (void)state;
    run(script("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done"), "", LONG_MS);
    for (const char *at = berth_text_string(&lines); (at = strchr(at, '\n')) != NULL; at++) {
        count++;
    }
    assert_int_equal(count, BERTH_COMMAND_LINES_MAX);
    assert_int_equal(outcome.lines_left_out, 5000 - BERTH_COMMAND_LINES_MAX);
}

static void run__one_endless_line__is_cut(void **state)
{
    (void)state;
    run(script("head -c 100000 /dev/zero | tr '\\0' x; printf '\\nlast'"), "", LONG_MS);
    assert_int_equal(strlen(berth_text_string(&lines)), BERTH_COMMAND_LINE_MAX + 1 + 5);
    assert_non_null(strstr(berth_text_string(&lines), "x\nlast\n"));
}

/* The daemon may have been started without standard streams. */
static void run__without_standard_streams__all_is_where_it_belongs(void **state)
{
    int kept[3];
    struct berth_command_run *command = NULL;
    struct berth_error err;

    (void)state;
    run(script("exit 0"), "", LONG_MS); /* libuv keeps a file of its own from here on */
    ends = 0;
    char *path = script("cat; echo error >&2");
    for (int i = 0; i < 3; i++) {
        kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
        (void)close(i);
    }
    enum berth_code code = start(path, "input\n", LONG_MS, &command, &err);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 3; i++) {
        (void)dup2(kept[i], i);
        (void)close(kept[i]);
    }
    assert_int_equal(code, BERTH_OK);
    assert_int_equal(outcome.status, 0);
    assert_non_null(strstr(berth_text_string(&lines), "input\n"));
    assert_non_null(strstr(berth_text_string(&lines), "error\n"));
}

/* The daemon ignores SIGPIPE, and its thread may hold signals back: a program gets none of that. */
static void run__signals__are_as_a_program_expects_them(void **state)
{
    (void)state;
    /* glibc ignores 32 and 33, its own, in what it spawns */
    run(script("grep -E '^Sig(Blk|Ign):' /proc/self/status | grep -vE '[08]0000000$'; "
               "ps -o sid= -p $$ | grep -qw $$ && echo leads"),
        "", LONG_MS);
    assert_string_equal(berth_text_string(&lines), "leads\n");
}

static void end__while_it_runs__is_over_soon(void **state)
{
    struct berth_command_run *command = NULL;
    struct berth_error err;

    (void)state;
    assert_ok(start(script("sleep 1000"), "", LONG_MS, &command, &err), &err);
    berth_command_end(command);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(ends, 1);
    assert_int_equal(outcome.signal, SIGKILL);
    assert_false(outcome.timed_out);
}

static void start__no_such_program__says_so(void **state)
{
    struct berth_command_run *command = NULL;
    struct berth_error err;
    char path[] = "/nowhere/program";

    (void)state;
    assert_code(start(path, "", LONG_MS, &command, &err), BERTH_IO);
    assert_string_equal(err.detail,
                        "/nowhere/program cannot be started: no such file or directory");
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(ends, 0);
}

static void start__not_executable__says_so(void **state)
{
    struct berth_command_run *command = NULL;
    struct berth_error err;
    char *path = script("exit 0");

    (void)state;
    assert_int_equal(chmod(path, 0644), 0);
    assert_code(start(path, "", LONG_MS, &command, &err), BERTH_IO);
    assert_non_null(strstr(err.detail, "permission denied"));
    (void)uv_run(&loop, UV_RUN_DEFAULT);
}

static void start__no_memory__is_an_error(void **state)
{
    char *path = script("exit 0");
    bool failed = true;

    (void)state;
    for (size_t at = 1; failed; at++) {
        struct berth_command_run *command = NULL;
        struct berth_error err;
        size_t live;
        ends = 0;
        memory_faults_begin(at, false);
        enum berth_code code = start(path, "x", LONG_MS, &command, &err);
        (void)uv_run(&loop, UV_RUN_DEFAULT);
        failed = memory_faults_end(&live);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
        assert_int_equal(ends, failed ? 0 : 1);
        assert_int_equal(live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(run__reads_its_input_and_environment__and_ends_well, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(run__no_shell__the_path_is_taken_as_it_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(run__does_not_read_its_input__is_no_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(run__exit_status_and_signal__are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(run__never_ends__is_ended_with_what_it_started, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            run__leaves_a_child_that_holds_its_output__is_over_all_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(run__floods__lines_have_a_ceiling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(run__one_endless_line__is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(run__without_standard_streams__all_is_where_it_belongs,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(run__signals__are_as_a_program_expects_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(end__while_it_runs__is_over_soon, set_up, tear_down),
        cmocka_unit_test_setup_teardown(start__no_such_program__says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(start__not_executable__says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(start__no_memory__is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("daemon.command_run", tests, NULL, NULL);
}
